"""What a run says and leaves: summary, goals, verdict, exports, exit codes, run file."""

import csv
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import (CHUNKED, LENS, PATIENCE, Case, Result, Server, answer_json, answer_stream,
                     chunk, delta, head)

STATISTICS = ["count", "min", "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99_9", "max",
              "needs"]
SUMMARY = {
    "": ["schema", "run", "results"],
    "run": ["id", "started_at", "duration_s", "seed", "version", "plan_hash", "host", "cost",
            "verdict", "exports"],
    "run.host": ["name", "cpu", "cores", "kernel"],
    "run.verdict": ["state", "reasons"],
    "results": ["target", "stage", "provider", "api", "model", "url", "workload", "window",
                "requests", "tokens", "cost", "throughput", "latency", "client", "goodput", "slo",
                "verdict"],
    "results.workload": ["name", "options"],
    "results.window": ["start_s", "end_s"],
    "results.requests": ["total", "ok", "failed", "cancelled", "censored", "warmup", "cooldown",
                         "no_output", "retries", "errors"],
    "results.tokens": ["input", "cache_read", "cache_write", "output", "reasoning",
                       "unknown_requests"],
    "results.throughput": ["requests_per_s", "output_tokens_per_s", "input_tokens_per_s"],
    "results.latency": ["ttft", "ttft_text", "ttft_from_due", "ttft_text_from_due", "ttst", "itl",
                        "itl_token", "tpot", "e2e", "e2e_from_due", "ttfb", "dns", "connect", "tls",
                        "network", "server", "output_tokens_per_s_per_request"],
    "results.client": ["clock", "lag", "start_late", "merged", "shared_read_share", "reuse_ratio",
                       "in_flight_max", "cpu_s", "max_rss_bytes"],
    "results.client.clock": ["kernel", "user", "interval"],
    "results.client.lag": STATISTICS,
    "results.client.start_late": STATISTICS,
    "results.goodput": ["slo", "ratio", "requests_per_s"],
    "results.verdict": ["state", "reasons"],
}


def fail(c, r, n):
    answer_json(c, {"error": {"message": "broken", "type": "server_error"}}, "500 Oops")


