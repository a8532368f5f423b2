"""Dashboards and rules: their form, their names, and that every query finds data of a run."""

import contextlib
import glob
import json
import os
import re
import sqlite3
import subprocess
import tempfile
import time
import unittest

import grafana_foundation_sdk.cog.plugins
import harness
import receivers
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../data")
NAMES = os.path.join(DATA, "../docs/exporters/names.md")


def dashboards(prefix=""):
    for path in sorted(glob.glob(f"{DATA}/dashboards/{prefix}*.json")):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), json.load(file)


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def targets(prefix):
    return [(name, panel["title"], target) for name, board in dashboards(prefix) for panel in panels(board)
            for target in panel["targets"]]


def rules():
    """The expressions of the rules file, which Prometheus itself reads."""
    with open(f"{DATA}/alerts/lens.rules.yml", encoding="utf-8") as file:
        text = file.read()
    found = []
    for item in re.split(r"\n      - (?=record|alert)", text)[1:]:
        name = re.match(r"(?:record|alert): (\S+)", item)[1]
        expr = re.search(r"\n        expr: (?:>-\n((?:          .*\n)+)|(.*)\n)", item + "\n")
        found.append((name, " ".join((expr[1] or expr[2]).split())))
    return found


def lost(one, other, path=""):
    """Where `one` has what `other` has not."""
    if isinstance(one, dict):
        return [at for key, value in one.items() for at in
                (lost(value, other[key], f"{path}/{key}") if key in other else [f"{path}/{key}"])]
    if isinstance(one, list):
        return [at for i, value in enumerate(one) for at in lost(value, other[i], f"{path}[{i}]")]
    return []


class Form(unittest.TestCase):
    def test_grafana_knows_every_member(self):
        grafana_foundation_sdk.cog.plugins.register_default_plugins()
        for name, board in dashboards():
            back = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
            self.assertEqual(lost(board, back), [], name)

    def test_every_dashboard_is_one_that_grafana_takes(self):
        uids = [board["uid"] for _, board in dashboards()]
        self.assertEqual(len(uids), 9)
        self.assertEqual(len(set(uids)), len(uids))
        for name, board in dashboards():
            with self.subTest(name):
                self.assertGreaterEqual(board["schemaVersion"], 36)
                ids = [panel["id"] for panel in board["panels"]]
                self.assertEqual(len(set(ids)), len(ids))
                taken = set()
                for panel in board["panels"]:
                    at = panel["gridPos"]
                    self.assertLessEqual(at["x"] + at["w"], 24)
                    cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                             for y in range(at["y"], at["y"] + at["h"])}
                    self.assertFalse(cells & taken, panel["title"])
                    taken |= cells
                for panel in panels(board):
                    self.assertTrue(panel["title"] and panel["description"])
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                    self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                    refs = [target["refId"] for target in panel["targets"]]
                    self.assertEqual(len(set(refs)), len(refs))

    def test_every_name_is_in_the_name_table(self):
        with open(NAMES, encoding="utf-8") as file:
            rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in file if line.startswith("| `")]
        rows = [row for row in rows if len(row) > 8]
        known = {re.match(r"`(\w+)`", row[4])[1] for row in rows if row[4].startswith("`")}
        texts = [target["expr"] for _, _, target in targets("prometheus")] + [expr for _, expr in rules()]
        used = {name for text in texts for name in re.findall(r"(?<![:\w])lens_\w+", text)}
        self.assertGreater(len(used), 20)
        for name in used:
            self.assertIn(re.sub(r"_bucket$", "", name), known)
        fields = {re.match(r"`(\w+)`", row[7])[1] for row in rows if row[7].startswith("`")} | {"seconds"}
        for _, title, target in targets("influxdb"):
            for field in re.findall(r'\w+\("(\w+)"\)', target["query"]):
                self.assertIn(re.sub(r"_(p\d+|p99_9|count|mean|min|max)$", "", field), fields, title)

    def test_rules_fire_and_do_not_fire(self):
        promtool = receivers.debian("promtool", "prometheus")
        for words in (["check", "rules", "lens.rules.yml"], ["test", "rules", "lens.rules.test.yml"]):
            done = subprocess.run([promtool, *words], cwd=f"{DATA}/alerts", capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Data(harness.Case):
    """A run of two targets with failures, SLOs and prices."""

    def measure(self, *exports, duration="9s"):
        prices = {"m": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-3,
                        "output_cost_per_token": 2e-3}}
        self.write("prices.json", json.dumps(prices))
        with self.mock("--ttft", "20ms", "--cached", "3", "--reasoning", "2", "--fault", "500:0.05") as url:
            plan = {"lens": 1, "slo": ["ttft.p99<10s", "ttft<10s"],
                    "targets": [{"name": name, "url": url, "model": "m"} for name in ("a", "b")],
                    "stages": [{"name": "s", "workload": {"kind": "poisson", "rate": 80}, "duration": duration}]}
            self.lens("run", self.write("plan.json", json.dumps(plan)), "-o", "run.lens", "--quiet", "--interval",
                      "2s", "--pricing", "prices.json", *[word for to in exports for word in ("--export", to)],
                      code=0)

    def fill(self, text):
        for name, value in (("$__rate_interval", "1m"), ("$__range", "10m"), ("$__interval", "5s"),
                            ("$timeFilter", "time > now() - 1h"), ("$target", ".*"), ("$stage", ".*")):
            text = text.replace(name, value)
        return text


