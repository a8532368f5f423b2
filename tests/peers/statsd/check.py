"""What lens tells statsd_exporter in DogStatsD is what it shows itself."""

import unittest

import harness
import receivers


def page(url):
    """{name: [(labels as text, value)]} of Prometheus' text format."""
    found = {}
    for line in receivers.ask(url)[1].splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, labels = series.partition("{")
            found.setdefault(name, []).append((labels.rstrip("}"), float(value)))
    return found


class Statsd(harness.Case):
    def check(self, dialect, expected_mean):
        """Loads the mock; gives the result and the page, when the last counter is there."""
        with receivers.statsd_exporter(self.dir, receivers.built_by_go("statsd_exporter-0.31.0")) as (url, udp):
            with self.mock("--ttft", "20ms", "--fault", "500:0.05") as mock:
                # Slow enough for the kernel's buffer: UDP loses what does not fit.
                result = self.run_json("--url", mock, "-m", "m", "-n", 300, "--rate", 100, "--retries", 0, "--interval",
                                       "300ms", "--seed", 7, "--export", f"statsd:address={udp},{dialect}").first

            def all_there():
                found = page(url)
                ok = sum(value for _, value in found.get("lens_requests_ok", []))
                return found if ok == found.get("lens_ttft_count", [("", 0)])[0][1] == result["requests"]["ok"] else None

            found = receivers.until(all_there)
        errors = {labels: value for labels, value in found["statsd_exporter_sample_errors_total"] if value} \
            if "statsd_exporter_sample_errors_total" in found else {}
        self.assertEqual(errors, {})
        self.assertEqual(sum(value for _, value in found.get("statsd_exporter_tag_errors_total", [])), 0)
        for metric in "ttft", "e2e", "tpot":
            shown = result["latency"][metric]
            [(labels, count)] = found[f"lens_{metric}_count"]
            self.assertEqual(count, shown["count"], metric)
            [(_, total)] = found[f"lens_{metric}_sum"]
            self.assertAlmostEqual(total, shown["mean"] * shown["count"] * expected_mean, delta=total * 1e-3)
        self.assertEqual(sum(value for _, value in found["lens_output_tokens"]), result["tokens"]["output"])
        errors = [value for name, series in found.items() if name.startswith("lens_errors") for _, value in series]
        self.assertEqual(sum(errors), result["requests"]["failed"])
        self.assertGreater(result["requests"]["failed"], 0)
        return labels

    def test_distributions(self):
        labels = self.check("dialect=datadog,tag=env=ci", 1)
        self.assertIn('env="ci"', labels)
        self.assertIn('target="', labels)

    def test_timers(self):
        """It takes timers for milliseconds and tells seconds."""
        self.check("dialect=statsd,series=none", 1e-3)


if __name__ == "__main__":
    unittest.main()
