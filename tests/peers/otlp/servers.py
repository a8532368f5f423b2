"""What lens tells servers by OTLP is what it shows itself: the Collector, Prometheus 3, VictoriaMetrics."""

import gzip
import json
import math
import threading
import time
import unittest
import urllib.error
import urllib.request

import harness
import receivers

REQUESTS = 300
TTFT = "lens.client.time_to_first_token"


def plain(value):
    """An attribute's value, whatever its kind."""
    return next(iter(value.values()))


def points(requests, name):
    """The points of a metric, of the last request that has it; attributes as a dictionary."""
    for request in reversed(requests):
        for resource in request.get("resourceMetrics", []):
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    if metric["name"] == name:
                        data = next(value for key, value in metric.items() if isinstance(value, dict))
                        return [dict(point, attributes={pair["key"]: plain(pair["value"])
                                                        for pair in point.get("attributes", [])})
                                for point in data["dataPoints"]]
    return []


def spans(requests):
    return [span for request in requests for resource in request.get("resourceSpans", [])
            for scope in resource["scopeSpans"] for span in scope["spans"]]


def quantile_bounds(point, q):
    """The bucket of an exponential histogram that the quantile lies in."""
    rank = math.ceil(int(point["count"]) * q - 1e-9)
    seen = int(point.get("zeroCount", 0))
    base = 2 ** (1 / 2 ** point.get("scale", 0))
    if seen >= rank:
        return 0, point.get("zeroThreshold", 0)
    for nth, count in enumerate(point["positive"]["bucketCounts"]):
        seen += int(count)
        if seen >= rank:
            index = point["positive"].get("offset", 0) + nth
            return base ** index, base ** (index + 1)
    raise AssertionError("fewer values than it says")


# Kept although they are 0: they say that a value is there.
PRESENT = {"stringValue", "intValue", "doubleValue", "boolValue", "asInt", "asDouble", "sum", "min", "max"}


def normal(value, key=None):
    """OTLP/JSON without what may be left out, numbers of one kind."""
    if isinstance(value, dict):
        members = {name: normal(member, name) for name, member in value.items()}
        return {name: member for name, member in members.items()
                if name in PRESENT or member not in (0, 0.0, "0", "", False, [], {}, None)}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return value


class Peer(harness.Case):
    def load(self, *options, code=0, more=()):
        """A run on the mock that is exported by `options`; its result."""
        exports = [word for option in options for word in ("--export", option)]
        with self.mock("--ttft", "20ms", "--fault", "500:0.05") as url:
            return self.run_json("--url", url, "-m", "m", "-n", REQUESTS, "-c", 8, "--retries", 0, "--interval", "300ms",
                                 "--seed", 7, *exports, *more, code=code)

    def assert_delivered(self, result):
        for state in result.summary["run"]["exports"]:
            self.assertIsNone(state["error"], state)
            self.assertEqual(state["delivered"], state["of"])

    def check_metrics(self, result, requests):
        shown = result.first
        for metric, name in (("ttft", TTFT), ("itl", "gen_ai.client.operation.time_per_output_chunk")):
            [point] = points(requests, name)
            latency = shown["latency"][metric]
            self.assertEqual(int(point["count"]), latency["count"])
            self.assertAlmostEqual(point["sum"], latency["mean"] * latency["count"] / 1000, delta=point["sum"] * 1e-6)
            self.assertAlmostEqual(point["max"], latency["max"] / 1000, places=8)
            for stat, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                low, high = quantile_bounds(point, q)
                self.assertLessEqual(low * (1 - 2e-4) - 1e-6, latency[stat] / 1000, f"{metric} {stat}")
                self.assertGreaterEqual(high * (1 + 2e-4) + 1e-6, latency[stat] / 1000, f"{metric} {stat}")
        outcomes = {point["attributes"]["lens.outcome"]: int(point["asInt"])
                    for point in points(requests, "lens.client.requests")}
        self.assertEqual((outcomes["ok"], outcomes["failed"]), (shown["requests"]["ok"], shown["requests"]["failed"]))
        self.assertGreater(outcomes["failed"], 0)

    def check_spans(self, result, requests):
        told = {span["spanId"]: span for span in spans(requests)}
        self.assertEqual(len(told), REQUESTS)
        failed = [span for span in told.values() if span.get("status", {}).get("code") == 2]
        self.assertEqual(len(failed), result.first["requests"]["failed"])
        self.assertTrue(all(len(span["traceId"]) == 32 for span in told.values()))

    def got(self, path, enough=lambda requests: len(spans(requests)) >= REQUESTS):
        """What the Collector has written, when it is all there."""
        def read():
            with open(path, encoding="utf-8") as file:
                requests = [json.loads(line) for line in file.read().splitlines(True) if line.endswith("\n")]
            return requests if enough(requests) else None
        requests = receivers.until(read)
        time.sleep(0.3)  # its file exporter writes every 100 ms
        return read()


