"""Whether what is reported is what was: a client that is starved, stopped or overrun must say so."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.request

from harness import Case


def truth(url):
    with urllib.request.urlopen(url + "/truth", timeout=5) as answer:
        return json.load(answer)


class Truth(Case):
    def test_the_reported_times_are_the_mocks(self):
        with self.mock("--ttft", "30ms", "--itl", "5ms", "--tokens", "16") as url:
            latency = self.run_json(url, "-m", "m", "-c", "4", "-n", "120").first["latency"]
            real = truth(url)
        self.assertAlmostEqual(latency["ttft"]["p50"], real["ttft"]["from_kernel"]["p50"] / 1e6,
                               delta=0.5)
        self.assertAlmostEqual(latency["itl"]["p50"], real["itl"]["p50"] / 1e6, delta=0.5)
        self.assertEqual(latency["itl"]["count"], real["itl"]["count"])

    def test_a_cpu_hog_raises_the_lag_and_not_ttft(self):
        """Everything on one processor, with three hogs on it."""
        cpu = str(min(os.sched_getaffinity(0)))
        hogs = [subprocess.Popen(["taskset", "-c", cpu, sys.executable, "-c",
                                  "while True: pass"]) for _ in range(3)]
        try:
            with self.mock("--ttft", "50ms", "--itl", "10ms", "--tokens", "16") as url:
                with self.start("run", url, "-m", "m", "-c", "16", "-n", "160", "--json",
                                "--quiet", "-o", "hog.lens") as child:
                    subprocess.run(["taskset", "-a", "-p", "-c", cpu, str(child.pid)],
                                   capture_output=True, check=True)
                    first = json.loads(child.communicate(timeout=60)[0])["results"][0]
                real = truth(url)
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        self.assertGreater(first["client"]["lag"]["max"], 1.0)
        self.assertAlmostEqual(first["latency"]["ttft"]["p50"],
                               real["ttft"]["from_kernel"]["p50"] / 1e6, delta=2.0)

    def test_a_stopped_client_marks_what_it_missed(self):
        with self.mock("--ttft", "100ms", "--itl", "10ms", "--tokens", "40") as url:
            with self.start("run", url, "-m", "m", "-c", "8", "-n", "64", "--json", "--quiet",
                            "-o", "stop.lens") as child:
                time.sleep(0.7)
                child.send_signal(signal.SIGSTOP)
                time.sleep(0.6)
                child.send_signal(signal.SIGCONT)
                first = json.loads(child.communicate(timeout=60)[0])["results"][0]
        self.assertNotEqual(first["verdict"]["state"], "VALID")
        reasons = {reason["id"] for reason in first["verdict"]["reasons"]}
        self.assertIn("stall", reasons)
        self.assertIn("merged", reasons)
        self.assertGreater(first["client"]["merged"], 0)
        with sqlite3.connect(self.path("stop.lens")) as db:
            kept = [row[0] for row in db.execute(
                "select first_output_ns - departure_ns from sample where first_clock = 1")]
        self.assertGreater(len(kept), 40)
        for ttft in kept:
            self.assertLess(abs(ttft / 1e6 - 100), 25)

    def test_the_user_clock_is_marked(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "-n", "10", "--clock", "user").first
        self.assertEqual(first["client"]["clock"]["kernel"], 0)
        self.assertGreater(first["client"]["clock"]["user"], 0)


class Signals(Case):
    def interrupted(self, times, number=signal.SIGINT):
        with self.mock("--ttft", "200ms", "--itl", "100ms", "--tokens", "200") as url:
            with self.start("run", url, "-m", "m", "-c", "4", "-d", "60s", "--json", "--quiet",
                            "-o", "int.lens") as child:
                time.sleep(1.0)
                begun = time.monotonic()
                for _ in range(times):
                    child.send_signal(number)
                    time.sleep(0.3)
                out, _ = child.communicate(timeout=60)
                return child.returncode, json.loads(out), time.monotonic() - begun

    def test_twice_ends_at_once_and_saves(self):
        code, summary, took = self.interrupted(2)
        self.assertEqual(code, 130)
        self.assertLess(took, 4)
        self.assertEqual(summary["results"][0]["requests"]["cancelled"], 4)
        ended = [r for r in summary["run"]["verdict"]["reasons"] if r["id"] == "ended"]
        self.assertEqual(len(ended), 1)
        shown = json.loads(self.lens("show", "int.lens", "--json", code=0).out)
        self.assertEqual(shown["results"][0]["requests"], summary["results"][0]["requests"])

    def test_once_lets_five_seconds_pass(self):
        code, _, took = self.interrupted(1)
        self.assertEqual(code, 130)
        self.assertGreater(took, 4.5)
        self.assertLess(took, 8)

    def test_sigterm_has_its_own_code(self):
        code, summary, _ = self.interrupted(2, signal.SIGTERM)
        self.assertEqual(code, 143)
        self.assertEqual(len(summary["results"]), 1)


class Load(Case):
    def test_in_flight_never_exceeds_the_concurrency(self):
        with self.mock("--ttft", "5ms") as url:
            for concurrency, threads in ((1, 1), (7, 1), (7, 3)):
                first = self.run_json(url, "-m", "m", "-c", concurrency, "-n", "100",
                                      "--threads", threads).first
                self.assertEqual(first["requests"]["total"], 100)
                self.assertLessEqual(first["client"]["in_flight_max"], concurrency)
            self.assertLessEqual(truth(url)["counts"].get("in_flight_max", 7), 7)

    def test_an_open_loop_is_drawn_the_same_for_any_threads(self):
        dues = []
        with self.mock() as url:
            for threads in (1, 2, 3):
                self.run_json(url, "-m", "m", "--workload", "poisson:rate=200", "-n", "60",
                              "--seed", "7", "--threads", threads)
                start = self.sample_rows("min(due_ns - 0)")[0][0]
                rows = self.sample_rows('"index", due_ns')
                dues.append(sorted((index, due - start) for index, due in rows))
        self.assertEqual(dues[0], dues[1])
        self.assertEqual(dues[0], dues[2])

    def test_a_constant_rate(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "--workload", "constant:rate=100",
                                  "-d", "1s").first
        self.assertEqual(first["requests"]["total"], 100)
        self.assertAlmostEqual(first["throughput"]["requests_per_s"], 100, delta=5)

    def test_a_burst_starts_together(self):
        with self.mock("--ttft", "50ms") as url:
            self.run_json(url, "-m", "m", "--workload", "burst:n=50,every=500ms,times=2")
        rows = self.sample_rows("due_ns, departure_ns")
        self.assertEqual(len(rows), 100)
        self.assertEqual(len({due for due, _ in rows}), 2)
        self.assertRegex(self.lens("show", "run.lens", code=0).out, r"bursts left\s+within")
        for due, departure in rows:
            self.assertLess(departure - due, 200e6)

    def test_warm_up_is_marked_and_not_measured(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "-c", "2", "-n", "20", "--warmup", "6").first
        self.assertEqual(first["requests"]["warmup"], 6)
        self.assertEqual(first["requests"]["total"], 20)
        self.assertEqual(first["latency"]["ttft"]["count"], 20)

    def test_warm_up_by_time(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "--workload", "constant:rate=100", "-d", "1s",
                                  "--warmup", "500ms").first
        self.assertEqual(first["requests"]["warmup"], 50)
        self.assertEqual(first["requests"]["total"], 100)
        self.assertAlmostEqual(first["window"]["end_s"] - first["window"]["start_s"], 1.0,
                               delta=0.01)

    def test_an_open_loop_cools_down(self):
        with self.mock("--ttft", "300ms") as url:
            first = self.run_json(url, "-m", "m", "--workload", "constant:rate=50", "-d",
                                  "1s").first
        self.assertEqual(first["requests"]["total"], 50)
        self.assertEqual(first["requests"]["ok"], 50)
        self.assertGreater(first["requests"]["cooldown"], 5)

    def test_what_does_not_end_within_drain_is_censored(self):
        with self.mock("--ttft", "20s") as url:
            first = self.run_json(url, "-m", "m", "-c", "3", "-d", "500ms", "--drain", "500ms",
                                  code=3).first
        self.assertEqual(first["requests"]["censored"], 3)
        self.assertEqual(first["requests"]["total"], 3)

    def test_max_in_flight_delays_and_drops_nothing(self):
        with self.mock("--ttft", "50ms", "--tokens", "1") as url:
            first = self.run_json(url, "-m", "m", "--workload", "constant:rate=200", "-n", "60",
                                  "--max-in-flight", "2").first
        self.assertEqual(first["requests"]["ok"], 60)
        self.assertLessEqual(first["client"]["in_flight_max"], 2)
        self.assertGreater(first["client"]["start_late"]["max"], 500)
        self.assertGreater(first["latency"]["ttft_from_due"]["max"],
                           first["latency"]["ttft"]["max"] + 400)
        self.assertIn("start_late", {r["id"] for r in first["verdict"]["reasons"]})

    def test_what_could_not_even_start_is_censored_too(self):
        with self.mock("--ttft", "400ms", "--tokens", "1") as url:
            first = self.run_json(url, "-m", "m", "--workload", "constant:rate=100", "-d", "1s",
                                  "--max-in-flight", "2", "--drain", "1s").first
        self.assertEqual(first["requests"]["total"], 100)
        self.assertGreater(first["requests"]["censored"], 80)
        self.assertEqual(first["requests"]["ok"] + first["requests"]["censored"], 100)

    def test_requests_per_minute(self):
        with self.mock() as url:
            first = self.run_json(url, "-m", "m", "-c", "8", "-n", "30", "--rpm", "600").first
        self.assertEqual(first["requests"]["ok"], 30)
        self.assertGreater(first["latency"]["e2e_from_due"]["max"], 300)

    def test_many_failures_in_a_row_end_the_run(self):
        with self.mock("--fault", "500:1") as url:
            first = self.run_json(url, "-m", "m", "-c", "4", "-n", "1000", "--abort-after", "10",
                                  code=3).first
        self.assertLess(first["requests"]["total"], 40)
        self.assertEqual(first["verdict"]["state"], "INVALID")

    def test_a_failing_slot_backs_off(self):
        with self.mock("--fault", "500:1") as url:
            begun = time.monotonic()
            self.run_json(url, "-m", "m", "-n", "8", "--abort-after", "off", code=3)
        self.assertGreater(time.monotonic() - begun, 0.5)


if __name__ == "__main__":
    unittest.main()
