"""lens -> LiteLLM -> lens mock: what a gateway makes of streams, usage and errors.

through_litellm.py PROGRAM [UNITTEST ARGUMENTS]
"""

import http.server
import json
import os
import sys
import tempfile
import threading
import unittest

from gateway import free_port, mock, serve
from harness import Case

PROGRAM = sys.argv.pop(1)
TOKENS = 8
KEY = "sk-lens"


class Gone(http.server.BaseHTTPRequestHandler):
    """An upstream whose deployment is not there."""

    def do_POST(self):
        body = b'{"error":{"message":"no such deployment","code":"DeploymentNotFound"}}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Gateway(Case):
    @classmethod
    def setUpClass(cls):
        upstream = mock(cls, "--tokens", TOKENS, "--ttft", "5ms", "--itl", "1ms")
        gone = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gone)
        threading.Thread(target=gone.serve_forever, daemon=True).start()
        cls.addClassCleanup(gone.server_close)
        cls.addClassCleanup(gone.shutdown)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        config = os.path.join(folder.name, "config.json")

        def model(name, to, base):
            return {"model_name": name, "litellm_params": {
                "model": to, "api_base": base, "api_key": "k"}}

        with open(config, "w", encoding="utf-8") as file:
            json.dump({
                "model_list": [
                    model("fake", "openai/fake", upstream + "/v1"),
                    model("claude", "anthropic/claude-x", upstream),
                    model("gone", "openai/gone", f"http://127.0.0.1:{gone.server_port}/v1"),
                ],
                "general_settings": {"master_key": KEY},
            }, file)
        port = free_port()
        cls.url = f"http://127.0.0.1:{port}"
        serve(cls, [PROGRAM, "--config", config, "--host", "127.0.0.1", "--port", str(port)],
              cls.url + "/health/liveliness")

    def measure(self, *args, code=0):
        return self.run_json(self.url, "--api-key-env", "LITELLM_KEY", *args, code=code,
                             env={"LITELLM_KEY": KEY}).first

    def check(self, first, requests):
        self.assertEqual(first["requests"]["ok"], requests, first["requests"])
        self.assertEqual(first["requests"]["no_output"], 0)
        self.assertEqual(first["tokens"]["output"], requests * TOKENS)
        self.assertEqual(first["tokens"]["unknown_requests"], 0)

    def test_openai_upstream(self):
        for api in "chat", "responses":
            with self.subTest(api=api):
                first = self.measure("--api", api, "-m", "fake", "-n", 3)
                self.check(first, 3)
                self.assertEqual(first["latency"]["ttft"]["count"], 3)

    def test_anthropic_upstream_as_chunks(self):
        # Role and text in one delta, and the usage chunk has a choice.
        first = self.measure("-m", "claude", "-n", 3)
        self.check(first, 3)
        self.assertEqual(first["latency"]["ttft_text"]["count"], 3)
        for messages, finish in self.sample_rows("output_messages, finish"):
            self.assertEqual((messages, finish), (TOKENS, "stop"))

    def test_anthropic_upstream_as_messages(self):
        for flags in [], ["--no-stream"]:
            with self.subTest(flags=flags):
                first = self.measure("--provider", "anthropic", "--set", "provider.auth=bearer",
                                     "-m", "claude", "-n", 3, *flags)
                self.check(first, 3)

    def test_a_lost_upstream_becomes_rate_limits(self):
        # The first answer is the upstream's 404; then the gateway rests the deployment.
        kinds = {}
        for _ in range(4):
            first = self.measure("-m", "gone", "-n", 1, code=3)
            for kind, error in first["requests"]["errors"].items():
                kinds[kind] = kinds.get(kind, 0) + error["count"]
                self.assertEqual(error["where"], "http")
        self.assertEqual(sum(kinds.values()), 4, kinds)
        self.assertEqual(set(kinds), {"not_found", "rate_limit"}, kinds)


if __name__ == "__main__":
    unittest.main()
