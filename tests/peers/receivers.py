"""Servers that results are sent to, written by others: started on free loopback ports, stopped by pid.

Each is a context manager that gives its URL. Debian's are taken from PATH; those that are built by Go (build-go,
`./dev test --peers`) lie in LENS_GO_PEERS. A test of what is not there is skipped with the reason.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = float(os.environ.get("LENS_PATIENCE", "60"))


def debian(program, package=None):
    """The path of a program of Debian's."""
    path = shutil.which(program)
    if path is None:
        raise unittest.SkipTest(f"{program} is missing: apt-get install {package or program}")
    return path


def built_by_go(name):
    """The path of a peer of build-go."""
    folder = os.environ.get("LENS_GO_PEERS")
    if folder is None:
        raise unittest.SkipTest(f"{name}: only with ./dev test --peers")
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with contextlib.suppress(OSError), open(path + ".reason", encoding="utf-8") as file:
            raise unittest.SkipTest(f"{name}: {file.read().strip()}")
        raise unittest.SkipTest(f"{name}: not built")
    return path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ask(url, data=None, headers=None, method=None):
    """(status, body) of an HTTP request; text is sent as UTF-8."""
    if isinstance(data, str):
        data = data.encode()
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


def until(what, seconds=None):
    """Asks again and again until `what()` is true; gives that."""
    end = time.monotonic() + (seconds or PATIENCE)
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("it did not come to that in time")
        time.sleep(0.05)


@contextlib.contextmanager
def running(folder, program, *args, ready, env=None, up=range(200, 300)):
    """A server in `folder`; its output goes to a file there. `ready` is a URL that answers with one of `up`, 2xx, when
    it is up."""
    log_path = os.path.join(folder, os.path.basename(program) + ".log")
    with open(log_path, "ab") as log:
        child = subprocess.Popen([program, *args], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=dict(os.environ, **(env or {})))
    try:
        def is_up():
            if child.poll() is not None:
                with open(log_path, encoding="utf-8", errors="replace") as file:
                    raise AssertionError(f"{program} ended: {file.read()[-2000:]}")
            try:
                return ask(ready)[0] in up
            except (OSError, http.client.HTTPException):
                return False
        until(is_up)
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def influxd_1(folder, program, auth=False, most_body=0, database="lens"):
    """InfluxDB 1.x with a database."""
    port, inner = free_port(), free_port()
    config = os.path.join(folder, "influxdb.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
reporting-disabled = true
bind-address = "127.0.0.1:{inner}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
[monitor]
  store-enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {str(auth).lower()}
  log-enabled = false
  max-body-size = {most_body}
""")
    url = f"http://127.0.0.1:{port}"
    with running(folder, program, "-config", config, ready=url + "/ping"):
        if auth:
            query = urllib.parse.urlencode({"q": "CREATE USER u WITH PASSWORD 'secret' WITH ALL PRIVILEGES"})
            ask(url + "/query", query)
        if database:
            influx_query(url, f'CREATE DATABASE "{database}"', database=None,
                         user=("u", "secret") if auth else None)
        yield url


def influx_query(url, query, database="lens", user=None):
    """InfluxQL: a list of rows as dictionaries, of all series; times are nanoseconds."""
    form = {"q": query, "epoch": "ns"}
    if database:
        form["db"] = database
    if user:
        url_form = "?" + urllib.parse.urlencode({"u": user[0], "p": user[1]})
    else:
        url_form = ""
    status, body = ask(url + "/query" + url_form, urllib.parse.urlencode(form))
    assert status == 200, body
    answer = json.loads(body)
    rows = []
    for result in answer["results"]:
        assert "error" not in result, result
        for series in result.get("series", []):
            for values in series["values"]:
                rows.append({**series.get("tags", {}), **dict(zip(series["columns"], values))})
    return rows


@contextlib.contextmanager
def influxd_2(folder, program, organization="o", bucket="lens", token="tok"):
    """InfluxDB 2.x, set up with a user, an organization, a bucket and a token."""
    url = f"http://127.0.0.1:{free_port()}"
    env = {"INFLUXD_BOLT_PATH": folder + "/bolt", "INFLUXD_SQLITE_PATH": folder + "/sqlite",
           "INFLUXD_ENGINE_PATH": folder + "/engine"}
    with running(folder, program, "run", "--http-bind-address", url[7:], "--reporting-disabled", "--log-level",
                 "warn", ready=url + "/health", env=env):
        status, body = ask(url + "/api/v2/setup", json.dumps({
            "username": "u", "password": "password123", "org": organization, "bucket": bucket, "token": token}))
        assert status == 201, body
        yield url


@contextlib.contextmanager
def prometheus(folder, program, targets=(), extra="", settings="", flags=("--enable-feature=native-histograms",)):
    """Prometheus that takes remote writes and scrapes `targets` ("127.0.0.1:9464") every 200 ms. `extra` is more
    YAML of its configuration, `settings` more of `global` (", name: value")."""
    url = f"http://127.0.0.1:{free_port()}"
    config = os.path.join(folder, "prometheus.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms{settings}}}
{extra}
scrape_configs:
- job_name: lens
  static_configs: [{{targets: {json.dumps(list(targets))}}}]
""")
    with running(folder, program, f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address={url[7:]}", "--web.enable-remote-write-receiver", "--log.level=warn", *flags,
                 ready=url + "/-/ready"):
        yield url


