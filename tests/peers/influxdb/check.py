"""What lens tells InfluxDB is what it shows itself: real servers of 1.x and 2.x, and a scripted v3."""

import csv
import gzip
import io
import json
import math
import re
import time
import unittest
import urllib.parse

import harness
import receivers

# Percentiles are told by the middle of a bucket: 0.512 us wide, or 4 digits (docs/metrics.md).
ERROR_MS, ERROR = 0.00026, 1e-4


def post_of(request):
    """(path, query, headers, lines) of a request of harness.Server."""
    head, body = request
    first, *rest = head.split("\r\n")
    headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest if ":" in line}
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    url = urllib.parse.urlsplit(first.split()[1])
    return url.path, dict(urllib.parse.parse_qsl(url.query)), headers, body.decode().splitlines()


class Influx(harness.Case):
    def load(self, *options, requests=300, code=0, env=None):
        """A run on the mock that is exported by `options`; its result."""
        exports = [word for option in options for word in ("--export", option)]
        with self.mock("--ttft", "20ms", "--fault", "500:0.05") as url:
            return self.run_json("--url", url, "-m", "m", "-n", requests, "-c", 8, "--retries", 0, "--interval", "300ms",
                                 "--seed", 7, *exports, code=code, env=env)

    def compare(self, result, rows):
        """The samples that a receiver has, against the summary."""
        requests = result.first["requests"]
        self.assertEqual(len(rows), requests["total"])
        ok = [row for row in rows if row["outcome"] == "ok" and row["phase"] == "measured"]
        self.assertEqual(len(ok), requests["ok"])
        self.assertGreater(requests["failed"], 0)
        self.assertEqual(sum(row["outcome"] == "failed" and row["error"] == "server" for row in rows),
                         requests["failed"])
        self.assertEqual(sum(int(row["output_tokens"]) for row in ok), result.first["tokens"]["output"])
        for metric in ("ttft", "e2e", "tpot"):
            shown = result.first["latency"][metric]
            values = sorted(float(row[metric]) * 1000 for row in ok if row.get(metric) not in (None, ""))
            self.assertEqual(len(values), shown["count"])
            for stat, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                exact = values[math.ceil(len(values) * q - 1e-9) - 1]
                self.assertAlmostEqual(shown[stat], exact, delta=max(ERROR_MS, ERROR * exact), msg=f"{metric} {stat}")
            self.assertAlmostEqual(max(values), shown["max"], places=6)

    def check_intervals(self, result, summary, intervals):
        requests = result.first["requests"]
        self.assertGreater(len(intervals), 1)
        for name in ("ok", "failed"):
            self.assertEqual(sum(int(row[f"requests_{name}"]) for row in intervals), requests[name])
        self.assertEqual(len(summary), 1)
        for stat in ("p50", "p99", "mean", "max"):
            self.assertAlmostEqual(float(summary[0][f"ttft_{stat}"]) * 1000, result.first["latency"]["ttft"][stat],
                                   places=6)


