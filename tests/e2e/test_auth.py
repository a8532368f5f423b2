"""Credentials that are fetched: before the load, in time, and again when they are refused."""

import json
import os
import socket
import stat
import threading
import time
import unittest
import urllib.parse

from harness import CHUNKED, Case, Server, answer_json, answer_stream, chunk, head

SECRET = "client-secret-0123456789"


class TokenServer(Server):
    """Gives token-1, token-2, ...; `lifetime` in seconds."""

    def __init__(self, lifetime=3600, status="200 OK", body=None):
        self.given, self.lifetime, self.status, self.body = 0, lifetime, status, body
        self.count_lock = threading.Lock()
        super().__init__(self.answer)

    def answer(self, connection, request, nth):
        if self.body is not None:
            answer_json(connection, self.body, self.status)
            return
        with self.count_lock:
            self.given += 1
            given = self.given
        answer_json(connection, {"access_token": f"secret-token-{given}", "token_type": "Bearer",
                                 "expires_in": self.lifetime})

    def forms(self):
        return [dict(urllib.parse.parse_qsl(body.decode())) for _, body in self.requests]


def nowhere():
    """A URL at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def token_of(request):
    for line in request[0].split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "authorization":
            return value.strip()
    return None


class Auth(Case):
    def api(self, refuse=lambda token, nth: False):
        def answer(connection, request, nth):
            if refuse(token_of(request), nth):
                answer_json(connection, {"error": {"message": "expired " + token_of(request)}},
                            "401 Unauthorized")
            else:
                answer_stream(connection)
        return Server(answer)

    def run_entra(self, api, tokens, *args, code=0, env=None):
        return self.lens(
            "run", "--provider", "http", "--url", api.url + "/v1/chat/completions", "-m", "m",
            "--set", "provider.text_path=choices.0.delta.content",
            "--set", "provider.auth=entra", "--set", "provider.client_id=me",
            "--set", "provider.client_secret=env:LENS_TEST_SECRET",
            "--set", f"provider.token_url={tokens.url}/token",
            "--json", "--quiet", "--force", "-o", "run.lens", *args, code=code,
            env={"LENS_TEST_SECRET": SECRET, **(env or {})})

    def test_is_fetched_once_before_the_load(self):
        with TokenServer() as tokens, self.api() as api:
            result = self.run_entra(api, tokens, "-n", "20", "-c", "4", "--threads", "2")
            self.assertEqual(result.first["requests"]["ok"], 20)
            self.assertEqual(tokens.given, 1)
            self.assertEqual({token_of(r) for r in api.requests}, {"Bearer secret-token-1"})
            self.assertEqual(tokens.forms()[0], {
                "grant_type": "client_credentials", "client_id": "me", "client_secret": SECRET})

    def test_is_renewed_before_it_ends(self):
        with TokenServer(lifetime=3) as tokens, self.api() as api:
            result = self.run_entra(api, tokens, "-d", "5s", "--rate", "20")
            self.assertEqual(result.first["requests"]["failed"], 0)
            used = [token_of(r) for r in api.requests]
            self.assertGreaterEqual(len(set(used)), 3)
            self.assertEqual(used, sorted(used, key=lambda t: int(t.rsplit("-", 1)[1])))

    def test_is_fetched_again_when_it_is_refused(self):
        revoked = threading.Event()

        def refuse(token, nth):
            if nth == 10:
                revoked.set()
            return revoked.is_set() and token == "Bearer secret-token-1"

        with TokenServer() as tokens, self.api(refuse) as api:
            result = self.run_entra(api, tokens, "-n", "40", "-c", "4")
            requests = result.first["requests"]
            self.assertEqual((requests["ok"], requests["failed"]), (40, 0))
            self.assertEqual(tokens.given, 2)
            self.assertGreaterEqual(requests["retries"], 1)
            self.assertLessEqual(requests["retries"], 4)
            self.assertNotIn("secret-token", result.err + result.out)

    def test_a_fresh_one_that_is_refused_fails_the_request(self):
        with TokenServer() as tokens, self.api(lambda token, nth: True) as api:
            result = self.run_entra(api, tokens, "-n", "6", code=3)
            requests = result.first["requests"]
            self.assertEqual(requests["failed"], 6)
            self.assertEqual(list(requests["errors"]), ["auth"])
            self.assertEqual(tokens.given, 2)
            self.assertNotIn("secret-token", result.out)

    def test_renewal_that_fails_keeps_the_old_one(self):
        class Dying(TokenServer):
            def answer(self, connection, request, nth):
                if nth > 0:
                    answer_json(connection, {"error": "server_error"}, "503 Unavailable")
                else:
                    super().answer(connection, request, nth)

        with Dying(lifetime=2) as tokens, self.api() as api:
            result = self.run_entra(api, tokens, "-d", "3s", "--rate", "10")
            self.assertEqual(result.first["requests"]["failed"], 0)
            self.assertIn("the old credential stays in use", result.err)

    def test_a_refused_client_is_one_message_before_the_load(self):
        body = {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}
        with TokenServer(status="401 Unauthorized", body=body) as tokens, self.api() as api:
            result = self.run_entra(api, tokens, "-n", "3", code=2)
            self.assertIn("AADSTS7000215: wrong secret", result.err)
            self.assertEqual(len(result.err.strip().splitlines()), 1)
            self.assertNotIn(SECRET, result.err)
            self.assertEqual(api.requests, [])
            self.assertFalse(os.path.exists(self.path("run.lens")))

    def test_a_token_server_that_is_not_there(self):
        with TokenServer() as tokens, self.api() as api:
            tokens.url = nowhere()
            result = self.run_entra(api, tokens, "-n", "3", code=3)
            self.assertIn("cannot reach http://127.0.0.1", result.err)

    def test_a_dry_run_fetches_nothing(self):
        with TokenServer() as tokens, self.api() as api:
            self.lens("run", "--provider", "http", "--url", api.url, "-m", "m", "--dry-run",
                      "--set", "provider.text_path=a", "--set", "provider.auth=entra",
                      "--set", "provider.client_id=me",
                      "--set", "provider.client_secret=env:LENS_TEST_SECRET",
                      "--set", f"provider.token_url={tokens.url}/token", code=0,
                      env={"LENS_TEST_SECRET": SECRET})
            self.assertEqual((tokens.requests, api.requests), ([], []))


class Command(Case):
    """A token that a command prints."""

    def script(self, text):
        path = self.write("token.sh", "#!/bin/sh\n" + text)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def arguments(self, api, command):
        return ["--provider", "http", "--url", api.url, "-m", "m",
                "--set", "provider.text_path=choices.0.delta.content",
                "--set", "provider.auth=token",
                "--set", f"provider.token_command={command}"]

    def test_is_run_without_a_shell(self):
        command = self.script('echo "$#:$1" >> ran; echo "{\\"accessToken\\":\\"printed-token\\"}"')
        with Server(lambda c, r, n: answer_stream(c)) as api:
            result = self.run_json(*self.arguments(api, f"{command} '$(touch evil) x'"), "-n", "4")
            self.assertEqual(result.first["requests"]["ok"], 4)
            self.assertEqual({token_of(r) for r in api.requests}, {"Bearer printed-token"})
            self.assertEqual(self.read("ran"), "1:$(touch evil) x\n")
            self.assertFalse(os.path.exists(self.path("evil")))

    def test_that_fails(self):
        command = self.script("echo not for you >&2; exit 3")
        with Server(lambda c, r, n: answer_stream(c)) as api:
            result = self.run_json(*self.arguments(api, command), "-n", "4", code=2)
            self.assertIn("the command for the token failed", result.err)
            self.assertEqual(api.requests, [])

    def test_is_not_run_by_validate_or_a_dry_run(self):
        command = self.script("touch ran; echo token")
        with Server(lambda c, r, n: answer_stream(c)) as api:
            self.lens("validate", *self.arguments(api, command), code=0)
            self.lens("run", *self.arguments(api, command), "--dry-run", code=0)
            self.assertFalse(os.path.exists(self.path("ran")))
            self.assertEqual(api.requests, [])


class Online(Case):
    """`lens models` and `lens validate --online`."""

    @staticmethod
    def models(connection, request, nth):
        if "Bearer good" not in request[0]:
            answer_json(connection, {"error": {"message": "wrong key"}}, "401 Unauthorized")
        elif request[0].startswith("GET /v1/models"):
            answer_json(connection, {"data": [{"id": "alpha"}, {"id": "beta"}]})
        else:
            answer_stream(connection)

    def test_models(self):
        with Server(self.models) as server:
            listed = self.lens("models", server.url, "--api-key-env", "KEY", env={"KEY": "good-key"},
                               code=0)
            self.assertEqual(listed.out, "alpha\nbeta\n")
            as_json = self.lens("models", server.url, "--api-key-env", "KEY", "--json",
                                env={"KEY": "good-key"}, code=0)
            self.assertEqual(json.loads(as_json.out)["targets"][0]["models"], ["alpha", "beta"])
            refused = self.lens("models", server.url, "--api-key-env", "KEY", env={"KEY": "bad-key"},
                                code=3)
            self.assertIn("HTTP 401: wrong key", refused.err)

    def test_models_of_nobody(self):
        self.assertIn("name a provider", self.lens("models", code=2).err)

    def test_validate_asks_only_when_told_to(self):
        with Server(self.models) as server:
            arguments = ["validate", server.url, "-m", "alpha", "--api-key-env", "KEY"]
            self.lens(*arguments, env={"KEY": "good-key"}, code=0)
            self.assertEqual(server.requests, [])
            fine = self.lens(*arguments, "--online", env={"KEY": "good-key"}, code=0)
            self.assertIn("online compat: ok", fine.out)
            self.assertFalse([r[0] for r in server.requests if "/chat/" in r[0].split("\r\n")[0]])
            wrong = self.lens(*arguments, "--online", env={"KEY": "bad-key"}, code=3)
            self.assertIn("online compat: FAILED: the server answered with HTTP 401: wrong key",
                          wrong.out)
            server.requests.clear()
            tested = self.lens(*arguments, "--test-request", env={"KEY": "good-key"}, code=0)
            self.assertIn("a test request was answered", tested.out)
            posts = [r for r in server.requests if "/chat/" in r[0].split("\r\n")[0]]
            self.assertEqual(len(posts), 1)
            self.assertLessEqual(json.loads(posts[0][1])["max_tokens"], 16)

    def test_each_target_has_a_line(self):
        with Server(self.models) as server:
            plan = self.write("plan.yaml", json.dumps({
                "lens": 1, "targets": [
                    {"name": "up", "url": server.url, "model": "alpha", "api_key_env": "KEY"},
                    {"name": "down", "url": "http://127.0.0.1:9", "model": "alpha",
                     "api_key_env": "KEY"}]}))
            result = self.lens("validate", plan, "--online", env={"KEY": "good-key"}, code=3)
            self.assertIn("online up: ok", result.out)
            self.assertIn("online down: FAILED: cannot reach", result.out)


class FollowUp(Case):
    """A stream that is asked for by a second request, and what is asked afterwards."""

    def predictions(self, stream=None, after=None, delay=0.0):
        def answer(connection, request, nth):
            line = request[0].split("\r\n")[0]
            if line.startswith("POST"):
                answer_json(connection, {
                    "id": "p1", "status": "starting", "urls": {
                        "stream": other.url + "/stream/p1",
                        "get": server.url + "/v1/predictions/p1"}}, "201 Created")
            elif after is not None:
                after(connection)
            else:
                answer_json(connection, {"id": "p1", "status": "succeeded", "metrics": {
                    "input_token_count": 7, "output_token_count": 3, "predict_time": 0.25}})

        def output(connection, request, nth):
            if stream is not None:
                stream(connection)
                return
            time.sleep(delay)
            connection.sendall(head("200 OK", "text/event-stream", CHUNKED))
            for text in ("one", " two", " three"):
                connection.sendall(chunk(f"event: output\ndata: {text}\n\n"))
            connection.sendall(chunk("event: done\ndata: {}\n\n") + b"0\r\n\r\n")

        server, other = Server(answer), Server(output)
        return server, other

    def run_it(self, server, *args, code=0):
        return self.run_json("--provider", "replicate", "--url", server.url, "-m", "meta/llama",
                             "--api-key-env", "TOKEN", *args, code=code,
                             env={"TOKEN": "r8-secret-token"})

    def test_times_count_from_the_first_request(self):
        server, other = self.predictions(delay=0.1)
        with server, other:
            result = self.run_it(server, "-n", "3", "--record-text").first
            self.assertEqual(result["requests"]["ok"], 3)
            self.assertGreaterEqual(result["latency"]["ttft"]["min"], 100)
            self.assertLess(result["latency"]["ttfb"]["max"], 90)
            self.assertEqual((result["tokens"]["input"], result["tokens"]["output"]), (21, 9))
            self.assertEqual(result["requests"]["retries"], 0)
            self.assertEqual(self.sample_rows("text, extra")[0],
                             ("one two three", '{"predict_time_s":0.25}'))

    def test_the_token_goes_to_the_users_server_alone(self):
        server, other = self.predictions()
        with server, other:
            self.run_it(server, "-n", "1")
            self.assertEqual({token_of(r) for r in server.requests}, {"Bearer r8-secret-token"})
            self.assertEqual({token_of(r) for r in other.requests}, {None})

    def test_what_is_asked_afterwards_may_fail(self):
        server, other = self.predictions(
            after=lambda c: answer_json(c, {"detail": "gone"}, "404 Not Found"))
        with server, other:
            result = self.run_it(server, "-n", "4")
            self.assertEqual(result.first["requests"]["ok"], 4)
            self.assertEqual(result.first["tokens"]["unknown_requests"], 4)
            self.assertEqual(result.err.count("asked after a request"), 1)

    def test_a_stream_that_is_refused_fails_the_request(self):
        server, other = self.predictions(
            stream=lambda c: answer_json(c, {"detail": "slow down"}, "429 Too Many Requests"))
        with server, other:
            errors = self.run_it(server, "-n", "2", code=3).first["requests"]["errors"]
            self.assertEqual(errors["rate_limit"]["count"], 2)
            self.assertEqual(errors["rate_limit"]["where"], "http")

    def test_a_stream_that_is_not_there_fails_the_request(self):
        server, other = self.predictions()
        with server, other:
            other.url = nowhere()
            errors = self.run_it(server, "-n", "2", code=3).first["requests"]["errors"]
            self.assertEqual(errors["connect"]["count"], 2)

    def test_a_stream_that_is_cut_is_truncated(self):
        def cut(connection):
            connection.sendall(head("200 OK", "text/event-stream", CHUNKED))
            connection.sendall(chunk("event: output\ndata: one\n\n") + b"0\r\n\r\n")

        server, other = self.predictions(stream=cut)
        with server, other:
            errors = self.run_it(server, "-n", "2", code=3).first["requests"]["errors"]
            self.assertEqual(errors["truncated"]["count"], 2)


class Keys(Case):
    def test_second_names_of_variables(self):
        without = dict.fromkeys(("CO_API_KEY", "COHERE_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
                                "")
        for provider, variable in [("cohere", "CO_API_KEY"), ("cohere", "COHERE_API_KEY"),
                                   ("gemini", "GOOGLE_API_KEY"), ("gemini", "GEMINI_API_KEY")]:
            with self.subTest(variable):
                done = self.lens("validate", "--provider", provider, "-m", "m", code=0,
                                 env={**without, variable: "k3y"})
                self.assertIn(f"key env:{variable} (is there)", done.out)


if __name__ == "__main__":
    unittest.main()
