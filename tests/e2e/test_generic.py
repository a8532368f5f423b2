"""The provider http: protocols that nobody has a plugin for, by configuration alone."""

import json
import unittest

from harness import CHUNKED, Case, Server, chunk, head


def stream(parts, content_type="text/event-stream", *more):
    """A handler that answers each request with the same parts."""
    def handle(connection, _request, _nth):
        connection.sendall(head("200 OK", content_type, CHUNKED, *more))
        for part in parts:
            connection.sendall(chunk(part))
        connection.sendall(b"0\r\n\r\n")
    return handle


def whole(body, status="200 OK", *more):
    data = body.encode()

    def handle(connection, _request, _nth):
        connection.sendall(head(status, "application/json", f"Content-Length: {len(data)}", *more)
                           + data)
    return handle


ODD = [
    '{"kind":"status","queue":3}\n',
    '{"kind":"thought","piece":"The user wants"}\n',
    '{"kind":"token","piece":"Hel\\n"}\n{"kind":"token","piece":"lo"}\n',
    '{"kind":"end","why":"eos","counts":{"prompt":12,"cached":4,"generated":87,"thought":30},'
    '"ms":{"queue":5.2,"total":910}}\n',
]
PLAN = """
lens: 1
targets:
  - name: odd
    provider: http
    url: "%s"
    model: "m 1/x"
    options:
      max_tokens: 9
      path: "/v2/run/{{model}}"
      header: ["X-Tenant: lab", "X-Signature: env:ODD_SIGNATURE"]
      body: |
        {"input": {{messages}}, "say": "Q: {{prompt}}",
         "settings": {"limit": {{max_tokens|256}}, "temperature": {{temperature}}, "top": "{{top_p}}"},
         "live": {{stream}}}
      framing: ndjson
      text_path: '$[?kind=="token"].piece'
      reasoning_path: '$[?kind=="thought"].piece'
      finish_path: why
      done_path: kind
      done_value: end
      input_tokens_path: counts.prompt
      cache_read_tokens_path: counts.cached
      cache_relation: additional
      output_tokens_path: counts.generated
      reasoning_tokens_path: counts.thought
      reasoning_relation: additional
      error_path: reason
      error_code_path: reason.no
      error_message_path: reason.text
      error_kind: ["E_BUSY=overloaded"]
      time: ["queue_ms=ms.queue"]
stages:
  - {name: load, workload: {kind: closed, concurrency: 1}, requests: 2}
"""