class Collector(Peer):
    def program(self):
        return receivers.built_by_go("otelcol-0.159.0")

    def test_all_transports(self):
        for protocol in "http/protobuf", "http/json", "grpc":
            with self.subTest(protocol), receivers.collector(self.dir, self.program()) as (http, grpc, path):
                url = grpc if protocol == "grpc" else http
                result = self.load(f"otlp:url={url},protocol={protocol},traces=all")
                self.assert_delivered(result)
                requests = self.got(path)
                self.check_metrics(result, requests)
                self.check_spans(result, requests)
                open(path, "w", encoding="utf-8").close()

    def test_explicit_and_gzip(self):
        with receivers.collector(self.dir, self.program()) as (http, _, path):
            result = self.load(f"otlp:url={http},histograms=explicit,compression=gzip,temporality=delta")
            self.assert_delivered(result)
            requests = self.got(path, lambda requests: sum(
                int(point["count"]) for request in requests
                for point in points([request], TTFT)) >= result.first["latency"]["ttft"]["count"])
            told = [point for request in requests for point in points([request], TTFT)]
            self.assertEqual(sum(int(point["count"]) for point in told), result.first["latency"]["ttft"]["count"])

    def test_json_is_the_collectors_own(self):
        """Each request of ours is what the Collector writes of it itself."""
        with receivers.collector(self.dir, self.program()) as (http, _, path):
            sent = []

            def hand_on(connection, request, nth):
                head, body = request
                if "content-encoding: gzip" in head.lower():
                    body = gzip.decompress(body)
                sent.append(json.loads(body))
                status, answer = receivers.ask(http + head.split()[1], body, {"Content-Type": "application/json"})
                answer = answer.encode()
                connection.sendall(f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
                                   f"Content-Length: {len(answer)}\r\n\r\n".encode() + answer)

            with harness.Server(hand_on) as server:
                self.assert_delivered(self.load(f"otlp:url={server.url},protocol=http/json,traces=all,chunks=true"))
            written = self.got(path, lambda requests: len(requests) >= len(sent))
        self.assertEqual(len(written), len(sent))
        for signal in "resourceMetrics", "resourceSpans":
            ours = [normal(request) for request in sent if signal in request]
            theirs = [normal(request) for request in written if signal in request]
            self.assertGreater(len(ours), 1)
            self.assertEqual(ours, theirs)

    def test_what_its_memory_limiter_refuses_comes_later(self):
        for protocol, said in ("http/protobuf", "503"), ("grpc", "UNAVAILABLE"):
            with self.subTest(protocol):
                self.refused_then_taken(protocol, said)

    def refused_then_taken(self, protocol, said):
        ports = receivers.free_port(), receivers.free_port()
        url = f"http://127.0.0.1:{ports[protocol == 'grpc']}"
        results = []
        with receivers.collector(self.dir, self.program(), ports, refuses=True):
            time.sleep(1)  # the limiter measures every 100 ms
            load = threading.Thread(target=lambda: results.append(self.load(
                f"otlp:url={url},protocol={protocol},traces=all", more=("--export-wait", "50s"))))
            load.start()
            time.sleep(4)
        with receivers.collector(self.dir, self.program(), ports) as (_, _, path):
            load.join()
            [result] = results
            self.assertIn(said, result.err)
            self.assert_delivered(result)
            requests = self.got(path)
            self.check_metrics(result, requests)
            self.check_spans(result, requests)
            open(path, "w", encoding="utf-8").close()


class Prometheus3(Peer):
    def server(self):
        return receivers.prometheus(
            self.dir, receivers.built_by_go("prometheus-3.14.0"), settings=", scrape_native_histograms: true",
            extra="otlp: {translation_strategy: UnderscoreEscapingWithSuffixes}", flags=["--web.enable-otlp-receiver"])

    def test_cumulative(self):
        with self.server() as url:
            result = self.load(f"otlp:url={url}/api/v1/otlp")
            self.assert_delivered(result)
            shown = result.first["latency"]["ttft"]
            name = "lens_client_time_to_first_token_seconds"
            [(_, count)] = receivers.promql(url, f"histogram_count({name})")
            self.assertEqual(count, shown["count"])
            [(_, median)] = receivers.promql(url, f"histogram_quantile(0.5, {name})")
            self.assertAlmostEqual(median, shown["p50"] / 1000, delta=shown["p50"] / 1000 * 0.003)
            ok = receivers.promql(url, 'lens_client_requests_total{lens_outcome="ok"}')
            self.assertEqual([value for _, value in ok], [result.first["requests"]["ok"]])

    def test_delta_is_refused_and_said(self):
        with self.server() as url:
            result = self.load(f"otlp:url={url}/api/v1/otlp,temporality=delta")
        self.assertIn("500", result.err)
        self.assertIn("invalid temporality", result.err)
        self.assertIn("option temporality", result.err)
        self.assertIn("lens export", result.err)


class VictoriaMetrics(Peer):
    def test_protobuf(self):
        with receivers.victoria_metrics(self.dir, receivers.built_by_go("victoria-metrics-1.150.0")) as url:
            result = self.load(f"otlp:url={url}/opentelemetry")
            self.assert_delivered(result)
            shown = result.first

            def totals():
                last = {}
                for labels, values, _ in receivers.victoria_series(url):
                    last[labels["__name__"], labels.get("lens.outcome")] = values[-1]
                return last if last.get((TTFT + "_count", None)) == shown["latency"]["ttft"]["count"] else None

            last = receivers.until(totals)
            self.assertEqual(last["lens.client.requests", "ok"], shown["requests"]["ok"])
            self.assertEqual(last["lens.client.requests", "failed"], shown["requests"]["failed"])


if __name__ == "__main__":
    unittest.main()