class Summary(Case):
    def check_members(self, summary):
        for path, members in SUMMARY.items():
            value = summary
            for name in path.split(".") if path else []:
                value = value[name][0] if name == "results" else value[name]
            self.assertEqual(sorted(value), sorted(members), path)
        for name, value in summary["results"][0]["latency"].items():
            self.assertEqual(sorted(value), sorted(STATISTICS), name)

    def test_members_are_exactly_those_of_the_schema(self):
        with Server(lambda c, r, n: fail(c, r, n) if n == 1 else answer_stream(c)) as server:
            result = self.run_json(server.url, "-m", "m", "-n", 3, "--slo", "ttft<1s", "--slo",
                                   "errors<99%", "--export", "json:path=s.json", "--seed",
                                   "18446744073709551615")
        summary = result.summary
        self.check_members(summary)
        first = result.first
        self.assertEqual(summary["schema"], "lens.summary/1")
        self.assertEqual(summary["run"]["seed"], "18446744073709551615")
        self.assertRegex(summary["run"]["started_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        self.assertEqual(list(first["requests"]["errors"]), ["server"])
        self.assertEqual(sorted(first["requests"]["errors"]["server"]), ["count", "example", "where"])
        self.assertEqual(first["goodput"]["slo"], ["ttft<1s"])
        self.assertAlmostEqual(first["goodput"]["ratio"], 2 / 3, places=5)
        self.assertEqual([(s["expr"], s["ok"]) for s in first["slo"]], [("errors<99%", True)])
        self.assertEqual(sorted(first["slo"][0]), ["expr", "ok", "unit", "value"])
        export = summary["run"]["exports"]
        self.assertEqual([sorted(e) for e in export], [["delivered", "error", "kind", "name", "of"]])
        self.assertEqual((export[0]["delivered"], export[0]["of"], export[0]["error"]), (3, 3, None))
        self.check_members(json.loads(self.read("s.json")))

    def test_sums(self):
        with Server(lambda c, r, n: fail(c, r, n) if n % 4 == 0 else answer_stream(c)) as server:
            requests = self.run_json(server.url, "-m", "m", "-n", 40, "-c", 4).first["requests"]
        self.assertEqual(requests["total"], 40)
        self.assertEqual(requests["failed"], 10)
        self.assertEqual(requests["ok"] + requests["failed"] + requests["cancelled"]
                         + requests["censored"], requests["total"])

    def test_percentiles_need_enough_samples(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            ttft = self.run_json(server.url, "-m", "m", "-n", 20).first["latency"]["ttft"]
        self.assertIsNotNone(ttft["p95"])
        self.assertIsNone(ttft["p99"])
        self.assertEqual(ttft["needs"], {"p99": 100, "p99_9": 1000})

    def test_the_table_fits_80_columns_and_names_the_mock(self):
        result = self.lens("run", "-n", 5, "--slo", "ttft.mean<1s", code=0)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 80, result.out)
        self.assertIn("built-in mock", result.out)
        self.assertIn("VALID", result.out)
        self.assertNotIn("\x1b", result.out + result.err)
        self.assertRegex(result.err, r"seed \d+")

    def test_the_model_alone_is_no_mock(self):
        self.assertIn("no target", self.lens("run", "-m", "m", code=2).err)


class Goals(Case):
    def test_met_and_missed(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            for goal, code in (("ttft.max<10s", 0), ("ttft.max<1us", 1), ("errors<1%", 0),
                               ("output_tokens_per_s>1000000000", 1), ("goodput>95%", 1), # of nothing
                               ("ttft<1us", 0), ("ttft.p99<10s", 1)):
                first = self.run_json(server.url, "-m", "m", "-n", 3, "--slo", goal, code=code).first
                if goal == "ttft<1us":
                    self.assertEqual(first["goodput"]["ratio"], 0)
                if goal == "ttft.p99<10s": # unknown with three samples
                    self.assertIsNone(first["slo"][0]["value"])
            self.run_json(server.url, "-m", "m", "-n", 3, "--slo", "ttft<1us", "--slo",
                          "goodput>95%", code=1)

    def test_bad_goals_are_explained(self):
        for text in "tfft.p99<1s", "ttft.p98x<1s", "ttft.p99", "ttft.p99<fast", "ttft.p99<5%", "":
            result = self.lens("run", "http://h:1", "--slo", text, code=2)
            self.assertIn("--slo", result.err)
            self.assertEqual(result.err.count("\n"), 1, result.err)


class Ends(Case):
    """Exit codes, the first that applies."""

    def test_nothing_succeeded_comes_before_goals_and_verdict(self):
        with Server(fail) as server:
            self.run_json(server.url, "-m", "m", "-n", 3, "--slo", "errors<1%", "--strict", code=3)

    def test_invalid_only_counts_when_strict_and_before_goals(self):
        with Server(lambda c, r, n: answer_stream(c) if n % 10 == 0 else fail(c, r, n)) as server:
            args = [server.url, "-m", "m", "-n", 20, "--slo", "errors<1%"]
            result = self.run_json(*args, code=1)
            self.assertEqual(result.summary["run"]["verdict"]["state"], "INVALID")
            self.assertIn("failures", [r["id"] for r in result.first["verdict"]["reasons"]])
            self.run_json(*args, "--strict", code=4)

    def test_an_export_counts_only_when_strict(self):
        """And always for lens export."""
        with Server(lambda c, r, n: answer_stream(c)) as server:
            args = [server.url, "-m", "m", "-n", 20, "--export", "csv:path=/dev/full",
                    "--export-wait", "1s"]
            result = self.run_json(*args)
            self.assertIn("/dev/full", result.err)
            export = result.summary["run"]["exports"][0]
            self.assertTrue(export["error"], export)
            self.run_json(*args, "--strict", code=5)
            self.run_json(*args, "--strict", "--slo", "ttft.max<1us", code=1)
        err = self.lens("export", "run.lens", "--to", "csv:path=/dev/full", "--export-wait", "1s",
                        code=5).err
        self.assertIn("/dev/full", err)

    def test_an_export_that_cannot_begin_is_told_before_the_load(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            err = self.lens("run", server.url, "-m", "m", "-n", 2, "--export",
                            "csv:path=no/such/dir/s.csv", "-o", "r.lens", code=2).err
            self.assertIn("no/such/dir", err)
            self.assertEqual(server.requests, [])
            self.assertFalse(os.path.exists(self.path("r.lens")), "a file of nothing")

    def test_signals_save_and_summarise(self):
        for number, code in (signal.SIGINT, 130), (signal.SIGTERM, 143):
            with self.start("run", "-d", "60s", "-c", "2", "--json", "--quiet", "-o", "r.lens",
                            "--force", "--slo", "ttft.max<1us") as child:
                time.sleep(1.0)
                child.send_signal(number)
                out, err = child.communicate(timeout=PATIENCE)
            self.assertEqual(child.returncode, code, err)
            result = Result(code, out, err)
            self.assertGreater(result.first["requests"]["ok"], 0)
            self.assertIn("ended", [r["id"] for r in result.first["verdict"]["reasons"]])
            self.assertEqual(self.lens("show", "r.lens", "--json", code=0).first["requests"]["ok"],
                             result.first["requests"]["ok"])

    def test_a_second_interrupt_does_not_wait(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED) + chunk(delta("a")))
            time.sleep(30)
            return False
        with Server(handle) as server, \
                self.start("run", server.url, "-m", "m", "-n", "5", "--json", "--quiet", "-o",
                           "r.lens") as child:
            time.sleep(0.7)
            begun = time.monotonic()
            child.send_signal(signal.SIGINT)
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=PATIENCE)
            self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(child.returncode, 130, err)
        self.assertEqual(Result(130, out, err).first["requests"]["cancelled"], 1)

    def test_an_interrupt_before_the_load_ends_it_at_once(self):
        with Server(lambda c, r, n: time.sleep(20)) as server: # never tells its models
            for number, code in (signal.SIGINT, 130), (signal.SIGTERM, 143):
                with self.start("run", server.url, "-o", "r.lens") as child:
                    time.sleep(0.5)
                    begun = time.monotonic()
                    child.send_signal(number)
                    child.communicate(timeout=PATIENCE)
                    self.assertLess(time.monotonic() - begun, 2)
                self.assertEqual(child.returncode, code)
        self.assertEqual(os.listdir(self.dir), [])

    def test_usage_comes_before_the_network(self):
        self.lens("run", "http://127.0.0.1:1", "-m", "m", "-n", "x", code=2)
        self.write("r.lens", "mine")
        self.lens("run", "http://127.0.0.1:1", "-m", "m", "-o", "r.lens", code=2)
        self.lens("run", "http://127.0.0.1:1", "-m", "m", "-o", "no/such/dir/r.lens", code=2)


class Exports(Case):
    def run_with(self, *exports, **more):
        with Server(lambda c, r, n: fail(c, r, n) if n == 2 else answer_stream(c)) as server:
            args = [word for e in exports for word in ("--export", e)]
            return self.run_json(server.url, "-m", "m", "-n", 5, *args, **more)

    def test_json(self):
        result = self.run_with("json:path=s.json,samples=s.jsonl")
        summary = json.loads(self.read("s.json"))
        self.assertEqual(summary["results"], result.summary["results"])
        rows = [json.loads(line) for line in self.read("s.jsonl").splitlines()]
        self.assertEqual(len(rows), 5)

    def test_csv(self):
        self.run_with("csv:path=s.csv", "csv:name=sums,path=t.csv,what=summary")
        with open(self.path("s.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 5)
        with open(self.path("t.csv"), newline="", encoding="utf-8") as file:
            self.assertGreater(len(list(csv.DictReader(file))), 0)

    def test_later_from_the_file_alone(self):
        self.run_with("csv:path=s.csv")
        self.lens("export", "run.lens", "--to", "csv:path=t.csv", "--quiet", code=0)
        self.lens("export", "run.lens", "--to", "json:path=t.json", "--quiet", code=0)
        live, later = self.read("s.csv"), self.read("t.csv")
        self.assertEqual(sorted(live.splitlines()), sorted(later.splitlines()))

    def test_columns_and_standard_output(self):
        self.run_with("csv:path=s.csv,columns=ttft+e2e+outcome")
        self.assertEqual(len(self.read("s.csv").splitlines()[0].split(",")), 3)
        with Server(lambda c, r, n: answer_stream(c)) as server:
            out = self.lens("run", server.url, "-m", "m", "-n", 2, "--export",
                            "csv:path=-,columns=outcome", "-o", "o.lens", "--quiet", code=0).out
        self.assertEqual(out.splitlines()[:3].count("ok"), 2, out)

    def test_two_of_a_kind_need_names(self):
        result = self.lens("run", "http://h:1", "--export", "csv:path=a", "--export", "csv:path=b",
                           code=2)
        self.assertIn("name", result.err)
        self.assertEqual(result.err.count("\n"), 1)

    def test_wrong_options_are_told_with_the_nearest(self):
        for text, said in (("csv:pth=a", "path"), ("csv:what=sample,path=a", "samples"),
                           ("jsn:path=a", "json"), ("csv", "path")):
            result = self.lens("run", "http://h:1", "-m", "m", "--no-preflight", "--dry-run",
                               "--export", text)
            if text != "csv":
                self.assertEqual(result.code, 2)
                self.assertIn(said, result.err)

    def test_set_reaches_an_export_by_name(self):
        self.run_with("csv:name=mine,path=a.csv", code=0)
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.run_json(server.url, "-m", "m", "-n", 1, "--export", "csv:name=mine,path=a.csv",
                          "--set", "export.mine.path=a,b.csv")
        self.assertTrue(os.path.exists(self.path("a,b.csv")))


class RunFile(Case):
    def test_the_default_name(self):
        result = self.lens("run", "-n", 1, code=0)
        names = os.listdir(self.dir)
        self.assertEqual(len(names), 1, names)
        self.assertRegex(names[0], r"^lens-\d{8}-\d{6}\.lens$")
        self.assertIn(names[0], result.out + result.err)
        self.lens("run", "-n", 1, "--quiet", code=0)
        self.assertEqual(len(os.listdir(self.dir)), 2)

    def test_without_deltas(self):
        self.run_json("-n", 3)
        kept = os.path.getsize(self.path("run.lens"))
        blobs = self.blobs()
        self.assertTrue(blobs)
        with Server(lambda c, r, n: answer_stream(c)) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 3, "--no-deltas").first
        self.assertEqual(first["latency"]["itl"]["count"], 6)
        self.assertLess(len(self.blobs()), len(blobs))
        self.assertGreater(kept, 0)

    def blobs(self):
        """Names of the sample's columns that hold blobs."""
        with sqlite3.connect(self.path("run.lens")) as db:
            names = [row[1] for row in db.execute("pragma table_info(sample)")]
            return [n for n in names if db.execute(
                f"select count(*) from sample where typeof({n}) = 'blob' and length({n}) > 0")
                    .fetchone()[0]]

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/proc"), "cannot be tested")
    def test_a_directory_that_is_read_only(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            for place in "/proc", "/sys":
                result = self.lens("run", server.url, "-m", "m", "-o", f"{place}/r.lens", code=2)
                self.assertEqual(result.err.count("\n"), 1, result.err)
                self.assertIn(f"{place}/r.lens", result.err)
            self.assertEqual(server.requests, [])

    def test_no_room_in_mid_run_still_gives_the_summary(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with self.mock("--tokens", "64", "--ttft", "1ms", "--itl", "0ms") as url:
            done = subprocess.run(
                [LENS, "run", url, "-m", "m", "-n", "4000", "-c", "32", "--json", "--quiet", "-o", "r.lens"],
                cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE, preexec_fn=limit,
                check=False)
        result = Result(done.returncode, done.stdout, done.stderr)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(result.first["requests"]["ok"], 4000)
        self.assertRegex(result.err, r"samples could not be written")
        self.assertIn("lost", [r["id"] for r in result.summary["run"]["verdict"]["reasons"]])
        shown = self.lens("show", "r.lens", "--json")
        self.assertIn(shown.code, (0, 2), shown.err)

    @unittest.skipUnless(shutil.which("unshare") and os.geteuid() == 0, "needs root and unshare")
    def test_a_full_disk(self):
        os.mkdir(self.path("disk"))
        script = ('mount -t tmpfs -o size=1500k none disk || exit 77; '
                  '"$0" run "$1" -m m -n 4000 -c 32 --json --quiet -o disk/r.lens; code=$?; '
                  'cat /dev/zero > disk/fill 2>/dev/null; '
                  '"$0" run "$1" -m m -n 1 --quiet -o disk/s.lens >&2; echo "then $?" >&2; exit $code')
        with self.mock("--tokens", "64", "--ttft", "1ms", "--itl", "0ms") as url:
            done = subprocess.run(["unshare", "-m", "sh", "-c", script, LENS, url], cwd=self.dir,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest("no mounts here")
        result = Result(done.returncode, done.stdout, done.stderr)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(result.first["requests"]["ok"], 4000)
        self.assertRegex(result.err, r"\d+ samples could not be written to disk/r.lens")
        self.assertIn("lost", [r["id"] for r in result.summary["run"]["verdict"]["reasons"]])
        self.assertIn("disk/s.lens", result.err) # said before the load
        self.assertIn("then 2", result.err)

    def test_no_room_at_all_is_said_before_the_load(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Server(lambda c, r, n: answer_stream(c)) as server:
            done = subprocess.run([LENS, "run", server.url, "-m", "m", "-n", "3", "--quiet", "-o",
                                   "r.lens"], cwd=self.dir, capture_output=True, text=True,
                                  timeout=PATIENCE, preexec_fn=limit, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(server.requests, [])
        self.assertIn("r.lens", done.stderr)

    def test_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 400))

        def fewer():
            resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))
        with self.mock() as url:
            args = [LENS, "run", url, "-m", "m", "-n", "400", "-c", "200", "--json", "--quiet", "-o"]
            done = subprocess.run([*args, "a.lens"], cwd=self.dir, capture_output=True, text=True,
                                  timeout=PATIENCE, preexec_fn=few, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["results"][0]["client"]["in_flight_max"], 200)
            done = subprocess.run([*args, "b.lens"], cwd=self.dir, capture_output=True, text=True,
                                  timeout=PATIENCE, preexec_fn=fewer, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("ulimit -n", done.stderr)
        self.assertIn("160", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)


class Talk(Case):
    def test_quiet_says_nothing_but_the_result(self):
        self.assertEqual(self.lens("run", "-n", 2, "--quiet", code=0).err, "")

    def test_lines_instead_of_a_live_view(self):
        with self.mock() as url:
            result = self.lens("run", url, "-m", "m", "-d", "6s", "-c", 2, code=0)
        self.assertNotIn("\r", result.err)
        self.assertNotIn("\x1b", result.err)
        self.assertGreaterEqual(result.err.count("\n"), 2, result.err)

    def test_colour_only_on_a_terminal_and_never_with_no_color(self):
        import pty
        for more, wanted in ({}, True), ({"NO_COLOR": "1"}, False):
            leader, follower = pty.openpty()
            child = subprocess.Popen([LENS, "run", "-n", "30"], cwd=self.dir, stdout=follower,
                                     stderr=follower, stdin=follower,
                                     env={**os.environ, "TERM": "xterm-256color", **more})
            os.close(follower)
            seen = b""
            try:
                while piece := os.read(leader, 65536):
                    seen += piece
            except OSError:
                pass
            child.wait(PATIENCE)
            os.close(leader)
            self.assertEqual(bool(re.search(rb"\x1b\[[0-9;]*m", seen)), wanted, seen[-600:])

    def test_verbose_says_more(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            args = ["run", server.url, "-m", "the-model", "-n", 2]
            self.assertNotIn("the-model", self.lens(*args, code=0).err)
            for verbose in ["-v"], ["-v", "-v"], ["--verbose"]:
                self.assertIn("the-model", self.lens(*args, *verbose, code=0).err)


if __name__ == "__main__":
    unittest.main()
