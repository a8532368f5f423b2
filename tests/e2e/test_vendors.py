"""Providers against the mock that speaks their protocol: same counts, same first token."""

import unittest

from harness import Case

# Provider, its APIs (None: the default), whether it tells reasoning and cached tokens.
VENDORS = [
    ("cohere", [None], False, True),
    ("http", [None], False, False),
    ("mistral", [None], True, True),
    ("ollama", ["chat", "generate"], False, False),
    ("tgi", ["generate_stream"], False, False),
]


class Vendors(Case):
    def measure(self, name, url, api, *args):
        return self.run_json("--provider", name, "--url", url, "-m", "m", "-n", 4,
                             *(["--api", api] if api else []), *args).first

    def test_streams_and_whole_answers(self):
        for name, apis, reasons, caches in VENDORS:
            for api in apis:
                with self.subTest(name, api=api), \
                        self.mock("--provider", name, "--reasoning", 2, "--cached", 3,
                                  "--ttft", "20ms") as url:
                    for how in [], ["--no-stream"]:
                        first = self.measure(name, url, api, *how)
                        self.assertEqual(first["requests"]["ok"], 4, first["requests"])
                        self.assertEqual(first["tokens"]["output"], 4 * (8 + 2))
                        self.assertGreater(first["tokens"]["input"], 4 * 20)
                        self.assertEqual(first["tokens"]["reasoning"], 8 if reasons else None)
                        self.assertEqual(first["tokens"]["cache_read"], 12 if caches else None)
                        self.assertEqual(first["latency"]["ttft"]["count"], 0 if how else 4)
                        if not how:
                            self.assertGreaterEqual(first["latency"]["ttft"]["min"], 19)

    def test_refusals_and_errors_in_the_stream(self):
        for name, _, _, _ in VENDORS:
            with self.subTest(name):
                with self.mock("--provider", name, "--fault", "429:1") as url:
                    first = self.run_json("--provider", name, "--url", url, "-m", "m", "-n", 2,
                                          code=3).first
                    self.assertEqual(first["requests"]["errors"]["rate_limit"]["where"], "http")
                with self.mock("--provider", name, "--fault", "error:1") as url:
                    first = self.run_json("--provider", name, "--url", url, "-m", "m", "-n", 2,
                                          code=3).first
                    self.assertEqual([error["where"] for error in
                                      first["requests"]["errors"].values()], ["stream"])
                with self.mock("--provider", name, "--fault", "cut:1") as url:
                    first = self.run_json("--provider", name, "--url", url, "-m", "m", "-n", 2,
                                          code=3).first
                    self.assertLessEqual(set(first["requests"]["errors"]),
                                         {"truncated", "network"})


if __name__ == "__main__":
    unittest.main()
