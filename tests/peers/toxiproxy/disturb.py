"""Disturbs the network between `lens run` and `lens mock` by toxiproxy: how each ends, and what it costs.

disturb.py TOXIPROXY [UNITTEST ARGUMENTS]
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from harness import Case

TOXIPROXY = sys.argv.pop(1)
TOKENS = 32
TTFT_MS, ITL_MS = 50, 5


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Toxi(Case):
    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.api = f"http://127.0.0.1:{port}"
        cls.server = subprocess.Popen(
            [TOXIPROXY, "-host", "127.0.0.1", "-port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        until = time.monotonic() + 20
        while True:
            try:
                return cls.call("GET", "/version")
            except OSError:
                if cls.server.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    @classmethod
    def stop(cls):
        cls.server.terminate()
        try:
            cls.server.wait(10)
        except subprocess.TimeoutExpired:
            cls.server.kill()
            cls.server.wait()

    @classmethod
    def call(cls, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(cls.api + path, body, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()

    @contextlib.contextmanager
    def between(self, kind, stream="downstream", **attributes):
        """A mock behind a proxy with one toxic; gives the proxy's URL."""
        port = free_port()
        with self.mock("--ttft", f"{TTFT_MS}ms", "--itl", f"{ITL_MS}ms", "--tokens",
                       TOKENS) as mock:
            self.call("POST", "/proxies", {
                "name": "llm", "listen": f"127.0.0.1:{port}", "enabled": True,
                "upstream": mock.split("//")[1].rstrip("/")})
            try:
                if kind:
                    self.call("POST", "/proxies/llm/toxics", {
                        "name": "toxic", "type": kind, "stream": stream,
                        "attributes": attributes})
                yield f"http://127.0.0.1:{port}"
            finally:
                self.call("DELETE", "/proxies/llm")

    def measure(self, toxic, *args, requests=8, code=0):
        kind, attributes = toxic
        with self.between(kind, **attributes) as url:
            first = self.run_json(url, "-m", "m", "-n", requests, "-c", "4", *args, code=code).first
        self.assertEqual(first["requests"]["total"], requests)
        return first

    def whole(self, first, requests=8):
        self.assertEqual(first["requests"]["ok"], requests, first["requests"])
        self.assertEqual(first["tokens"]["output"], requests * TOKENS)
        self.assertEqual({row[0] for row in self.sample_rows("output_messages")}, {TOKENS})

    def failed(self, toxic, kind, where, *args, requests=8):
        first = self.measure(toxic, *args, requests=requests, code=3)
        errors = first["requests"]["errors"]
        self.assertEqual(list(errors), [kind], errors)
        self.assertEqual(errors[kind]["count"], requests)
        self.assertEqual(errors[kind]["where"], where)
        return first

    def say(self, text):
        print(f"\n    {text}", end="  ", flush=True)

    def test_nothing(self):
        first = self.measure((None, {}))
        self.whole(first)
        self.assertGreaterEqual(first["latency"]["ttft"]["min"], TTFT_MS - 1)

    def test_latency_is_in_the_first_token_and_not_in_the_gaps(self):
        plain = self.measure((None, {}))["latency"]
        first = self.measure(("latency", {"latency": 200}))
        self.whole(first)
        late = first["latency"]
        self.assertGreaterEqual(late["ttft"]["min"], TTFT_MS + 199)
        self.assertLess(late["ttft"]["p50"], plain["ttft"]["p50"] + 200 + 100)
        self.assertAlmostEqual(late["itl"]["mean"], ITL_MS, delta=2)
        self.say(f"200 ms: ttft p50 {plain['ttft']['p50']:.1f} -> {late['ttft']['p50']:.1f} ms, "
                 f"itl mean {plain['itl']['mean']:.2f} -> {late['itl']['mean']:.2f} ms")

    def test_latency_on_the_way_there(self):
        first = self.measure(("latency", {"stream": "upstream", "latency": 100}))
        self.whole(first)
        self.assertGreaterEqual(first["latency"]["ttft"]["min"], TTFT_MS + 99)

    def test_sliced_messages_stay_whole(self):
        for size in 3, 50:
            with self.subTest(size=size):
                first = self.measure(("slicer", {"average_size": size, "size_variation": 2,
                                                 "delay": 20}), requests=4)
                self.whole(first, 4)
                self.say(f"{size} bytes: {first['tokens']['output']} tokens, itl mean "
                         f"{first['latency']['itl']['mean']:.2f} ms")

    def test_narrow_bandwidth(self):
        first = self.measure(("bandwidth", {"rate": 20}), requests=4)  # KB/s
        self.whole(first, 4)

    def test_cut_in_mid_stream(self):
        first = self.failed(("limit_data", {"bytes": 1500}), "truncated", "stream", "--no-reuse")
        self.assertEqual(first["latency"]["ttft"]["count"], 0)  # of those that are ok
        self.assertTrue(all(0 < row[0] < TOKENS for row in self.sample_rows("output_messages")))

    def test_cut_before_the_answer(self):
        self.failed(("limit_data", {"bytes": 0}), "network", "http", "--no-reuse")

    def test_reset(self):
        self.failed(("reset_peer", {"timeout": 0}), "network", "http", "--no-preflight")

    def test_reset_after_the_request(self):
        self.failed(("reset_peer", {"timeout": 100}), "network", "http", "--no-reuse")

    def test_nothing_comes_through(self):
        self.failed(("timeout", {"timeout": 0}), "timeout", "client",
                    "--first-token-timeout", "400ms", requests=4)

    def test_nothing_comes_through_and_the_connection_ends(self):
        self.failed(("timeout", {"timeout": 200}), "network", "http", "--no-reuse", requests=4)

    def test_slow_close(self):
        first = self.measure(("slow_close", {"delay": 500}), "--no-reuse")
        self.whole(first)
        self.assertLess(first["latency"]["e2e"]["max"], 500)

    def test_retries_after_resets(self):
        first = self.measure(("reset_peer", {"timeout": 0}), "--retries", "2", requests=2, code=3)
        self.assertEqual(first["requests"]["retries"], 4)
        self.assertEqual({row[0] for row in self.sample_rows("attempts")}, {3})


if __name__ == "__main__":
    unittest.main()
