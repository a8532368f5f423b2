"""Loads through the program: workloads, windows, buckets, threads, matrices, schedules, plans."""

import csv
import io
import json
import os
import re
import signal
import threading
import time
import unittest

from harness import PATIENCE, Case, Server, answer_json, answer_stream, delta, event


class Counting:
    """A server that knows how many it had at once, and when each came."""

    def __init__(self, seconds=0.0):
        self.now = self.most = 0
        self.times, self.seconds = [], seconds
        self.lock = threading.Lock()

    def __call__(self, c, r, n):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.times.append(time.monotonic())
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        answer_stream(c)


class Closed(Case):
    def test_never_more_than_asked_for(self):
        for threads in 1, 3:
            handle = Counting(0.02)
            with Server(handle) as server:
                first = self.run_json(server.url, "-m", "m", "-n", 60, "-c", 7, "--threads", threads).first
                self.assertEqual(len(server.requests), 60)
            self.assertEqual(handle.most, 7)
            self.assertEqual(first["client"]["in_flight_max"], 7)
            self.assertEqual(first["requests"]["ok"], 60)

    def test_100_requests_by_default(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.assertEqual(self.run_json(server.url, "-m", "m").first["requests"]["total"], 100)
            self.assertEqual(len(server.requests), 100)

    def test_a_duration(self):
        with Server(Counting(0.02)) as server:
            begun = time.monotonic()
            first = self.run_json(server.url, "-m", "m", "-d", "1s", "-c", 2).first
        self.assertLess(time.monotonic() - begun, 4)
        self.assertAlmostEqual(first["window"]["end_s"] - first["window"]["start_s"], 1, delta=0.2)
        self.assertGreater(first["requests"]["ok"], 20)

    def test_whichever_of_requests_and_duration_comes_first(self):
        with Server(Counting(0.01)) as server:
            self.assertEqual(self.run_json(server.url, "-m", "m", "-n", 5, "-d", "30s")
                             .first["requests"]["total"], 5)
            first = self.run_json(server.url, "-m", "m", "-n", 100000, "-d", "500ms").first
            self.assertLess(first["requests"]["total"], 1000)

    def test_warmup_is_marked_and_not_measured(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 20, "--warmup", 5).first
            self.assertEqual(len(server.requests), 25)
            self.assertEqual((first["requests"]["warmup"], first["requests"]["total"]), (5, 20))
            self.assertEqual(first["latency"]["e2e"]["count"], 20)
            first = self.run_json(server.url, "-m", "m", "-n", 5, "--warmup", "300ms").first
            self.assertGreater(first["requests"]["warmup"], 0)
            self.assertEqual(first["requests"]["total"], 5)
            for threads in 1, 3:
                first = self.run_json(server.url, "-m", "m", "-n", 10, "--warmup", "300ms", "--rate",
                                      50, "--threads", threads).first
                self.assertEqual((first["requests"]["warmup"], first["requests"]["total"]), (15, 10))

    def test_a_slot_that_fails_at_once_does_not_spin(self):
        handle = Counting()

        def fail(c, r, n):
            handle.times.append(time.monotonic())
            answer_json(c, {"error": {"message": "no"}}, "500 X")
        with Server(fail) as server:
            self.run_json(server.url, "-m", "m", "-d", "1s", "--abort-after", "off", code=3)
        self.assertLess(len(handle.times), 300)


class Open(Case):
    def test_rate_and_poisson_and_burst(self):
        for args, count in ((["--rate", 50, "-n", 25], 25),
                            (["--workload", "constant:rate=50", "-d", "500ms"], 25),
                            (["--workload", "poisson:rate=200", "-n", 30], 30),
                            (["--workload", "burst:n=10,every=200ms,times=2"], 20),
                            (["--workload", "constant", "--set", "workload.rate=100", "-n", 5], 5)):
            with self.subTest(args), Server(lambda c, r, n: answer_stream(c)) as server:
                first = self.run_json(server.url, "-m", "m", *args).first
                self.assertEqual(first["requests"]["total"], count)
                self.assertEqual(first["requests"]["ok"], count)

    def test_max_in_flight_starts_late_and_drops_nothing(self):
        handle = Counting(0.1)
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "--rate", 100, "-n", 20, "--max-in-flight", 2).first
        self.assertEqual(handle.most, 2)
        self.assertEqual(first["requests"]["ok"], 20)
        self.assertGreater(first["client"]["start_late"]["max"], 100)
        self.assertGreater(first["latency"]["ttft_from_due"]["max"], first["latency"]["ttft"]["max"] + 100)
        self.assertIn("start_late", [r["id"] for r in first["verdict"]["reasons"]])

    def test_the_load_goes_on_until_the_measured_ones_ended(self):
        handle = Counting(0.4)
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "--rate", 20, "-d", "1s").first
        self.assertEqual(first["requests"]["total"], 20)
        self.assertEqual(first["requests"]["censored"], 0)
        self.assertGreater(first["requests"]["cooldown"], 3)

    def test_what_outlives_the_drain_is_censored(self):
        with Server(Counting(5)) as server:
            begun = time.monotonic()
            first = self.run_json(server.url, "-m", "m", "--rate", 10, "-d", "500ms", "--drain",
                                  "300ms", code=3).first
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual(first["requests"]["censored"], first["requests"]["total"])

    def test_concurrency_and_rate_exclude_each_other(self):
        result = self.lens("run", "http://h:1", "-c", 4, "--rate", 3, code=2)
        self.assertIn("--max-in-flight", result.err)


