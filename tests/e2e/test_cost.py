"""What requests cost: lens cost and lens prices, costs of runs, and the limit."""

import contextlib
import json
import random
import re
import unittest
from fractions import Fraction

from harness import Case, Server, answer_json

# USD of a million tokens, written down from the vendors' tables on their own: input, cached input,
# cache write, write for 1 h, output, and what holds above a threshold of the whole input.
PRICES = {
    "gpt-5.6-sol": ("5", "0.5", "6.25", None, "30", (272000, "10", "1", "45")),
    "gpt-5.5": ("5", "0.5", None, None, "30", (272000, "10", "1", "45")),
    "gpt-4o": ("2.5", "1.25", None, None, "10", None),
    "gpt-4o-mini": ("0.15", "0.075", None, None, "0.6", None),
    "o3": ("2", "0.5", None, None, "8", None),
    "gpt-3.5-turbo-instruct": ("1.5", None, None, None, "2", None),
    "text-embedding-3-small": ("0.02", None, None, None, "0", None),
    "azure/gpt-5.5": ("5", "0.5", None, None, "30", (272000, "10", "1", "45")),
    "azure/eu/gpt-5.1": ("1.38", "0.14", None, None, "11", None),
    "claude-fable-5": ("10", "1", "12.5", "20", "50", None),
    "claude-opus-4-8": ("5", "0.5", "6.25", "10", "25", None),
    "claude-haiku-4-5": ("1", "0.1", "1.25", "2", "5", None),
    "gemini-3.1-pro-preview": ("2", "0.2", None, None, "12", (200000, "4", "0.4", "18")),
    "gemini-2.5-pro": ("1.25", "0.125", None, None, "10", (200000, "2.5", "0.25", "15")),
    "us.anthropic.claude-opus-4-8": ("5.5", "0.55", "6.875", "11", "27.5", None),
    "amazon.nova-pro-v1:0": ("0.8", None, None, None, "3.2", None),
    "amazon.nova-2-lite-v1:0": ("0.3", "0.075", None, None, "2.5", None),
    "command-r7b-12-2024": ("0.0375", None, None, None, "0.15", None),
    "mistral/mistral-large-latest": ("0.5", None, None, None, "1.5", None),
    "deepseek-v4-flash": ("0.14", "0.0028", "0", None, "0.28", None),
    "deepseek-v4-pro": ("0.435", "0.003625", "0", None, "0.87", None),
    "groq/openai/gpt-oss-120b": ("0.15", "0.075", None, None, "0.6", None),
    "xai/grok-4.3": ("1.25", "0.2", None, None, "2.5", (200000, "2.5", "0.4", "5")),
}
KINDS = ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output_visible",
         "reasoning", "request"]
PICO = 10 ** 12


def half_even(value):
    """A fraction of dollars in whole 10^-12."""
    return round(value * PICO)  # Python rounds a Fraction half to even


def text_of(pico):
    whole, rest = divmod(abs(pico), PICO)
    text = f"{whole}.{rest:012d}".rstrip("0").rstrip(".")
    return "-" + text if pico < 0 else text


def pico_of(text):
    value = Fraction(text) * PICO
    assert value.denominator == 1, text
    return value.numerator


def expected(model, usage, mult=Fraction(1)):
    """The bill of one usage in 10^-12 USD, or None: the rules as they are written."""
    price_in, read, write, write_1h, out, step = PRICES[model]
    total_in, total_out = usage.get("in"), usage.get("out")
    if total_in is None or total_out is None or usage.get("usage_partial"):
        return None
    cached = usage.get("cache_read") or 0
    long = usage.get("cache_write_1h") or 0
    written = usage.get("cache_write")
    written = long if written is None else written
    thought = usage.get("reasoning") or 0
    if long > written or cached + written > total_in or thought > total_out:
        return None
    if step is not None and total_in > step[0]:
        _, price_in, read, out = step
        if written and model == "gpt-5.6-sol":
            write = "12.5"
    if (written - long and write is None) or (long and write_1h is None):
        return None
    million = Fraction(1, 10 ** 6)
    read = price_in if read is None else read
    usd = ((total_in - cached - written) * Fraction(price_in) + cached * Fraction(read)
           + (written - long) * Fraction(write or 0) + long * Fraction(write_1h or 0)
           + total_out * Fraction(out)) * million * mult
    return half_even(usd)


