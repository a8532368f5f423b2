"""Delivery over real sockets: a receiver that is dead, silent, busy, picky, slow or not who it says it is.

The run must not mind, its file must be complete, the message must say what happened, and `lens export` must send
what is left. The receiver speaks just enough of InfluxDB 2 to count points.
"""

import csv
import gzip
import http.server
import json
import os
import shutil
import signal
import socket
import socketserver
import sqlite3
import threading
import time
import unittest

from harness import Case, certificate

REQUESTS = 40
LAYOUTS = os.path.join(os.path.dirname(__file__), "..", "..", "data", "layouts")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class Receiver:
    """Keeps the points that it accepts. `answer(nth, lines)` gives None (fine), a status, (status, headers), or a
    word: "silent", "cut", "slow"."""

    def __init__(self, answer=None, port=0, context=None):
        self.points, self.posts, self.times, self.tokens = [], 0, [], set()
        lock, outer = threading.Lock(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                with lock:
                    nth = outer.posts
                    outer.posts += 1
                    outer.times.append(time.monotonic())
                    outer.tokens.add(self.headers.get("Authorization"))
                if answer is not None and answer(nth, None) == "slow":
                    body = b""
                    while len(body) < size:
                        body += self.rfile.read(min(100, size - len(body)))
                        time.sleep(0.1)
                else:
                    body = self.rfile.read(size)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                lines = body.decode().splitlines()
                what = answer(nth, lines) if answer else None
                if what == "silent":
                    time.sleep(30)
                    return
                if what == "cut":
                    self.wfile.write(b"HTTP/1.1 204 No Cont")
                    self.close_connection = True
                    return
                status, headers = what if isinstance(what, tuple) else (what, {})
                if status in (None, "slow"):
                    with lock:
                        outer.points += lines
                    status = 204
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def stamps(self):
        return [line.rsplit(" ", 1)[1] for line in self.points if line.startswith("lens_sample")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Export(Case):
    def choice(self, url, **more):
        options = {"url": url, "api": "v2", "org": "o", "bucket": "b", "points": "samples", "timeout": "400ms",
                   **more}
        return "influxdb:" + ",".join(f"{k}={v}" for k, v in options.items())

    def measure(self, *exports, wait="10s", extra=(), code=0, requests=REQUESTS, env=None):
        args = [x for e in exports for x in ("--export", e)]
        return self.lens("run", "-n", requests, "-c", 8, "--max-tokens", 4, *args, "--export-wait", wait, "-o",
                         "run.lens", "--force", "--quiet", *extra, code=code, env=env)

    def complete(self, requests=REQUESTS):
        """The run file has it all, whatever the receiver did."""
        with sqlite3.connect(self.path("run.lens")) as db:
            self.assertEqual(db.execute("SELECT count(*), max(rank) FROM sample").fetchone(),
                             (requests, requests))
            self.assertEqual(db.execute("SELECT ended_ok FROM run").fetchone(), (1,))
            return {str(row[0]) for row in db.execute("SELECT unix_ns FROM sample")}

    def assert_all(self, receiver, requests=REQUESTS):
        self.assertEqual(set(receiver.stamps()), self.complete(requests))


class Hostile(Export):
    def test_dead_from_start_to_end(self):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        done = self.measure(self.choice(url), wait="300ms")
        self.assertRegex(done.err, f"export influxdb: incomplete, 0 of {REQUESTS} samples")
        self.assertIn(url, done.err)
        command = done.err.split("sent by: ")[1].splitlines()[0]
        self.assertTrue(command.startswith("lens export run.lens --to "), command)
        again = self.lens("export", "run.lens", "--to", self.choice(url), "--export-wait", "300ms", code=5)
        self.assertIn("incomplete", again.err)
        with Receiver(port=port) as r:
            self.lens(*command.split()[1:], code=0)
            self.assert_all(r)
            states = self.lens("show", "run.lens", "--json", code=0).summary["run"]["exports"]
            self.assertEqual([(e["name"], e["delivered"], e["of"], e["error"]) for e in states],
                             [("influxdb", REQUESTS, REQUESTS, None)])
            before = len(r.points)
            self.lens(*command.split()[1:], code=0)
            self.assertEqual(len(r.stamps()), REQUESTS, "what was delivered is not sent twice")
            self.lens(*command.split()[1:], "--again", code=0)
            self.assertEqual(len(r.stamps()), 2 * REQUESTS)
            self.assertGreater(len(r.points), before)
            self.assert_all(r)

    def test_incomplete_is_5_under_strict(self):
        url = f"http://127.0.0.1:{free_port()}"
        self.measure(self.choice(url), wait="100ms", extra=["--strict"], code=5)

    def test_dead_at_the_end(self):
        with Receiver() as r:
            port, url = r.port, r.url
            self.measure(self.choice(url), wait="2s", requests=3)
        done = self.lens("export", "run.lens", "--to", self.choice(url), "--again", "--export-wait", "300ms",
                         code=5)
        self.assertIn("0 of 3", done.err)
        with Receiver(port=port) as r:
            self.lens("export", "run.lens", "--to", self.choice(url), code=0)
            self.assert_all(r, 3)

    def test_silent(self):
        with Receiver(lambda nth, lines: "silent" if nth < 1 else None) as r:
            done = self.measure(self.choice(r.url))
            self.assert_all(r)
        self.assertIn("timed out", done.err)

    def test_retry_after_comes_first(self):
        with Receiver(lambda nth, lines: (429, {"Retry-After": "1"}) if nth == 0 else None) as r:
            self.measure(self.choice(r.url))
            self.assert_all(r)
            self.assertGreaterEqual(r.times[1] - r.times[0], 0.99)

    def test_busy_twice(self):
        with Receiver(lambda nth, lines: 503 if nth < 2 else None) as r:
            self.measure(self.choice(r.url))
            self.assert_all(r)

    def test_a_bad_line_costs_one_line(self):
        bad = []

        def answer(_, lines):
            if lines is None:
                return None
            samples = [line for line in lines if line.startswith("lens_sample")]
            if samples and not bad:
                bad.append(samples[len(samples) // 2].rsplit(" ", 1)[1])
            return 400 if any(line.endswith(bad[0]) for line in samples) else None

        with Receiver(answer) as r:
            done = self.measure(self.choice(r.url))
            self.assertEqual(set(r.stamps()) | set(bad), self.complete())
            self.assertEqual(len(set(r.stamps())), REQUESTS - 1)
        self.assertRegex(done.err, f"{REQUESTS - 1} of {REQUESTS} samples")
        self.assertIn("refused", done.err)

    def test_too_large(self):
        with Receiver(lambda nth, lines: 413 if lines and len(lines) > 3 else None) as r:
            self.measure(self.choice(r.url))
            self.assert_all(r)

    def test_cut_in_the_answer(self):
        with Receiver(lambda nth, lines: "cut" if nth == 0 else None) as r:
            self.measure(self.choice(r.url))
            self.assert_all(r)

    def test_wrong_certificate(self):
        cert, _, context = certificate(self.dir, "DNS:other.invalid")
        with Receiver(context=context) as r:
            done = self.measure(self.choice(r.url), wait="300ms")
            self.assertRegex(done.err.lower(), "certificate|ssl")
            self.complete()
            self.lens("export", "run.lens", "--to", self.choice(r.url, cacert=cert), "--export-wait", "300ms",
                      code=5)
            self.lens("export", "run.lens", "--to", self.choice(r.url, insecure="true"), code=0)
            self.assert_all(r)

    def test_wrong_token(self):
        with Receiver(lambda nth, lines: 401) as r:
            done = self.measure(self.choice(r.url, token="env:LENS_TEST_TOKEN"), wait="2s",
                                env={"LENS_TEST_TOKEN": "hunter2hunter2"})
            self.assertIn("401", done.err)
            self.assertEqual(done.err.count("gave up"), 1)
            self.assertNotIn("hunter2", done.err)
            self.assertIn("env:LENS_TEST_TOKEN", done.err.split("sent by: ")[1])
            self.complete()
        with open(self.path("run.lens"), "rb") as file:
            self.assertNotIn(b"hunter2", file.read())

    def test_slow_at_1_kilobyte_a_second(self):
        with Receiver(lambda nth, lines: "slow") as r:
            self.measure(self.choice(r.url, gzip="false", timeout="8s"), wait="40s", requests=6)
            self.assert_all(r, 6)

    def test_one_dead_receiver_holds_up_nobody(self):
        with Receiver() as r:
            done = self.measure(self.choice(r.url), self.choice(f"http://127.0.0.1:{free_port()}", name="dead"),
                                "csv:path=out.csv", wait="500ms")
            self.assert_all(r)
        self.assertIn("export dead: incomplete", done.err)
        self.assertEqual(len(self.read("out.csv").splitlines()), REQUESTS + 1)

    def test_killed_during_the_export(self):
        self.measure(requests=300)
        with Receiver(lambda nth, lines: 413 if lines and len(lines) > 5 else None) as r:
            with self.start("export", "run.lens", "--to", self.choice(r.url)) as child:
                until = time.monotonic() + 20
                while len(r.points) < 50 and time.monotonic() < until:
                    time.sleep(0.005)
                child.send_signal(signal.SIGKILL)
                child.wait()
            self.assertGreaterEqual(len(r.points), 50)
            self.lens("export", "run.lens", "--to", self.choice(r.url), code=0)
            self.assert_all(r, 300)

    def test_a_second_interrupt_ends_the_waiting(self):
        url = f"http://127.0.0.1:{free_port()}"
        with self.start("run", "-n", 5, "--export", self.choice(url), "--export-wait", "60s", "-o",
                        "run.lens", "--quiet") as child:
            time.sleep(1.5)
            child.send_signal(signal.SIGINT)
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
            self.assertIn("sent by: lens export", child.communicate(timeout=10)[1])


class Files(Export):
    def test_several_runs_at_once(self):
        self.measure(requests=4)
        shutil.copy(self.path("run.lens"), self.path("other.lens"))
        done = self.lens("export", "run.lens", "other.lens", "none.lens", "--to", "jsonl:path=-", code=2)
        self.assertEqual(len(done.out.splitlines()), 8)
        self.assertIn("none.lens", done.err)
        self.assertIn("other.lens: complete, 4 of 4", done.err)

    def test_a_read_only_run_file(self):
        self.measure(requests=4)
        os.chmod(self.path("run.lens"), 0o444)
        os.chmod(self.dir, 0o555)
        self.addCleanup(os.chmod, self.dir, 0o755)
        done = self.lens("export", "run.lens", "--to", "csv:path=-", code=0)
        self.assertEqual(len(done.out.splitlines()), 5)

    def test_layouts_have_the_columns_of_their_samples(self):
        self.measure(requests=6)
        for name in ("genai-bench", "genai-bench-summary", "throughput", "latency-lens"):
            self.lens("export", "run.lens", "--again", "--to", f"csv:path=out.csv,layout={name}", code=0)
            with open(self.path("out.csv"), newline="") as got, \
                    open(os.path.join(LAYOUTS, "samples", name + ".csv"), newline="") as wanted:
                got, wanted = list(csv.reader(got)), list(csv.reader(wanted))
            self.assertEqual(got[0], wanted[0])
            self.assertTrue(all(len(row) == len(got[0]) for row in got))
            if name == "genai-bench-summary":
                self.assertEqual([row[0] for row in got], [row[0] for row in wanted])
        self.lens("export", "run.lens", "--again", "--to", "json:path=out.json,layout=test-bench", code=0)
        with open(os.path.join(LAYOUTS, "samples", "test-bench.json")) as file:
            wanted = json.load(file)
        got = json.loads(self.read("out.json"))
        self.assertEqual(list(got), list(wanted))
        self.assertEqual(list(got["results"][0]), list(wanted["results"][0]))
        self.assertEqual((got["total_tests"], len(got["results"]), got["summary"]["succeeded"]), (6, 6, 6))
        self.assertFalse(os.path.exists(self.path("out.json.samples")))

    def test_intervals_and_columns(self):
        self.lens("run", "-n", 40, "-c", 4, "--interval", "100ms", "-o", "run.lens", "--quiet", "--export",
                  "jsonl:path=i.jsonl,what=intervals,columns=interval+target+requests.ok+ttft.p50", code=0)
        rows = [json.loads(line) for line in self.read("i.jsonl").splitlines()]
        self.assertEqual([row["interval"] for row in rows], list(range(len(rows))))
        self.assertEqual(sum(row["requests.ok"] for row in rows), 40)
        self.assertEqual(list(rows[0]), ["interval", "target", "requests.ok", "latency.ttft.p50"])

    def test_the_summary_is_that_of_show(self):
        for extra in (["-c", 6], ["--rate", 200], ["-c", 3, "--no-deltas", "--slo", "ttft<500ms", "--slo", "errors<1%"]):
            self.lens("run", "-n", 60, *extra, "--max-tokens", 8, "--interval", "100ms", "-o", "run.lens",
                      "--force", "--quiet")
            shown = self.lens("show", "run.lens", "--json", code=0).summary
            self.lens("export", "run.lens", "--to", "json:path=out.json", code=0)
            exported = json.loads(self.read("out.json"))
            del shown["run"]["exports"], exported["run"]["exports"]
            self.assertEqual(exported, shown)
            os.unlink(self.path("out.json"))

    def test_a_run_file_is_never_written_over(self):
        self.measure(requests=2)
        shutil.copy(self.path("run.lens"), self.path("other.lens"))
        for choice in ("csv:path=other.lens", "csv:path=other.lens,what=summary", "json:path=other.lens",
                       "json:path=o.json,samples=other.lens", "jsonl:path=run.lens", "hdrlog:path=run.lens",
                       "prometheus:textfile=other.lens", "protobuf:path=other.lens"):
            done = self.lens("export", "run.lens", "--to", choice, code=2)
            self.assertIn("never written over", done.err, choice)
        for name in ("run.lens", "other.lens"):
            self.assertEqual(self.lens("show", name, "--json", code=0).first["requests"]["ok"], 2)
        done = self.lens("run", "-n", 1, "-o", "new.lens", "--quiet", "--export", "csv:path=new.lens", code=2)
        self.assertIn("never written over", done.err)

    def test_two_exporters_never_write_one_file(self):
        self.measure(requests=1)
        done = self.lens("export", "run.lens", "--to", "csv:path=o.csv", "--to", "csv:path=o.csv,name=two", code=2)
        self.assertIn("another exporter is writing it", done.err)

    def test_options_by_set(self):
        self.measure(requests=1)
        self.lens("export", "run.lens", "--to", "csv", "--set", "export.csv.path=a,b.csv", "--set",
                  "export.csv.columns=id+ttft", code=0)
        self.assertEqual(self.read("a,b.csv").splitlines()[0], "id,ttft")
        for value, word in (("export.csv.pth=o.csv", "did you mean `path`"), ("export.other.path=o.csv", "other"),
                            ("provider.path=o.csv", "export.NAME.KEY=VALUE")):
            done = self.lens("export", "run.lens", "--to", "csv:path=o.csv", "--set", value, code=2)
            self.assertIn(word, done.err)

    def test_missing_intervals_are_told(self):
        port = free_port()
        self.lens("run", "-n", 2, "-o", "run.lens", "--quiet", "--export-wait", "300ms", "--export",
                  f"prometheus:push=http://127.0.0.1:{port}", "--export", f"otlp:url=http://127.0.0.1:{port}", code=0)
        exports = self.lens("show", "run.lens", "--json", code=0).summary["run"]["exports"]
        told = {export["name"]: export for export in exports}
        self.assertLess(told["prometheus"]["delivered"], told["prometheus"]["of"])
        self.assertRegex(told["otlp"]["error"], r"^0 of \d+ intervals delivered: ")

    def test_bad_input_is_one_clear_message(self):
        self.measure(requests=1)
        self.write("bad.json", '{"format": "csv", "rows": "samples", "columns": [{"title": "x", "field": "ttfft"}]}')
        self.write("fild.json", '{"format": "csv", "rows": "samples", "columns": [{"title": "x", "fild": "ttft"}]}')
        self.write("odd.json", '{"format": "csv", "rows": "samples", "colums": []}')
        for choice, word in (("csv:path=o.csv,layout=bad.json", "column `x`: no column `ttfft`; did you mean `ttft_ms`"),
                             ("csv:path=o.csv,layout=fild.json", "column 1: unknown member `fild`"),
                             ("jsonl:path=o,columns=id+ttfft", "no column `ttfft`; did you mean `ttft_ms`"),
                             ("statsd:address=nowhere", "expected HOST:PORT"),
                             ("statsd:address=here:99999", "with a port number"),
                             ("csv:path=o.csv,layout=odd.json", "colums"),
                             ("csv:path=o.csv,layout=none", "none"), ("csv:path=no/where/o.csv", "no/where"),
                             ("csv:pth=o.csv", "pth"), ("cvs:path=o.csv", "csv"), ("csv", "path"),
                             ("influxdb:token=hunter2", "env:"),
                             ("prometheus:listen=0.0.0.0:0", "allow_remote")):
            done = self.lens("export", "run.lens", "--to", choice, code=2)
            self.assertIn(word, done.err, choice)
            self.assertEqual(len(done.err.splitlines()), 1, done.err)
            self.assertNotIn("hunter2", done.err)


if __name__ == "__main__":
    unittest.main()