def promql(url, query, at=None):
    """The instant vector of a query: a list of (labels, value)."""
    form = {"query": query}
    if at is not None:
        form["time"] = repr(at)
    status, body = ask(url + "/api/v1/query?" + urllib.parse.urlencode(form))
    assert status == 200, body
    return [(item["metric"], float(item["value"][1])) for item in json.loads(body)["data"]["result"]
            if "value" in item]


@contextlib.contextmanager
def pushgateway(folder, program):
    url = f"http://127.0.0.1:{free_port()}"
    with running(folder, program, f"--web.listen-address={url[7:]}", "--log.level=error", ready=url + "/-/ready"):
        yield url


@contextlib.contextmanager
def collector(folder, program, ports=None, refuses=False):
    """The OpenTelemetry Collector; gives (URL of HTTP, URL of gRPC, file with what it has got, a JSON object a line).

    `ports` are those of HTTP and gRPC. With `refuses` its memory limiter takes nothing: 503, grpc-status 14."""
    http_port, grpc_port = ports or (free_port(), free_port())
    path = os.path.join(folder, "otlp.jsonl")
    config = os.path.join(folder, "collector.yaml")
    limiter = "memory_limiter: {check_interval: 100ms, limit_mib: 1}" if refuses else ""
    processors = "[memory_limiter]" if refuses else "[]"
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
receivers:
  otlp:
    protocols:
      http: {{endpoint: "127.0.0.1:{http_port}"}}
      grpc: {{endpoint: "127.0.0.1:{grpc_port}"}}
processors: {{{limiter}}}
exporters:
  file: {{path: "{path}", flush_interval: 100ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], processors: {processors}, exporters: [file]}}
    traces: {{receivers: [otlp], processors: {processors}, exporters: [file]}}
""")
    url = f"http://127.0.0.1:{http_port}"
    with running(folder, program, f"--config={config}", ready=url + "/v1/metrics", up=[405]):
        yield url, f"http://127.0.0.1:{grpc_port}", path


@contextlib.contextmanager
def victoria_metrics(folder, program):
    """VictoriaMetrics; gives its URL."""
    url = f"http://127.0.0.1:{free_port()}"
    with running(folder, program, f"-storageDataPath={folder}/victoria", f"-httpListenAddr={url[7:]}",
                 "-retentionPeriod=100y", "-loggerLevel=WARN", "-memory.allowedBytes=100MB", ready=url + "/health"):
        yield url


def victoria_series(url):
    """All series: a list of (labels, values, times in ms). What came in the last two seconds may be missing."""
    ask(url + "/internal/force_flush")
    status, body = ask(url + "/api/v1/export?" + urllib.parse.urlencode({"match[]": '{__name__!=""}'}))
    assert status == 200, body
    return [(one["metric"], one["values"], one["timestamps"]) for one in map(json.loads, body.splitlines())]


@contextlib.contextmanager
def statsd_exporter(folder, program):
    """Gives the URL of its page and the address of its UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        udp = f"127.0.0.1:{free.getsockname()[1]}"
    page = f"127.0.0.1:{free_port()}"
    with running(folder, program, f"--web.listen-address={page}", f"--statsd.listen-udp={udp}", "--statsd.listen-tcp=",
                 "--log.level=warn", ready=f"http://{page}/metrics"):
        yield f"http://{page}/metrics", udp


@contextlib.contextmanager
def alertmanager(folder, program, port):
    """Alertmanager at a port, which tells nobody."""
    url = f"http://127.0.0.1:{port}"
    config = os.path.join(folder, "alertmanager.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n")
    with running(folder, program, f"--config.file={config}", f"--storage.path={folder}/alerts",
                 f"--web.listen-address={url[7:]}", "--cluster.listen-address=", "--log.level=warn",
                 ready=url + "/-/ready"):
        yield url
