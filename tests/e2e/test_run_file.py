"""The run file through the program: show, import, a killed writer, and the queries of its documentation."""

import json
import os
import re
import signal
import sqlite3
import time
import unittest

from harness import Case

DOCS = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "run-file.md")


class Show(Case):
    def test_show_tells_what_the_run_told(self):
        for extra in ([], ["--no-deltas"], ["--slo", "ttft<50ms", "--retries", "1"]):
            live = self.run_json("-n", 60, "-c", 6, *extra)
            self.assertEqual(live.out, self.lens("show", "run.lens", "--json", code=0).out)
            self.assertEqual(os.listdir(self.dir), ["run.lens"])

    def test_a_file_is_not_overwritten_unless_forced(self):
        self.write("run.lens", "precious")
        refused = self.lens("run", "-n", 1, "-o", "run.lens", code=2)
        self.assertIn("--force", refused.err)
        self.assertEqual(self.read("run.lens"), "precious")
        self.lens("run", "-n", 1, "-o", "run.lens", "--force", "--quiet", code=0)
        self.assertIn("VALID", self.lens("show", "run.lens", code=0).out)

    def test_what_is_no_run_file_is_refused(self):
        self.write("text.lens", "hello" * 1000)
        self.write("empty.lens", "")
        for name, why in (("text.lens", "not a lens run file"), ("empty.lens", "not a lens run file"),
                          ("none.lens", "No such file"), (".", "directory")):
            self.assertIn(why, self.lens("show", name, code=2).err)

    def test_a_file_of_a_newer_lens_names_both_versions(self):
        self.run_json("-n", 1)
        with sqlite3.connect(self.path("run.lens")) as db:
            db.execute("PRAGMA user_version = 7")
        db.close()
        self.assertRegex(self.lens("show", "run.lens", code=2).err, r"version 7, .* versions 1 to 1")

    def test_kill_9_leaves_all_but_the_last_second(self):
        with self.start("run", "-d", "60s", "-c", "8", "-o", "run.lens", "--quiet") as child:
            deadline = time.monotonic() + 30
            done = 0
            while done < 40 and time.monotonic() < deadline:
                time.sleep(0.2)
                shown = self.lens("show", "run.lens", "--json")
                done = shown.first["requests"]["total"] if shown.code == 0 and \
                    shown.summary["results"] else 0
            self.assertGreaterEqual(done, 40)
            self.assertIn("the run goes on", shown.err)
            child.send_signal(signal.SIGKILL)
            child.wait()
        after = self.lens("show", "run.lens", "--json", code=0)
        self.assertGreaterEqual(after.first["requests"]["total"], done)
        self.assertIn("its writer was killed", after.err)
        self.assertIn("ended", [r["id"] for r in after.summary["run"]["verdict"]["reasons"]])


class Documentation(Case):
    def test_the_queries_and_the_timeline_reader_work(self):
        self.run_json("-n", 40, "-c", 4)
        with open(DOCS, encoding="utf-8") as file:
            blocks = re.findall(r"```(\w+)\n(.*?)```", file.read(), re.DOTALL)
        db = sqlite3.connect(self.path("run.lens"))
        queries = [q for kind, text in blocks if kind == "sql" for q in text.split(";") if q.strip()]
        self.assertGreater(len(queries), 5)
        for query in queries:
            db.execute(query).fetchall()
        names = {}
        for kind, text in blocks:
            if kind == "python" and "pandas" not in text:
                exec(text.replace("run.lens", self.path("run.lens")), names)  # pylint: disable=exec-used
        counts = db.execute("SELECT sum(output_messages - 1) FROM sample").fetchone()
        self.assertEqual(len(names["gaps"]), counts[0])

    def test_every_column_is_documented(self):
        self.run_json("-n", 1)
        with open(DOCS, encoding="utf-8") as file:
            words = set(re.findall(r"\w+", file.read()))
        db = sqlite3.connect(self.path("run.lens"))
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            self.assertIn(table, words)
            for column in db.execute(f"PRAGMA table_info({table})").fetchall():
                self.assertIn(column[1], words, table)


ROWS = [
    {"start_time": 1767323045.0, "ttft": 0.1, "e2e": 0.5, "gaps": [0.1, 0.2, 0.1], "in": 10, "out": 4},
    {"start_time": 1767323045.5, "ttft": 0.2, "e2e": 0.6, "gaps": [0.1, 0.1, 0.2], "in": 20, "out": 4},
]


