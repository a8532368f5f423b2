"""Servers that fail, lie or never end: the kind of each failure, and memory that stays bounded."""

import email.utils
import gzip
import json
import os
import subprocess
import sys
import threading
import time
import unittest
import zlib

from harness import (CHUNKED, LENS, PATIENCE, Case, Result, Server, answer_json, answer_stream, chunk,
                     delta, event, good_stream, head, usage)

# What the built-in mock does, and what lens must call it.
FAULTS = {
    "429": ("rate_limit", "http"), "500": ("server", "http"), "503": ("overloaded", "http"),
    "error": (None, "stream"), "cut": (("truncated", "network"), "stream"),
    "stall": ("timeout", "client"), "slow_headers": (None, None), "html": ("protocol", "stream"),
    "garbage": (("protocol", "truncated"), "stream"), "bytewise": (None, None), "split_utf8": (None, None),
    "huge_line": (None, None), "endless": ("timeout", "client"),
    "bad_length": (None, None), # broken behind the terminal message
}


class Faults(Case):
    def run_fault(self, name, *args):
        with self.mock("--fault", f"{name}:1", "--tokens", "4", "--ttft", "2ms") as url:
            return self.lens("run", url, "-m", "m", "-n", 4, "-c", 2, "--json", "--quiet", "--force",
                             "-o", "run.lens", "--timeout", "1500ms", *args)

    def test_every_fault_of_the_mock_has_its_kind(self):
        for name, (kind, where) in FAULTS.items():
            with self.subTest(name):
                result = self.run_fault(name)
                requests = result.first["requests"]
                if kind is None and where is None:
                    self.assertEqual(result.code, 0, requests)
                    self.assertEqual(requests["ok"], 4, requests)
                    continue
                self.assertEqual(result.code, 3)
                self.assertEqual(requests["failed"], 4, requests)
                for seen, detail in requests["errors"].items():
                    if kind is not None:
                        self.assertIn(seen, kind if isinstance(kind, tuple) else (kind,))
                    self.assertEqual(detail["where"], where)
                    self.assertTrue(detail["example"])

    def test_some_of_each_are_counted_apart(self):
        with self.mock("--fault", "429:0.2", "--fault", "500:0.2", "--fault", "cut:0.2", "--seed",
                       "5") as url:
            requests = self.run_json(url, "-m", "m", "-n", 100, "-c", 4).first["requests"]
        self.assertEqual(sum(e["count"] for e in requests["errors"].values()), requests["failed"])
        self.assertGreaterEqual(len(requests["errors"]), 3)
        self.assertGreater(requests["ok"], 10)

    def test_a_whole_answer_of_another_length_is_cut(self):
        errors = self.run_fault("bad_length", "--no-stream").first["requests"]["errors"]
        self.assertEqual(list(errors), ["truncated"])

    def test_html_says_what_came(self):
        result = self.run_fault("html")
        self.assertIn("(html)", result.first["requests"]["errors"]["protocol"]["example"].lower())


