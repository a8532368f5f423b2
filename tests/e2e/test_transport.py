"""Connections: TLS, HTTP/2, proxies, addresses and reuse."""

import contextlib
import gzip
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import unittest

from harness import CHUNKED, Case, Server, answer_json, answer_stream, certificate, chunk, good_stream, head

# What only libcurl can do: the way to it in clear text.
LIBCURL = ["--follow-redirects"]


class Tls(Case):
    def serve(self, *names, handle=None, context=None):
        self.cert, self.key, made = certificate(self.dir, *names)
        return Server(handle or (lambda c, r, n: answer_stream(c)), tls=context or made)

    def test_a_certificate_is_verified(self):
        with self.serve() as server:
            for more in [], ["--no-preflight"]:
                result = self.lens("run", server.url, "-m", "m", "-n", 1, "--quiet", *more, code=3)
                said = result.err + result.out
                self.assertIn("certificate", said)
                if not more:
                    self.assertIn("--cacert", said)
                    self.assertEqual(result.err.count("\n"), 1, result.err)
            self.assertEqual(server.requests, [])
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--no-preflight", code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["tls"])
        self.assertEqual(first["requests"]["errors"]["tls"]["where"], "connect")

    def test_an_authority_can_be_named(self):
        with self.serve() as server:
            first = self.run_json(server.url, "-m", "m", "-n", 4, "--cacert", self.cert).first
        self.assertEqual(first["requests"]["ok"], 4)
        self.assertEqual(first["latency"]["tls"]["count"], 1)
        self.assertGreater(first["latency"]["tls"]["max"], 0)
        self.assertGreater(first["client"]["clock"]["kernel"], 0)

    def test_a_wrong_name_is_refused(self):
        with self.serve("DNS:other.example") as server:
            result = self.lens("run", server.url, "-m", "m", "-n", 1, "--cacert", self.cert, code=3)
            self.assertIn("127.0.0.1", result.err)
            self.assertEqual(server.requests, [])

    def test_insecure_is_loud_even_when_quiet(self):
        with self.serve("DNS:other.example") as server:
            result = self.run_json(server.url, "-m", "m", "-n", 1, "--insecure")
            self.assertIn("--insecure", result.err)
            self.assertIn("NOT verified", result.err)

    def test_a_client_certificate(self):
        cert, key, context = certificate(self.dir)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cert)
        with self.serve(context=context) as server:
            # The same pair serves both sides.
            context.load_cert_chain(self.cert, self.key)
            context.load_verify_locations(self.cert)
            trust = ["--cacert", self.cert]
            self.run_json(server.url, "-m", "m", "-n", 1, *trust, "--cert", self.cert, "--key",
                          self.key)
            self.lens("run", server.url, "-m", "m", "-n", 1, *trust, code=3)

    def test_files_of_tls_that_are_not_there_are_named(self):
        with self.serve() as server:
            for flag in "--cacert", "--cert", "--key":
                more = ["--cert", self.cert] if flag == "--key" else []
                result = self.lens("run", server.url, "-m", "m", "-n", 1, *more, flag,
                                   "none.pem", code=2)
                self.assertIn("none.pem", result.err)
                self.assertEqual(result.err.count("\n"), 1, result.err)

    def test_tls_to_a_plain_port(self):
        """One that waits for the rest of a head, and one that answers at once."""
        with Server(lambda c, r, n: answer_stream(c)) as server:
            urls = [server.url.replace("http:", "https:")]
            with self.mock() as mock:
                urls.append(mock.replace("http:", "https:"))
                for url in urls:
                    done = self.lens("run", url, "-m", "m", "--connect-timeout", "1s", code=3)
                    self.assertIn("TLS", done.err)
                    self.assertEqual(done.err.count("\n"), 1, done.err)

    def test_plain_to_a_tls_port(self):
        with self.serve() as server:
            url = server.url.replace("https:", "http:")
            first = self.run_json(url, "-m", "m", "-n", 1, code=3).first
        self.assertEqual(first["requests"]["failed"], 1)

    def test_the_mock_over_tls(self):
        with self.mock("--tls", "--tls-cert-out", self.path("mock.pem")) as url:
            first = self.run_json(url, "-m", "m", "-n", 20, "-c", 4, "--cacert", "mock.pem").first
        self.assertEqual(first["requests"]["ok"], 20)
        self.assertEqual(first["latency"]["itl"]["count"], 20 * 7)


