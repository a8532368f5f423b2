"""What lens tells Prometheus is what it shows itself, by each of its ways."""

import contextlib
import json
import math
import subprocess
import threading
import time
import unittest
import urllib.parse

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

import harness
import receivers

TTFT = "lens_time_to_first_token_seconds"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROTOBUF = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


def samples_of(families):
    """{name: [(labels, value)]} of what a parser of prometheus_client gives."""
    found = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


class Peer(harness.Case):
    def run_exported(self, *options, requests=300):
        exports = [word for option in options for word in ("--export", option)]
        with self.mock("--ttft", "20ms", "--fault", "500:0.05") as url:
            result = self.run_json("--url", url, "-m", "m", "-n", requests, "-c", 8, "--retries", 0, "--interval",
                                   "300ms", "--seed", 7, "--slo", "errors<50%", *exports)
        self.assertEqual([state["error"] for state in result.summary["run"]["exports"]], [None] * len(options))
        self.assertNotIn("incomplete", result.err)
        return result

    def check_counts(self, result, found):
        """{name: [(labels, value)]} against the summary."""
        requests = result.first["requests"]
        outcomes = {labels["outcome"]: value for labels, value in found["lens_requests_total"]}
        for outcome in ("ok", "failed", "cancelled", "censored"):
            self.assertEqual(outcomes[outcome], requests[outcome])
        self.assertGreater(requests["failed"], 0)
        self.assertEqual(sum(value for labels, value in found["lens_errors_total"] if labels["error"] == "server"),
                         requests["failed"])
        self.assertEqual(found["lens_output_tokens_total"][0][1], result.first["tokens"]["output"])
        self.assertEqual(found["lens_slo_ok"][0][1], 1)
        self.assertEqual(found["lens_slo_ok"][0][0]["slo"], "errors<50%")

    def check_distribution(self, result, found):
        shown = result.first["latency"]["ttft"]
        count = found[TTFT + "_count"][0][1]
        self.assertEqual(count, shown["count"])
        self.assertAlmostEqual(found[TTFT + "_sum"][0][1], shown["mean"] * shown["count"] / 1000, places=6)
        below = {labels["le"]: value for labels, value in found[TTFT + "_bucket"]}
        self.assertEqual(below["+Inf"], count)
        rising = [below[le] for le in sorted(below, key=float)]
        self.assertEqual(rising, sorted(rising))
        for stat, q in (("p50", 0.5), ("p99", 0.99)):  # the quantile lies in the bucket that says so
            value, rank = shown[stat] / 1000, math.ceil(q * count)
            high = min(float(le) for le in below if below[le] >= rank)
            low = max((float(le) for le in below if below[le] < rank), default=0)
            self.assertTrue(low - 1e-6 <= value <= high + 1e-6, f"{stat}: {value} not in {low}..{high}")

    def lint(self, page):
        done = subprocess.run([receivers.debian("promtool", "prometheus"), "check", "metrics"], input=page, text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Scrape(Peer):
    def scrape_last(self, port, accept):
        """The page that the end of the run waits for: the last one that is there."""
        pages = []

        def ask():
            with contextlib.suppress(OSError):
                status, body = receivers.ask(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
                if status == 200:
                    pages.append(body)
            return False

        stop = threading.Event()

        def loop():
            while not stop.is_set():
                ask()
                time.sleep(0.05)
        thread = threading.Thread(target=loop)
        thread.start()
        return pages, stop, thread

    def page(self, accept):
        port = receivers.free_port()
        pages, stop, thread = self.scrape_last(port, accept)
        try:
            result = self.run_exported(f"prometheus:listen=127.0.0.1:{port}")
        finally:
            stop.set()
            thread.join()
        return result, pages[-1]

    def test_text(self):
        result, page = self.page("text/plain")
        self.lint(page)
        found = samples_of(read_text(page))
        self.check_counts(result, found)
        self.check_distribution(result, found)
        self.assertEqual(found["lens_run_info"][0][0]["run_id"], result.summary["run"]["id"])

    def test_openmetrics(self):
        result, page = self.page(OPENMETRICS)
        self.assertTrue(page.endswith("# EOF\n"))
        found = samples_of(read_openmetrics(page))
        self.check_counts(result, found)
        self.check_distribution(result, found)

    def test_awkward_names_keep_the_page_whole(self):
        port = receivers.free_port()
        name = 'a"b\\c'
        plan = json.dumps({"lens": 1, "targets": [{"name": name, "url": "${URL}", "model": "m é"}],
                           "stages": [{"workload": {"kind": "closed", "concurrency": 1}, "requests": 3}]})
        pages, stop, thread = self.scrape_last(port, OPENMETRICS)
        try:
            with self.mock() as url:
                self.lens("run", self.write("plan.json", plan), "-o", "run.lens", "--quiet", "--export",
                          f"prometheus:listen=127.0.0.1:{port}", env={"URL": url}, code=0)
        finally:
            stop.set()
            thread.join()
        found = samples_of(read_openmetrics(pages[-1]))
        self.assertEqual(found["lens_output_tokens_total"][0][0], {"target": name, "stage": "closed", "model": "m é"})

    def test_listening_is_for_this_machine(self):
        for address, words, more in (("0.0.0.0:0", "allow_remote", ""), ("127.0.0.1:99999", "99999", ""),
                                     ("nonsense", "nonsense", "")):
            result = self.lens("run", "-n", 1, "-o", "x.lens", "--force", "--quiet", "--export",
                               f"prometheus:listen={address}{more}", code=2)
            self.assertIn(words, result.err)
        with harness.Server(lambda *_: False) as taken:
            result = self.lens("run", "-n", 1, "-o", "x.lens", "--force", "--quiet", "--export",
                               f"prometheus:listen=127.0.0.1:{taken.port}", code=2)
            self.assertIn(str(taken.port), result.err)

    def test_who_does_not_scrape_is_told(self):
        result = self.lens("run", "-n", 3, "-o", "x.lens", "--force", "--quiet", "--strict", "--export-wait", "500ms",
                           "--export", f"prometheus:listen=127.0.0.1:{receivers.free_port()}", code=5)
        self.assertIn("last scrape", result.err)


class Server(Peer):
    def server(self):
        return receivers.debian("prometheus")

    settings = ""

    def query(self, url, query, at=None):
        return receivers.promql(url, query, at)

    def check_quantiles(self, result, url, series, at):
        """Native histograms: within the width of a bucket of theirs, 2^(1/2^schema) at a schema of 4 or more."""
        for stat, q in (("p50", 0.5), ("p99", 0.99)):
            value = self.query(url, f"histogram_quantile({q}, {series})", at)[0][1] * 1000
            shown = result.first["latency"]["ttft"][stat]
            self.assertAlmostEqual(value / shown, 1, delta=0.045, msg=stat)
        self.assertEqual(self.query(url, f"histogram_count({series})", at)[0][1],
                         result.first["latency"]["ttft"]["count"])

    def test_scrapes_native_histograms(self):
        port = receivers.free_port()
        with receivers.prometheus(self.dir, self.server(), [f"127.0.0.1:{port}"], settings=self.settings) as url:
            receivers.until(lambda: self.query(url, "up{job='lens'}"))  # the first scrape comes after seconds
            result = self.run_exported(f"prometheus:listen=127.0.0.1:{port}")
            at = self.last_scrape(url)
            self.check_quantiles(result, url, TTFT, at)
            found = {}
            for name in ("lens_requests_total", "lens_errors_total", "lens_output_tokens_total", "lens_slo_ok"):
                found[name] = self.query(url, name, at)
            self.check_counts(result, found)

    def last_scrape(self, url):
        form = urllib.parse.urlencode({"query": 'lens_requests_total{outcome="ok"}[5m]'})
        body = json.loads(receivers.ask(url + "/api/v1/query?" + form)[1])
        return body["data"]["result"][0]["values"][-1][0]

    def test_takes_remote_writes_with_their_times(self):
        with receivers.prometheus(self.dir, self.server(), settings=self.settings) as url:
            result = self.run_exported(f"prometheus:remote_write={url}/api/v1/write,histograms=both,label=team=x")
            form = urllib.parse.urlencode({"query": 'lens_requests_total{outcome="ok"}[5m]'})
            series = json.loads(receivers.ask(url + "/api/v1/query?" + form)[1])["data"]["result"]
            self.assertEqual(len(series), 1)
            self.assertEqual(series[0]["metric"]["run_id"], result.summary["run"]["id"])
            self.assertEqual(series[0]["metric"]["team"], "x")
            times = [at for at, _ in series[0]["values"]]
            self.assertGreater(len(times), 2)
            rows = self.sample_intervals()
            self.assertEqual([round(at * 1000) for at in times], [unix_ns // 1000000 for unix_ns in rows])
            at = times[-1]
            self.check_quantiles(result, url, TTFT, at)
            found = {name: self.query(url, name, at) for name in (
                "lens_requests_total", "lens_errors_total", "lens_output_tokens_total", "lens_slo_ok",
                TTFT + "_bucket", TTFT + "_sum", TTFT + "_count")}
            self.check_counts(result, found)
            self.check_distribution(result, found)
            # Stale right behind the end, not five minutes later.
            self.assertEqual(self.query(url, "lens_requests_total", at + 1), [])
            self.assertEqual(self.query(url, f"histogram_count({TTFT})", at + 1), [])

    def sample_intervals(self):
        import sqlite3
        with contextlib.closing(sqlite3.connect(self.path("run.lens"))) as db:
            return [row[0] for row in db.execute("select unix_ns from interval order by nth")]

    def test_what_is_too_old_is_explained(self):
        with receivers.prometheus(self.dir, self.server(), settings=self.settings) as url:
            # Something newer, two days ahead of the run that follows.
            self.run_exported(f"prometheus:remote_write={url}/api/v1/write", requests=30)
            self.age("run.lens", 2 * 86400)
            result = self.lens("export", "run.lens", "--to", f"prometheus:name=old,remote_write={url}/api/v1/write",
                               code=5)
            self.assertRegex(result.err, "400.*out_of_order_time_window")

    def age(self, path, seconds):
        """Makes a run older, as if it had been kept."""
        import sqlite3
        with contextlib.closing(sqlite3.connect(self.path(path))) as db:
            db.execute("update interval set unix_ns = unix_ns - ?", (seconds * 10**9,))
            db.commit()

    def test_with_a_window_old_runs_are_taken(self):
        window = "storage: {tsdb: {out_of_order_time_window: 30d}}"
        with receivers.prometheus(self.dir, self.server(), settings=self.settings, extra=window) as url:
            self.run_exported(f"prometheus:remote_write={url}/api/v1/write", requests=100)
            self.age("run.lens", 86400)
            self.lens("export", "run.lens", "--to", f"prometheus:name=old,remote_write={url}/api/v1/write", code=0)
            at = self.sample_intervals()[-1] // 1000000 / 1000
            self.assertEqual(sum(value for _, value in self.query(url, "lens_requests_total", at)), 100)


class Server3(Server):
    settings = ", scrape_native_histograms: true"

    def server(self):
        return receivers.built_by_go("prometheus-3.14.0")


class Push(Peer):
    def test_pushgateway(self):
        with receivers.pushgateway(self.dir, receivers.debian("prometheus-pushgateway")) as url:
            result = self.run_exported(f"prometheus:push={url},job=a/b,instance=i 1")
            status, page = receivers.ask(url + "/metrics")
            self.assertEqual(status, 200)
            found = {name: [(labels, value) for labels, value in rows if labels.get("job") == "a/b"]
                     for name, rows in samples_of(read_text(page)).items()}
            self.assertEqual(found["lens_requests_total"][0][0]["instance"], "i 1")
            self.check_counts(result, found)
            self.check_distribution(result, found)

    def test_textfile(self):
        result = self.run_exported("prometheus:textfile=lens.prom")
        page = self.read("lens.prom")
        self.lint(page)
        found = samples_of(read_text(page))
        self.check_counts(result, found)
        self.check_distribution(result, found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