class Buckets(Case):
    def test_requests_per_minute(self):
        handle = Counting()
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 4, "-c", 4, "--rpm", 120).first
        gaps = sorted(handle.times)
        self.assertEqual(first["requests"]["ok"], 4)
        self.assertGreater(gaps[-1] - gaps[0], 0.6)
        self.assertGreater(first["latency"]["e2e_from_due"]["max"], 500)
        self.assertLess(first["latency"]["e2e"]["max"], 400)

    def test_tokens_per_minute(self):
        handle = Counting()
        with Server(handle) as server:
            self.run_json(server.url, "-m", "m", "-n", 4, "-c", 4, "--tpm", 12000, "--max-tokens", 190,
                          "--prompt", "hi")
        self.assertGreater(max(handle.times) - min(handle.times), 0.3)


class Schedules(Case):
    def dump(self, *args):
        self.lens("run", "http://h:1", "--dump-schedule", "plan.csv", *args, code=0)
        text = self.read("plan.csv")
        os.unlink(self.path("plan.csv"))
        return text

    def test_the_same_for_any_number_of_threads(self):
        for load in ["--workload", "poisson:rate=100"], ["--rate", 7], ["--workload", "burst:n=8,every=1s"]:
            for end in ["-n", 500], ["-d", "5s"]:
                one = self.dump("--seed", 3, *load, *end)
                for threads in 2, 7:
                    self.assertEqual(one, self.dump("--seed", 3, "--threads", threads, *load, *end))
        self.assertNotEqual(self.dump("--workload", "poisson:rate=9", "-n", 50, "--seed", 1),
                            self.dump("--workload", "poisson:rate=9", "-n", 50, "--seed", 2))

    def test_poisson_is_exponential(self):
        rows = list(csv.DictReader(io.StringIO(
            self.dump("--workload", "poisson:rate=100", "-n", 4000, "--seed", 11))))
        due = [int(row["due_ns"]) for row in rows]
        gaps = [b - a for a, b in zip(due, due[1:])]
        self.assertEqual(len(rows), 4000)
        self.assertAlmostEqual(sum(gaps) / len(gaps) / 1e7, 1, delta=0.1)
        over = sum(g > 1e7 for g in gaps) / len(gaps)
        self.assertAlmostEqual(over, 0.368, delta=0.04)

    def test_what_is_done_is_what_was_said(self):
        rows = list(csv.DictReader(io.StringIO(
            self.dump("--workload", "poisson:rate=50", "-n", 20, "--seed", 8))))
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.run_json(server.url, "-m", "m", "--workload", "poisson:rate=50", "-n", 20, "--seed", 8,
                          "--threads", 2)
        due = sorted(row[0] for row in self.sample_rows("due_ns"))
        said = sorted(int(row["due_ns"]) for row in rows)
        self.assertEqual([d - due[0] for d in due], [s - said[0] for s in said])


