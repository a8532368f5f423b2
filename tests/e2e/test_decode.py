"""`lens decode`: recorded answers, also where some of them cannot be read."""

import json
import unittest

from harness import Case


def failed(name, body):
    return json.dumps({"id": name, "provider": "openai", "status": 400, "headers": {}, "body": body},
                      ensure_ascii=False)


class Decode(Case):
    def decode(self, text, code=0):
        done = self.lens("decode", self.write("answers.case", text), code=code)
        return {case["id"]: case for case in map(json.loads, done.out.splitlines())}, done.err

    def test_a_case_that_cannot_be_read_hides_no_other(self):
        lines = [failed("a", "{}"), '{"id": "wide", "api": "openai.chat", "chunks": ["\u2019"]}',
                 failed("b", "{}"), '{"id": "no api", "chunks": []}', '{"id": broken}', "words",
                 '{"id": "unclosed", "chunks": [', failed("c", "{}")]
        cases, complaints = self.decode("\n".join(lines) + "\n", code=2)
        self.assertEqual(list(cases), ["a", "b", "c"])
        for line in (2, 4, 5, 6):
            self.assertIn(f"answers.case:{line}: ", complaints)

    def test_what_is_no_case_at_all_is_said(self):
        _, complaints = self.decode("\nwords\n", code=2)
        self.assertIn("answers.case:2: expected a JSON object", complaints)

    def test_a_body_may_be_text(self):
        for words in ("it\u2019s bad", "caf\u00e9", "na\u00efve \U0001f600", "plain"):
            body = json.dumps({"error": {"message": words}}, ensure_ascii=False)
            cases, _ = self.decode(failed("a", body))
            self.assertEqual(cases["a"]["error"]["message"], words)
            as_bytes = body.encode().decode("latin-1")
            cases, _ = self.decode(failed("a", as_bytes))
            self.assertEqual(cases["a"]["error"]["message"], words)

    def test_each_answer_is_one_line_for_any_reader(self):
        words = "a\u2028b\u2029c\u0085d"
        done = self.lens("decode", self.write("a.case", failed(
            "a", json.dumps({"error": {"message": words}}))), code=0)
        self.assertEqual(len(done.out.splitlines()), 1)
        self.assertEqual(json.loads(done.out)["error"]["message"], words)


if __name__ == "__main__":
    unittest.main()
