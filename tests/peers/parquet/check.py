"""Files of the exporter in Rust, read by pyarrow, against the JSON lines of the same run."""

import json
import os
import signal
import time
import unittest

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from harness import Case

REQUESTS = 200
PLUGINS = os.environ["LENS_PLUGINS"]
LIBRARY = os.path.join(PLUGINS, "liblens_parquet.so")

# Columns that stand in an object of the JSON lines.
NESTED = {"error": "kind", "error_class": "class", "error_where": "where", "error_detail": "detail"}


def member(line, column):
    """What a JSON line says of a column."""
    if column in NESTED:
        return (line["error"] or {}).get(NESTED[column])
    if column == "tokens_partial":
        return line["tokens"]["partial"]
    if column.endswith("_tokens") and column != "asked_output_tokens":
        return line["tokens"][column.removesuffix("_tokens")]
    return line[column]


class Parquet(Case):
    def setUp(self):
        super().setUp()
        with self.mock("--fault", "500:0.1", "--fault", "cut:0.1") as url:
            self.lens("run", url, "-m", "m", "-n", REQUESTS, "-c", 4, "--retries", 0, "--seed", 5, "--quiet",
                      "-o", "run.lens", code=0)

    def lines(self):
        self.lens("export", "run.lens", "--to", "json:path=s.json,samples=s.jsonl", code=0)
        return [json.loads(line) for line in self.read("s.jsonl").splitlines()]

    def export(self, options, code=0, again=True):
        more = ["--again"] if again else []
        return self.lens("--plugin-dir", PLUGINS, "export", "run.lens", "--to", f"parquet:{options}", *more, code=code)

    def compare(self, table):
        lines = self.lines()
        self.assertEqual(table.num_rows, REQUESTS)
        self.assertEqual(len(lines), REQUESTS)
        times = table.column("start_time").cast(pyarrow.int64()).to_pylist()
        rows = table.drop_columns(["start_time"]).to_pylist()
        nulls = 0
        for row, line, unix_ns in zip(rows, lines, times):
            self.assertEqual(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_ns // 10**9)) +
                             f".{unix_ns % 10**9:09d}Z", line["start_time"])
            for column, value in row.items():
                said = member(line, column)
                if isinstance(value, float) and said is not None:
                    self.assertAlmostEqual(value, said, delta=1e-6, msg=f"{column} of {row['id']}")  # JSON: 6 places
                else:
                    self.assertEqual(value, said, f"{column} of {row['id']}")
                nulls += value is None
        self.assertGreater(nulls, REQUESTS)
        self.assertGreater(sum(row["outcome"] == "failed" for row in rows), 0)

    def test_parquet(self):
        self.export("path=a.parquet,row_group=64")
        file = pyarrow.parquet.ParquetFile(self.path("a.parquet"))
        groups = [file.metadata.row_group(nth) for nth in range(file.metadata.num_row_groups)]
        self.assertEqual([group.num_rows for group in groups], [64, 64, 64, 8])
        self.assertEqual(groups[0].column(0).compression, "SNAPPY")
        self.compare(file.read())
        about = file.schema_arrow.metadata
        self.assertEqual(about[b"lens.schema"], b"lens.parquet/1")
        self.assertEqual(json.loads(about[b"lens.plan"])["targets"][0]["model"], "m")
        self.assertEqual(os.listdir(self.dir).count("a.parquet"), 1)
        self.assertFalse([name for name in os.listdir(self.dir) if name.endswith(".tmp")])

    def test_arrow(self):
        self.export("path=a.arrow,row_group=64")
        with pyarrow.ipc.open_file(self.path("a.arrow")) as file:
            self.assertEqual(file.num_record_batches, 4)
            self.compare(file.read_all())
        self.export("path=plain,format=arrow")
        with pyarrow.ipc.open_file(self.path("plain")) as file:
            self.assertEqual(file.read_all().num_rows, REQUESTS)

    def test_columns(self):
        self.export("path=a.parquet,columns=model+ttft_ms+id+trace_id,compression=none")
        table = pyarrow.parquet.read_table(self.path("a.parquet"))
        self.assertEqual(table.column_names, ["model", "ttft_ms", "id", "trace_id"])
        self.assertEqual(set(table.column("model").to_pylist()), {"m"})
        self.assertTrue(all(len(trace) == 32 for trace in table.column("trace_id").to_pylist()))

    def test_during_a_run(self):
        with self.mock() as url:
            self.lens("run", "--plugin-dir", PLUGINS, url, "-m", "m", "-n", 50, "-c", 4, "--quiet", "-o", "b.lens",
                      "--export", "parquet:path=b.parquet", code=0)
        self.assertEqual(pyarrow.parquet.read_table(self.path("b.parquet")).num_rows, 50)

    def test_a_killed_run_is_exported_anew(self):
        with self.mock("--ttft", "20ms") as url:
            with self.start("run", "--plugin-dir", PLUGINS, url, "-m", "m", "-n", 100000, "-c", 4, "--quiet",
                            "-o", "c.lens", "--export", "parquet:path=c.parquet") as child:
                time.sleep(2.5)
                child.send_signal(signal.SIGKILL)
                child.wait()
        self.assertFalse(os.path.exists(self.path("c.parquet")))
        self.lens("--plugin-dir", PLUGINS, "export", "c.lens", "--to", "parquet:path=c.parquet", code=0)
        self.assertEqual(pyarrow.parquet.read_table(self.path("c.parquet")).num_rows,
                         self.sample_rows("count(*)", "c.lens")[0][0])

    def test_twice_is_the_same(self):
        self.export("path=a.parquet", again=False)
        first = pyarrow.parquet.read_table(self.path("a.parquet"))
        os.unlink(self.path("a.parquet"))
        self.export("path=a.parquet", again=False)
        self.assertEqual(pyarrow.parquet.read_table(self.path("a.parquet")), first)

    def test_bad_input(self):
        for options, said in (("path=/nowhere/a.parquet", "/nowhere/a.parquet"),
                              ("path=-", "regular file"),
                              ("path=a,columns=id+nothing", "`nothing`"),
                              ("path=a,columns=id+id", "twice"),
                              ("path=a,format=arrow,compression=snappy", "compression"),
                              ("path=a,row_group=0", "row_group"),
                              ("format=arrow", "path")):
            done = self.export(options, code=2)
            self.assertIn(said, done.err, options)
        self.assertFalse([name for name in os.listdir(self.dir) if name.startswith("a")])

    def test_check(self):
        self.lens("plugin", "check", LIBRARY, code=0)


if __name__ == "__main__":
    unittest.main()