class Version1(Influx):
    def server(self):
        return receivers.debian("influxd", "influxdb")

    def test_tells_what_lens_shows(self):
        with receivers.influxd_1(self.dir, self.server()) as url:
            result = self.load(f"influxdb:url={url},points=both")
            query = lambda text: receivers.influx_query(url, text)
            self.compare(result, query("SELECT * FROM lens_sample"))
            self.check_intervals(result, query("SELECT * FROM lens_summary"), query("SELECT * FROM lens_interval"))
            run = result.summary["run"]
            self.assertEqual([row["id"] for row in query("SELECT * FROM lens_run")], [run["id"]])
            errors = query('SELECT sum(errors) FROM lens_error GROUP BY "error"')
            self.assertGreaterEqual(errors[0]["sum"], result.first["requests"]["failed"])
            # Once more changes nothing: the same points have the same times.
            self.lens("export", "run.lens", "--to", f"influxdb:url={url},points=both", "--again", code=0)
            self.compare(result, query("SELECT * FROM lens_sample"))
            self.check_intervals(result, query("SELECT * FROM lens_summary"), query("SELECT * FROM lens_interval"))

    def test_gives_up_where_it_may_not_write(self):
        with receivers.influxd_1(self.dir, self.server(), auth=True) as url:
            for options, words in (("", "403|401"), (",username=u,password=env:WRONG", "401")):
                result = self.lens("run", "-n", 5, "-o", "run.lens", "--force", "--quiet", "--strict", "--export",
                                   f"influxdb:url={url}{options}", env={"WRONG": "hidden-word"})
                self.assertRegex(result.err, f"gave up: .*({words}).*token")
                self.assertNotIn("hidden-word", result.err)
            result = self.load(f"influxdb:url={url},points=samples,username=u,password=env:RIGHT",
                               env={"RIGHT": "secret"})
            self.compare(result, receivers.influx_query(url, "SELECT * FROM lens_sample", user=("u", "secret")))

    def test_a_missing_database_or_policy_is_said(self):
        with receivers.influxd_1(self.dir, self.server(), database=None) as url:
            result = self.lens("run", "-n", 5, "-o", "run.lens", "--force", "--quiet", "--export",
                               f"influxdb:url={url}")
            self.assertRegex(result.err, "gave up: .*404: database not found.*create the database")
            receivers.influx_query(url, "CREATE DATABASE lens", database=None)
            result = self.lens("export", "run.lens", "--to", f"influxdb:url={url},retention_policy=nope", code=5)
            self.assertRegex(result.err, "gave up: .*retention policy not found.*retention_policy=")
            self.lens("export", "run.lens", "--to", f"influxdb:url={url},points=samples,retention_policy=autogen",
                      code=0)
            self.assertEqual(len(receivers.influx_query(url, "SELECT * FROM lens_sample")), 5)

    def test_a_tag_is_no_field(self):
        with receivers.influxd_1(self.dir, self.server()) as url:
            self.lens("run", "-n", 5, "-o", "run.lens", "--quiet", "--export",
                      f"influxdb:url={url},points=samples,tags=target+run+finish+http_status", code=0)
            rows = receivers.influx_query(url, "SELECT * FROM lens_sample")
            self.assertEqual([(row["finish"], row["http_status"], len(row["run"])) for row in rows],
                             [("stop", "200", 8)] * 5)
            self.assertEqual([name for name in rows[0] if name.startswith(("run", "finish", "http_status"))],
                             ["finish", "http_status", "run"])

    def test_a_body_that_is_too_big_is_halved(self):
        with receivers.influxd_1(self.dir, self.server(), most_body=20000) as url:
            result = self.load(f"influxdb:url={url},points=samples,gzip=false")
            self.compare(result, receivers.influx_query(url, "SELECT * FROM lens_sample"))

    def test_awkward_names_come_back_as_they_are(self):
        name = 'a,b=c d"e\\f'
        plan = json.dumps({"lens": 1, "targets": [{"name": name, "url": "${URL}", "model": "m é"}],
                           "stages": [{"workload": {"kind": "closed", "concurrency": 1}, "requests": 3}]})
        with receivers.influxd_1(self.dir, self.server()) as url, self.mock() as mock:
            self.lens("run", self.write("plan.json", plan), "-o", "run.lens", "--quiet", "--export",
                      f"influxdb:url={url},points=samples,tag=the key=x\\,y", env={"URL": mock}, code=0)
            rows = receivers.influx_query(url, "SELECT * FROM lens_sample")
            self.assertEqual(len(rows), 3)
            self.assertEqual(rows[0]["target"], name)
            self.assertEqual(rows[0]["model"], "m é")
            self.assertEqual(rows[0]["the key"], "x,y")

    def test_a_type_that_the_field_does_not_have_costs_these_lines(self):
        with receivers.influxd_1(self.dir, self.server()) as url:
            receivers.ask(url + "/write?db=lens", f'lens_sample,x=y output_tokens="text" {time.time_ns()}')
            result = self.lens("run", "-n", 5, "-o", "run.lens", "--force", "--quiet", "--strict", "--export",
                               f"influxdb:url={url},points=samples", code=5)
            self.assertRegex(result.err, "field type conflict")
            self.assertRegex(result.err, "refused 5 samples|0 of 5 samples")