class Generic(Case):
    def run_http(self, server, *options, more=(), code=0, env=None):
        sets = [part for option in options for part in ("--set", f"provider.{option}")]
        return self.run_json("--provider", "http", "--url", server.url, "-m", "m", "-n", 2,
                             *sets, *more, code=code, env=env).first

    def test_the_example_of_the_documentation(self):
        with Server(stream(ODD, "application/x-ndjson")) as server:
            self.write("plan.yaml", PLAN % server.url)
            first = self.run_json("plan.yaml", env={"ODD_SIGNATURE": "s3cret"}).first
            self.assertEqual(first["requests"]["ok"], 2)
            self.assertEqual(first["tokens"]["input"], 32)
            self.assertEqual(first["tokens"]["cache_read"], 8)
            self.assertEqual(first["tokens"]["output"], 234)
            self.assertEqual(first["tokens"]["reasoning"], 60)
            self.assertEqual(first["latency"]["ttft_text"]["count"], 2)
            request_head, body = server.requests[0]
            self.assertIn("POST /v2/run/m%201%2Fx HTTP/1.1", request_head)
            self.assertIn("X-Tenant: lab", request_head)
            self.assertIn("X-Signature: s3cret", request_head)
            sent = json.loads(body)
            self.assertEqual(sent["settings"], {"limit": 9})
            self.assertIs(sent["live"], True)
            self.assertEqual(sent["say"], "Q: " + sent["input"][0]["content"])
        with open(self.path("run.lens"), "rb") as file:
            self.assertNotIn(b"s3cret", file.read())

    def test_every_framing_gives_the_same(self):
        tokens = [{"t": "Hel"}, {"t": "lo"}, {"t": "", "u": {"i": 7, "o": 2}}]
        lines = [json.dumps(token) for token in tokens]
        framings = {
            "sse": (["data: " + line + "\n\n" for line in lines], "text/event-stream"),
            "ndjson": ([line + "\n" for line in lines], "application/x-ndjson"),
            "json-array": (["[" + lines[0], ",\r\n" + lines[1] + ",", lines[2] + "]"],
                           "application/json"),
            "concatenated": (lines, "application/json"),
        }
        for framing, (parts, content_type) in framings.items():
            with self.subTest(framing), Server(stream(parts, content_type)) as server:
                first = self.run_http(server, f"framing={framing}", "text_path=t",
                                      "input_tokens_path=u.i", "output_tokens_path=u.o")
                self.assertEqual(first["requests"]["ok"], 2, first["requests"])
                self.assertEqual(first["tokens"]["input"], 14)
                self.assertEqual(first["tokens"]["output"], 4)
                self.assertEqual(first["latency"]["ttft"]["count"], 2)
                self.assertEqual(first["latency"]["itl"]["count"], 2)

    def test_raw_text_and_whole_answers(self):
        with Server(stream(["Hel", "lo"], "text/plain")) as server:
            first = self.run_http(server, "framing=raw")
            self.assertEqual(first["requests"]["ok"], 2)
            self.assertEqual(first["latency"]["ttft"]["count"], 2)
        with Server(whole('{"r":{"text":"Hello"},"usage":{"input_tokens":3}}')) as server:
            first = self.run_http(server, "framing=whole", "text_path=r.text")
            self.assertEqual(first["requests"]["ok"], 2)
            self.assertEqual(first["latency"]["ttft"]["count"], 0)
            self.assertEqual(first["tokens"]["input"], 6)

    def test_failures_are_counted_as_their_kinds(self):
        answer = stream(['data: {"text":"a"}\n\n', 'data: {"bad":{"no":"E7"}}\n\n'])
        with Server(answer) as server:
            first = self.run_http(server, "error_path=bad", "error_code_path=bad.no",
                                  "error_kind=E7=quota", code=3)
            self.assertEqual(first["requests"]["errors"]["quota"]["count"], 2)
            self.assertEqual(first["requests"]["errors"]["quota"]["where"], "stream")
        with Server(whole('{"fault":"the queue is full"}', "500 Internal")) as server:
            first = self.run_http(server, "error_path=fault", "error_kind=*queue*=overloaded",
                                  code=3)
            self.assertEqual(first["requests"]["errors"]["overloaded"]["where"], "http")
        with Server(stream(['data: {"text":"a"}\n\n'])) as server:
            first = self.run_http(server, "done_path=end", code=3)
            self.assertEqual(first["requests"]["errors"]["truncated"]["count"], 2)

    def test_who_asks(self):
        for options, expected in {
            ("auth=bearer",): "Authorization: Bearer k3y",
            (): "Authorization: Bearer k3y",
            ("auth=header", "auth_header=X-Key", "auth_prefix=Token "): "X-Key: Token k3y",
            ("auth=basic", "username=u"): "Authorization: Basic dTprM3k=",
        }.items():
            with self.subTest(options), Server(stream(['data: {"text":"a"}\n\n'])) as server:
                self.run_http(server, *options, more=("--api-key-env", "ODD_KEY"),
                              env={"ODD_KEY": "k3y"})
                self.assertIn(expected, server.requests[0][0])

    def test_signed_for_aws(self):
        with Server(stream(['data: {"text":"a"}\n\n'])) as server:
            self.run_http(server, "auth=sigv4", "service=execute-api", "region=eu-west-1",
                          env={"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "x",
                               "AWS_SESSION_TOKEN": "", "AWS_PROFILE": ""})
            request_head = server.requests[0][0]
            self.assertRegex(request_head, r"(?i)authorization: AWS4-HMAC-SHA256 Credential=AKID/"
                                           r"\d{8}/eu-west-1/execute-api/aws4_request")
            self.assertIn("x-amz-date: ", request_head.lower())

    def test_no_model_is_needed(self):
        for provider, body, sent in [
                ("http", 'data: {"text":"a"}\n\n', ('"prompt"', '"model"')),
                ("tgi", 'data:{"token":{"text":"a","special":false},"generated_text":"a"}\n\n',
                 ('"inputs"', '"model"'))]:
            with self.subTest(provider), Server(stream([body])) as server:
                done = self.run_json("--provider", provider, "--url", server.url, "-n", 1)
                self.assertEqual((done.first["requests"]["ok"], done.first["model"]), (1, ""))
                request_body = server.requests[-1][1]
                self.assertIn(sent[0], str(request_body))
                self.assertNotIn(sent[1], str(request_body))

    def test_mistakes_name_the_option(self):
        for option, words in {
            "text_path=a[": "text_path: `a[`, column 3",
            "text_path=a..b": "`..` is not known",
            "body={\"a\":{{promt}}}": "{{promt}} is no parameter",
            "body={\"a\":{{prompt}},}": "option body: not JSON",
            "error_kind=x=foo": "names no kind; there is rate_limit",
            "time=foo": "option time: `foo` is not NAME=PATH",
            "header=X: env:LENS_NOT_SET": "environment variable LENS_NOT_SET is not set",
            "header=Authorization: Bearer x": "write `Authorization: env:NAME`",
            "auth=sigv4": "option service is missing",
            "done_value=x": "option done_value needs done_path",
        }.items():
            with self.subTest(option):
                done = self.lens("run", "--provider", "http", "--url", "http://127.0.0.1:9", "-n", 1,
                                 "-m", "m", "--no-preflight", "--set", f"provider.{option}", code=2)
                self.assertIn(words, done.err)


if __name__ == "__main__":
    unittest.main()
