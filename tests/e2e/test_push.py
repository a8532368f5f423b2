"""Exporters that push events and lines: statsd, datadog, webhook, against scripted receivers.

What Datadog's intake answers is scripted here: no server that can be had gives its 403, 413 and 429.
"""

import collections
import gzip
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import threading
import time
import unittest

from harness import Case

REQUESTS = 30
RUN = ["-n", REQUESTS, "-c", "3", "--interval", "200ms", "--max-tokens", "4"]


class Receiver:
    """An HTTP server that keeps what it gets; `answer(nth, path)` gives (status, headers) or None for 200."""

    def __init__(self, answer=None):
        self.got, self.headers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                raw = body
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status, headers = (answer and answer(len(outer.headers), self.path)) or (200, {})
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                if status < 300:
                    outer.got.append((self.path, body, raw))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def json(self, path=""):
        return [json.loads(body) for at, body, _ in self.got if at.endswith(path)]


class Lines:
    """A datagram socket that keeps every line."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.sizes, self.lines, self.stop = [], [], False
        self.thread = threading.Thread(target=self._read, daemon=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def _read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                if self.stop:
                    return
                continue
            self.sizes.append(len(data))
            self.lines += data.decode().splitlines()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.socket.close()

    def values(self, name):
        """Numbers of all lines of one name, by tags and type."""
        found = [re.fullmatch(r"([^:|]+):([^|]+)\|(\w+)(.*)", line) for line in self.lines]
        return [float(m[2]) for m in found if m and m[1] == name]


class Statsd(Case):
    def test_every_request_is_a_timing_and_every_interval_counts(self):
        with Lines() as lines:
            result = self.run_json(*RUN, "--export", f"statsd:address={lines.address}").first
        lines.thread.join()
        self.assertEqual(len(lines.values("lens.ttft.mock.closed")), REQUESTS)
        self.assertAlmostEqual(sum(lines.values("lens.ttft.mock.closed")) / REQUESTS,
                               result["latency"]["ttft"]["mean"], delta=0.001)
        self.assertEqual(sum(lines.values("lens.requests_ok.mock.closed")), REQUESTS)
        self.assertEqual(sum(lines.values("lens.output_tokens.mock.closed")), result["tokens"]["output"])
        self.assertLessEqual(max(lines.sizes), 1432)
        for line in lines.lines:
            self.assertRegex(line, r"^[A-Za-z0-9_.\-]+:-?[0-9.e+\-]+\|(ms|c|g)$")

    def test_dogstatsd_has_tags_and_distributions_over_a_unix_socket(self):
        path = self.path("dsd.sock")
        with Lines(path) as lines:
            self.run_json(*RUN, "--export", f"statsd:socket={path},dialect=datadog,gaps=true,tag=team=a b")
        values = lines.values("lens.itl")
        self.assertEqual(len(values), REQUESTS * 3)
        tagged = [line for line in lines.lines if line.startswith("lens.itl:")]
        self.assertTrue(all(line.endswith("|d|#target:mock,stage:closed,model:mock-model,provider:compat,team:a_b")
                            for line in tagged), tagged[0])

    def test_tags_of_graphite(self):
        with Lines() as lines:
            self.run_json(*RUN, "--export", f"statsd:address={lines.address},series=tags,prefix=perf.")
        names = collections.Counter(line.split(":")[0] for line in lines.lines)
        self.assertEqual(names["perf.lens.e2e;target=mock;stage=closed;model=mock-model;provider=compat"], REQUESTS)

    def test_nobody_there_is_said_and_disturbs_nothing(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        done = self.lens("run", *RUN, "--export", f"statsd:address=127.0.0.1:{port}", "--quiet", code=0)
        self.assertRegex(done.err, r"127.0.0.1:\d+: \d+ of \d+ datagrams could not be sent \(Connection refused\)")

    def test_bad_addresses(self):
        for option, words in (("tag=x", "expected KEY=VALUE"), ("dialect=other", "expected one of statsd, datadog")):
            done = self.lens("run", "-n", "1", "--export", f"statsd:{option}", code=2)
            self.assertIn(words, done.err)


class Datadog(Case):
    KEY = {"DD_API_KEY": "dd-s3cret-key"}

    def test_series_and_distributions(self):
        with Receiver() as receiver:
            result = self.run_json(*RUN, "--export", f"datadog:url={receiver.url},tag=env:ci", env=self.KEY).first
        self.assertTrue(all(h["dd-api-key"] == "dd-s3cret-key" for h in receiver.headers))
        points = [p for body in receiver.json("distribution_points") for s in body["series"]
                  if s["metric"] == "lens.ttft" for p in s["points"]]
        values = [v for _, many in points for v in many]
        self.assertEqual(len(values), REQUESTS)
        self.assertAlmostEqual(sum(values) / REQUESTS, result["latency"]["ttft"]["mean"], delta=0.001)
        self.assertTrue(all(abs(at - time.time()) < 300 for at, _ in points))
        ok = [s for body in receiver.json("series") for s in body["series"] if s["metric"] == "lens.requests_ok"]
        self.assertEqual(sum(p["value"] for s in ok for p in s["points"]), REQUESTS)
        self.assertEqual(ok[0]["type"], 1)
        self.assertIn("env:ci", ok[0]["tags"])
        self.assertIn("target:mock", ok[0]["tags"])
        self.assertEqual(ok[0]["resources"][0]["type"], "host")

    def test_a_wrong_key_keeps_the_samples(self):
        with Receiver(lambda *_: (403, {})) as receiver:
            done = self.lens("run", *RUN, "-o", "r.lens", "--strict", "--quiet",
                             "--export", f"datadog:url={receiver.url}", env=self.KEY)
        self.assertIn(done.code, (4, 5), done.err)  # a busy machine makes such a short run INVALID
        self.assertIn("403", done.err)
        self.assertNotIn("s3cret", done.err)
        with Receiver() as receiver:
            self.lens("export", "r.lens", "--to", f"datadog:url={receiver.url}", env=self.KEY, code=0)
            values = [v for body in receiver.json("distribution_points") for s in body["series"]
                      if s["metric"] == "lens.e2e" for _, many in s["points"] for v in many]
        self.assertEqual(len(values), REQUESTS)

    def test_too_big_is_split_and_too_many_waits(self):
        answers = {0: (413, {}), 1: (429, {"Retry-After": "1"})}
        with Receiver(lambda nth, _: answers.get(nth)) as receiver:
            self.run_json(*RUN, "--export", f"datadog:url={receiver.url},points=samples", env=self.KEY)
        values = [v for body in receiver.json("distribution_points") for s in body["series"]
                  if s["metric"] == "lens.ttft" for _, many in s["points"] for v in many]
        self.assertEqual(len(values), REQUESTS)

    def test_no_key_is_refused(self):
        env = {key: "" for key in ("DD_API_KEY",)}
        done = self.lens("run", "-n", "1", "--export", "datadog", env=env, code=2)
        self.assertIn("DD_API_KEY", done.err)
        done = self.lens("run", "-n", "1", "--export", "datadog:api_key=plain", code=2)
        self.assertIn("env:", done.err)
        self.assertNotIn("plain", done.err.replace("api_key=plain", ""))


class Webhook(Case):
    def test_all_events_are_signed_and_in_order(self):
        key = "wh-s3cret"
        with Receiver() as receiver:
            self.run_json(*RUN, "--slo", "ttft.p50<0.001ms", "--export",
                          f"webhook:url={receiver.url}/hook", code=1, env={"LENS_WEBHOOK_SECRET": key})
        events = [json.loads(body) for _, body, _ in receiver.got]
        names = [event["event"] for event in events]
        self.assertEqual((names[0], names[-1]), ("begin", "end"))
        self.assertIn("interval", names)
        self.assertEqual(names.count("slo_broken"), 1)
        broken = events[names.index("slo_broken")]
        self.assertEqual(broken["slo"]["expr"], "ttft.p50<0.001ms")
        self.assertFalse(broken["slo"]["ok"])
        self.assertEqual(events[-1]["summary"]["schema"], "lens.summary/1")
        self.assertEqual(sum(r["requests_ok"] for e in events if e["event"] == "interval" for r in e["results"]),
                         REQUESTS)
        for headers, (_, _, raw) in zip(receiver.headers, receiver.got):
            mac = hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()
            self.assertEqual(headers["x-lens-signature-256"], f"sha256={mac}")
        ids = [headers["x-lens-delivery"] for headers in receiver.headers]
        self.assertEqual(len(set(ids)), len(ids))

    def test_a_template_of_the_user(self):
        self.write("slack.json", '{"text": "{{text}} ({{ run.version }})", "n": {{totals.0.ttft.count}}, '
                                 '"none": {{no.such}}, "event": "{{event}}"}')
        with Receiver() as receiver:
            self.run_json(*RUN, "--export", f"webhook:url={receiver.url},events=interval,template=slack.json")
        bodies = receiver.json()
        self.assertEqual(bodies[-1]["n"], REQUESTS)
        self.assertIsNone(bodies[-1]["none"])
        self.assertRegex(bodies[-1]["text"], r"^lens: mock/closed: .* \(\d")

    def test_retries_keep_the_id_of_an_event(self):
        answers = {0: (503, {}), 1: (429, {"Retry-After": "1"})}
        with Receiver(lambda nth, _: answers.get(nth)) as receiver:
            self.run_json(*RUN, "--export", f"webhook:url={receiver.url},events=end")
        self.assertEqual(len(receiver.got), 1)
        self.assertEqual(len({h["x-lens-delivery"] for h in receiver.headers}), 1)
        self.assertEqual(len(receiver.headers), 3)

    def test_bad_settings(self):
        self.write("open.txt", "a\n{{text}\n")
        for options, words in (("events=begin+never", "joined by +"), ("template=open.txt", "line 2"),
                               ("template=missing.txt", "missing.txt"), ("secret=literal", "env:")):
            done = self.lens("run", "-n", "1", "--export", f"webhook:url=http://127.0.0.1:9,{options}", code=2)
            self.assertIn(words, done.err)
        self.assertIn("url", self.lens("run", "-n", "1", "--export", "webhook", code=2).err)


if __name__ == "__main__":
    unittest.main()
