"""How a stream is measured and how it may end: one scripted server for each way."""

import json
import time
import unittest

from harness import (CHUNKED, Case, Server, answer_json, answer_stream, chunk, delta, event,
                     good_stream, head, reset, usage)


class Scripted(Case):
    def one(self, handle, *args, code=0):
        with Server(handle) as server:
            result = self.run_json(server.url, "-m", "m", "-n", "1", "--no-preflight", *args,
                                   code=code)
            self.requests = server.requests
        return result.first

    def failed(self, handle, kind, where, *args):
        first = self.one(handle, *args, code=3)
        self.assertEqual(first["requests"]["failed"], 1, first["requests"])
        self.assertEqual(list(first["requests"]["errors"]), [kind])
        self.assertEqual(first["requests"]["errors"][kind]["where"], where)
        return first


class Stream(Scripted):
    def test_an_orderly_stream(self):
        first = self.one(lambda c, r, n: answer_stream(c))
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertEqual(first["tokens"]["output"], 3)
        self.assertEqual(first["tokens"]["input"], 10)
        self.assertEqual(first["latency"]["ttft"]["count"], 1)
        self.assertEqual(first["latency"]["itl"]["count"], 2)
        body = json.loads(self.requests[0][1])
        self.assertTrue(body["stream"])
        self.assertEqual(body["stream_options"], {"include_usage": True})
        self.assertEqual(body["max_tokens"], 128)
        self.assertTrue(self.requests[0][0].startswith("POST /v1/chat/completions HTTP/1.1"))

    def test_the_first_token_is_not_the_first_byte(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            c.sendall(chunk(": keep-alive\n\n"))
            time.sleep(0.05)
            c.sendall(chunk(delta("")))
            time.sleep(0.2)
            for part in good_stream()[1:]:
                c.sendall(chunk(part))
            c.sendall(b"0\r\n\r\n")
        latency = self.one(handle)["latency"]
        self.assertLess(latency["ttfb"]["max"], 100)
        self.assertGreater(latency["ttft"]["min"], 245)

    def test_closed_before_an_answer(self):
        self.failed(lambda c, r, n: False, "network", "http")

    def test_reset_before_an_answer(self):
        self.failed(lambda c, r, n: reset(c), "network", "http")

    def test_reset_in_mid_stream(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED) + chunk(delta("a")))
            time.sleep(0.05)
            reset(c)
        self.failed(handle, "network", "stream")

    def test_an_orderly_end_in_mid_stream_is_truncated(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream") + delta("a").encode())
            return False
        self.failed(handle, "truncated", "stream")

    def test_a_cut_chunk_is_truncated(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED) + chunk(delta("a")) + b"40\r\nda")
            return False
        self.failed(handle, "truncated", "stream")

    def test_a_broken_tail_after_done_is_no_failure(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            for part in good_stream():
                c.sendall(chunk(part))
            return False # no last chunk
        self.assertEqual(self.one(handle)["requests"]["ok"], 1)

    def test_a_tail_that_never_ends_costs_a_second(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            for part in good_stream():
                c.sendall(chunk(part))
            for _ in range(100):
                time.sleep(0.1)
                c.sendall(chunk(": still here\n\n"))
        begun = time.monotonic()
        first = self.one(handle)
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertLess(first["latency"]["e2e"]["max"], 500)

    def test_http_1_0_ends_with_its_connection(self):
        def handle(c, r, n):
            c.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for part in good_stream():
                c.sendall(part.encode())
                time.sleep(0.01)
            return False
        self.assertEqual(self.one(handle)["requests"]["ok"], 1)
        self.assertEqual(self.sample_rows("http_version"), [(10,)])

    def test_an_error_in_the_stream(self):
        def handle(c, r, n):
            answer_stream(c, [delta("a"), event({"error": {"message": "overloaded now",
                                                           "type": "overloaded_error"}})])
        first = self.failed(handle, "overloaded", "stream")
        self.assertEqual(first["requests"]["errors"]["overloaded"]["example"], "overloaded now")

    def test_broken_json_fails_but_keeps_the_times(self):
        def handle(c, r, n):
            answer_stream(c, [delta("a"), "data: {\"choices\": [\n\n", *good_stream()])
        self.failed(handle, "protocol", "stream")
        row = self.sample_rows("first_output_ns")[0]
        self.assertIsNotNone(row[0])

    def test_a_page_is_no_stream(self):
        def handle(c, r, n):
            body = b"<html><body>hello</body></html>"
            c.sendall(head("200 OK", "text/html", f"Content-Length: {len(body)}") + body)
        self.failed(handle, "protocol", "stream")

    def test_a_whole_answer_to_a_stream_has_no_first_token(self):
        first = self.one(lambda c, r, n: answer_json(c, {
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"},
                         "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}))
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertEqual(first["latency"]["ttft"]["count"], 0)
        self.assertIsNone(first["latency"]["ttft"]["p50"])
        self.assertEqual(first["latency"]["e2e"]["count"], 1)
        self.assertEqual(first["tokens"]["output"], 2)

    def test_a_whole_answer_is_output_without_first_token(self):
        for message, reason, empty in (({"content": "a b"}, "stop", 0), ({"content": ""}, "stop", 1), (
                {"tool_calls": [{"id": "t", "type": "function", "function": {
                    "name": "f", "arguments": "{}"}}]}, "tool_calls", 0)):
            with self.subTest(message=message):
                first = self.one(lambda c, r, n: answer_json(c, {
                    "id": "c", "object": "chat.completion", "model": "m", "choices": [{
                        "index": 0, "message": {"role": "assistant", **message},
                        "finish_reason": reason}]}), "--no-stream")
                self.assertEqual(first["requests"]["ok"], 1)
                self.assertEqual(first["requests"]["no_output"], empty)
                self.assertEqual(first["latency"]["ttft"]["count"], 0)
                self.assertEqual(first["latency"]["e2e"]["count"], 1)

    def test_no_output_is_ok_and_counted(self):
        first = self.one(lambda c, r, n: answer_stream(c, [delta(None, "stop"), usage(3, 0),
                                                           event("[DONE]")]))
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertEqual(first["requests"]["no_output"], 1)

    def test_unknown_usage_is_null(self):
        first = self.one(lambda c, r, n: answer_stream(c, [delta("a"), delta(None, "stop"),
                                                           event("[DONE]")]))
        self.assertIsNone(first["tokens"]["output"])
        self.assertEqual(first["tokens"]["unknown_requests"], 1)

    def test_a_redirect_is_not_followed(self):
        first = self.failed(lambda c, r, n: answer_json(c, {}, "307 Temporary Redirect",
                                                        "Location: /elsewhere"),
                            "redirect", "http")
        self.assertIn("/elsewhere", first["requests"]["errors"]["redirect"]["example"])

    def test_a_redirect_within_the_origin_is_followed_on_request(self):
        def handle(c, r, n):
            if n == 0:
                answer_json(c, {}, "307 Temporary Redirect", "Location: /elsewhere")
            else:
                answer_stream(c)
        self.assertEqual(self.one(handle, "--follow-redirects")["requests"]["ok"], 1)
        self.assertTrue(self.requests[1][0].startswith("POST /elsewhere "))

    def test_a_redirect_to_another_origin_is_never_followed(self):
        self.failed(lambda c, r, n: answer_json(c, {}, "307 Temporary Redirect",
                                                "Location: http://127.0.0.1:9/"),
                    "redirect", "http", "--follow-redirects")

    def test_unasked_gzip_is_decoded(self):
        import gzip

        def handle(c, r, n):
            body = gzip.compress("".join(good_stream()).encode())
            c.sendall(head("200 OK", "text/event-stream", "Content-Encoding: gzip",
                           f"Content-Length: {len(body)}") + body)
        self.assertEqual(self.one(handle)["tokens"]["output"], 3)
        self.assertIn("accept-encoding: identity", self.requests[0][0].lower())

    def test_headers_over_the_limit(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream",
                           *(f"X-Filler-{i}: {'x' * 8000}" for i in range(40))))
        self.failed(handle, "too_large", "client")


class Limits(Scripted):
    def slow(self, seconds, parts):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            for part in parts:
                c.sendall(chunk(part))
            time.sleep(seconds)
            return False
        return handle

    def test_only_output_stops_the_first_token_timer(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED) + chunk(delta("")))
            for _ in range(30):
                c.sendall(chunk(": ping\n\n"))
                time.sleep(0.1)
        first = self.failed(handle, "timeout", "client", "--first-token-timeout", "300ms")
        self.assertIn("first", first["requests"]["errors"]["timeout"]["example"])

    def test_the_gap_timer(self):
        first = self.failed(self.slow(2, [delta("a")]), "timeout", "client",
                            "--idle-timeout", "300ms")
        self.assertIn("gap", first["requests"]["errors"]["timeout"]["example"])

    def test_the_total_timer(self):
        first = self.failed(self.slow(2, []), "timeout", "client", "--timeout", "300ms")
        self.assertIn("total", first["requests"]["errors"]["timeout"]["example"])


class Retries(Case):
    def serve(self, handle, *args, code=0):
        with Server(handle) as server:
            return self.run_json(server.url, "-m", "m", "-n", "1", *args, code=code).first

    def test_a_failure_is_tried_again_and_all_is_kept(self):
        def handle(c, r, n):
            if n < 2:
                answer_json(c, {"error": {"message": "busy"}}, "503 Service Unavailable")
            else:
                answer_stream(c)
        first = self.serve(handle, "--retries", "3")
        self.assertEqual(first["requests"]["ok"], 1)
        self.assertEqual(first["requests"]["retries"], 2)
        self.assertGreater(first["latency"]["e2e_from_due"]["max"], first["latency"]["e2e"]["max"])

    def test_retry_after_is_honoured(self):
        times = []

        def handle(c, r, n):
            times.append(time.monotonic())
            if n == 0:
                answer_json(c, {"error": {"message": "slow down"}}, "429 Too Many Requests",
                            "Retry-After: 1")
            else:
                answer_stream(c)
        self.serve(handle, "--retries", "1")
        self.assertGreaterEqual(times[1] - times[0], 0.95)

    def test_a_wait_that_is_too_long_ends_the_request(self):
        first = self.serve(lambda c, r, n: answer_json(
            c, {"error": {"message": "later"}}, "429 Too Many Requests", "Retry-After: 3600"),
            "--retries", "5", code=3)
        self.assertEqual(first["requests"]["retries"], 0)

    def test_never_after_output(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED) + chunk(delta("a")))
            return False
        first = self.serve(handle, "--retries", "5", code=3)
        self.assertEqual(first["requests"]["retries"], 0)


if __name__ == "__main__":
    unittest.main()