class Kinds(Case):
    def kind_of(self, status, body, *headers, content_type="application/json"):
        def handle(c, r, n):
            data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) \
                else json.dumps(body).encode()
            c.sendall(head(status, content_type, f"Content-Length: {len(data)}", *headers) + data)
        with Server(handle) as server:
            errors = self.run_json(server.url, "-m", "m", "-n", 1, code=3).first["requests"]["errors"]
        self.assertEqual(len(errors), 1)
        self.example = next(iter(errors.values()))["example"]
        return next(iter(errors))

    def test_by_code_type_status_and_text(self):
        error = lambda **more: {"error": {"message": "why", **more}}
        cases = (
            ("429 X", error(), "rate_limit"), ("429 X", error(code="insufficient_quota"), "quota"),
            ("402 X", error(), "quota"), ("503 X", error(), "overloaded"), ("529 X", error(), "overloaded"),
            ("408 X", error(), "timeout"), ("504 X", "gateway", "timeout"), ("401 X", error(), "auth"),
            ("403 X", error(), "permission"), ("404 X", error(), "not_found"),
            ("400 X", error(), "invalid_request"), ("422 X", error(), "invalid_request"),
            ("418 X", "", "invalid_request"), ("500 X", error(), "server"), ("502 X", "bad", "server"),
            ("599 X", "", "server"), ("413 X", error(), "too_large"),
            ("400 X", error(code="context_length_exceeded"), "context_length"),
            ("400 X", {"error": {"message": "This model's maximum context length is 5"}}, "context_length"),
            ("400 X", error(code="content_filter"), "blocked"),
            ("300 X", "", "redirect"), ("304 X", "", "redirect"),
        )
        for status, body, kind in cases:
            with self.subTest(status=status, body=body):
                self.assertEqual(self.kind_of(status, body), kind)

    def test_odd_bodies_of_errors(self):
        for body in ("[]", "null", '"text"', "{", '{"error": null}', '{"error": []}', b"\xff\xfe\0\0",
                     '{"error": {"message": {"a": 1}}}', '{"detail": [{"msg": "bad field"}]}', ""):
            with self.subTest(body):
                self.assertEqual(self.kind_of("500 X", body), "server")
        self.kind_of("400 X", '{"detail": "plain words"}')
        self.assertIn("plain words", self.example)

    def test_an_empty_body_still_has_an_example(self):
        self.kind_of("500 X", "")
        self.assertIn("500", self.example)

    def test_answers_that_are_no_http(self):
        cases = (
            (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "http"),
            (b"HTTP/9.9 200 OK\r\n\r\n{}", "protocol", "http"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "protocol", "http"),
            (b"\r\n\r\n", "protocol", "http"),
            (head("200 OK", "text/event-stream", CHUNKED) + b"zz\r\n", "protocol", "stream"),
            (head("200 OK", "text/event-stream", CHUNKED) + b"f" * 40 + b"\r\nx", "protocol", "stream"),
            (head("200 OK", "text/event-stream", CHUNKED) + b"5\r\nda", "truncated", "stream"),
            (head("200 OK", "text/event-stream", "Content-Length: 0"), "truncated", "stream"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", "truncated", "stream"),
        )
        for data, kind, where in cases:
            with self.subTest(data), Server(lambda c, r, n, d=data: (c.sendall(d), False)[1]) as server:
                errors = self.run_json(server.url, "-m", "m", "-n", 1, code=3).first["requests"]["errors"]
                self.assertEqual({k: e["where"] for k, e in errors.items()}, {kind: where})

    def test_an_answer_before_the_body_was_read(self):
        class Early(Server):
            @staticmethod
            def _read(connection, buffer):
                while b"\r\n\r\n" not in buffer:
                    buffer += connection.recv(65536)
                return (buffer.split(b"\r\n\r\n")[0].decode(), b""), b""

        def handle(c, r, n):
            c.sendall(head("413 Too Large", "application/json", "Connection: close",
                           "Content-Length: 2") + b"{}")
            time.sleep(0.2)
            return False
        self.write("big.txt", "word " * 1_000_000)
        with Early(handle) as server:
            errors = self.run_json(server.url, "-m", "m", "-n", 1, "--prompts", "big.txt",
                                   code=3).first["requests"]["errors"]
        self.assertEqual(list(errors), ["too_large"])

    def test_what_is_shown_has_no_control_characters(self):
        self.kind_of("500 X", {"error": {"message": "a\x1b[2J\x07\nb\u202ec\u0000d"}})
        for char in "\x1b\x07\u202e\0":
            self.assertNotIn(char, self.example)

    def test_an_error_body_is_kept_up_to_64_kib(self):
        self.assertEqual(self.kind_of("500 X", "x" * 1_000_000, content_type="text/plain"), "server")
        self.assertLessEqual(len(self.example), 65536)
        self.assertLess(os.path.getsize(self.path("run.lens")), 1_000_000)

    def test_an_error_body_without_end(self):
        def handle(c, r, n):
            c.sendall(head("500 X", "text/plain", CHUNKED))
            for _ in range(400):
                c.sendall(chunk(b"y" * 1_000_000))
            return False
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--timeout", "20s", code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["server"])
        self.assertLess(first["client"]["max_rss_bytes"], 60e6)


class Bounds(Case):
    """Memory stays bounded whatever comes."""

    def serve(self, handle, *args, code=0, n=1):
        with Server(handle) as server:
            return self.run_json(server.url, "-m", "m", "-n", n, "--timeout", "20s", *args,
                                 code=code).first

    def failed(self, handle, kind, *args, most=80e6, **more):
        first = self.serve(handle, *args, code=3, **more)
        self.assertEqual(list(first["requests"]["errors"]), [kind], first["requests"])
        self.assertLess(first["client"]["max_rss_bytes"], most)
        return first

    def test_large_events(self):
        text = "x" * 10_000_000

        def handle(c, r, n):
            answer_stream(c, [delta("a"), delta(text), delta(None, "stop"), event("[DONE]")])
        first = self.serve(handle, n=4)
        self.assertEqual(first["requests"]["ok"], 4)
        self.assertEqual(first["latency"]["itl"]["count"], 4)
        self.assertLess(first["client"]["max_rss_bytes"], 120e6)

    def test_a_large_whole_answer(self):
        first = self.serve(lambda c, r, n: answer_json(c, {
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "y" * 10_000_000}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 9}}), "--no-stream")
        self.assertEqual(first["tokens"]["output"], 9)

    def test_an_event_over_64_mib(self):
        def handle(c, r, n):
            c.sendall(head() + b"data: {\"a\": \"")
            for _ in range(80):
                c.sendall(b"z" * 1048576)
            return False
        first = self.failed(handle, "too_large", most=220e6)
        self.assertEqual(first["requests"]["errors"]["too_large"]["where"], "client")

    def test_many_large_events_at_once_share_128_mib(self):
        def handle(c, r, n):
            c.sendall(head() + b"data: {\"a\": \"")
            for _ in range(30):
                c.sendall(b"z" * 1048576)
            time.sleep(3)
            return False
        first = self.serve(handle, "-c", 8, n=8, code=3)
        self.assertIn("too_large", first["requests"]["errors"])
        self.assertLess(first["client"]["max_rss_bytes"], 260e6)

    def test_headers_without_end(self):
        def many(c, r, n):
            c.sendall(b"HTTP/1.1 200 OK\r\n")
            for i in range(1_000_000):
                c.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")

        def long(c, r, n):
            c.sendall(b"HTTP/1.1 200 OK\r\nX-Filler: ")
            for i in range(1000):
                c.sendall(b"x" * 100_000)

        def informational(c, r, n):
            for i in range(1_000_000):
                c.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 500 + b"\r\n\r\n")
        for handle in many, long, informational:
            with self.subTest(handle.__name__):
                self.failed(handle, "too_large")

    def test_headers_that_trickle(self):
        def handle(c, r, n):
            c.sendall(b"HTTP/1.1 200 OK\r\n")
            for i in range(100):
                c.sendall(b"X-Slow: 1\r\n")
                time.sleep(0.1)
        begun = time.monotonic()
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--first-token-timeout", "500ms",
                                  code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["timeout"])
        self.assertLess(time.monotonic() - begun, 4)

    def test_comments_without_end_meet_the_timer(self):
        def handle(c, r, n):
            c.sendall(head())
            while True:
                c.sendall(b": ping\n\n" * 4096)
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--first-token-timeout", "700ms",
                                  code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["timeout"])
        self.assertLess(first["client"]["max_rss_bytes"], 60e6)

    def test_output_without_end_meets_the_timer(self):
        part = chunk(delta("a") * 100)

        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            while True:
                c.sendall(part)
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--timeout", "1500ms", code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["timeout"])
        self.assertLess(first["client"]["max_rss_bytes"], 200e6)

    def test_a_whole_answer_without_end(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "application/json") + b'{"a": [')
            for _ in range(200):
                c.sendall(b"1," * 524288)
            return False
        self.failed(handle, "too_large", "--no-stream", most=220e6)

    def test_a_bomb(self):
        bomb = gzip.compress(b"data: {\"a\": \"" + b"z" * 200_000_000, 9)

        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", "Content-Encoding: gzip",
                           f"Content-Length: {len(bomb)}") + bomb)
        self.failed(handle, "too_large", most=220e6)

    def test_many_choices(self):
        def handle(c, r, n):
            parts = [event({"choices": [{"index": i, "delta": {"content": "x"}} for i in range(64)]})
                     for _ in range(20)]
            parts.append(event({"choices": [{"index": i, "delta": {}, "finish_reason": "stop"}
                                            for i in range(64)]}))
            answer_stream(c, [*parts, usage(5, 1280), event("[DONE]")])
        first = self.serve(handle)
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertEqual(first["latency"]["itl"]["count"], 19)
        self.assertEqual(first["tokens"]["output"], 1280)

    def test_choices_with_wild_indexes(self):
        def handle(c, r, n):
            parts = [event({"choices": [{"index": i, "delta": {"content": "x"},
                                         "finish_reason": "stop"}]})
                     for i in (0, 10**9, 2**63 - 1, -1, 2**70, 1.5)]
            answer_stream(c, [*parts, event("[DONE]")])
        first = self.serve(handle, code=None)
        self.assertEqual(first["requests"]["total"], 1)
        self.assertLess(first["client"]["max_rss_bytes"], 60e6)