class Lines(Case):
    """lens cost -"""

    def answers(self, *lines, args=(), code=0):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                       for line in lines)
        done = self.lens("cost", "-", *args, stdin=text, code=code)
        return [json.loads(line) for line in done.out.splitlines()], done.err

    def test_bills_agree_with_exact_fractions(self):
        draw = random.Random(7)
        lines, wanted = [], []
        for nth in range(3000):
            model = draw.choice(list(PRICES))
            step = PRICES[model][5]
            total = draw.choice([0, 1, 17, 2006, draw.randrange(10 ** 6), draw.randrange(10 ** 15)])
            if step and draw.random() < 0.4:
                total = step[0] + draw.randrange(-2, 3)
            usage = {"in": total, "out": draw.choice([0, 1, 300, draw.randrange(10 ** 6)])}
            if draw.random() < 0.6:
                usage["cache_read"] = draw.randrange(total + 2)
            if draw.random() < 0.4:
                usage["cache_write"] = draw.randrange(total // 2 + 2)
            if draw.random() < 0.3:
                usage["cache_write_1h"] = draw.randrange(usage.get("cache_write", total) + 2)
            if draw.random() < 0.4:
                usage["reasoning"] = draw.randrange(usage["out"] + 2)
            for name in list(usage):
                if draw.random() < 0.03:
                    usage[name] = None
                elif draw.random() < 0.02:
                    del usage[name]
            if draw.random() < 0.03:
                usage["usage_partial"] = True
            mult = draw.choice([None, None, "1.1", 1.1, 2, "0.85", "3/7"])
            line = {"id": nth, "model": model, "usage": usage}
            if mult is not None:
                line["options"] = {"mult": mult}
            lines.append(line)
            wanted.append(expected(model, usage, Fraction(str(mult or 1))))
        answers, _ = self.answers(*lines)
        self.assertEqual(len(answers), len(lines))
        for line, answer, pico in zip(lines, answers, wanted):
            self.assertEqual(answer["id"], line["id"])
            if pico is None:
                self.assertIsNone(answer["usd"], line)
                self.assertIsNone(answer["by"], line)
                self.assertTrue(answer["why"], line)
                continue
            self.assertEqual(answer["usd"], text_of(pico), line)
            self.assertEqual(list(answer["by"]), KINDS)
            self.assertEqual(sum(map(pico_of, answer["by"].values())), pico, line)
        self.assertGreater(sum(pico is None for pico in wanted), 100)
        self.assertGreater(sum(pico is not None for pico in wanted), 1000)

    def test_the_published_example(self):
        answers, _ = self.answers(
            {"id": "a", "model": "gpt-4o", "usage": {"in": 2006, "cache_read": 1920, "out": 300}})
        self.assertEqual(answers[0]["usd"], "0.005615")
        self.assertEqual(answers[0]["by"]["input_uncached"], "0.000215")
        self.assertEqual(answers[0]["by"]["cache_read"], "0.0024")
        self.assertEqual(answers[0]["by"]["output_visible"], "0.003")

    def test_tiers_and_batches(self):
        usage = {"in": 1000, "cache_read": 100, "out": 100}
        cases = [("gpt-5.6-sol", {}, "0.00755"), ("gpt-5.6-sol", {"tier": "default"}, "0.00755"),
                 ("gpt-5.6-sol", {"tier": "priority"}, "0.0151"),
                 ("gpt-5.6-sol", {"tier": "flex"}, "0.003775"),
                 ("gpt-5.6-sol", {"batch": True}, "0.003775"),
                 ("gpt-5.6-sol", {"tier": "batch", "mult": "1.1"}, "0.0041525"),
                 ("claude-opus-4-8", {"batch": True}, "0.003525"),
                 ("claude-opus-4-8", {"tier": "priority"}, None),
                 ("deepseek-v4-flash", {"batch": True}, None),
                 ("gpt-5.6-sol", {"tier": "unheard-of"}, None)]
        answers, _ = self.answers(*({"model": model, "usage": usage, "options": options}
                                    for model, options, _ in cases))
        for (model, options, usd), answer in zip(cases, answers):
            self.assertEqual(answer["usd"], usd, (model, options, answer))

    def test_units_of_a_vendor_stand_for_tokens(self):
        usage = {"in": 507, "out": 10, "billed_in": 5, "billed_out": 10}
        answers, _ = self.answers({"model": "command-a-03-2025", "provider": "cohere",
                                   "usage": usage})
        self.assertEqual(answers[0]["usd"], "0.0001125")

    def test_bad_lines_are_told_and_hide_nothing(self):
        good = {"id": "good", "model": "gpt-4o", "usage": {"in": 1, "out": 0}}
        bad = ["not json", "[]", "5", '{"usage":{"in":1,"out":1}}',
               '{"model":"gpt-4o","usage":{"in":-1,"out":1}}',
               '{"model":"gpt-4o","usage":{"in":1.5,"out":1}}',
               '{"model":"gpt-4o","usage":{"in":"1","out":1}}',
               '{"model":"gpt-4o","usage":{"in":99999999999999999999,"out":1}}',
               '{"model":"gpt-4o","usage":{"cached":1}}', '{"model":"gpt-4o","usage":[]}',
               '{"model":5,"usage":null}', '{"model":"gpt-4o","usage":null,"options":{"x":1}}',
               '{"model":"gpt-4o","usage":{"in":1,"out":1},"options":{"mult":0}}',
               '{"model":"gpt-4o","usage":{"in":1,"out":1},"options":{"mult":"-1"}}',
               '{"model":"gpt-4o","usage":{"in":1,"out":1},"options":{"batch":"yes"}}']
        lines = [good]
        for line in bad:
            lines += [line, "", good]
        answers, err = self.answers(*lines, code=2)
        self.assertEqual([answer["usd"] for answer in answers],
                         ["0.0000025"] + [None, "0.0000025"] * len(bad))
        self.assertTrue(all(answer["why"] for answer in answers[1::2]))
        numbers = [int(n) for n in re.findall(r"standard input:(\d+): ", err)]
        self.assertEqual(numbers, [2 + 3 * nth for nth in range(len(bad))], err)

    def test_every_line_gets_an_answer(self):
        usage = {"in": 1, "out": 1}
        answers, _ = self.answers({"id": "a", "model": "gpt-4o"},
                                  {"id": "b", "model": "gpt-4o", "usage": {}},
                                  {"id": "c", "model": "gpt-4o", "usage": {"in": 1}},
                                  {"id": "d", "model": "gpt-4o", "usage": {"out": 1}},
                                  {"id": "e", "model": "gpt-4o", "usage": usage,
                                   "warn": ["usage_partial"]},
                                  {"id": "f", "model": "unheard", "usage": usage})
        self.assertEqual([(a["id"], a["usd"], a["by"]) for a in answers],
                         [(i, None, None) for i in "abcdef"])
        answers, err = self.answers({"id": "a", "usage": usage}, '{"id":99999999999999999999}',
                                    code=2)
        self.assertEqual([(a["id"], a["usd"]) for a in answers], [("a", None), (None, None)])
        answers, _ = self.answers('{"id":1,"model":"gpt-4o","usage":{"in":1000000,"out":0},'
                                  '"options":{"mult":1.10000000000000008882}}')
        self.assertEqual(answers[0]["usd"], "2.75")

    def test_tiers_by_every_vendors_word(self):
        self.write("mine.yaml", "prices:\n  - {model: m, input: 10, output: 0,\n"
                   "     tiers: {flex: 0.5, priority: 2, batch: 0.25}}\n")
        cases = [(None, "10"), ("default", "10"), ("STANDARD", "10"), ("auto", "10"),
                 ("standard_only", "10"), ("ON_DEMAND", "10"), ("flex", "5"),
                 ("ON_DEMAND_FLEX", "5"), ("priority", "20"), ("ON_DEMAND_PRIORITY", "20"),
                 ("fast", "20"), ("batch", "2.5"), ("PROVISIONED_THROUGHPUT", None),
                 ("reserved", None), ("scale", None), ("optimized", None)]
        answers, _ = self.answers(*({"model": "m", "usage": {"in": 1000000, "out": 0},
                                     "options": {"tier": tier}} for tier, _ in cases),
                                  args=("--pricing", "mine.yaml"))
        for (tier, usd), answer in zip(cases, answers):
            self.assertEqual(answer["usd"], usd, (tier, answer))

    def test_ids_come_back_as_they_were(self):
        ids = ["a", 1, None, {"x": [1]}, 1.5, "\u00e9\"\\"]
        answers, _ = self.answers(*({"id": i, "model": "gpt-4o", "usage": None} for i in ids))
        self.assertEqual([answer["id"] for answer in answers], ids)
        self.assertEqual([answer["usd"] for answer in answers], [None] * len(ids))

    def test_providers_and_dates_of_ids(self):
        usage = {"in": 1000000, "out": 0}
        cases = [("gpt-5.5", "azure", "10"), ("gpt-5.5", None, "10"),
                 ("llama-3.3-70b-versatile", "groq", "0.59"),
                 ("grok-4.3", "xai", "2.5"), ("gemini-2.5-flash", "vertex_ai", "0.3"),
                 ("gemini-2.5-flash", "gemini", "0.3"), ("gpt-4o", "anthropic", None),
                 ("claude-haiku-4-5-20251001", "anthropic", "1"),
                 ("gpt-4.1-2025-04-14", None, "2"), ("gpt-4o-2024-05-13", None, "5"),
                 ("global.anthropic.claude-opus-4-8", "bedrock", "5"),
                 ("gpt-4", "nobody", "30"), ("gpt-", None, None), ("gpt-4o-", None, None),
                 ("gpt-4o-mini-2099-13-45", None, None)]
        answers, _ = self.answers(*({"model": m, "provider": p, "usage": usage}
                                    for m, p, _ in cases))
        for (model, provider, usd), answer in zip(cases, answers):
            self.assertEqual(answer["usd"], usd, (model, provider, answer))


class Commands(Case):
    def test_one_bill(self):
        args = ["--model", "gpt-4o", "--usage", '{"in":2006,"cache_read":1920,"out":300}']
        text = self.lens("cost", *args, code=0).out
        self.assertIn("0.005615", text)
        answer = json.loads(self.lens("cost", *args, "--multiplier", "1.1", "--json", code=0).out)
        self.assertEqual(answer["usd"], "0.0061765")
        answer = json.loads(self.lens("cost", *args, "--tier", "priority", "--json", code=0).out)
        self.assertEqual(answer["usd"], "0.0095455")
        self.assertIn("unknown", self.lens("cost", "--model", "x", "--usage", "{}", code=0).out)
        for wrong in (["--model", "gpt-4o"], ["--model", "gpt-4o", "--usage", "{"],
                      args + ["--at", "tomorrow"], args + ["--multiplier", "x"],
                      ["-", "--model", "gpt-4o"], ["-", "--tier", "flex"],
                      ["run.lens", "--batch"], ["--model", "", "--usage", "{}"]):
            self.assertTrue(self.lens("cost", *wrong, code=2).err)
        err = self.lens("cost", "--model", "gpt-4o", "--usage", '{"inn":1}', code=2).err
        self.assertIn("lens: --usage: unknown member 'inn', did you mean 'in'?", err)

    def test_rows_past_their_date_are_said(self):
        args = ["cost", "--model", "claude-sonnet-5", "--usage", '{"in":1000000,"out":0}', "--json"]
        for at, usd, said in (("2026-08-31", "2", False), ("2026-09-01", "2", True),
                              ("2020-01-01", None, False)):
            done = self.lens(*args, "--at", at, code=0)
            self.assertEqual(json.loads(done.out)["usd"], usd)
            self.assertEqual("valid until 2026-08-31" in done.err, said, done.err)
        self.assertIn("for that day", json.loads(done.out)["why"])

    def test_own_tables_come_first_and_extend(self):
        self.write("mine.yaml", "date: 2026-11-01\nprices:\n"
                   "  - {model: gpt-4o, provider: openai, input: 1, output: 1}\n"
                   "  - {model: ours, input: 3, output: 0, request: 0.5}\n")
        for model, usd in (("gpt-4o", "1"), ("ours", "3.5"), ("gpt-4o-mini", "0.15")):
            done = self.lens("cost", "--model", model, "--usage", '{"in":1000000,"out":0}',
                             "--pricing", "mine.yaml", "--json", code=0)
            self.assertEqual(json.loads(done.out)["usd"], usd)
        for form in ('{"prices":[{"output":0,"input":1,"model":"m"}]}',
                     '\ufeff{"date":"2026-11-01","prices":[{"input":1,"output":0,"model":"m"}]}',
                     '{prices: [{model: m, input: 1, output: 0}]}',
                     '{"m":{"input_cost_per_token":"0.000001","output_cost_per_token":0}}',
                     '[{"id":"x","models":[{"id":"m","prices":{"input_mtok":1,"output_mtok":0}}]}]'):
            self.write("form.json", form)
            done = self.lens("cost", "--model", "m", "--usage", '{"in":1000000,"out":0}',
                             "--pricing", "form.json", "--json", code=0)
            self.assertEqual(json.loads(done.out)["usd"], "1", form)
        self.write("broken.yaml", "prices:\n  - {model: a, inptu: 1}\n")
        err = self.lens("prices", "--pricing", "broken.yaml", code=2).err
        self.assertIn("broken.yaml:2:", err)
        self.assertIn("did you mean 'input'", err)

    def test_prices_are_listed(self):
        listed = json.loads(self.lens("prices", "--json", code=0).out)["prices"]
        self.assertGreater(len(listed), 100)
        by_model = {(p["model"]): p["usd_per_million_tokens"] for p in listed}
        for model, (price_in, read, write, write_1h, out, _) in PRICES.items():
            p = by_model[model]
            self.assertEqual((p["input"], p["cache_read"], p["cache_write_5m"],
                              p["cache_write_1h"], p["output"]),
                             (price_in, read, write, write_1h, out), model)
        text = self.lens("prices", code=0).out
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        one = self.lens("prices", "--model", "gpt-5.4", "--provider", "openai", code=0).out
        self.assertIn("input > 272000", one)


def usage_answer(usage, status="200 OK", model="gpt-4o", **more):
    def handle(connection, request, nth):
        body = {"id": "x", "object": "chat.completion", "model": model,
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": "hi"}}],
                "usage": usage, **more}
        answer_json(connection, body, status)
    return handle


class Runs(Case):
    PLAIN = {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
             "prompt_tokens_details": {"cached_tokens": 1920}}

    def run_server(self, handle, *args, **more):
        with Server(handle) as server:
            return self.run_json("--provider", "compat", "--url", server.url, "-m", "gpt-4o",
                                 "--no-stream", *args, **more)

    def test_results_and_the_run_get_costs(self):
        done = self.run_server(usage_answer(self.PLAIN), "-n", 4, "--slo", "e2e<10s")
        cost = done.first["cost"]
        self.assertEqual(list(cost), ["currency", "total", "by", "per_request", "per_1k_output",
                                      "cache_saving", "reported", "unknown_requests",
                                      "price_date", "per_goodput_request"])
        self.assertEqual(cost["total"], "0.02246")
        self.assertEqual(cost["per_request"], "0.005615")
        self.assertEqual(cost["per_goodput_request"], "0.005615")
        self.assertEqual(cost["per_1k_output"], "0.018716666667")
        self.assertEqual(cost["cache_saving"], "0.0096")
        self.assertEqual(cost["unknown_requests"], 0)
        self.assertEqual(cost["reported"], None)
        self.assertEqual(cost["price_date"], "2026-07-24")
        self.assertEqual(sum(map(pico_of, cost["by"].values())), pico_of(cost["total"]))
        self.assertEqual(done.summary["run"]["cost"], cost)
        rows = self.sample_rows("cost_total, cost_cache_read, cache_saving")
        self.assertEqual(rows, [(5615000000, 2400000000, 2400000000)] * 4)
        shown = json.loads(self.lens("show", "run.lens", "--json", code=0).out)
        self.assertEqual(shown["results"][0]["cost"], cost)
        text = self.lens("show", "run.lens", code=0).out
        self.assertIn("0.02246 USD", text)
        lines = text.splitlines()
        first = next(nth for nth, line in enumerate(lines) if line.startswith("cost"))
        self.assertLessEqual(max(map(len, lines[first:first + 4])), 80)

    def test_a_stored_run_is_priced_anew(self):
        self.run_server(usage_answer(self.PLAIN), "-n", 2)
        self.write("p.yaml", "date: 2026-11-02\nprices:\n"
                   "  - {model: gpt-4o, input: 10, output: 10}\n")
        new = json.loads(self.lens("cost", "run.lens", "--pricing", "p.yaml", "--json",
                                   code=0).out)
        self.assertEqual(new["results"][0]["cost"]["total"], "0.04612")
        self.assertEqual(new["results"][0]["cost"]["price_date"], "2026-11-02")
        old = json.loads(self.lens("show", "run.lens", "--json", code=0).out)
        self.assertEqual(old["results"][0]["cost"]["total"], "0.01123")

    def test_the_tier_is_that_of_the_answer(self):
        done = self.run_server(usage_answer(self.PLAIN, service_tier="priority"), "-n", 1,
                               "--extra", '{"service_tier":"flex"}')
        self.assertEqual(done.first["cost"]["total"], "0.0095455")

    def test_unknown_is_counted_and_never_nothing(self):
        done = self.run_server(usage_answer(None), "-n", 3)
        self.assertIsNone(done.first["cost"]["total"])
        self.assertEqual(done.first["cost"]["unknown_requests"], 3)
        done = self.run_server(usage_answer(self.PLAIN, model="unheard"), "-n", 2,
                               "-m", "unheard")
        self.assertIsNone(done.first["cost"]["total"])
        self.assertIsNone(done.summary["run"]["cost"]["by"]["reasoning"])
        self.assertIsNone(done.first["cost"]["price_date"])

    def test_refused_requests_cost_nothing(self):
        def handle(connection, request, nth):
            if nth % 2 == 0:
                answer_json(connection, {"error": {"message": "no"}}, "500 Oops")
            else:
                usage_answer(self.PLAIN)(connection, request, nth)
        done = self.run_server(handle, "-n", 6)
        self.assertEqual(done.first["requests"]["failed"], 3)
        self.assertEqual(done.first["cost"]["total"], "0.016845")
        self.assertEqual(done.first["cost"]["unknown_requests"], 0)

    def test_a_server_that_bills_by_itself_is_compared(self):
        usage = dict(self.PLAIN, cost=0.006)
        done = self.run_server(usage_answer(usage), "-n", 2)
        self.assertEqual(done.first["cost"]["reported"], "0.012")
        self.assertIn("by the server itself, +6.86 % of ours",
                      self.lens("show", "run.lens", code=0).out)

    def test_a_region_in_the_servers_name_has_its_surcharge(self):
        self.write("mine.yaml", "prices:\n  - {model: m, input: 1, output: 1, "
                   "surcharges: {region: {eu: 1.5}}}\n")
        usd = {}
        for host in ("api.example.com", "eu.api.example.com", "eu.example"):
            done = self.lens("validate", f"https://{host}/v1", "-m", "m", "-n", "1", "--json",
                             "--pricing", "mine.yaml", code=0)
            usd[host] = Fraction(json.loads(done.out)["costs"][0]["usd"])
        self.assertGreater(usd["api.example.com"], 0)
        self.assertEqual(usd["eu.api.example.com"], usd["api.example.com"] * Fraction(3, 2))
        self.assertEqual(usd["eu.example"], usd["api.example.com"])

    def test_options_of_money_are_checked(self):
        for option in ("gpus=2", "gpus=0", "gpu_hour_usd=x", "gpu_hour_usd=-1",
                       "price_multiplier=0", "price_multiplier=x"):
            done = self.lens("validate", "http://127.0.0.1:9", "-m", "m", "--set",
                             "provider." + option, code=2)
            self.assertIn(option.split("=")[0], done.err)

    def test_price_model_and_hours(self):
        self.write("plan.yaml", """
lens: 1
targets:
  - {name: named, url: "%s", model: my-deployment, price_model: azure/gpt-5.5, options: {stream: false}}
  - {name: hours, url: "%s", model: llama, gpu_hour_usd: 3.6, gpus: 2, options: {stream: false}}
stages: [{workload: {kind: closed}, requests: 2}]
""")
        with Server(usage_answer(self.PLAIN, model="x")) as server:
            self.write("plan.yaml", self.read("plan.yaml") % (server.url, server.url))
            done = self.lens("run", "plan.yaml", "--json", "--quiet", "-o", "run.lens", code=0)
        named, hours = done.summary["results"]
        self.assertEqual(named["cost"]["total"], "0.02078")
        seconds = hours["window"]["end_s"] - hours["window"]["start_s"]
        self.assertAlmostEqual(float(hours["cost"]["total"]), seconds * 7.2 / 3600, places=8)
        self.assertAlmostEqual(float(hours["cost"]["per_1k_output"]),
                               seconds * 7.2 / 3600 / 600 * 1000, places=8)

    def test_four_providers_in_one_table(self):
        plan = ["lens: 1", "targets:"]
        with Server(usage_answer(self.PLAIN)) as server:
            for name, model in (("a", "gpt-4o"), ("b", "claude-haiku-4-5"),
                                ("c", "gemini-2.5-flash"), ("d", "unpriced")):
                plan.append(f'  - {{name: {name}, url: "{server.url}", model: {model}, '
                            f'price_model: {model}, options: {{stream: false}}}}')
            plan.append("stages: [{workload: {kind: closed}, requests: 2}]")
            self.write("plan.yaml", "\n".join(plan))
            done = self.lens("run", "plan.yaml", "--quiet", "-o", "run.lens", code=0)
        table = done.out.splitlines()[:7]
        self.assertIn("USD", table[0])
        self.assertIn("0.0112", table[1])
        self.assertIn("n/a", table[4])
        self.assertTrue(table[5].startswith("all"))
        self.assertLessEqual(max(map(len, done.out.splitlines())), 80)

    def test_four_providers_of_four_plugins(self):
        models = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5",
                  "gemini": "gemini-2.5-flash", "mistral": "mistral-large-latest"}
        plan = ["lens: 1", "targets:"]
        with contextlib.ExitStack() as stack:
            for provider, model in models.items():
                url = stack.enter_context(self.mock("--provider", provider, "--tokens", "20"))
                plan.append(f'  - {{name: {provider}, provider: {provider}, model: {model}, '
                            f'url: "{url}", api_key_env: KEY}}')
            plan.append("stages: [{workload: {kind: closed, concurrency: 2}, requests: 6}]")
            self.write("plan.yaml", "\n".join(plan))
            self.lens("run", "plan.yaml", "--quiet", "-o", "run.lens", env={"KEY": "x"}, code=0)
        text = self.lens("show", "run.lens", code=0).out.splitlines()[:6]
        self.assertLessEqual(max(map(len, text)), 80)
        for line, provider in zip(text[1:], models):
            self.assertRegex(line, f"^{provider} .* 0\\.0[0-9]+ ")
        summary = json.loads(self.lens("show", "run.lens", "--json", code=0).out)
        for result in summary["results"]:
            price_in, out = {"gpt-4o-mini": ("0.15", "0.6"), "claude-haiku-4-5": ("1", "5"),
                             "gemini-2.5-flash": ("0.3", "2.5"),
                             "mistral-large-latest": ("0.5", "1.5")}[result["model"]]
            tokens = result["tokens"]
            self.assertEqual(result["cost"]["total"], text_of(half_even(
                (tokens["input"] * Fraction(price_in) + tokens["output"] * Fraction(out))
                / 10 ** 6)), result["model"])
        self.assertEqual(pico_of(summary["run"]["cost"]["total"]),
                         sum(pico_of(r["cost"]["total"]) for r in summary["results"]))

    def test_the_server_counts_for_the_estimate(self):
        with Server(lambda connection, request, nth: answer_json(
                connection, {"input_tokens": 77})) as server:
            args = ["run", "--provider", "anthropic", "--url", server.url, "-m",
                    "claude-haiku-4-5", "--api-key-env", "KEY", "-n", 10, "--max-tokens", 50,
                    "--dry-run", "--prompt", "x" * 400, "--same-prompt", "--json"]
            counted = self.lens(*args, "--online", env={"KEY": "x"}, code=0).summary["costs"][0]
            guessed = self.lens(*args, env={"KEY": "x"}, code=0).summary["costs"][0]
        self.assertEqual((counted["input_tokens_per_request"], counted["input_tokens_by"]),
                         (77, "count"))
        self.assertEqual(counted["usd"], "0.00327")
        self.assertEqual((guessed["input_tokens_per_request"], guessed["input_tokens_by"]),
                         (100, "guess"))

    def test_servers_that_tokenize_are_asked(self):
        asked = []

        def handle(connection, request, nth):
            asked.append(request)
            answer_json(connection, {"tokens": [1] * 77})
        with Server(handle) as server:
            cost = self.lens("run", server.url + "/v1", "-m", "gpt-4o", "-n", 10, "--dry-run",
                             "--online", "--prompt", 'say "hi" \\', "--same-prompt", "--json",
                             code=0).summary["costs"][0]
        self.assertEqual((cost["input_tokens_per_request"], cost["input_tokens_by"]),
                         (77, "tokenize"))
        self.assertIn("/tokenize", str(asked[0]))
        self.assertNotIn("/v1", str(asked[0]))

    def test_the_estimate(self):
        done = self.lens("run", "http://127.0.0.1:9", "-m", "gpt-4o", "-n", 10, "--prompt",
                         "x" * 400, "--max-tokens", 50, "--same-prompt", "--dry-run", "--json",
                         code=0)
        cost = done.summary["costs"][0]
        self.assertEqual((cost["requests"], cost["input_tokens_per_request"],
                          cost["input_tokens_by"], cost["max_output_tokens_per_request"]),
                         (10, 100, "guess", 50))
        self.assertEqual(cost["usd"], "0.0075")


