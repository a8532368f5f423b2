"""Series that lens sends to Datadog's v2 intake, read back from VictoriaMetrics, are what it shows itself."""

import unittest

import harness
import receivers


class Datadog(harness.Case):
    def test_series(self):
        with receivers.victoria_metrics(self.dir, receivers.built_by_go("victoria-metrics-1.150.0")) as url:
            with self.mock("--ttft", "20ms", "--fault", "500:0.05") as mock:
                done = self.run_json("--url", mock, "-m", "m", "-d", "3s", "-c", 4, "--retries", 0, "--interval", "1s",
                                     "--seed", 7, "--export", f"datadog:url={url}/datadog,points=intervals,tag=env:ci",
                                     env={"DD_API_KEY": "none"})
            result = done.first
            [state] = done.summary["run"]["exports"]
            self.assertIsNone(state["error"])

            def all_there():
                found = {}
                for labels, values, times in receivers.victoria_series(url):
                    found.setdefault(labels["__name__"], []).append((labels, values, times))
                ok = sum(sum(values) for _, values, _ in found.get("lens.requests_ok", []))
                return found if ok == result["requests"]["ok"] else None

            found = receivers.until(all_there)
        self.assertEqual(sum(sum(values) for _, values, _ in found["lens.output_tokens"]), result["tokens"]["output"])
        errors = [(labels, values) for labels, values, _ in found["lens.errors"]]
        self.assertEqual(sum(sum(values) for _, values in errors), result["requests"]["failed"])
        self.assertEqual(errors[0][0]["error"], "server")
        [(labels, medians, times)] = found["lens.ttft.p50"]
        self.assertEqual((labels["env"], labels["model"]), ("ci", "m"))
        self.assertGreaterEqual(len(medians), 3)
        self.assertEqual(times, sorted(set(times)))
        shown = result["latency"]["ttft"]
        self.assertLessEqual(min(medians), shown["p50"])
        self.assertGreaterEqual(max(medians), shown["p50"])


if __name__ == "__main__":
    unittest.main()