class Prometheus(Data):
    def feed(self, flags, more=""):
        """A Prometheus that has scraped a run."""
        folder = tempfile.mkdtemp(dir=self.dir)
        port = receivers.free_port()
        rule_files = f"rule_files: ['{os.path.abspath(DATA)}/alerts/lens.rules.yml']"
        server = receivers.prometheus(folder, receivers.debian("prometheus"), [f"127.0.0.1:{port}"],
                                      extra=f"{rule_files}\n{more}", settings=", evaluation_interval: 1s", flags=flags)
        return server, f"prometheus:listen=127.0.0.1:{port}"

    def check_panels(self, url, prefix):
        empty = [f"{name}: {title}: {self.fill(target['expr'])}" for name, title, target in targets(prefix)
                 if not self.ask(url, self.fill(target["expr"]))]
        self.assertFalse(empty, "\n".join(empty))

    def test_every_classic_panel_and_every_rule_finds_data(self):
        server, export = self.feed(flags=())
        with server as url:
            self.measure(export)
            self.check_panels(url, "prometheus-classic")
            for name, expr in rules():
                # What an alert compares, without its threshold.
                value = re.sub(r" (and on|offset 1d).*", "", re.split(r" [<>]=? | == ", expr)[0])
                self.assertTrue(self.ask(url, value), f"{name}: {value}")

    def test_an_alert_reaches_the_alertmanager(self):
        """The run costs more than the limit of the cost rule."""
        folder = tempfile.mkdtemp(dir=self.dir)
        manager = receivers.free_port()
        alerting = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{manager}']}}]}}]}}"
        with receivers.alertmanager(folder, receivers.debian("prometheus-alertmanager"), manager) as alerts:
            server, export = self.feed(flags=(), more=alerting)
            with server:
                self.measure(export)
                receivers.until(lambda: any(
                    alert["labels"]["alertname"] == "LensCostSpike" and alert["labels"]["target"] == "a"
                    for alert in json.loads(receivers.ask(alerts + "/api/v2/alerts")[1])))

    def test_every_native_panel_finds_data(self):
        server, export = self.feed(flags=("--enable-feature=native-histograms",))
        with server as url:
            self.measure(export)
            self.check_panels(url, "prometheus-native")

    def ask(self, url, expr):
        """What a query finds within the last minutes; native histograms have a value of another form."""
        status, body = receivers.ask(
            f"{url}/api/v1/query_range?" + receivers.urllib.parse.urlencode(
                {"query": expr, "start": time.time() - 60, "end": time.time(), "step": 1}))
        self.assertEqual(status, 200, f"{expr}: {body}")
        return [series for series in json.loads(body)["data"]["result"]
                if any(value not in ("NaN",) for _, value in series.get("values", [])) or series.get("histograms")]

    def test_yesterday_is_a_run_that_is_sent_again(self):
        """The alert that compares with yesterday, on a run moved back by a day and sent by remote write."""
        folder = tempfile.mkdtemp(dir=self.dir)
        program = receivers.debian("prometheus")
        window = "storage: {tsdb: {out_of_order_time_window: 2d}}"
        with receivers.prometheus(folder, program, extra=window) as url:
            write = f"prometheus:remote_write={url}/api/v1/write,name="
            self.measure(write + "today", duration="5s")
            day = 86400 * 10**9
            with contextlib.closing(sqlite3.connect(self.path("run.lens"))) as db:
                for table, column in (("run", "start_unix_ns"), ("sample", "unix_ns"), ("interval", "unix_ns")):
                    db.execute(f"UPDATE {table} SET {column} = {column} - {day}")
                db.execute("UPDATE run SET id = 'yesterday'")
                db.commit()
            self.lens("export", "run.lens", "--to", write + "yesterday", code=0)
            p99 = ("histogram_quantile(0.99, sum by (target, model, le) "
                   "(rate(lens_time_to_first_token_seconds_bucket[5m])))")
            before = p99.replace("[5m]", "[5m] offset 1d")
            for expr in (p99, before, f"{p99} > 0.9 * {before}"):
                self.assertEqual({labels["target"] for labels, _ in receivers.promql(url, expr)}, {"a", "b"}, expr)
            self.assertEqual(receivers.promql(url, f"{p99} > 1.5 * {before}"), [])


class InfluxDB(Data):
    def test_every_panel_finds_data(self):
        folder = tempfile.mkdtemp(dir=self.dir)
        with receivers.influxd_1(folder, receivers.debian("influxd", "influxdb")) as url:
            self.measure(f"influxdb:url={url},db=lens")
            for name, title, target in targets("influxdb"):
                query = self.fill(target["query"])
                with self.subTest(f"{name}: {title}"):
                    self.assertTrue(receivers.influx_query(url, query), query)


if __name__ == "__main__":
    unittest.main()
