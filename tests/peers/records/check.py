"""Binary files of samples, read by msgpack and protobuf of PyPI, against the JSON lines of the same run."""

import io
import json
import os
import unittest

import lens_pb2
import msgpack
from google.protobuf.internal.decoder import _DecodeVarint32

from harness import Case

REQUESTS = 40


def records(data):
    """The Record messages of a file."""
    at = 0
    while at < len(data):
        size, at = _DecodeVarint32(data, at)
        record = lens_pb2.Record()
        record.ParseFromString(data[at:at + size])
        at += size
        yield record


class Records(Case):
    def setUp(self):
        super().setUp()
        self.result = self.run_json("-n", REQUESTS, "-c", "4", "--max-tokens", "5").first

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def lines(self):
        self.lens("export", "run.lens", "--to", "json:path=s.json,samples=s.jsonl", code=0)
        return [json.loads(line) for line in self.read("s.jsonl").splitlines()]

    def test_protobuf(self):
        self.lens("export", "run.lens", "--to", "protobuf:path=s.pb,marks=true", code=0)
        run, *samples = records(self.bytes_of("s.pb"))
        self.assertEqual((run.run.targets[0].name, run.run.stages[0].workload), ("mock", "closed"))
        self.assertEqual(len(samples), REQUESTS)
        for record, line in zip(samples, self.lines()):
            s = record.sample
            self.assertEqual(s.id, line["id"])
            self.assertEqual((s.first_output_ns - s.departure_ns) / 1e6, line["ttft_ms"])
            self.assertEqual(s.output_tokens, line["tokens"]["output"])
            self.assertEqual(s.outcome, lens_pb2.OUTCOME_OK)
            self.assertEqual(s.finish, line["finish"])
            self.assertFalse(s.HasField("tls_ns"))
            self.assertEqual(len(s.message_gap_ns), s.messages)
            self.assertEqual(len(s.message_classes), s.messages)
            self.assertEqual(len(s.trace_id), 16)
            self.assertLessEqual(s.start_ns + sum(s.message_gap_ns), s.end_ns + 1000)  # kept to the microsecond

    def test_msgpack(self):
        self.lens("export", "run.lens", "--to", "msgpack:path=s.mp", code=0)
        head, *rows = msgpack.Unpacker(io.BytesIO(self.bytes_of("s.mp")))
        self.assertEqual(head["schema"], "lens.msgpack/1")
        self.assertEqual(len(rows), REQUESTS)
        for row, line in zip(rows, self.lines()):
            sample = dict(zip(head["columns"], row))
            self.assertEqual(sample["id"], line["id"])
            self.assertEqual(sample["ttft_ms"], line["ttft_ms"])
            self.assertEqual(sample["output_tokens"], line["tokens"]["output"])
            self.assertIs(sample["streamed"], True)
            self.assertIsNone(sample["error"])

    def test_columns_of_msgpack(self):
        self.lens("export", "run.lens", "--to", "msgpack:path=s.mp,columns=id+ttft_ms", code=0)
        head, *rows = msgpack.Unpacker(io.BytesIO(self.bytes_of("s.mp")))
        self.assertEqual(head["columns"], ["id", "ttft_ms"])
        self.assertTrue(all(len(row) == 2 for row in rows))
        done = self.lens("export", "run.lens", "--to", "msgpack:path=t.mp,columns=id+nothing", code=2)
        self.assertIn("`nothing`", done.err)

    def test_they_go_on_behind_a_torn_tail(self):
        for kind, name in (("protobuf", "a.pb"), ("msgpack", "a.mp")):
            to = f"{kind}:path={name}"
            self.lens("export", "run.lens", "--to", to, code=0)
            whole = self.bytes_of(name)
            with open(self.path(name), "ab") as file:
                file.write(whole[:7])
            self.lens("export", "run.lens", "--to", to, code=0)
            self.assertEqual(self.bytes_of(name), whole, kind)
            os.truncate(self.path(name), len(whole) - 3)
            self.lens("export", "run.lens", "--to", to, code=0)
            self.assertEqual(self.bytes_of(name), whole, kind)


if __name__ == "__main__":
    unittest.main()
