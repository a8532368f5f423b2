"""What goes out: body, headers, prompts and keys, seen by a scripted server."""

import json
import os
import unittest

from harness import Case, Server, answer_json, answer_stream, chunk, delta, event, head

KEY = "sk-quite-secret-0123456789abcdef"


class Asking(Case):
    def ask(self, *args, requests=1, handle=None, code=0, env=None, base="", model=("-m", "m")):
        """Runs against a server that answers well; keeps the requests that it saw."""
        with Server(handle or (lambda c, r, n: answer_stream(c))) as server:
            result = self.run_json(server.url + base, *model, "-n", requests, *args, code=code,
                                   env=env)
            self.heads = [r[0] for r in server.requests]
            self.bodies = [json.loads(r[1]) if r[1] else None for r in server.requests]
        return result

    def body(self, *args, **more):
        self.ask(*args, **more)
        return self.bodies[0]

    def header(self, name, nth=0):
        lines = [line.partition(":") for line in self.heads[nth].split("\r\n")[1:]]
        return [value.strip() for key, _, value in lines if key.lower() == name.lower()]


class Body(Asking):
    def test_what_the_flags_say(self):
        body = self.body("--max-tokens", 7, "--temperature", 0.5, "--top-p", 0.25, "--stop", "END",
                         "--stop", "a,b", "--ignore-eos", "--seed", 42)
        self.assertEqual(body["max_tokens"], 7)
        self.assertEqual(body["temperature"], 0.5)
        self.assertEqual(body["top_p"], 0.25)
        self.assertEqual(body["stop"], ["END", "a,b"])
        self.assertIs(body["ignore_eos"], True)
        self.assertEqual(body["model"], "m")

    def test_what_was_not_said_is_not_sent(self):
        body = self.body()
        for name in "temperature", "top_p", "stop", "ignore_eos":
            self.assertNotIn(name, body)

    def test_extra_is_merged_and_wins(self):
        body = self.body("--extra", '{"max_tokens": 3, "logit_bias": {"5": 1}, "user": "Jörg"}')
        self.assertEqual(body["max_tokens"], 3)
        self.assertEqual(body["logit_bias"], {"5": 1})
        self.assertEqual(body["user"], "Jörg")

    def test_extra_that_is_no_object_is_refused(self):
        for text in "[1]", "{", '"a"', "{} {}":
            self.assertIn("--extra", self.lens("run", "http://h:1", "--extra", text, code=2).err)

    def test_whole_answers(self):
        def handle(c, r, n):
            answer_json(c, {"choices": [{"index": 0, "finish_reason": "stop",
                                         "message": {"role": "assistant", "content": "hi"}}],
                            "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
        first = self.ask("--no-stream", handle=handle).first
        self.assertFalse(self.bodies[0].get("stream", False))
        self.assertNotIn("stream_options", self.bodies[0])
        self.assertEqual(first["latency"]["ttft"]["count"], 0)
        self.assertEqual(first["latency"]["e2e"]["count"], 1)

    def test_other_apis_have_paths_and_limits_of_their_own(self):
        for api, path, limit in (("completions", "/v1/completions", "max_tokens"),
                                 ("responses", "/v1/responses", "max_output_tokens")):
            self.ask("--api", api, "--max-tokens", 9, "--no-preflight",
                                        "--provider", "compat", code=3,
                     handle=lambda c, r, n: answer_json(c, {}, "404 Not Found"))
            self.assertIn(f"POST {path} ", self.heads[0])
            self.assertEqual(self.bodies[0][limit], 9)
        self.ask("--provider", "openai", "--max-tokens", 9)
        self.assertEqual(self.bodies[0]["max_completion_tokens"], 9)
        self.assertNotIn("max_tokens", self.bodies[0])

    def test_set_takes_values_as_they_are(self):
        body = self.body("--set", 'provider.extra={"a": "x,y"}', "--set", "provider.top_p=0.5")
        self.assertEqual(body["a"], "x,y")
        self.assertEqual(body["top_p"], 0.5)

    def test_base_urls(self):
        for base in "", "/", "/v1", "/v1/":
            self.ask(base=base)
            self.assertTrue(self.heads[0].startswith("POST /v1/chat/completions "), base)
        for base in "/v1/chat/completions", "/v1/chat/completions/":
            self.ask(base=base)
            self.assertTrue(self.heads[0].startswith("POST /v1/chat/completions "), base)
        self.ask(base="/v1?api-version=1")
        self.assertTrue(self.heads[0].startswith("POST /v1/chat/completions?api-version=1 "))
        self.ask(base="/proxy/v1/")
        self.assertTrue(self.heads[0].startswith("POST /proxy/v1/chat/completions "))


class Headers(Asking):
    def test_headers_of_the_user(self):
        self.ask("--header", "X-Team: infra", "--header", "x-trace:  a: b ")
        self.assertEqual(self.header("x-team"), ["infra"])
        self.assertEqual(self.header("x-trace"), ["a: b"])
        self.assertEqual(self.header("expect"), [])
        self.assertEqual(self.header("content-type"), ["application/json"])

    def test_compression_is_asked_for_only_when_told(self):
        self.ask()
        self.assertEqual(self.header("accept-encoding"), ["identity"])
        self.ask("--compressed")
        self.assertIn("gzip", self.header("accept-encoding")[0])

    def test_headers_that_cannot_be_are_refused(self):
        for text in "no colon", ": empty", "a b: c", "a: b\r\nc: d", "a: b\nc: d", \
                "Content-Length: 5", "transfer-encoding: chunked":
            self.assertIn("--header", self.lens("run", "http://h:1", "--header", text, code=2).err)


class Model(Asking):
    @staticmethod
    def listing(*names, status="200 OK"):
        def handle(c, r, n):
            if r[0].startswith("GET "):
                answer_json(c, {"object": "list", "data": [{"id": m} for m in names]}, status)
            else:
                answer_stream(c)
        return handle

    def test_the_only_one_is_taken(self):
        result = self.ask(handle=self.listing("the-one"), model=())
        self.assertTrue(self.heads[0].startswith("GET /v1/models "))
        self.assertEqual(self.bodies[1]["model"], "the-one")
        self.assertEqual(result.first["model"], "the-one")

    def test_several_are_listed(self):
        err = self.ask(handle=self.listing("red", "green"), model=(), code=2).err
        self.assertIn("red, green", err)
        self.assertIn("--model", err)
        self.assertEqual(len(self.heads), 1)

    def test_a_name_that_is_no_plain_text_is_shown_as_one(self):
        with Server(self.listing("a\x1b[31mb\nc")) as server:
            said = self.lens("run", server.url, "-n", 1, code=0)
            self.assertEqual(json.loads(server.requests[1][1])["model"], "a\x1b[31mb\nc")
        self.assertNotIn("\x1b", said.out + said.err)
        self.assertIn("ab c", said.out)

    def test_none_or_a_refusal_says_what_to_do(self):
        self.assertIn("--model", self.ask(handle=self.listing(), model=(), code=2).err)
        self.assertIn("--api-key-env", self.ask(handle=self.listing(status="401 Unauthorized"),
                                                model=(), code=2).err)

    def test_a_page_instead_of_a_list(self):
        def handle(c, r, n):
            body = b"<html>\x1b[31mwelcome</html>"
            c.sendall(head("200 OK", "text/html", f"Content-Length: {len(body)}") + body)
        err = self.ask(handle=handle, model=(), code=2).err
        self.assertIn("--model", err)
        self.assertEqual(err.count("\n"), 1)

    def test_a_list_without_end_is_bounded(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "application/json"))
            for _ in range(64):
                c.sendall(b" " * 1048576)
            return False
        result = self.ask(handle=handle, model=(), code=3)
        self.assertIn("/models", result.err)


class Prompts(Asking):
    def contents(self):
        return [b["messages"][-1]["content"] for b in self.bodies]

    def test_the_built_in_prompt_has_a_unique_head(self):
        self.ask(requests=5)
        self.assertEqual(len(set(self.contents())), 5)
        self.assertTrue(60 < len(self.contents()[0].split()) < 200)

    def test_the_head_is_seeded(self):
        self.ask("--seed", 5, requests=3)
        before = self.contents()
        self.ask("--seed", 5, requests=3)
        self.assertEqual(before, self.contents())
        self.ask("--seed", 6, requests=3)
        self.assertNotEqual(before, self.contents())

    def test_same_prompt(self):
        self.ask("--same-prompt", requests=3)
        self.assertEqual(len(set(self.contents())), 1)

    def test_a_prompt_of_the_user_is_sent_as_it_is(self):
        self.ask("--prompt", "hello \"you\"\n", requests=2)
        self.assertEqual(self.contents(), ['hello "you"\n'] * 2)

    def test_lines_in_order(self):
        self.write("p.txt", "one\n\ntwo\r\nthree")
        self.ask("--prompts", "p.txt", "--same-prompt", requests=4)
        self.assertEqual(self.contents(), ["one", "two", "three", "one"])

    def test_json_lines(self):
        self.write("p.jsonl", '{"prompt": "a\\nb", "max_tokens": 3}\n'
                   '{"messages": [{"role": "system", "content": "be brief"}, '
                   '{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}\n')
        self.ask("--prompts", "p.jsonl", "--same-prompt", requests=2)
        self.assertEqual(self.bodies[0]["max_tokens"], 3)
        self.assertEqual(self.contents(), ["a\nb", "hi"])
        self.assertEqual(self.bodies[1]["max_tokens"], 128)
        self.assertEqual(self.bodies[1]["messages"][0], {"role": "system", "content": "be brief"})

    def test_bad_prompts_name_file_and_line(self):
        cases = (('{"prompt": "a"}\n{"promt": "b"}\n', "p.jsonl:2"), ('{"prompt": 5}\n', "p.jsonl:1"),
                 ('{"messages": []}\n', "p.jsonl:1"), ("{\n", "p.jsonl:1"), ("\n\n", "p.jsonl"),
                 ('{"prompt": "a", "max_tokens": 0}\n', "max_tokens"))
        for text, said in cases:
            self.write("p.jsonl", text)
            result = self.lens("run", "http://127.0.0.1:1", "-m", "m", "--prompts", "p.jsonl", code=2)
            self.assertIn(said, result.err)
            self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn("none.txt", self.lens("run", "http://127.0.0.1:1", "--prompts", "none.txt",
                                            code=2).err)
        self.lens("run", "http://h:1", "--prompt", "a", "--prompts", "p.jsonl", code=2)


class Keys(Asking):
    def everything(self, result):
        """All that lens left behind and said, as bytes."""
        said = (result.out + result.err).encode()
        for name in os.listdir(self.dir):
            if name != "key.txt":
                with open(self.path(name), "rb") as file:
                    said += file.read()
        return said

    def test_by_variable_and_by_file(self):
        self.ask("--api-key-env", "MY_KEY", env={"MY_KEY": KEY})
        self.assertEqual(self.header("authorization"), [f"Bearer {KEY}"])
        self.write("key.txt", KEY + "\n")
        self.ask("--api-key-file", "key.txt")
        self.assertEqual(self.header("authorization"), [f"Bearer {KEY}"])

    def test_missing_keys_are_named(self):
        self.assertIn("NOT_THERE", self.lens("run", "http://h:1", "-m", "m", "--api-key-env",
                                             "NOT_THERE", code=2).err)
        self.assertIn("none.txt", self.lens("run", "http://h:1", "-m", "m", "--api-key-file",
                                            "none.txt", code=2).err)

    def test_a_usual_variable_is_not_sent_to_a_foreign_url(self):
        for provider in ("openai",), ("compat",):
            self.ask("--provider", *provider, env={"OPENAI_API_KEY": KEY})
            self.assertEqual(self.header("authorization"), [])
        self.ask(env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
        self.assertEqual(self.header("authorization"), [])

    def test_it_is_sent_to_the_url_of_its_usual_variable(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.run_json("--provider", "openai", "-m", "m", "-n", 1,
                          env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url + "/v1"})
            self.assertIn(f"Bearer {KEY}", server.requests[0][0])

    def test_a_key_that_is_echoed_is_shown_nowhere(self):
        message = f"Incorrect API key provided: {KEY}. \x1b[31mred"
        ways = {
            "body": lambda c, r, n: answer_json(c, {"error": {"message": message, "code": "bad"}},
                                                "401 Unauthorized", f"x-request-id: {KEY}"),
            "plain": lambda c, r, n: (c.sendall(head("500 Oops", "text/plain", "Content-Length: %d"
                                                     % len(KEY)) + KEY.encode()), None)[1],
            "stream": lambda c, r, n: answer_stream(c, [delta("a"),
                                                        event({"error": {"message": message}})]),
            "redirect": lambda c, r, n: answer_json(c, {}, "302 Found", f"Location: http://x/?k={KEY}"),
            "text": lambda c, r, n: answer_stream(c, [delta("the key is " + KEY), delta(None, "stop"),
                                                      event("[DONE]")]),
        }
        for name, handle in ways.items():
            for talk in ["--quiet", "--json"], ["-v", "-v"]:
                with self.subTest(name, talk=talk), Server(handle) as server:
                    result = self.lens(
                        "run", server.url, "-m", "m", "-n", 2, *talk, "-o", "run.lens", "--force",
                        "--record-text", "--retries", 1, "--api-key-env", "MY_KEY",
                        "--export", "json:path=s.json,samples=s.jsonl", "--export", "csv:path=s.csv",
                        env={"MY_KEY": KEY})
                    self.assertIn(KEY, server.requests[0][0])
                    said = self.everything(result)
                    self.assertNotIn(KEY.encode(), said)
                    self.assertNotIn(b"\x1b[31m", (result.out + result.err).encode())

    def test_a_key_cut_by_reads_is_redacted_in_the_recorded_text(self):
        def handle(c, r, n):
            answer_stream(c, [delta("key " + KEY[:9]), delta(KEY[9:20]), delta(KEY[20:]),
                              delta(None, "stop"), event("[DONE]")])
        result = self.ask("--record-text", "--api-key-env", "MY_KEY", env={"MY_KEY": KEY},
                          handle=handle)
        self.assertNotIn(KEY.encode(), self.everything(result))

    def test_a_dry_run_tells_its_name_only(self):
        result = self.lens("run", "http://h:1", "-m", "m", "--dry-run", "-v", "--api-key-env", "MY_KEY",
                           env={"MY_KEY": KEY}, code=0)
        self.assertIn("MY_KEY", result.out)
        self.assertNotIn(KEY, result.out + result.err)

    def test_a_wrong_key_is_said(self):
        def handle(c, r, n):
            answer_json(c, {"error": {"message": "no such key", "code": "invalid_api_key"}},
                        "401 Unauthorized")
        first = self.ask(handle=handle, code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["auth"])
        self.assertEqual(first["requests"]["errors"]["auth"]["example"], "no such key")
        with Server(handle) as server:
            text = self.lens("run", server.url, "-m", "m", "-n", 1, "--quiet", code=3).out
        self.assertIn("no such key", text)
        self.assertIn("auth", text)


class Text(Asking):
    QUESTION, ANSWER = "a-question-nobody-asks", "an-answer-nobody-gives"

    def stored(self, *args):
        self.ask("--prompt", self.QUESTION, *args, handle=lambda c, r, n: answer_stream(
            c, [delta(self.ANSWER), delta(None, "stop"), event("[DONE]")]))
        with open(self.path("run.lens"), "rb") as file:
            return file.read()

    def test_no_answer_is_kept_unless_told(self):
        kept = self.stored()
        self.assertNotIn(self.ANSWER.encode(), kept)
        kept = self.stored("--record-text")
        self.assertIn(self.ANSWER.encode(), kept)
        self.assertIn(self.QUESTION.encode(), kept)

    def test_no_prompt_of_a_file_is_kept_unless_told(self):
        self.write("p.txt", self.QUESTION + "\n")
        self.ask("--prompts", "p.txt")
        with open(self.path("run.lens"), "rb") as file:
            self.assertNotIn(self.QUESTION.encode(), file.read())


if __name__ == "__main__":
    unittest.main()
