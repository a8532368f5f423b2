"""Measures a real llama.cpp server: what lens reports is held against the server's own numbers.

measure.py MODEL [UNITTEST ARGUMENTS]
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from harness import Case

MODEL = sys.argv.pop(1)
HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS = 16
STREAMED = ([], "streamed"), (["--no-stream"], "whole")
# Our times start at the kernel's departure stamp, the server's when it has read the request.
SLACK_MS = 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def healthy(url):
    try:
        with urllib.request.urlopen(url + "/health", timeout=1) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


class Llama(Case):
    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.url = f"http://127.0.0.1:{port}"
        cls.log = tempfile.TemporaryFile()
        cls.addClassCleanup(cls.log.close)
        cls.server = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "serve.py"), MODEL, str(port)],
            stdout=cls.log, stderr=cls.log)
        cls.addClassCleanup(cls.stop)
        until = time.monotonic() + 30
        while not healthy(cls.url):
            if cls.server.poll() is not None or time.monotonic() > until:
                cls.log.seek(0)
                raise RuntimeError(f"no server: {cls.log.read()[-2000:]}")
            time.sleep(0.05)

    @classmethod
    def stop(cls):
        cls.server.terminate()
        try:
            cls.server.wait(10)
        except subprocess.TimeoutExpired:
            cls.server.kill()
            cls.server.wait()

    def measure(self, *args, code=0, tokens=TOKENS, url=True):
        where = [self.url] if url else []
        return self.run_json(*where, "--max-tokens", tokens, *args, code=code).first

    def all_ok(self, first, requests):
        counts = first["requests"]
        self.assertEqual((counts["total"], counts["ok"]), (requests, requests), counts)
        self.assertEqual(counts["no_output"], 0)

    def say(self, text):
        print(f"\n    {text}", end="  ", flush=True)

    def check_usage(self, first, requests, streamed):
        self.all_ok(first, requests)
        self.assertEqual(first["model"], "lens-tiny")
        self.assertEqual(first["tokens"]["output"], requests * TOKENS)
        self.assertEqual(first["tokens"]["unknown_requests"], 0)
        self.assertEqual(first["latency"]["ttft"]["count"], requests if streamed else 0)
        self.assertEqual(first["latency"]["e2e"]["count"], requests)
        rows = self.sample_rows("output_tokens, asked_output_tokens, output_messages, "
                                "input_tokens, served_model, finish")
        for output, asked, messages, given, model, finish in rows:
            self.assertEqual((output, asked, model), (TOKENS, TOKENS, "lens-tiny"))
            self.assertGreater(given, 0)
            self.assertTrue(finish)
            # A token may be half a character that the server keeps until the other half.
            self.assertTrue(0 < messages <= TOKENS if streamed else messages == 1, messages)
        self.assertEqual(first["tokens"]["input"], sum(row[3] for row in rows))

    def check_timings(self, streamed):
        rows = self.sample_rows("departure_ns, first_output_ns, last_output_ns, terminal_ns, extra")
        worst = 0
        for departure, first, last, terminal, extra in rows:
            own = json.loads(extra)
            self.assertEqual(own["predicted_n"], TOKENS)
            total = own["prompt_ms"] + own["predicted_ms"]
            e2e = (terminal - departure) / 1e6
            self.assertGreaterEqual(e2e, total - SLACK_MS, own)
            if not streamed:
                continue
            ttft = (first - departure) / 1e6
            self.assertGreaterEqual(ttft, own["prompt_ms"] - SLACK_MS, own)
            self.assertLessEqual(ttft, e2e)
            # What came after the first token took the server no longer than all of them.
            worst = max(worst, abs((last - first) / 1e6 - own["predicted_ms"]))
        return worst

    def test_every_api_streamed_and_whole(self):
        for api in "chat", "completions", "responses":
            for flags, name in STREAMED:
                with self.subTest(api=api, answer=name):
                    streamed = not flags
                    first = self.measure("--api", api, "-n", 10, *flags)
                    self.check_usage(first, 10, streamed)
                    # This server keeps its timings out of a whole response object.
                    if api == "responses" and not streamed:
                        continue
                    worst = self.check_timings(streamed)
                    ttft, e2e = first["latency"]["ttft"]["p50"], first["latency"]["e2e"]["p50"]
                    own = json.loads(self.sample_rows("extra")[-1][0])
                    self.say(f"{api} {name}: ttft p50 {ttft} ms, e2e p50 {e2e:.2f} ms; the "
                             f"server's last: prompt {own['prompt_ms']:.2f}, predicted "
                             f"{own['predicted_ms']:.2f}; decoding apart by {worst:.2f} at most")

    def test_anthropic_messages(self):
        for flags, name in STREAMED:
            with self.subTest(answer=name):
                first = self.measure("--provider", "anthropic", "--url", self.url, "-m",
                                     "lens-tiny", "-n", 10, *flags, url=False)
                self.check_usage(first, 10, not flags)
                self.assertEqual({row[0] for row in self.sample_rows("finish")}, {"max_tokens"})
                # What the cache held is part of the input, as with every other API.
                same = self.measure("--provider", "anthropic", "--url", self.url, "-m",
                                    "lens-tiny", "-n", 3, "--same-prompt", *flags, url=False)
                rows = self.sample_rows("input_tokens, cache_read_tokens")
                self.assertEqual(len({row[0] for row in rows}), 1, rows)
                self.assertEqual(same["tokens"]["cache_read"], sum(row[1] for row in rows))

    def test_hundred_requests_a_connection(self):
        for flags, name in STREAMED:
            with self.subTest(answer=name):
                first = self.measure("--prompt", "hello", "-c", 4, "-n", 450, *flags)
                self.check_usage(first, 450, not flags)
                rows = self.sample_rows("attempts, reused")
                resent = sum(row[0] - 1 for row in rows)
                self.assertEqual(first["requests"]["retries"], resent)
                if flags:
                    opened = sum(1 for row in rows if not row[1])
                    self.assertLess(opened, 50)  # most were kept, none beyond its hundred
                    self.assertGreaterEqual(opened, 5)
                self.say(f"{name}: 450 ok, {resent} sent again, "
                         f"reuse {first['client']['reuse_ratio']:.3f}")

    def test_pauses_beyond_keep_alive(self):
        # Closed by the server after 5 s: while it rests, and just about when it is used again.
        for flags in ["--workload", "burst:n=4,every=6s,times=2"], ["--rate", "0.2", "-n", "3"]:
            with self.subTest(flags=flags):
                first = self.measure("--prompt", "hello", "--no-stream", *flags)
                self.all_ok(first, 8 if "burst" in flags[1] else 3)
                self.say(f"{' '.join(flags)}: {first['requests']['ok']} ok, "
                         f"{first['requests']['retries']} sent again")

    def test_load(self):
        first = self.measure("--prompt", "hello", "-c", 32, "-d", "3s", tokens=64)
        counts = first["requests"]
        self.assertEqual(counts["failed"], 0, counts)
        self.assertEqual(counts["ok"], counts["total"])
        self.assertGreaterEqual(counts["ok"], 32)
        self.assertEqual(first["tokens"]["output"], 64 * counts["ok"])
        self.assertEqual(first["client"]["in_flight_max"], 32)
        self.say(f"{counts['ok']} ok, {first['throughput']['output_tokens_per_s']:.0f} tok/s, "
                 f"ttft p50 {first['latency']['ttft']['p50']:.1f} ms")

    def test_another_model_name_is_told(self):
        # This server answers with the model it has: what answered is in the run file.
        first = self.measure("-m", "nobody", "-n", 2)
        self.all_ok(first, 2)
        self.assertEqual(first["model"], "nobody")
        self.assertEqual({row[0] for row in self.sample_rows("served_model")}, {"lens-tiny"})

    def test_too_long_a_prompt(self):
        path = self.write("long.txt", "token " * 6000 + "\n")
        for api in "chat", "completions", "responses":
            for flags, name in STREAMED:
                with self.subTest(api=api, answer=name):
                    first = self.measure("--api", api, "--prompts", path, "-n", 2, *flags, code=3)
                    errors = first["requests"]["errors"]
                    self.assertEqual(list(errors), ["context_length"], errors)
                    self.assertEqual(errors["context_length"]["count"], 2)
                    self.assertEqual(errors["context_length"]["where"], "http")
                    self.assertIn("context size", errors["context_length"]["example"])

    def test_a_refused_request(self):
        first = self.measure("--extra", '{"temperature":"hot"}', "-n", 2, code=3)
        self.assertEqual(list(first["requests"]["errors"]), ["invalid_request"])

    def test_no_such_path(self):
        first = self.run_json(self.url + "/nowhere", "-m", "m", "-n", "2", code=3).first
        self.assertEqual(first["requests"]["failed"], 2)
        self.assertEqual(first["requests"]["errors"].popitem()[1]["where"], "http")


if __name__ == "__main__":
    unittest.main()