class Encodings(Case):
    def tokens(self, data, encoding, *args):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", f"Content-Encoding: {encoding}",
                           f"Content-Length: {len(data)}"))
            for i in range(0, len(data), 7):
                c.sendall(data[i:i + 7])
        with Server(handle) as server:
            return self.run_json(server.url, "-m", "m", "-n", 2, *args).first["tokens"]["output"]

    def test_unasked_and_asked(self):
        text = "".join(good_stream()).encode()
        for args in [], ["--compressed"]:
            self.assertEqual(self.tokens(gzip.compress(text), "gzip", *args), 6)
            self.assertEqual(self.tokens(zlib.compress(text), "deflate", *args), 6)

    def test_broken_and_unknown_encodings_fail(self):
        for data, encoding in (b"no gzip at all", "gzip"), (b"data: {}\n\n", "x-own"):
            def handle(c, r, n, data=data, encoding=encoding):
                c.sendall(head("200 OK", "text/event-stream", f"Content-Encoding: {encoding}",
                               f"Content-Length: {len(data)}") + data)
            with Server(handle) as server:
                first = self.run_json(server.url, "-m", "m", "-n", 1, code=3).first
            self.assertEqual(list(first["requests"]["errors"]), ["protocol"])


class Retries(Case):
    def times(self, *headers, args=(), status="429 Too Many Requests", body=None):
        seen = []

        def handle(c, r, n):
            seen.append(time.monotonic())
            if n == 0:
                more = [h() if callable(h) else h for h in headers]
                answer_json(c, body or {"error": {"message": "slow"}}, status, *more)
            else:
                answer_stream(c)
        with Server(handle) as server:
            self.first = self.run_json(server.url, "-m", "m", "-n", 1, "--retries", 2, *args,
                                       code=None).first
        return [b - a for a, b in zip(seen, seen[1:])]

    def test_both_forms_of_retry_after(self):
        for value in "Retry-After: 1", "retry-after: 0.9", "retry-after-ms: 900":
            waits = self.times(value)
            self.assertTrue(0.85 <= waits[0] < 2.5, (value, waits))
        # A date has whole seconds: up to one less.
        waits = self.times(lambda: "Retry-After: " + email.utils.formatdate(time.time() + 2,
                                                                            usegmt=True))
        self.assertTrue(0.7 <= waits[0] < 3.5, waits)
        self.assertEqual(self.first["requests"]["ok"], 1)

    def test_the_past_is_now(self):
        waits = self.times("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT")
        self.assertLess(waits[0], 2)
        self.assertEqual(self.first["requests"]["retries"], 1)

    def test_nonsense_is_ignored(self):
        for value in "Retry-After: soon", "Retry-After: -5", "Retry-After:", "Retry-After: 1e300x":
            self.assertLess(self.times(value)[0], 2, value)

    def test_beyond_what_is_allowed(self):
        self.assertEqual(self.times("Retry-After: 5", args=["--retry-max-wait", "1s"]), [])
        self.assertEqual(self.first["requests"]["failed"], 1)
        self.assertEqual(list(self.first["requests"]["errors"]), ["rate_limit"])

    def test_the_server_may_say_whether(self):
        self.assertEqual(self.times("x-should-retry: false"), [])
        self.assertEqual(len(self.times("x-should-retry: true", status="400 Bad")), 1)

    def test_what_is_not_worth_it_is_not_tried_again(self):
        for status in "400 Bad", "401 No", "404 None":
            self.assertEqual(self.times(status=status), [], status)

    def test_off_by_default(self):
        with Server(lambda c, r, n: answer_json(c, {}, "503 X")) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 2, code=3).first
            self.assertEqual(len(server.requests), 2)
        self.assertEqual(first["requests"]["retries"], 0)


if __name__ == "__main__":
    unittest.main()
