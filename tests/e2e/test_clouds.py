"""Gemini and Bedrock from end to end: plans against their mocks, credentials, endless answers."""

import json
import os
import struct
import unittest
import zlib

from harness import CHUNKED, Case, Server, answer_json, chunk, head

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "AWS_EC2_METADATA_DISABLED": "true"}


def frame(kind, name, payload):
    """A frame of the event stream."""
    headers = b"".join(
        bytes([len(n)]) + n + b"\x07" + struct.pack(">H", len(v)) + v
        for n, v in [(b":message-type", kind), (b":" + kind + b"-type", name)])
    body = json.dumps(payload).encode()
    start = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    start += struct.pack(">I", zlib.crc32(start)) + headers + body
    return start + struct.pack(">I", zlib.crc32(start))


EVENTS = "application/vnd.amazon.eventstream"


class Clouds(Case):
    def run_bedrock(self, url, *args, **more):
        return self.run_json("--provider", "bedrock", "--url", url, "-m", "anthropic.claude",
                             *args, env=KEYS, **more)

    def test_a_plan_of_both_clouds(self):
        flags = ["--tokens", "6", "--reasoning", "2", "--cached", "3", "--ttft", "20ms"]
        with self.mock("--provider", "gemini", *flags) as gemini, \
                self.mock("--provider", "bedrock", *flags) as bedrock:
            targets = [("g", "gemini", "sse", gemini), ("a", "gemini", "array", gemini),
                       ("c", "bedrock", "converse", bedrock), ("i", "bedrock", "invoke", bedrock)]
            plan = {"lens": 1, "targets": [
                {"name": n, "provider": p, "api": api, "url": url, "model": "anthropic.m"}
                for n, p, api, url in targets],
                "stages": [{"name": "s", "workload": {"kind": "closed", "concurrency": 2},
                            "requests": 8}]}
            path = self.write("plan.json", json.dumps(plan))
            streamed = self.run_json(path, env=KEYS).summary["results"]
            whole = self.run_json(path, "--no-stream", env=KEYS).summary["results"]
            finishes = {row[0] for row in self.sample_rows("finish")}
        self.assertEqual(finishes, {"STOP", "end_turn"})
        for result in streamed + whole:
            self.assertEqual(result["requests"]["ok"], 8, result["target"])
            tokens = result["tokens"]
            self.assertEqual(tokens["unknown_requests"], 0)
            self.assertEqual(tokens["cache_read"], 24)
            self.assertGreater(tokens["input"], 24)
            self.assertEqual(tokens["output"], whole[0]["tokens"]["output"])
        for result in streamed:
            ttft = result["latency"]["ttft"]
            self.assertGreaterEqual(ttft["p50"], 19)
            self.assertGreater(result["latency"]["ttft_text"]["p50"], ttft["p50"])

    def test_errors_of_both_clouds(self):
        kinds = {"429": "rate_limit", "500": "server", "503": "overloaded"}
        for provider in ["gemini", "bedrock"]:
            for status, kind in kinds.items():
                with self.mock("--provider", provider, "--fault", f"{status}:1") as url:
                    r = self.run_json("--provider", provider, "--url", url, "-m", "m", "-n", "1",
                                      code=3, env=KEYS)
                self.assertEqual(list(r.first["requests"]["errors"]), [kind])
            with self.mock("--provider", provider, "--fault", "cut:1") as url:
                r = self.run_json("--provider", provider, "--url", url, "-m", "m", "-n", "1",
                                  code=3, env=KEYS)
            self.assertLessEqual(set(r.first["requests"]["errors"]), {"truncated", "network"})

    def test_an_exception_in_mid_stream(self):
        def serve(connection, request, nth):
            connection.sendall(head("200 OK", EVENTS, CHUNKED))
            delta = {"contentBlockIndex": 0, "delta": {"text": "Hi"}}
            connection.sendall(chunk(frame(b"event", b"contentBlockDelta", delta)))
            connection.sendall(chunk(frame(b"exception", b"throttlingException",
                                           {"message": "slow down"})) + b"0\r\n\r\n")

        with Server(serve) as server:
            r = self.run_bedrock(server.url, "-n", "1", code=3)
        errors = r.first["requests"]["errors"]
        self.assertEqual(list(errors), ["rate_limit"])
        self.assertEqual(errors["rate_limit"]["where"], "stream")

    def test_a_stream_that_never_ends_stays_small(self):
        delta = frame(b"event", b"contentBlockDelta",
                      {"contentBlockIndex": 0, "delta": {"text": "x" * 30000}})
        endless = {
            "bedrock": (EVENTS, chunk(delta)),
            # One element, one event that never ends.
            "gemini": ("text/event-stream", chunk(b"y" * 60000)),
        }
        for provider, (kind, piece) in endless.items():
            def serve(connection, request, nth, kind=kind, piece=piece):
                connection.sendall(head("200 OK", kind, CHUNKED))
                if kind != EVENTS:
                    connection.sendall(chunk(b"data: {\"candidates\":[{\"x\":\""))
                try:
                    for _ in range(4000):
                        connection.sendall(piece)
                except OSError:
                    pass
                return False

            with self.subTest(provider), Server(serve) as server:
                r = self.run_json("--provider", provider, "--url", server.url, "-m", "m", "-n",
                                  "1", "--timeout", "20s", code=3, env=KEYS)
                self.assertEqual(r.first["requests"]["failed"], 1)
                self.assertLess(r.first["client"]["max_rss_bytes"], 260e6)

    def test_keys_that_are_refused_are_got_anew_once(self):
        seen = []

        def serve(connection, request, nth):
            seen.append(request[0])
            if nth == 0:
                answer_json(connection, {"message": "The security token is expired"},
                            "403 Forbidden", "x-amzn-errortype: ExpiredTokenException")
                return
            stop = frame(b"event", b"messageStop", {"stopReason": "end_turn"})
            connection.sendall(head("200 OK", EVENTS, CHUNKED) + chunk(stop) + b"0\r\n\r\n")

        with Server(serve) as server:
            r = self.run_bedrock(server.url, "-n", "2")
        self.assertEqual(r.first["requests"]["ok"], 2)
        self.assertEqual(len(seen), 3)
        for request in seen:
            self.assertIn("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", str(request))

    def test_nothing_is_sent_to_strangers_unasked(self):
        def serve(connection, request, nth):
            answer_json(connection, {"candidates": [
                {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]})

        environment = {"GEMINI_API_KEY": "AIzaLENS", "GOOGLE_API_KEY": "AIzbLENS", "AWS_BEARER_TOKEN_BEDROCK": "bearerLENS"}
        with Server(serve) as server:
            self.run_json("--provider", "gemini", "--url", server.url, "-m", "m", "-n", "1",
                          "--no-stream", env=environment)
            self.run_json("--provider", "bedrock", "--url", server.url, "-m", "m", "-n", "1",
                          "--no-stream", code=3,
                          env=dict(environment, HOME=self.dir, AWS_ACCESS_KEY_ID=""))
            text = str(server.requests)
        self.assertNotIn("LENS", text)
        self.assertNotIn("uthorization", text)

    def test_a_way_in_is_enough(self):
        empty = {"GOOGLE_API_KEY": "", "GEMINI_API_KEY": "", "GOOGLE_CLOUD_PROJECT": ""}
        ways = [("gemini", {"GOOGLE_API_KEY": "k"}), ("gemini", {"GEMINI_API_KEY": "k"}),
                ("gemini", {"GOOGLE_CLOUD_PROJECT": "p"}), ("bedrock", KEYS), ("bedrock", {})]
        for provider, way in ways:
            self.lens("run", "--provider", provider, "-m", "m", "-n", "1", "--dry-run",
                      env={**empty, **way}, code=0)
        r = self.lens("run", "--provider", "gemini", "-m", "m", "-n", "1", "--dry-run", env=empty,
                      code=2)
        self.assertIn("GOOGLE_API_KEY", r.err)


if __name__ == "__main__":
    os.environ.pop("AWS_PROFILE", None)
    unittest.main(verbosity=2)
