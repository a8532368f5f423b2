"""A server of someone else as a child process, for one class of tests."""

import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def stop(server):
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def mock(case, *args):
    """`lens mock` for the class `case`; its URL."""
    server = subprocess.Popen([os.environ["LENS"], "mock", "--port", "0", *map(str, args)],
                              stdout=subprocess.PIPE, text=True)
    case.addClassCleanup(server.stdout.close)
    case.addClassCleanup(stop, server)
    return re.search(r"http://\S+", server.stdout.readline()).group()


def serve(case, command, health, patience=120):
    """Starts it for the class `case` and waits until `health` answers."""
    log = tempfile.TemporaryFile()
    case.addClassCleanup(log.close)
    server = subprocess.Popen(command, stdout=log, stderr=log)
    case.addClassCleanup(stop, server)
    until = time.monotonic() + patience
    while not answers(health):
        if server.poll() is not None or time.monotonic() > until:
            log.seek(0)
            raise RuntimeError(f"no server: {log.read()[-2000:]}")
        time.sleep(0.1)
