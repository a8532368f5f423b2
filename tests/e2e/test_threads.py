"""Several workers, the recorder and exporters at once: what TSan should see."""

import json
import unittest

from harness import Case


class Threads(Case):
    def test_workers_recorder_and_exporters_agree(self):
        first = self.run_json("-n", 90, "-c", 9, "--threads", 3,
                              "--export", "json:path=out.json,samples=out.jsonl",
                              "--export", "csv:path=out.csv,what=samples").first
        self.assertEqual(first["requests"]["ok"], 90)
        self.assertEqual(len(self.sample_rows("rowid")), 90)
        self.assertEqual(json.loads(self.read("out.json"))["results"][0]["requests"]["ok"], 90)
        self.assertEqual(len(self.read("out.jsonl").splitlines()), 90)


if __name__ == "__main__":
    unittest.main()
