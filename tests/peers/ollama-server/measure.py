"""Measures a real Ollama: what lens reports is held against the server's own numbers.

measure.py OLLAMA MODEL WORK_DIR [UNITTEST ARGUMENTS]
"""

import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from harness import Case

PROGRAM, MODEL, WORK = (sys.argv.pop(1) for _ in range(3))
TOKENS = 6


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return None


class Ollama(Case):
    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.url = f"http://127.0.0.1:{port}"
        home = os.path.join(WORK, "home")
        os.makedirs(home, exist_ok=True)
        env = dict(os.environ, HOME=home, OLLAMA_HOST=f"127.0.0.1:{port}",
                   OLLAMA_MODELS=os.path.join(WORK, "models"), OLLAMA_NUM_PARALLEL="1")
        cls.log = open(os.path.join(WORK, "ollama.log"), "wb")
        cls.addClassCleanup(cls.log.close)
        cls.server = subprocess.Popen([PROGRAM, "serve"], env=env, stdout=cls.log, stderr=cls.log)
        cls.addClassCleanup(cls.stop)
        until = time.monotonic() + 60
        while get(cls.url + "/api/version") is None:
            if cls.server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("no server: see " + cls.log.name)
            time.sleep(0.1)
        modelfile = os.path.join(WORK, "Modelfile")
        with open(modelfile, "w", encoding="utf-8") as file:
            file.write(f"FROM {MODEL}\nPARAMETER num_ctx 2048\nPARAMETER num_thread 1\n")
        subprocess.run([PROGRAM, "create", "tiny", "-f", modelfile], env=env, check=True,
                       stdout=cls.log, stderr=cls.log, timeout=60)

    @classmethod
    def stop(cls):
        cls.server.terminate()
        try:
            cls.server.wait(10)
        except subprocess.TimeoutExpired:
            cls.server.kill()
            cls.server.wait()

    def measure(self, *args, code=0):
        return self.run_json("--provider", "ollama", "--url", self.url, "-m", "tiny", "-n", 3,
                             "--warmup", 1, "--max-tokens", TOKENS, *args, code=code).first

    def test_chat_and_generate_streamed_and_not(self):
        for api in "chat", "generate":
            for how in [], ["--no-stream"]:
                with self.subTest(api=api, how=how):
                    first = self.measure("--api", api, *how)
                    self.assertEqual(first["requests"]["ok"], 3, first["requests"])
                    self.assertGreater(first["tokens"]["input"], 3)
                    self.assertGreater(first["tokens"]["output"], 0)
                    self.assertLessEqual(first["tokens"]["output"], 3 * TOKENS)
                    self.assertEqual(first["latency"]["ttft"]["count"], 0 if how else 3)

    def test_the_servers_own_times_are_kept_and_fit(self):
        self.measure()
        rows = self.sample_rows("*")
        self.assertTrue(rows)
        text = json.dumps([[str(cell) for cell in row] for row in rows])
        for name in "total", "load", "prompt_eval", "eval":
            self.assertIn(f"{name}_duration_ns", text)

    def test_the_variable_may_be_an_address(self):
        first = self.run_json("--provider", "ollama", "-m", "tiny", "-n", 1, "--max-tokens", 2,
                              env={"OLLAMA_HOST": self.url.removeprefix("http://")}).first
        self.assertEqual(first["requests"]["ok"], 1)

    def test_an_unknown_model_is_not_found(self):
        first = self.run_json("--provider", "ollama", "--url", self.url, "-m", "nobody", "-n", 1,
                              code=3).first
        self.assertEqual(first["requests"]["errors"]["not_found"]["count"], 1)

    def test_the_model_is_asked_for(self):
        first = self.run_json("--provider", "ollama", "--url", self.url, "-n", 1, "--max-tokens", 2).first
        self.assertEqual(first["model"], "tiny:latest")


if __name__ == "__main__":
    unittest.main(verbosity=2)