class Matrix(Case):
    def test_stages_and_targets_in_order(self):
        seen = []

        def to(name):
            def handle(c, r, n):
                seen.append((name, json.loads(r[1])["model"]))
                answer_stream(c)
            return handle
        with Server(to("a")) as a, Server(to("b")) as b:
            self.write("plan.yaml", f"""
lens: 1
seed: 42
targets:
  - {{name: a, url: "{a.url}", model: ma}}
  - {{name: b, url: "{b.url}", model: mb, options: {{temperature: 0}}}}
stages:
  - {{name: one, workload: {{kind: closed, concurrency: 1}}, requests: 2}}
  - {{name: two, workload: {{kind: constant, rate: 100}}, requests: 3, targets: [b]}}
slo: ["errors<1%"]
export: [{{kind: csv, path: out.csv, what: summary}}]
""")
            summary = self.run_json("plan.yaml").summary
        self.assertEqual([(r["stage"], r["target"], r["requests"]["ok"]) for r in summary["results"]],
                         [("one", "a", 2), ("one", "b", 2), ("two", "b", 3)])
        self.assertEqual(seen, [("a", "ma")] * 2 + [("b", "mb")] * 5)
        self.assertEqual(summary["run"]["seed"], "42")
        self.assertEqual(summary["results"][2]["workload"]["name"], "constant")
        self.assertEqual(json.loads(b.requests[0][1])["temperature"], 0)
        self.assertTrue(os.path.exists(self.path("out.csv")))

    def test_one_target_that_is_not_there_ends_it_before_the_load(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.write("plan.yaml", f"""
targets: [{{name: good, url: "{server.url}", model: m}}, {{name: bad, url: "http://127.0.0.1:1", model: m}}]
""")
            self.assertIn("target bad", self.lens("run", "plan.yaml", code=3).err)
            self.assertEqual(server.requests, [])

    def test_one_target_that_fails_spares_the_other(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.write("plan.json", json.dumps({"targets": [
                {"name": "bad", "url": "http://127.0.0.1:1", "model": "m"},
                {"name": "good", "url": server.url, "model": "m"}],
                "stages": [{"name": "s", "requests": 3}]}))
            results = self.run_json("plan.json", "--no-preflight").summary["results"]
        self.assertEqual([r["requests"]["ok"] for r in results], [0, 3])

    def test_variables_and_secrets_of_a_plan(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.write("plan.yaml", 'targets: [{url: "${WHERE}", model: m, api_key: "cmd:echo sk-from-cmd"}]\n')
            self.run_json("plan.yaml", "-n", 1, env={"WHERE": server.url})
            self.assertIn("Bearer sk-from-cmd", server.requests[0][0])
            with open(self.path("run.lens"), "rb") as file:
                self.assertNotIn(b"sk-from-cmd", file.read().replace(b"echo sk-from-cmd", b""))
        self.assertIn("WHERE", self.lens("run", "plan.yaml", code=2).err)


class BadPlans(Case):
    def test_line_and_column(self):
        cases = (
            ("targets:\n  - {url: 'http://h:1', modle: x}\n", "2:25", "model"),
            ("targets: [{url: 'http://h:1'}]\nstages:\n  - {workload: {kind: clsed}}\n", "3:", "closed"),
            ("targets: [{url: 'http://h:1'}]\nstages: [{workload: {kind: poisson, rte: 5}}]\n", "2:", "rate"),
            ("targets: [{url: 'http://h:1', provider: opnai}]\n", "1:", "openai"),
            ("targets: [{url: 'http://h:1', api_key: sk-123456789}]\n", "1:", "env:"),
            ("targets: [{url: 'http://u:p@h:1'}]\n", "1:", "url"),
            ("targets: [{url: 'http://h:1', timeout: 10}]\n", "1:", "10s"),
            ("targets: [{url: 'http://h:1', options: {temperature: hot}}]\n", "1:", "number"),
            ("targets: [{url: 'http://h:1'}]\nslo: ['tfft<1s']\n", "2:", "ttft"),
            ("targets: [{url: 'http://h:1'}]\nexport: [{kind: cvs, path: a}]\n", "2:", "csv"),
            ("targets: [{url: 'http://h:1', name: a}, {url: 'http://h:2', name: a}]\n", "1:", "'a'"),
            ("targets: [{url: 'http://h:1'}]\nstages: [{targets: [x]}]\n", "2:", "x"),
            ("targets: [{url: 'http://h:1'}]\nlens: 2\n", "2:", "1"),
            ("targets: [{url: http://h:1}\n", "", ""),
            ("a: &x [*x]\n", "1:", ""), ("{", "2:1", ""), ("- 1\n", "1:", ""), ("\tx: 1\n", "1:", ""),
            ("targets: [{url: 'http://h:1', model: m, model: n}]\n", "1:", "model"),
        )
        for text, place, said in cases:
            with self.subTest(text):
                self.write("plan.yaml", text)
                err = self.lens("run", "plan.yaml", code=2).err
                self.assertIn(f"plan.yaml:{place}", err)
                self.assertIn(said, err)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertNotIn("sk-123456789", err)

    def test_bad_json(self):
        for text in '{"targets": [{"url": "http://h:1", "modle": "x"}]}', '{"targets": [}', '{"a": 1,}':
            self.write("plan.json", text)
            err = self.lens("validate", "plan.json", code=2).err
            self.assertRegex(err, r"plan\.json:1:\d+")


class Values(Case):
    def test_values_out_of_range_name_the_flag(self):
        cases = (("-c", "0"), ("-c", "1e9"), ("-n", "0"), ("-n", "-1"), ("-d", "0s"), ("-d", "5"), ("-d", "5 s"),
                 ("--rate", "0"), ("--rate", "nan"), ("--threads", "0"), ("--threads", "999"), ("--max-tokens", "0"),
                 ("--temperature", "-1"), ("--top-p", "1.5"), ("--seed", "-1"), ("--seed", "18446744073709551616"),
                 ("--http", "3"), ("--timeout", "1y"), ("--abort-after", "0"), ("--abort-after", "never"),
                 ("--retries", "-1"), ("--warmup", "x"), ("--interval", "1ms"), ("--rpm", "0"), ("--tpm", "-5"),
                 ("--max-in-flight", "0"), ("--connect-timeout", "inf"), ("--proxy", "no url"))
        for flag, value in cases:
            with self.subTest(flag=flag, value=value):
                result = self.lens("run", "http://127.0.0.1:1", "-m", "m", f"{flag}={value}"
                                   if flag.startswith("--") else flag + value, code=2)
                self.assertEqual(result.err.count("\n"), 1, result.err)
                self.assertRegex(result.err, r"--\w|expected")
                self.assertEqual(result.out, "")

    def test_a_flag_without_its_value(self):
        for flag in "--url", "-c", "--slo":
            self.assertIn(flag.lstrip("-")[0], self.lens("run", flag, code=2).err)
        self.lens("run", "http://h:1", "--insecure=maybe", code=2)
        self.lens("run", "http://h:1", "http://h:2", code=2)
        self.lens("run", "http://h:1", "--url", "http://h:2", code=2)


class Clock(Case):
    def test_spin_changes_no_result(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "-n", 40, "-c", 4, "--spin").first
        self.assertEqual(first["requests"]["ok"], 40)
        self.assertEqual(first["latency"]["itl"]["count"], 40 * 7)

    def test_intervals_are_kept(self):
        with self.mock("--ttft", "10ms") as url:
            self.run_json(url, "-m", "m", "-d", "1200ms", "-c", 2, "--interval", "200ms")
        import sqlite3
        with sqlite3.connect(self.path("run.lens")) as db:
            tables = [t for (t,) in db.execute("select name from sqlite_master where type='table'")]
            name = next(t for t in tables if "interval" in t)
            count = db.execute(f"select count(*) from {name}").fetchone()[0]
        self.assertGreaterEqual(count, 4)

    def test_several_threads_sum_up(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "-n", 200, "-c", 8, "--threads", 4).first
        self.assertEqual(first["requests"]["ok"], 200)
        self.assertEqual(first["latency"]["itl"]["count"], 200 * 7)
        self.assertEqual(first["tokens"]["output"], 1600)


if __name__ == "__main__":
    unittest.main()
