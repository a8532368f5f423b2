"""The messages of the exporter otlp, read by the Python classes that OpenTelemetry publishes."""

import http.server
import os
import sys
import threading
import unittest

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

sys.path.insert(0, os.environ["E2E"])
from harness import Case  # noqa: E402  (the path comes first)

KINDS = {"metrics": ExportMetricsServiceRequest, "traces": ExportTraceServiceRequest}


class Receiver:
    def __enter__(self):
        self.got = {"metrics": [], "traces": []}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got[self.path.split("/")[-1]].append(body)
                self.send_response(200)
                self.send_header("Content-Type", self.headers["Content-Type"])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def metrics_of(messages):
    """{(name, time): metric} without what tells how far exporters are."""
    return {(metric.name, point.time_unix_nano, str(point.attributes)): point
            for message in messages for resource in message.resource_metrics
            for scope in resource.scope_metrics for metric in scope.metrics
            if not metric.name.startswith("lens.client.export.")
            for point in getattr(metric, metric.WhichOneof("data")).data_points}


class Official(Case):
    def test_both_encodings_say_the_same(self):
        self.run_json("-n", 40, "-c", 4, "--max-tokens", 4, "--interval", "200ms")
        with Receiver() as receiver:
            self.lens("export", "run.lens", "--to", f"otlp:url={receiver.url},traces=all,name=one", code=0)
            binary = receiver.got
            receiver.got = {"metrics": [], "traces": []}
            self.lens("export", "run.lens", "--to", f"otlp:url={receiver.url},protocol=http/json,name=two", code=0)
            texts = receiver.got["metrics"]
        for kind, message in KINDS.items():
            self.assertTrue(binary[kind])
            for body in binary[kind]:
                self.assertEqual(message.FromString(body).SerializeToString(), body)
        one = metrics_of([ExportMetricsServiceRequest.FromString(body) for body in binary["metrics"]])
        two = metrics_of([json_format.Parse(body, ExportMetricsServiceRequest()) for body in texts])
        self.assertGreater(len(one), 30)
        self.assertEqual(one, two)
        spans = [span for body in binary["traces"] for resource in ExportTraceServiceRequest.FromString(body).resource_spans
                 for scope in resource.scope_spans for span in scope.spans]
        self.assertEqual((len(spans), len({span.span_id for span in spans})), (40, 40))


if __name__ == "__main__":
    unittest.main()