NODE = r"""
const http2 = require('http2'), fs = require('fs');
const [mode, cert, key] = process.argv.slice(2);
const server = mode === 'tls'
  ? http2.createSecureServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key), allowHTTP1: false})
  : http2.createServer();
let sessions = 0, most = 0, open = 0;
server.on('session', () => { sessions++; });
server.on('stream', (stream, headers) => {
  if (headers[':path'] === '/stats') {
    stream.respond({':status': 200});
    stream.end(JSON.stringify({sessions, most}));
    return;
  }
  most = Math.max(most, ++open);
  stream.on('close', () => { open--; });
  stream.respond({':status': 200, 'content-type': 'text/event-stream', 'x-request-id': 'r-1'});
  const say = (value) => stream.write('data: ' + (typeof value === 'string' ? value : JSON.stringify(value)) + '\n\n');
  let left = 5;
  const timer = setInterval(() => {
    if (left-- > 0) { say({choices: [{index: 0, delta: {content: 'x'}}]}); return; }
    clearInterval(timer);
    say({choices: [{index: 0, delta: {}, finish_reason: 'stop'}]});
    say({choices: [], usage: {prompt_tokens: 3, completion_tokens: 5}});
    say('[DONE]');
    stream.end();
  }, 10);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@unittest.skipUnless(shutil.which("node"), "node is not here")
class Http2(Case):
    @contextlib.contextmanager
    def serve(self, mode):
        certificate(self.dir)
        self.write("server.js", NODE)
        child = subprocess.Popen(["node", "server.js", mode, "cert.pem", "key.pem"], cwd=self.dir,
                                 stdout=subprocess.PIPE, text=True)
        try:
            port = child.stdout.readline().strip()
            yield f"{'https' if mode == 'tls' else 'http'}://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.communicate()

    def versions(self):
        return {row[0] for row in self.sample_rows("http_version")}

    def sessions(self, url):
        done = subprocess.run(
            ["node", "-e", "const c=require('http2').connect(process.argv[1],{rejectUnauthorized:false});"
             "const r=c.request({':path':'/stats'});let t='';r.on('data',d=>t+=d);"
             "r.on('end',()=>{console.log(t);c.close()})", url],
            capture_output=True, text=True, check=True)
        import json
        told = json.loads(done.stdout)
        return told["sessions"] - 1, told["most"]

    def test_over_tls(self):
        with self.serve("tls") as url:
            for more in [], ["--http", "2"]:
                first = self.run_json(url, "-m", "m", "-n", 12, "-c", 3, "--cacert", "cert.pem",
                                      "--no-preflight", *more).first
                self.assertEqual(first["requests"]["ok"], 12)
                self.assertEqual(self.versions(), {20})
                self.assertEqual(first["latency"]["ttft"]["count"], 12)
                self.assertEqual(first["latency"]["itl"]["count"], 48)
                self.assertGreater(first["latency"]["itl"]["p50"], 8)
                self.assertLess(first["latency"]["ttft"]["p50"], 60)
                # One request in flight a connection, so bytes belong to it.
                self.assertGreater(first["client"]["clock"]["kernel"], 0)
            self.assertEqual(self.sessions(url)[0], 6)

    def test_multiplex_shares_a_connection_and_marks_its_stamps(self):
        with self.serve("tls") as url:
            first = self.run_json(url, "-m", "m", "-n", 12, "-c", 4, "--cacert", "cert.pem",
                                  "--no-preflight", "--http", "2", "--multiplex").first
            sessions, most = self.sessions(url)
        self.assertEqual(first["requests"]["ok"], 12)
        self.assertEqual(sessions, 1)
        self.assertGreater(most, 1)
        self.assertEqual(first["client"]["clock"]["kernel"], 0)
        self.assertGreater(first["client"]["clock"]["user"], 0)

    def test_in_clear_text_without_reuse(self):
        with self.serve("clear") as url:
            result = self.run_json(url, "-m", "m", "-n", 6, "-c", 2, "--no-preflight", "--http", "2")
            self.assertEqual(self.sessions(url)[0], 6)
        self.assertIn("--no-reuse", result.err)
        self.assertEqual(result.first["requests"]["ok"], 6)
        self.assertEqual(self.versions(), {20})

    def test_one_one_can_be_asked_for(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            self.run_json(server.url, "-m", "m", "-n", 2, "--http", "1.1")
        self.assertEqual(self.versions(), {11})

    def test_a_server_that_cannot(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 1, "--http", "2", "--timeout", "2s",
                                  code=3).first
        self.assertEqual(first["requests"]["failed"], 1)


class Reuse(Case):
    def test_kept_and_not_kept(self):
        for more, connections, ratio in ([], 1, 0.9), (["--no-reuse"], 10, 0):
            with Server(lambda c, r, n: answer_stream(c)) as server:
                first = self.run_json(server.url, "-m", "m", "-n", 10, "--no-preflight",
                                      *more).first
                self.assertEqual(server.connections, connections)
            self.assertEqual(first["requests"]["ok"], 10)
            self.assertAlmostEqual(first["client"]["reuse_ratio"], ratio)
            self.assertEqual(first["latency"]["connect"]["count"], connections)

    def test_a_server_that_closes_every_connection(self):
        def handle(c, r, n):
            answer_stream(c, None, "Connection: close")
            return False
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 10, "-c", 2).first
        self.assertEqual(first["requests"]["ok"], 10)
        self.assertEqual(first["client"]["reuse_ratio"], 0)

    def test_an_idle_connection_that_was_closed_costs_no_request(self):
        def handle(c, r, n):
            answer_stream(c) # says nothing about closing
            return False
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 8, "--rate", 10).first
        self.assertEqual(first["requests"]["ok"], 8, first["requests"])

    def test_words_on_an_idle_connection_answer_nothing(self):
        def handle(c, r, n):
            answer_stream(c)
            time.sleep(0.02)
            c.sendall(head("408 Request Timeout", "text/plain", "Content-Length: 0", "Connection: close"))
            return False
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 6, "--rate", 8).first
        self.assertEqual(first["requests"]["ok"], 6, first["requests"])

    def test_a_silent_resend_is_kept_as_an_attempt(self):
        """The second request on a kept connection is answered by a reset."""
        def handle(c, r, n):
            if n == 1:
                return False
            answer_stream(c)
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 3).first
            self.assertEqual(len(server.requests), 4)
        self.assertEqual(first["requests"]["ok"], 3)
        self.assertEqual(first["requests"]["retries"], 1)

    def test_a_connection_with_a_broken_tail_is_not_used_again(self):
        def handle(c, r, n):
            c.sendall(head("200 OK", "text/event-stream", CHUNKED))
            for part in good_stream():
                c.sendall(chunk(part))
            time.sleep(0.05)
            return False
        with Server(handle) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 4).first
        self.assertEqual(first["requests"]["ok"], 4)


class Addresses(Case):
    def test_resolve(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            url = f"http://model.example:{server.port}"
            self.run_json(url, "-m", "m", "-n", 1, "--resolve", f"model.example:{server.port}:127.0.0.1")
            self.assertIn(f"Host: model.example:{server.port}", server.requests[0][0])

    def test_the_next_address_is_tried(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            port = server.port
            for more in [], LIBCURL:
                first = self.run_json(f"http://model.example:{port}", "-m", "m", "-n", 4, "--no-reuse",
                                      "--resolve", f"model.example:{port}:127.0.0.2,127.0.0.1",
                                      *more).first
                self.assertEqual(first["requests"]["ok"], 4)

    def test_localhost_is_either_address(self):
        with Server(lambda c, r, n: answer_stream(c)) as server:
            first = self.run_json(f"http://localhost:{server.port}", "-m", "m", "-n", 4).first
            self.assertEqual(first["requests"]["ok"], 4)
            self.assertIn(f"Host: localhost:{server.port}", server.requests[0][0])

    def test_a_name_is_looked_up_in_the_run(self):
        name = socket.gethostname()
        try:
            family, _, _, _, address = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)[0]
            listener = socket.create_server((address[0], 0), family=family)
        except OSError:
            self.skipTest("this machine's name is no address of its own")
        server = Server(lambda c, r, n: answer_stream(c))
        server._listener.close()
        server._listener, server.port = listener, listener.getsockname()[1]
        with server:
            first = self.run_json(f"http://{name}:{server.port}", "-m", "m", "-n", 4, "-c", 2).first
        self.assertEqual(first["requests"]["ok"], 4)
        self.assertEqual(first["latency"]["dns"]["count"], 2)

    def test_a_bad_resolve_is_refused(self):
        for text in "model.example", "a:b:c", "model.example:80":
            self.assertIn("--resolve", self.lens("run", "http://model.example", "-m", "m",
                                                 "--resolve", text, code=2).err)

    def test_no_such_host(self):
        for more in [], ["--no-preflight"]:
            result = self.lens("run", "http://no-such-host.invalid", "-m", "m", "-n", 1, "--quiet",
                               *more, code=3)
            self.assertIn("no-such-host.invalid", result.err + result.out)
        first = self.run_json("http://no-such-host.invalid", "-m", "m", "-n", 1, "--no-preflight",
                              code=3).first
        self.assertEqual(list(first["requests"]["errors"]), ["dns"])

    def test_refused_at_once(self):
        begun = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        result = self.lens("run", f"http://127.0.0.1:{port}", "-m", "m", code=3)
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn(str(port), result.err)
        self.assertEqual(os.listdir(self.dir), [])
        first = self.run_json(f"http://127.0.0.1:{port}", "-m", "m", "-n", 3, "--no-preflight",
                              code=3).first
        self.assertEqual(first["requests"]["errors"]["connect"]["count"], 3)

    def test_gives_up_after_failures_in_a_row(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        first = self.run_json(url, "-m", "m", "-n", 1000, "--no-preflight", "--abort-after", 5,
                              code=3).first
        self.assertLess(first["requests"]["total"], 10)
        self.assertIn("ended", [r["id"] for r in first["verdict"]["reasons"]])
        first = self.run_json(url, "-m", "m", "-n", 60, "-c", 30, "--no-preflight", "--abort-after",
                              "off", code=3).first
        self.assertEqual(first["requests"]["total"], 60)

    def test_a_slow_connect_is_limited(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    filler.connect(("127.0.0.1", port))
            begun = time.monotonic()
            result = self.lens("run", f"http://127.0.0.1:{port}", "-m", "m", "--connect-timeout",
                               "300ms", code=3)
            self.assertIn("--connect-timeout", result.err)
            first = self.run_json(f"http://127.0.0.1:{port}", "-m", "m", "-n", 1, "--no-preflight",
                                  "--connect-timeout", "300ms", code=3).first
            self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(list(first["requests"]["errors"]), ["timeout"])
            for filler in fillers:
                filler.close()

    def test_ipv6(self):
        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 here")
        server = Server(lambda c, r, n: answer_stream(c))
        server._listener.close()
        server._listener, server.port = listener, listener.getsockname()[1]
        with server:
            for base in "", "/v1/":
                first = self.run_json(f"http://[::1]:{server.port}{base}", "-m", "m", "-n", 1).first
                self.assertEqual(first["requests"]["ok"], 1)
        self.assertTrue(server.requests[0][0].startswith("POST /v1/chat/completions "))

    def test_odd_urls_are_refused(self):
        for url in ("http://", "ftp://h:1", "http://h:99999", "http://u:p@h:1", "http://h:1?x=1#y",
                    "http://h h:1", "file:///etc/passwd"):
            result = self.lens("run", url, "-m", "m", "--dry-run", code=2)
            self.assertEqual(result.err.count("\n"), 1, result.err)


class Answers(Case):
    """HTTP/1.1 by sockets of our own, and by libcurl: both must say the same."""

    def requests_of(self, data, *more, code=None):
        def handle(c, r, n):
            for part in data if isinstance(data, list) else [data]:
                c.sendall(part)
                time.sleep(0.01)
            return False
        with Server(handle) as server:
            return self.run_json(server.url, "-m", "m", "-n", 2, *more, code=code).first["requests"]

    def test_are_read_alike(self):
        text = "".join(good_stream()).encode()
        coded = gzip.compress(text)
        event_stream = "text/event-stream"
        fine = (
            head("200 OK", event_stream) + text,
            head("200 OK", event_stream, f"Content-Length: {len(text)}") + text,
            (head("200 OK", event_stream) + text).replace(b"HTTP/1.1", b"HTTP/1.0"),
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            + head("200 OK", event_stream) + text,
            head("200 OK", event_stream, CHUNKED, "Folded: a\r\n b") + chunk(text) + b"0\r\nLast: 1\r\n\r\n",
            [head("200 OK", event_stream, CHUNKED)[:9], head("200 OK", event_stream, CHUNKED)[9:] + b"00",
             (b"%x;x=y\r\n" % len(text)) + text + b"\r", b"\n0", b"\r\n\r", b"\n"],
            head("200 OK", event_stream, "Transfer-Encoding: gzip, chunked") + chunk(coded) + b"0\r\n\r\n",
            head("200 OK", event_stream, "Content-Encoding: gzip", CHUNKED) + chunk(coded) + b"0\r\n\r\n",
            head("200 OK", event_stream, "Content-Encoding: gzip", "Content-Encoding: gzip")
            + gzip.compress(coded),
            head("200 OK", event_stream, CHUNKED, CHUNKED) + chunk(text) + b"0\r\n\r\n",
            # broken behind the terminal message
            head("200 OK", event_stream, "Content-Encoding: gzip") + coded[:-8] + b"checksum",
            head("200 OK", event_stream, CHUNKED) + chunk(text) + b"0\r\n" + b"X: y\r\n" * 60_000,
        )
        for data in fine:
            for more in [], LIBCURL:
                with self.subTest(data=data, more=more):
                    self.assertEqual(self.requests_of(data, *more)["ok"], 2)

    def test_fail_alike(self):
        event_stream = "text/event-stream"
        cases = (
            (b"", "network", "http"),
            (head("200 OK", event_stream, "Content-Length: 99") + b"data: ", "truncated", "stream"),
            (head("200 OK", event_stream, CHUNKED) + b"9\r\ndata", "truncated", "stream"),
            (head("200 OK", event_stream, CHUNKED) + b"x\r\n", "protocol", "stream"),
            (b"no http at all\r\n\r\n", "protocol", "http"),
        )
        for data, kind, where in cases:
            for more in [], LIBCURL:
                with self.subTest(data=data, more=more):
                    errors = self.requests_of(data, *more)["errors"]
                    self.assertEqual({k: e["where"] for k, e in errors.items()}, {kind: where})

    def test_members_of_gzip(self):
        text = "".join(good_stream()).encode()
        self.assertEqual(self.requests_of(head("200 OK", "text/event-stream", "Content-Encoding: gzip")
                                          + gzip.compress(text[:300]) + gzip.compress(text[300:]))["ok"], 2)

    def test_a_switch_of_protocols_is_refused_at_once(self):
        def handle(c, r, n):
            c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
            c.recv(1)
        with Server(handle) as server:
            errors = self.run_json(server.url, "-m", "m", "-n", 1, "--timeout", "20s",
                                   code=3).first["requests"]["errors"]
        self.assertEqual(list(errors), ["protocol"])
        self.assertIn("101", errors["protocol"]["example"])

    def test_urgent_data_holds_nothing_up(self):
        """Reads stop at its mark."""
        def handle(c, r, n):
            data = head("200 OK", "text/event-stream", CHUNKED)
            c.sendall(data[:20])
            c.send(b"!", socket.MSG_OOB)
            c.sendall(data[20:] + chunk("".join(good_stream())) + b"0\r\n\r\n")
        with Server(handle) as server:
            for more in [], LIBCURL:
                first = self.run_json(server.url, "-m", "m", "-n", 3, "--timeout", "10s", *more).first
                self.assertEqual(first["requests"]["ok"], 3, first["requests"])

    def test_an_answer_before_the_request(self):
        """Nothing is read of it, and the connection stays open."""
        class Busy(Server):
            def _serve(self, connection):
                body = b'{"error": {"message": "busy", "code": "overloaded"}}'
                with contextlib.suppress(OSError):
                    connection.sendall(head("503 Busy", "application/json",
                                            f"Content-Length: {len(body)}") + body)
                    time.sleep(30)

        self.write("big.txt", "word " * 2_000_000)
        for more in [], LIBCURL:
            with Busy(None) as server:
                errors = self.run_json(server.url, "-m", "m", "-n", 2, "--prompts", "big.txt",
                                       "--timeout", "20s", *more, code=3).first["requests"]["errors"]
            self.assertEqual({k: e["where"] for k, e in errors.items()}, {"overloaded": "http"})

    def test_lengths_that_contradict_each_other(self):
        errors = self.requests_of(head("200 OK", "text/event-stream", "Content-Length: 5",
                                       "Content-Length: 6") + b"hello!")["errors"]
        self.assertEqual(list(errors), ["protocol"])

    def test_a_large_request_leaves_in_parts(self):
        """Its first byte departs before its last, and all of it arrives."""
        bodies = []

        def handle(c, r, n):
            bodies.append(len(r[1]))
            answer_stream(c)
        self.write("big.txt", "word " * 1_000_000)
        with Server(handle) as server:
            for more in [], LIBCURL:
                self.run_json(server.url, "-m", "m", "-n", 2, "--prompts", "big.txt", *more)
        self.assertEqual(len(bodies), 4)
        self.assertGreater(min(bodies), 5_000_000)

    def test_a_request_that_is_not_wanted(self):
        """The connection is reset while the request is on its way: an answer still counts."""
        class Early(Server):
            @staticmethod
            def _read(connection, buffer):
                while b"\r\n\r\n" not in buffer:
                    buffer += connection.recv(65536)
                return (buffer.split(b"\r\n\r\n")[0].decode(), b""), b""

        self.write("big.txt", "word " * 1_000_000)
        with Early(lambda c, r, n: False) as server:
            errors = self.run_json(server.url, "-m", "m", "-n", 1, "--prompts", "big.txt",
                                   code=3).first["requests"]["errors"]
        self.assertEqual(list(errors), ["network"])


class Proxy:
    """Forwards requests with a whole URL, and opens tunnels for CONNECT."""

    def __init__(self):
        self.seen = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                piece = client.recv(65536)
                if not piece:
                    return
                data += piece
            method, address, _ = data.split(b"\r\n")[0].split()
            self.seen.append((method.decode(), address.decode()))
            if method == b"CONNECT":
                host, port = address.rsplit(b":", 1)
                upstream = socket.create_connection((host.decode(), int(port)))
                client.sendall(b"HTTP/1.1 200 OK\r\nProxy-Agent: test\r\n\r\n")
                data = data.split(b"\r\n\r\n", 1)[1]
            else:
                host, port = address.split(b"/")[2].split(b":")
                upstream = socket.create_connection((host.decode(), int(port)))
                path = b"/" + b"/".join(address.split(b"/")[3:])
                data = data.replace(address, path, 1)
            upstream.sendall(data)
            threading.Thread(target=self._copy, args=(client, upstream), daemon=True).start()
            self._copy(upstream, client)

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for side in source, sink:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


class Proxies(Case):
    def test_plain(self):
        with Proxy() as proxy, Server(lambda c, r, n: answer_stream(c)) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 3, "--proxy", proxy.url).first
        self.assertEqual(first["requests"]["ok"], 3)
        self.assertEqual(first["latency"]["itl"]["count"], 6)
        self.assertEqual(proxy.seen[-1], ("POST", f"{server.url}/v1/chat/completions"))

    def test_a_tunnel_for_tls(self):
        cert, _, context = certificate(self.dir)
        with Proxy() as proxy, Server(lambda c, r, n: answer_stream(c), tls=context) as server:
            first = self.run_json(server.url, "-m", "m", "-n", 3, "--proxy", proxy.url, "--cacert",
                                  cert).first
        self.assertEqual(first["requests"]["ok"], 3)
        self.assertEqual(first["latency"]["itl"]["count"], 6)
        self.assertEqual(proxy.seen[-1], ("CONNECT", f"127.0.0.1:{server.port}"))

    def test_a_proxy_that_is_not_there(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Server(lambda c, r, n: answer_stream(c)) as server:
            result = self.lens("run", server.url, "-m", "m", "--proxy", proxy, code=3)
            self.assertEqual(result.err.count("\n"), 1, result.err)
            self.assertEqual(server.connections, 0)

    def test_the_proxy_of_the_environment(self):
        with Proxy() as proxy, Server(lambda c, r, n: answer_stream(c)) as server:
            # An address is no name below another, "*" counts alone, an empty variable not at all.
            for excluded, other, through in (
                    ("", "", 1), ("127.0.0.1", "", 0), ("example.org, 127.0.0.1", "", 0), ("*", "", 0),
                    ("127.0.0.0/8", "", 0), ("example.org,.0.0.1", "", 1), ("example.org,*", "", 1),
                    ("", "127.0.0.1", 0), ("example.org", "127.0.0.1", 1)):
                for more in [], LIBCURL:
                    seen = len(proxy.seen)
                    first = self.run_json(server.url, "-m", "m", "-n", 1, "--no-preflight", *more,
                                          env={"http_proxy": proxy.url, "no_proxy": excluded,
                                               "NO_PROXY": other}).first
                    self.assertEqual(first["requests"]["ok"], 1)
                    self.assertEqual(len(proxy.seen) - seen, through, (excluded, other, more))

    def test_the_mock_is_never_asked_through_a_proxy(self):
        first = self.run_json("-n", 3, env={"http_proxy": "http://127.0.0.1:1"}).first
        self.assertEqual(first["requests"]["ok"], 3)


if __name__ == "__main__":
    unittest.main()