class Version18(Version1):
    def server(self):
        return receivers.built_by_go("influxd-1.8.10")


class Version2(Influx):
    def rows(self, url, measurement):
        flux = (f'from(bucket:"lens")|>range(start:-1h)|>filter(fn:(r)=>r._measurement=="{measurement}")'
                '|>toString()|>pivot(rowKey:["_time"],columnKey:["_field"],valueColumn:"_value")')
        status, body = receivers.ask(
            url + "/api/v2/query?org=o", flux,
            {"Authorization": "Token tok", "Content-Type": "application/vnd.flux", "Accept": "application/csv"})
        self.assertEqual(status, 200, body)
        rows = []
        for table in body.replace("\r\n", "\n").strip().split("\n\n"):
            rows += list(csv.DictReader(io.StringIO(table)))
        return rows

    def test_tells_what_lens_shows(self):
        with receivers.influxd_2(self.dir, receivers.built_by_go("influxd-2.7.12")) as url:
            for options, words in (("", "401"), (",token=env:T", "404|401")):
                result = self.lens("run", "-n", 5, "-o", "run.lens", "--force", "--quiet", "--export",
                                   f"influxdb:url={url},org=o,bucket=none{options}", env={"T": "tok"})
                self.assertRegex(result.err, f"gave up: .*({words})")
            result = self.load(f"influxdb:url={url},points=both,org=o", env={"INFLUX_TOKEN": "tok"})
            self.compare(result, self.rows(url, "lens_sample"))
            self.check_intervals(result, self.rows(url, "lens_summary"), self.rows(url, "lens_interval"))

    def test_one_bad_line_costs_one_line(self):
        """Real 2.x writes nothing of a body with a bad line, so the halves are tried."""
        with receivers.influxd_2(self.dir, receivers.built_by_go("influxd-2.7.12")) as url:
            receivers.ask(url + "/api/v2/write?org=o&bucket=lens&precision=ns",
                          'lens_sample,x=y output_tokens="text"', {"Authorization": "Token tok"})
            result = self.lens("run", "-n", 5, "-o", "run.lens", "--force", "--quiet", "--strict", "--export",
                               f"influxdb:url={url},org=o,points=samples,token=env:T", env={"T": "tok"}, code=5)
            self.assertRegex(result.err, "422.*field type conflict")