class Import(Case):
    def imported(self, kind, name, *args):
        self.lens("import", kind, name, "-o", "other.lens", "--force", *args, code=0)
        return self.lens("show", "other.lens", "--json", code=0).first

    def check(self, result):
        self.assertEqual(result["requests"]["ok"], 2)
        self.assertAlmostEqual(result["latency"]["ttft"]["mean"], 150, places=3)
        self.assertAlmostEqual(result["latency"]["e2e"]["max"], 600, places=3)
        self.assertEqual(result["tokens"]["output"], 8)
        self.assertEqual(result["tokens"]["input"], 30)

    def test_per_request_files_of_other_tools(self):
        unit = lambda value, name: {"value": value, "unit": name}
        tools = {
            "genai-bench": [{"ttft": r["ttft"], "e2e_latency": r["e2e"], "num_input_tokens": r["in"],
                             "num_output_tokens": r["out"], "error_code": None} for r in ROWS],
            "LLMPerf": [{"ttft_s": r["ttft"], "end_to_end_latency_s": r["e2e"], "error_msg": "",
                         "number_input_tokens": r["in"], "number_output_tokens": r["out"]} for r in ROWS],
            "GuideLLM": [{"time_to_first_token_ms": r["ttft"] * 1e3, "request_latency": r["e2e"],
                          "start_time": r["start_time"], "prompt_tokens": r["in"],
                          "output_tokens": r["out"]} for r in ROWS],
            "AIPerf": [{"metadata": {"request_start_ns": int(r["start_time"] * 1e9)},
                        "metrics": {"time_to_first_token": unit(r["ttft"] * 1e3, "ms"),
                                    "request_latency": unit(r["e2e"] * 1e3, "ms"),
                                    "input_sequence_length": unit(r["in"], "tokens"),
                                    "output_sequence_length": unit(r["out"], "tokens")},
                        "error": None} for r in ROWS],
        }
        for tool, rows in tools.items():
            with self.subTest(tool):
                self.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
                self.check(self.imported("jsonl", "rows.jsonl"))
        self.write("vllm.json", json.dumps({
            "ttfts": [r["ttft"] for r in ROWS], "itls": [r["gaps"] for r in ROWS], "model_id": "m",
            "input_lens": [r["in"] for r in ROWS], "output_lens": [r["out"] for r in ROWS],
            "e2els": [r["e2e"] for r in ROWS], "errors": ["", ""]}))
        result = self.imported("jsonl", "vllm.json")
        self.check(result)
        self.assertEqual(result["latency"]["itl"]["count"], 6)
        self.assertAlmostEqual(result["latency"]["itl"]["max"], 200, places=3)
        self.assertIsNone(result["throughput"]["requests_per_s"])

    def test_columns_by_hand(self):
        self.write("rows.csv", "began;first;total;tin;tout;why\n" + "".join(
            f"{r['start_time']};{r['ttft']};{r['e2e']};{r['in']};{r['out']};\n" for r in ROWS) +
            "1767323046;;0.1;;;Connection refused\n")
        result = self.imported("csv", "rows.csv", "--map", "start=began,ttft_s=first,e2e_s=total",
                               "--map", "input_tokens=tin,output_tokens=tout,error=why")
        self.assertEqual(result["requests"]["errors"]["connect"]["count"], 1)
        result["requests"]["errors"].clear()
        self.assertAlmostEqual(result["window"]["end_s"], 1.1, places=3)
        self.assertAlmostEqual(result["latency"]["ttft"]["mean"], 150, places=3)

    def test_mistakes_are_explained_and_leave_no_file(self):
        self.write("rows.csv", "ttft_ms,n\n5,1\nfast,2\n")
        for args, why in ((["csv", "rows.csv"], "rows.csv:3: ttft_ms: expected a time"),
                          (["csv", "rows.csv", "--map", "tfft=n"], "did you mean 'ttft'"),
                          (["csv", "rows.csv", "--map", "e2e_ms=m"], "no column 'm'"),
                          (["csv", "none.csv"], "none.csv"),
                          (["xml", "rows.csv"], "csv or jsonl")):
            self.assertIn(why, self.lens("import", *args, "-o", "other.lens", code=2).err)
            self.assertFalse(os.path.exists(self.path("other.lens")))


if __name__ == "__main__":
    unittest.main()
