"""`lens mock` and `lens calibrate` from the command line: what is printed, refused and served."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import unittest
import urllib.parse

from harness import Case, LENS

STREAM = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}],
          "stream_options": {"include_usage": True}}


def ask(url, path, body=None, method=None, context=None):
    """(status, headers, body) of one request."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    more = {"context": context} if context else {}
    connection = kind(parts.hostname, parts.port, timeout=30, **more)
    try:
        connection.request(method or ("GET" if body is None else "POST"), path,
                           None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def chat(url, **more):
    return ask(url, "/v1/chat/completions", {**STREAM, **more})[2]


def events(text):
    return [json.loads(line[6:]) for line in text.splitlines()
            if line.startswith("data: ") and line != "data: [DONE]"]


def texts(text, member="content"):
    deltas = [e["choices"][0]["delta"] for e in events(text) if e["choices"]]
    return [d[member] for d in deltas if d.get(member)]


class Serving(Case):
    def test_says_where_it_listens_and_ends_by_signal(self):
        for number in signal.SIGINT, signal.SIGTERM:
            with self.start("mock", "--port", "0") as child:
                line = child.stdout.readline()
                self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+\n$")
                self.assertEqual(ask(line.split()[-1], "/health")[0], 200)
                child.send_signal(number)
                self.assertEqual(child.wait(30), 0)

    def test_shape_of_the_answer_is_as_told(self):
        with self.mock("--tokens", "7", "--tokens-per-chunk", "2", "--reasoning", "3",
                       "--cached", "12") as url:
            text = chat(url)
        self.assertEqual(len(texts(text, "reasoning_content")), 2)
        self.assertEqual(len(texts(text)), 4)
        usage = events(text)[-1]["usage"]
        self.assertEqual(usage["completion_tokens"], 10)
        self.assertEqual(usage["completion_tokens_details"]["reasoning_tokens"], 3)
        self.assertEqual(usage["prompt_tokens_details"]["cached_tokens"], 12)

    def test_calls_a_tool(self):
        with self.mock("--tool", "weather") as url:
            calls = texts(chat(url), "tool_calls")
        self.assertEqual(calls[0][0]["function"]["name"], "weather")
        json.loads("".join(c[0]["function"]["arguments"] for c in calls))

    def test_plays_a_script(self):
        path = self.write("script.jsonl", '{"after": "1ms", "text": "one"}\n'
                          '{"after": "1ms", "text": " two"}\n{"finish": "stop"}\n')
        with self.mock("--script", path) as url:
            self.assertEqual(texts(chat(url)), ["one", " two"])

    def test_tls_can_be_trusted(self):
        path = self.path("cert.pem")
        with self.mock("--tls", "--tls-cert-out", path) as url:
            self.assertTrue(url.startswith("https://127.0.0.1:"))
            context = ssl.create_default_context(cafile=path)
            self.assertEqual(ask(url, "/health", context=context)[0], 200)
            with self.assertRaises(ssl.SSLError):
                ask(url, "/health", context=ssl.create_default_context())

    def test_binds_where_told(self):
        with self.mock("--bind", "127.0.0.2") as url:
            self.assertIn("127.0.0.2", url)
            self.assertEqual(ask(url, "/health")[0], 200)

    def test_speaks_only_the_provider_named(self):
        with self.mock("--provider", "openai") as url:
            for path, body in (("/v1/chat/completions", STREAM),
                               ("/v1/completions", {"model": "m", "prompt": "hi"}),
                               ("/v1/responses", {"model": "m", "input": "hi"})):
                self.assertEqual(ask(url, path, body)[0], 200, path)
            status, _, body = ask(url, "/v2/other", {})
            self.assertEqual(status, 404)
            self.assertIn("error", json.loads(body))

    def test_truth_counts_and_is_reset(self):
        with self.mock("--tokens", "5", "--fault", "429:0.5", "--seed", "3") as url:
            answers = [ask(url, "/v1/chat/completions", STREAM) for _ in range(40)]
            truth = json.loads(ask(url, "/truth")[2])
            refused = [a for a in answers if a[0] == 429]
            self.assertTrue(0 < len(refused) < 40)
            self.assertEqual(refused[0][1]["Retry-After"], "1")
            self.assertEqual(truth["schema"], "lens.truth/1")
            self.assertEqual(truth["counts"]["requests"], 40)
            self.assertEqual(truth["counts"]["faults"]["429"], len(refused))
            good = 40 - len(refused)
            self.assertEqual(truth["counts"]["tokens"], 5 * good)
            self.assertEqual(truth["ttft"]["from_kernel"]["count"], good)
            self.assertEqual(truth["itl"]["count"], 4 * good)
            # Schedule: never before its time.
            self.assertGreaterEqual(truth["ttft"]["from_kernel"]["min"], 5e6)
            self.assertGreaterEqual(truth["ttft"]["from_kernel"]["min"],
                                    truth["ttft"]["from_read"]["min"])
            self.assertEqual(ask(url, "/truth/reset", {})[0], 200)
            truth = json.loads(ask(url, "/truth")[2])
            self.assertEqual(truth["counts"]["requests"], 0)
            self.assertIsNone(truth["itl"]["p50"])

    def test_same_seed_same_faults(self):
        seen = []
        for _ in range(2):
            with self.mock("--fault", "500:0.3", "--fault", "503:0.3", "--seed", "9") as url:
                seen.append([ask(url, "/v1/chat/completions", STREAM)[0] for _ in range(30)])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(set(seen[0]), {200, 500, 503})


class Refusing(Case):
    def test_wrong_flags_are_told_with_the_way_out(self):
        for args, words in (
                (["--fault", "cutt:1"], ["unknown fault", "'cut'"]),
                (["--fault", "cut:1.5"], ["from 0 to 1"]),
                (["--fault", "cut:often"], ["--fault cut:often"]),
                (["--fault", "cut:0.7", "--fault", "500:0.7"], ["1.4"]),
                (["--provider", "opnai"], ["openai"]),
                (["--bind", "nowhere"], ["--bind nowhere", "IP address"]),
                (["--tls-cert-out", "x.pem"], ["--tls"]),
                (["--script", "none.jsonl"], ["none.jsonl"]),
                (["--script", self.write("bad.jsonl", '{"txt": "a"}\n')], ["bad.jsonl:1", "text"]),
                (["--port", "70000"], ["port"])):
            result = self.lens("mock", *args, code=2)
            for word in words:
                self.assertIn(word, result.err)
            self.assertEqual(len(result.err.strip().splitlines()), 1, result.err)

    def test_a_taken_port_is_told(self):
        with self.mock() as url:
            port = url.rsplit(":", 1)[1]
            self.assertIn(port, self.lens("mock", "--port", port, code=2).err)


class Calibrating(Case):
    def test_measures_itself(self):
        args = ["--concurrency", "2,4", "-n", "8", "--ttft", "20ms", "--itl", "2ms", "--tokens", "8"]
        told = json.loads(self.lens("calibrate", *args, "--json", code=0).out)
        self.assertEqual([(r["concurrency"], r["clock"]) for r in told["rows"]],
                         [(2, "kernel"), (2, "user"), (4, "kernel"), (4, "user")])
        for row in told["rows"]:
            self.assertEqual(row["requests"], 8)
            self.assertGreaterEqual(row["truth"]["ttft"]["p50"], 20)
            self.assertIsNotNone(row["error"]["itl"]["p50"])
        table = self.lens("calibrate", *args, code=0).out
        self.assertIn("reported - truth", table)
        self.assertLessEqual(max(map(len, table.splitlines())), 80)

    def test_leaves_nothing_behind(self):
        self.lens("calibrate", "--concurrency", "1", "-n", "1", "--ttft", "1ms", "--itl", "1ms",
                  "--tokens", "2", code=0)
        self.assertEqual(os.listdir(self.dir), [])

    def test_refuses_what_is_no_list(self):
        result = subprocess.run([LENS, "calibrate", "--concurrency", "1,x"], cwd=self.dir,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 2)


if __name__ == "__main__":
    unittest.main()