class Scripted(Influx):
    """v3 cannot be had as a program here: the answers are those of its documents. The others are answers of v1 and
    v2 that a real server gives only when it is in trouble."""

    def serve(self, respond, ping=(200, {"Content-Type": "application/json"}, '{"version":"3.2.1"}')):
        def handle(connection, request, nth):
            path, query, headers, lines = post_of(request)
            status, fields, body = ping if path == "/ping" else respond(path, query, headers, lines)
            body = body.encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            connection.sendall(head.encode() + b"\r\n" + body)
            return True
        return harness.Server(handle)

    def test_v3_lists_the_lines_it_refuses(self):
        stored, seen = set(), []

        def respond(path, query, headers, lines):
            seen.append((path, query, headers))
            bad = [nth for nth, line in enumerate(lines, 1) if "id=7i" in line or "id=9i" in line]
            stored.update(line for nth, line in enumerate(lines, 1) if nth not in bad)
            if not bad:
                return 204, {}, ""
            return 400, {"Content-Type": "application/json"}, json.dumps(
                {"error": "partial write of line protocol occurred",
                 "data": [{"original_line": lines[nth - 1], "line_number": nth, "error_message": "no"}
                          for nth in bad]})

        with self.serve(respond) as server:
            result = self.lens("run", "-n", 40, "-o", "run.lens", "--quiet", "--strict", "--export",
                               f"influxdb:url={server.url},points=samples,db=d/b,token=env:T", env={"T": "tok"}, code=5)
        self.assertRegex(result.err, "38 of 40")
        self.assertEqual(sum(line.startswith("lens_sample") for line in stored), 38)
        path, query, headers = seen[-1]
        self.assertEqual(path, "/api/v3/write_lp")
        self.assertEqual(query["db"], "d/b")
        self.assertEqual(query["precision"], "nanosecond")
        self.assertEqual(query["accept_partial"], "true")
        self.assertEqual(headers["authorization"], "Bearer tok")
        self.assertEqual(headers["content-encoding"], "gzip")

    def test_without_a_list_the_halves_are_tried(self):
        stored, posts = set(), []

        def respond(path, query, headers, lines):
            posts.append(len(lines))
            if any("id=17i" in line for line in lines):
                return 400, {}, '{"code":"invalid","message":"unable to parse"}'
            stored.update(lines)
            return 204, {}, ""

        with self.serve(respond, (204, {"X-Influxdb-Version": "v2.7.12"}, "")) as server:
            result = self.lens("run", "-n", 60, "-c", 10, "-o", "run.lens", "--quiet", "--strict", "--export",
                               f"influxdb:url={server.url},points=samples,org=o,token=env:T", env={"T": "t"}, code=5)
        self.assertRegex(result.err, "59 of 60")
        self.assertEqual(sum(line.startswith("lens_sample") for line in stored), 59)
        self.assertLess(len(posts), 40)

    def test_a_busy_server_is_asked_again(self):
        stored, times = [], []

        def respond(path, query, headers, lines):
            times.append(len(lines))
            if len(times) in (2, 3):
                return 503, {"Retry-After": "0"}, "busy"
            stored.extend(line for line in lines if line.startswith("lens_sample"))
            return 204, {}, ""

        with self.serve(respond) as server:
            self.lens("run", "-n", 20, "-o", "run.lens", "--quiet", "--strict", "--export",
                      f"influxdb:url={server.url},points=samples", code=0)
        self.assertEqual(len({re.search(r"[ ,]id=(\d+)i", line).group(1) for line in stored}), 20)

    def test_killed_while_it_sends_it_goes_on(self):
        stored, posts = set(), []

        def respond(path, query, headers, lines):
            posts.append(len(lines))
            time.sleep(0.05)
            stored.update(re.search(r"[ ,]id=(\d+)i", line).group(1) for line in lines if line.startswith("lens_sample"))
            return 204, {}, ""

        self.lens("run", "-n", 400, "-c", 40, "-o", "run.lens", "--quiet")
        with self.serve(respond) as server:
            command = ["export", "run.lens", "--to", f"influxdb:url={server.url},points=samples,batch=20"]
            with self.start(*command) as child:
                receivers.until(lambda: len(posts) > 5)
                child.kill()
            self.assertLess(len(stored), 400)
            self.lens(*command, code=0)
        self.assertEqual(len(stored), 400)

    def test_bad_options_are_said_before_the_run(self):
        for options, words in (("db=a,bucket=b", "two places"),
                               ("tags=target+nope", "nope.*no such tag"),
                               ("tag=_x=1", "InfluxDB's own"),
                               ("tag=x", "KEY=VALUE"),
                               ("fields=nope", "no such field"),
                               ("token=plain", "env:|file:"),
                               ("url=http://u:p@127.0.0.1:1", "user"),
                               ("nope=1", "nope")):
            result = self.lens("run", "-n", 1, "-o", "x.lens", "--force", "--quiet", "--export", f"influxdb:{options}", code=2)
            self.assertRegex(result.err, words, options)


if __name__ == "__main__":
    unittest.main(verbosity=2)
