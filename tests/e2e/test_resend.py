"""Servers that close a kept connection at the moment the next request is on its way."""

import threading
import unittest

from harness import Case, Server, answer_json, answer_stream

WHOLE = {"id": "c", "object": "chat.completion", "model": "m",
         "choices": [{"index": 0, "message": {"role": "assistant", "content": "a b c"},
                      "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}}


class Resend(Case):
    def closing(self, answer):
        """Answers the first request of each connection and closes at the second."""
        seen, lock = set(), threading.Lock()

        def handle(connection, request, nth):
            with lock:
                known = connection in seen
                seen.add(connection)
            if known:
                return False
            answer(connection)
            return True
        return Server(handle)

    def check(self, answer, requests, concurrency, *args):
        with self.closing(answer) as server:
            first = self.run_json(server.url, "-m", "m", "-n", requests, "-c", concurrency,
                                  "--no-preflight", *args).first
        self.assertEqual(first["requests"]["ok"], requests, first["requests"])
        # Every connection is used twice, but for those that are idle at the end.
        resent = first["requests"]["retries"]
        self.assertTrue(requests - concurrency <= resent < requests, resent)
        rows = self.sample_rows("attempts, resends, output_tokens")
        self.assertEqual({row[2] for row in rows}, {3}, rows)
        self.assertEqual(sum(row[0] - 1 for row in rows), resent)
        self.assertGreater(sum(row[1] for row in rows), 0)

    # libcurl gives a handle up after five of its silent resends, unless they are forgotten.
    def test_every_request_of_one_slot(self):
        self.check(answer_stream, 20, 1)

    def test_every_request_of_some_slots(self):
        self.check(answer_stream, 60, 3)

    def test_whole_answers(self):
        self.check(lambda c: answer_json(c, WHOLE), 20, 1, "--no-stream")


if __name__ == "__main__":
    unittest.main()
