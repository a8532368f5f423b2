"""The command line and plans, through the program: no load, so no timing."""

import json
import os
import re
import shutil
import subprocess
import unittest

from harness import LENS, Case

COMMANDS = ["run", "show", "export", "import", "init", "validate", "decode", "mock", "calibrate",
            "plugin list", "plugin info", "plugin check", "plugin new", "help"]
GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "guide.md")
SECRET = "sk-never-to-be-seen-42"


class Help(Case):
    def test_every_command_has_help_within_80_columns(self):
        for command in COMMANDS:
            by_help = self.lens("help", *command.split(), code=0)
            by_flag = self.lens(*command.split(), "--help", code=0)
            self.assertEqual(by_help.out, by_flag.out)
            self.assertIn(f"lens {command}", by_help.out)
            self.assertLessEqual(max(map(len, by_help.out.splitlines())), 80, command)

    def test_without_a_command_the_overview_goes_to_stderr(self):
        self.assertIn("Commands:", self.lens(code=2).err)
        self.assertIn("Commands:", self.lens("--help", code=0).out)

    def test_version_is_one_line(self):
        self.assertRegex(self.lens("--version", code=0).out, r"^lens \d+\.\d+\.\d+\n$")

    def test_the_guide_and_the_man_page_know_every_flag(self):
        man = self.lens("help", "--man", code=0).out.replace("\\-", "-")
        with open(GUIDE, encoding="utf-8") as file:
            guide = file.read()
        for command in COMMANDS:
            text = self.lens("help", *command.split(), code=0).out
            for flag in re.findall(r"^ +(?:-., )?(--[a-z-]+)", text, re.MULTILINE):
                self.assertIn(flag, man, command)
                if command == "run" and flag != "--verbose":
                    self.assertIn(flag, guide)

    def test_the_man_page_is_troff_without_complaints(self):
        if not shutil.which("groff"):
            self.skipTest("groff is not here")
        man = self.lens("help", "--man", code=0).out
        done = subprocess.run(["groff", "-man", "-ww", "-z"], input=man, capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stderr, "")

    def complete(self, *words):
        script = self.lens("help", "--completion", "bash", code=0).out
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "-c", f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
             "_lens 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, check=True, cwd=self.dir)
        return done.stdout.split()

    def test_bash_completes_commands_flags_and_values(self):
        self.write("plan.yaml", "")
        self.assertEqual(self.complete("lens", "va"), ["validate"])
        self.assertEqual(self.complete("lens", "plugin", "ch"), ["check"])
        self.assertEqual(self.complete("lens", "run", "--conn"), ["--connect-timeout"])
        self.assertEqual(self.complete("lens", "run", "--http", ""), ["auto", "1.1", "2"])
        self.assertEqual(self.complete("lens", "run", "pl"), ["plan.yaml"])
        self.assertNotIn("--clock", self.complete("lens", "run", "--cl"))

    def test_other_shells_get_a_script(self):
        for shell in "zsh", "fish":
            script = self.lens("help", "--completion", shell, code=0).out
            self.assertIn("first-token-timeout", script)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, text=True, check=True)


