"""Rows that lens puts into PostgreSQL, read back by psql."""

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import Case
from receivers import free_port

REQUESTS = 60


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found or shutil.which("psql") is None:
        raise unittest.SkipTest("postgresql is missing: apt-get install postgresql")
    return found[-1]


class Database:
    """A cluster in a folder of its own; initdb refuses root, so it belongs to postgres then."""

    def __init__(self):
        self.bin = programs()
        self.folder = tempfile.mkdtemp(prefix="lens-postgres-")
        self.port = free_port()
        self.user = []
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "lens", "--no-sync")
        self.start()

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    def call(self, program, *args):
        subprocess.run([*self.user, os.path.join(self.bin, program), *args], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def start(self):
        self.call("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.folder, "log"), "-o",
                  f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off",
                  "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def require_password(self):
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="utf-8") as file:
            file.write("local all all trust\nhost all asker 127.0.0.1/32 scram-sha-256\n"
                       "host all all 127.0.0.1/32 trust\n")
        self.sql("CREATE USER asker PASSWORD 'pg-s3cret' SUPERUSER; SELECT pg_reload_conf()")

    def sql(self, query, database="postgres"):
        done = subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "lens", "-qAt", "-c", query,
                               database], check=True, capture_output=True, text=True)
        return [line.split("|") for line in done.stdout.splitlines()]