class Limit(Case):
    """--max-cost"""

    def spent(self, done):
        return pico_of(done.summary["run"]["cost"]["total"] or "0")

    def check(self, limit, *args, url, model="gpt-4o"):
        done = self.run_json(url, "-m", model, "--max-cost", limit, *args)
        self.assertLessEqual(self.spent(done), Fraction(limit) * PICO)
        reasons = [reason["id"] for reason in done.summary["run"]["verdict"]["reasons"]]
        self.assertIn("ended", reasons)
        return done

    def test_the_limit_is_never_passed(self):
        with self.mock("--tokens", "20") as url:
            for args in (["-c", 1], ["-c", 16], ["-c", 16, "--threads", 2],
                         ["--rate", 400, "-d", "3s"]):
                count = [] if "-d" in args else ["-n", 100000]
                done = self.check("0.05", *count, *args, url=url)
                self.assertGreater(done.first["requests"]["ok"], 5, args)

    def test_the_limit_holds_with_faults_and_retries(self):
        with self.mock("--tokens", "20", "--fault", "500:0.2", "--fault", "cut:0.2") as url:
            done = self.check("0.05", "-c", 8, "--threads", 2, "-n", 100000, "--retries", 2,
                              "--abort-after", "off", url=url)
            self.assertGreater(done.first["requests"]["ok"], 3)

    def test_it_uses_most_of_the_limit(self):
        with self.mock("--tokens", "20") as url:
            done = self.check("0.05", "-n", 100000, "-c", 4, url=url)
            self.assertGreater(self.spent(done), 0.85 * 0.05 * PICO)

    def test_nothing_starts_under_too_small_a_limit(self):
        with self.mock() as url:
            done = self.check("0.0000001", "-n", 5, url=url)
            self.assertEqual(done.first["requests"]["total"], 0)

    def test_it_needs_a_price_and_a_cap(self):
        for args, said in ((["-m", "unheard"], "no price"),
                           (["-m", "gpt-4o", "--extra", '{"max_tokens":null}'], "no limit"),
                           (["-m", "m", "--set", "provider.gpu_hour_usd=2"], "by the hour")):
            for command in (["run"], ["run", "--dry-run"], ["validate"]):
                done = self.lens(*command, "http://127.0.0.1:9", *args, "--max-cost", "1", code=2)
                self.assertIn(said, done.err)
                self.assertEqual(done.out, "")
        self.assertIn("--max-cost", self.lens("run", "http://127.0.0.1:9", "-m", "gpt-4o",
                                              "--max-cost", "many", code=2).err)

    def test_later_stages_are_not_begun(self):
        self.write("plan.yaml", """
lens: 1
max_cost: 0.02
targets: [{name: a, url: "@", model: gpt-4o}]
stages:
  - {name: one, workload: {kind: closed}, requests: 100000}
  - {name: two, workload: {kind: closed}, requests: 5}
""")
        with self.mock() as url:
            self.write("plan.yaml", self.read("plan.yaml").replace("@", url))
            done = self.lens("run", "plan.yaml", "--json", "--quiet", "-o", "run.lens", code=0)
        self.assertEqual([r["stage"] for r in done.summary["results"]], ["one"])


if __name__ == "__main__":
    unittest.main()