class Plans(Case):
    def test_the_plan_of_init_is_valid_and_never_overwritten(self):
        self.lens("init", code=0)
        before = self.read("lens.yaml")
        self.lens("validate", "lens.yaml", code=0)
        self.assertIn("--force", self.lens("init", code=2).err)
        self.lens("init", "--force", code=0)
        self.assertEqual(before, self.read("lens.yaml"))
        self.assertEqual(before, self.lens("init", "-o", "-", code=0).out)

    def test_a_plan_tells_what_would_be_run(self):
        self.write("plan.yaml", """
            targets: [{name: a, url: 'http://h:1'}, {name: b, url: 'http://h:2', model: m}]
            stages:
              - {name: low, workload: {kind: poisson, rate: 5}, duration: 60s}
              - {name: high, workload: {kind: closed, concurrency: 64}, requests: 7, targets: [b]}
            """)
        said = json.loads(self.lens("validate", "plan.yaml", "--json", code=0).out)
        self.assertEqual(said["results"], 3)
        self.assertEqual([e["requests"] for e in said["estimates"]], [300, 7])
        self.assertEqual(said["plan"]["stages"][1]["targets"], ["b"])
        text = self.lens("run", "plan.yaml", "--dry-run", code=0).out
        self.assertIn("about 300 requests", text)
        self.assertEqual([], [f for f in os.listdir(self.dir) if f.endswith(".lens")])

    def test_a_flag_overrides_its_key_everywhere(self):
        self.write("plan.yaml", """
            targets: [{name: a, url: 'http://h:1', options: {max_tokens: 5, stop: [x]}},
                      {name: b, url: 'http://h:2', timeout: 9s}]
            stages: [{name: s, requests: 7}, {name: t, requests: 8, workload: {kind: closed}}]
            slo: [errors<1%]
            """)
        plan = json.loads(self.lens(
            "validate", "plan.yaml", "--json", "-n", 3, "-c", 4, "--max-tokens", 6, "--stop", "y",
            "--timeout", "8s", "--slo", "ttft<1s", "-m", "big", code=0).out)["plan"]
        for target in plan["targets"]:
            self.assertEqual(target["options"]["max_tokens"], 6)
            self.assertEqual(target["options"]["stop"], ["y"])
            self.assertEqual(target["timeout"], "8s")
            self.assertEqual(target["model"], "big")
        for stage in plan["stages"]:
            self.assertEqual(stage["requests"], 3)
            self.assertEqual(stage["workload"]["concurrency"], 4)
        self.assertEqual(plan["slo"], ["ttft<1s"])

    def test_the_plan_that_is_printed_is_a_plan(self):
        first = json.loads(self.lens("validate", "http://h:1", "-n", 5, "--seed", 1, "--json",
                                     code=0).out)
        self.write("again.json", json.dumps(first["plan"]))
        second = json.loads(self.lens("validate", "again.json", "--json", code=0).out)
        self.assertEqual(first["plan"], second["plan"])
        self.assertEqual(first["plan_hash"], second["plan_hash"])

    def test_errors_tell_line_and_column(self):
        self.write("plan.yaml", "lens: 1\ntargets:\n  - url: http://h:1\n    modle: x\n")
        self.assertIn("plan.yaml:4:5: unknown key 'modle', did you mean 'model'?",
                      self.lens("run", "plan.yaml", code=2).err)

    def test_a_preset_of_the_user_comes_first(self):
        os.makedirs(self.path("lens"))
        self.write("lens/presets.yaml",
                   "lab: {url: 'http://lab:1/v1', api_key_env: LAB_KEY}\n"
                   "vllm: {url: 'http://other:2'}\n")
        env = {"XDG_CONFIG_HOME": self.dir, "LAB_KEY": SECRET}
        text = self.lens("run", "--provider", "lab", "--dry-run", env=env, code=0).out
        self.assertIn("http://lab:1/v1", text)
        self.assertIn("env:LAB_KEY", text)
        self.assertNotIn(SECRET, text)
        self.assertIn("http://other:2", self.lens("run", "--provider", "vllm", "--dry-run",
                                                  env=env, code=0).out)
        self.write("lens/presets.yaml", "lab: {ulr: 'http://lab:1'}\n")
        self.assertIn("presets.yaml:1:7: unknown key 'ulr'",
                      self.lens("run", "--provider", "lab", "--dry-run", env=env, code=2).err)


class Refusals(Case):
    def test_one_clear_line_each(self):
        cases = [
            (["rnu"], "did you mean 'run'"),
            (["run", "--no-preflght"], "did you mean --no-preflight"),
            (["run", "--ttft", "1s"], "belongs to: mock, calibrate"),
            (["run", "D(100,100)"], "delays"),
            (["run", "--workload", "D(100,100)"], "token counts"),
            (["run", "--workload", "clsed"], "closed"),
            (["run", "--provider", "opnai"], "openai"),
            (["run", "http://h:1", "--export", "cvs"], "csv"),
            (["run", "http://h:1", "--set", "provider.temprature=1"], "temperature"),
            (["validate", "nothing.yaml"], "nothing.yaml"),
            (["validate", "/dev/zero"], "1 MiB"),
            (["validate", "--provider", "anthropic:thinking=enabled", "--url", "http://h:1"],
             "thinking_budget"),
        ]
        for words, said in cases:
            done = self.lens(*words, code=2)
            self.assertIn(said, done.err)
            self.assertEqual(done.err.count("\n"), 1, done.err)
            self.assertEqual(done.out, "")

    def test_a_secret_is_never_shown(self):
        cases = [
            ["--api-key", SECRET], [f"--api-key={SECRET}"], ["--token", SECRET],
            ["--api-key-env", SECRET],
            ["--header", f"Authorization: Bearer {SECRET}"], ["--header", f"x-api-key: {SECRET}"],
            ["--header", f"Proxy-Authorization: {SECRET}"], ["--header", f"Cookie: a={SECRET}"],
            ["--url", f"http://user:{SECRET}@h:1"], ["--proxy", f"http://user:{SECRET}@h:1"],
            ["--set", f"provider.api_key={SECRET}"],
            ["--provider", f"compat:api_key={SECRET}"],
        ]
        for words in cases:
            done = self.lens("run", *words, "http://h:1", "--dry-run", code=2)
            self.assertNotIn(SECRET, done.out + done.err, words)

    def test_output_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            for words in ["help"], ["run", "-n", "1", "--quiet"], ["run", "-n", "1", "--json"]:
                done = subprocess.run([LENS, *words], stdout=full, stderr=subprocess.PIPE, check=False,
                                      cwd=self.dir)
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