class Postgres(Case):
    @classmethod
    def setUpClass(cls):
        cls.db = Database()
        cls.addClassCleanup(cls.db.remove)

    def setUp(self):
        super().setUp()
        self.name = f"t{time.monotonic_ns()}"
        self.db.sql(f"CREATE DATABASE {self.name}")

    def sql(self, query):
        return self.db.sql(query, self.name)

    def to(self, **options):
        given = {"host": "127.0.0.1", "port": self.db.port, "user": "lens", "dbname": self.name, **options}
        return "postgres:" + ",".join(f"{key}={value}" for key, value in given.items())

    def measure(self, *more, code=0, env=None):
        return self.run_json("-n", REQUESTS, "-c", "6", "--max-tokens", "4", "--interval", "200ms", *more, code=code,
                             env=env)

    def test_rows_say_what_lens_says(self):
        result = self.measure("--export", self.to(create="true")).first
        count, p50 = self.sql("SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY ttft_ms) "
                              "FROM lens_sample")[0]
        self.assertEqual(int(count), REQUESTS)
        self.assertAlmostEqual(float(p50), result["latency"]["ttft"]["p50"], delta=float(p50) * 2e-4)
        tokens, ok = self.sql("SELECT sum(output_tokens), count(*) FILTER (WHERE outcome = 'ok') FROM lens_sample")[0]
        self.assertEqual((int(tokens), int(ok)), (result["tokens"]["output"], result["requests"]["ok"]))
        rows = self.sql("SELECT sum(requests_ok), sum(ttft_ms_count) FROM lens_interval")[0]
        self.assertEqual([float(x) for x in rows], [REQUESTS, REQUESTS])
        run = self.sql("SELECT verdict, summary->'results'->0->'requests'->>'ok', plan IS NOT NULL, "
                       "started_at > now() - interval '1 hour' FROM lens_run")[0]
        self.assertIn(run[0], ("VALID", "SUSPECT", "INVALID"))
        self.assertEqual(run[1:], [str(REQUESTS), "t", "t"])

    def test_a_repeat_changes_nothing(self):
        self.measure("--export", self.to(create="true"))
        before = self.sql("SELECT md5(string_agg(s::text, '|' ORDER BY id)) FROM lens_sample s")
        self.lens("export", "run.lens", "--to", self.to(), "--again", code=0)
        self.assertEqual(self.sql("SELECT md5(string_agg(s::text, '|' ORDER BY id)) FROM lens_sample s"), before)
        self.assertEqual(self.sql("SELECT count(*) FROM lens_run"), [["1"]])

    def test_tables_that_are_missing_are_named_and_made_later(self):
        result = self.measure("--export", self.to())
        self.assertEqual(result.code, 0)
        done = self.lens("export", "run.lens", "--to", self.to(), code=5)
        self.assertIn("create=true", done.err)
        self.assertIn("lens_", done.err)
        self.lens("export", "run.lens", "--to", self.to(create="true", schema="public"), code=0)
        self.assertEqual(self.sql("SELECT count(*) FROM lens_sample"), [[str(REQUESTS)]])

    def test_an_older_table_gets_its_new_columns(self):
        self.sql("CREATE TABLE lens_sample (run_id text, id bigint, time timestamptz, PRIMARY KEY (run_id, id, time))")
        self.measure("--export", self.to(create="true"))
        self.assertEqual(self.sql("SELECT count(ttft_ms) FROM lens_sample"), [[str(REQUESTS)]])

    def test_an_observatory_with_its_own_columns(self):
        self.sql("CREATE TABLE llm_traces (ts timestamptz, trace_id text, span_id text, provider text, model text, "
                 "input_type text, prompt_tokens int, completion_tokens int, total_tokens int, "
                 "prompt_cost_usd numeric, completion_cost_usd numeric, total_cost_usd numeric, "
                 "duration_ms double precision, ttft_ms real, status_code int, error_message text, attributes jsonb)")
        self.measure("--export", self.to(preset="observatory"))
        shipped = os.path.join(os.path.dirname(__file__), "../../../data/layouts/observatory.map")
        self.sql("CREATE TABLE by_map (LIKE llm_traces)")
        self.lens("export", "run.lens", "--to", self.to(preset="observatory", map=shipped, table="by_map") +
                  ",name=again", code=0)
        self.assertEqual(self.sql("SELECT count(*) FROM (TABLE llm_traces EXCEPT TABLE by_map) x"), [["0"]])
        row = self.sql("SELECT count(*), count(DISTINCT trace_id), min(length(span_id)), min(input_type), "
                       "min(completion_tokens), min(total_tokens - prompt_tokens), min(attributes->>'target') "
                       "FROM llm_traces")[0]
        self.assertEqual(row, [str(REQUESTS), str(REQUESTS), "16", "text", "4", "4", "mock"])

    def test_a_map_of_the_user(self):
        self.write("map", "# ours\nwhen_at = time\nlatency = e2e_ms\nsource = 'lens'\n")
        self.measure("--export", self.to(preset="observatory", map="map", table="calls", create="true"))
        row = self.sql("SELECT count(*), count(latency), min(source), max(when_at) <= now() FROM calls")[0]
        self.assertEqual(row, [str(REQUESTS), str(REQUESTS), "lens", "t"])
        self.write("bad", "a = time\nb = no_such\n")
        done = self.lens("run", "-n", "1", "--export", self.to(preset="observatory", map="bad"), code=2)
        self.assertIn("bad: line 2: `no_such`", done.err)

    def test_one_bad_row_costs_one_row(self):
        self.measure("--export", self.to(create="true"))
        self.sql("TRUNCATE lens_sample; ALTER TABLE lens_sample ADD CHECK (id <> 7)")
        done = self.lens("export", "run.lens", "--to", self.to(), "--again")
        self.assertEqual(self.sql("SELECT count(*) FROM lens_sample"), [[str(REQUESTS - 1)]])
        self.assertIn("refused", done.err)

    def test_a_server_that_restarts_loses_nothing(self):
        with self.start("run", "-d", "4s", "-c", "4", "--interval", "300ms", "-o", "run.lens", "--export-wait", "30s",
                        "--quiet", "--export", self.to(create="true")) as child:
            time.sleep(1.5)
            self.db.stop()
            time.sleep(1)
            self.db.start()
            self.assertEqual(child.wait(60), 0)
        total = len(self.sample_rows("id"))
        self.assertGreater(total, 50)
        self.assertEqual(self.sql("SELECT count(*) FROM lens_sample"), [[str(total)]])

    def test_passwords(self):
        self.db.require_password()
        done = self.lens("run", "-n", "2", "--export", self.to(user="asker"), "--quiet", "-o", "a.lens",
                         env={"PGPASSWORD": "wrong-s3cret"})
        self.assertRegex(done.err, "authentication failed")
        self.assertNotIn("s3cret", done.err)
        self.lens("export", "a.lens", "--to", self.to(user="asker", create="true"), code=0,
                  env={"PGPASSWORD": "pg-s3cret"})
        for option in ("dsn=postgresql://u:p4ss@h/db", "dsn=host=h password=p4ss", "password=p4ss"):
            done = self.lens("run", "-n", "1", "--export", f"postgres:{option}", code=2)
            self.assertRegex(done.err, "PGPASSWORD|env:")

    def test_a_database_that_is_missing(self):
        self.name = "nowhere"
        done = self.lens("run", "-n", "2", "-c", "2", "--quiet", "-o", "b.lens", "--export", self.to())
        self.assertIn('database "nowhere" does not exist', done.err)
        self.assertIn("lens export b.lens", done.err)

    def test_a_dsn_is_enough(self):
        self.lens("run", "-n", "3", "--quiet", "-o", "c.lens", "--export",
                  f"postgres:dsn=postgresql://lens@127.0.0.1:{self.db.port}/{self.name},create=true", code=0)
        self.assertEqual(self.sql("SELECT count(*) FROM lens_sample"), [["3"]])

    def test_the_settings_are_in_plugin_info(self):
        self.assertIn("password", self.lens("plugin", "info", "postgres", code=0).out)


if __name__ == "__main__":
    unittest.main()
