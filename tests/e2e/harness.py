"""What the end-to-end tests share: lens as a child process, its mock, and servers that follow a script.

Everything listens on loopback at a free port and is stopped by its pid. LENS names the program.
"""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

LENS = os.environ["LENS"]
# Sanitizers and valgrind slow everything down.
PATIENCE = float(os.environ.get("LENS_PATIENCE", "60"))


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def summary(self):
        return json.loads(self.out)

    @property
    def first(self):
        return self.summary["results"][0]


class Case(unittest.TestCase):
    """A test with a directory of its own that lens runs in."""

    def setUp(self):
        self._dir = tempfile.TemporaryDirectory(prefix="lens-e2e-")
        self.addCleanup(self._dir.cleanup)
        self.dir = self._dir.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def lens(self, *args, env=None, code=None, stdin=None):
        """Runs lens to its end; `code` is the exit code that it must have."""
        done = subprocess.run(
            [LENS, *map(str, args)], cwd=self.dir, capture_output=True, text=True,
            timeout=PATIENCE, input=stdin, env=dict(os.environ, **(env or {})), check=False)
        result = Result(done.returncode, done.stdout, done.stderr)
        if code is not None:
            self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}\n{done.stderr}")
        return result

    def run_json(self, *args, code=0, env=None):
        """`lens run` with --json."""
        return self.lens("run", *args, "--json", "--quiet", "--force", "-o", "run.lens", code=code,
                         env=env)

    @contextlib.contextmanager
    def start(self, *args, env=None):
        """lens in the background; stopped at the end if it still runs."""
        child = subprocess.Popen([LENS, *map(str, args)], cwd=self.dir, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=dict(os.environ, **(env or {})))
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            try:
                child.communicate(timeout=PATIENCE)
            except (subprocess.TimeoutExpired, ValueError):
                child.kill()
                child.wait()

    @contextlib.contextmanager
    def mock(self, *args):
        """`lens mock`; gives its URL. Fast by default."""
        defaults = [] if "--ttft" in args else ["--ttft", "5ms"]
        defaults += [] if "--itl" in args else ["--itl", "1ms"]
        defaults += [] if "--tokens" in args else ["--tokens", "8"]
        with self.start("mock", "--port", "0", *defaults, *args) as child:
            line = child.stdout.readline()
            yield line.split()[-1]

    def sample_rows(self, columns, path="run.lens"):
        import sqlite3
        with contextlib.closing(sqlite3.connect(self.path(path))) as db:
            return db.execute(f"select {columns} from sample order by rowid").fetchall()


class Server:
    """A TCP server: `handle(connection, request, nth)` gets each HTTP request as (head, body).

    `nth` counts requests from 0. When handle returns False the connection is closed, else it is kept.
    """

    def __init__(self, handle, tls=None):
        self.handle, self.tls = handle, tls
        self.requests, self.connections = [], 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            buffer = b""
            while True:
                request, buffer = self._read(connection, buffer)
                if request is None:
                    break
                with self._lock:
                    nth = len(self.requests)
                    self.requests.append(request)
                if self.handle(connection, request, nth) is False:
                    break
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    @staticmethod
    def _read(connection, buffer):
        while b"\r\n\r\n" not in buffer:
            data = connection.recv(65536)
            if not data:
                return None, b""
            buffer += data
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        while len(buffer) < length:
            data = connection.recv(65536)
            if not data:
                return None, b""
            buffer += data
        return (head.decode("latin-1"), buffer[:length]), buffer[length:]


def reset(connection):
    """Closes with a RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def head(status="200 OK", content_type="text/event-stream", *more):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data):
    data = data if isinstance(data, bytes) else data.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(value):
    return "data: " + (value if isinstance(value, str) else json.dumps(value)) + "\n\n"


def delta(text, finish=None):
    return event({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [
        {"index": 0, "delta": {"content": text} if text is not None else {},
         "finish_reason": finish}]})


def usage(prompt=10, completion=3):
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": {
        "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion}})


CHUNKED = "Transfer-Encoding: chunked"


def good_stream(texts=("a", "b", "c")):
    """All the parts of a whole, orderly chat stream."""
    return [delta(""), *(delta(t) for t in texts), delta(None, "stop"), usage(10, len(texts)),
            event("[DONE]")]


def answer_stream(connection, parts=None, *headers):
    connection.sendall(head("200 OK", "text/event-stream", CHUNKED, *headers))
    for part in good_stream() if parts is None else parts:
        connection.sendall(chunk(part))
    connection.sendall(b"0\r\n\r\n")


def answer_json(connection, value, status="200 OK", *headers):
    body = (value if isinstance(value, str) else json.dumps(value)).encode()
    connection.sendall(head(status, "application/json", f"Content-Length: {len(body)}", *headers)
                       + body)


def certificate(directory, *names):
    """A self-signed certificate for `names`; gives (certificate, key, server context)."""
    cert, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    alternatives = ",".join(names or ("IP:127.0.0.1", "DNS:localhost"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", key, "-out", cert, "-subj", "/CN=lens-test",
                    "-addext", f"subjectAltName={alternatives}"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, key, context


if __name__ == "__main__":
    unittest.main()
