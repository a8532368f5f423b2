// `lens run --export otlp` against receivers that OpenTelemetry's own code reads for: what they hold equals what lens
// says, in all three transports, and every answer of theirs has the effect that the specification asks for.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { attributes, points, quantile, receive, spans } from "./receiver.mjs";

const lens = process.argv[2];
const folder = mkdtempSync(path.join(os.tmpdir(), "lens-otlp-"));
const REQUESTS = 40;

function start(args, env = {}) {
  const child = spawn(lens, args, { cwd: folder, env: { ...process.env, ...env } });
  let said = "";
  child.stdout.on("data", () => {});
  child.stderr.on("data", (text) => (said += text));
  return new Promise((resolve) => child.on("exit", (code) => resolve({ code, said })));
}

let runs = 0;
async function run(options, { env, more = [] } = {}) {
  const file = path.join(folder, `${runs++}.lens`);
  const ended = await start(
    ["run", "-c", "4", "-n", String(REQUESTS), "--max-tokens", "8", "--interval", "200ms", "--export-wait", "10s",
      "-o", file, "--export", `json:path=${file}.json`, "--export", `otlp:${options}`, ...more], env);
  const result = JSON.parse(readFileSync(`${file}.json`)).results[0];
  return { ...ended, file, result };
}

function near(actual, expected, ratio, what) {
  assert.ok(Math.abs(actual - expected) <= expected * ratio + 2e-6, `${what}: ${actual}, expected ${expected}`);
}

function checkAgainst(requests, result) {
  const [ttft] = points(requests, "lens.client.time_to_first_token");
  assert.equal(Number(ttft.count), result.latency.ttft.count);
  near(ttft.sum, (result.latency.ttft.mean * result.latency.ttft.count) / 1e3, 1e-6, "sum of TTFT");
  near(ttft.max, result.latency.ttft.max / 1e3, 1e-6, "largest TTFT");
  near(quantile(ttft, 0.5), result.latency.ttft.p50 / 1e3, 0.012, "median of TTFT");
  const [itl] = points(requests, "gen_ai.client.operation.time_per_output_chunk");
  assert.equal(Number(itl.count), result.latency.itl.count);
  const ok = points(requests, "lens.client.requests").find((p) => p.is["lens.outcome"] === "ok");
  assert.equal(Number(ok.asInt), result.requests.ok);
  const usage = points(requests, "gen_ai.client.token.usage");
  const output = usage.find((p) => p.is["gen_ai.token.type"] === "output");
  assert.equal(output.sum, result.tokens.output);
  assert.equal(output.is["gen_ai.operation.name"], "chat");
}

const tests = {
  async "protobuf: what the receiver holds is what lens says"() {
    const r = await receive();
    const { code, result } = await run(`url=${r.url},traces=all,compression=gzip`);
    r.close();
    assert.equal(code, 0);
    assert.deepEqual(r.got.problems, []);
    checkAgainst(r.got.metrics, result);
    const all = spans(r.got.traces);
    assert.equal(all.length, REQUESTS);
    assert.equal(new Set(all.map((s) => s.traceId)).size, REQUESTS);
    assert.equal(all[0].name, "chat mock-model");
    assert.ok(BigInt(all[0].endTimeUnixNano) > BigInt(all[0].startTimeUnixNano));
    assert.equal(r.got.headers[0]["content-encoding"], "gzip");
    assert.equal(attributes(all[0].attributes)["gen_ai.usage.output_tokens"], "8");
  },

  async "JSON: every key and every type is of the schema"() {
    const r = await receive();
    const { result } = await run(`url=${r.url}/,protocol=http/json,traces=all,chunks=true`);
    r.close();
    assert.deepEqual(r.got.problems, []);
    checkAgainst(r.got.metrics, result);
    const events = spans(r.got.traces)[0].events.map((e) => e.name);
    assert.equal(events[0], "lens.first_output");
    assert.ok(events.filter((name) => name === "lens.chunk").length >= 8);
  },

  async "gRPC: the same over HTTP/2"() {
    const require = createRequire(path.join(process.cwd(), "package.json"));
    const { MockOtlpServer } = require("@elastic/mockotlpserver");
    const got = { metrics: [], traces: [] };
    const quiet = Object.fromEntries(["trace", "debug", "info", "warn", "error"].map((level) => [level, () => {}]));
    const server = new MockOtlpServer({
      services: ["grpc"], grpcHostname: "127.0.0.1", grpcPort: 0, log: quiet,
      onMetrics: (m) => got.metrics.push(m), onTrace: (t) => got.traces.push(t),
    });
    await server.start();
    const { code, said } = await run(`url=http://127.0.0.1:${server.grpcUrl.port},protocol=grpc,traces=all`);
    await server.close();
    assert.equal(code, 0, said);
    const count = got.traces.flatMap((r) => r.resourceSpans.flatMap((s) => s.scopeSpans.flatMap((x) => x.spans)));
    assert.equal(count.length, REQUESTS);
    const names = got.metrics.at(-1).resourceMetrics[0].scopeMetrics[0].metrics.map((m) => m.name);
    assert.ok(names.includes("lens.client.time_to_first_token"));
  },

  async "delta and explicit buckets add up"() {
    const r = await receive();
    const { result } = await run(`url=${r.url},temporality=delta,histograms=explicit`);
    r.close();
    assert.deepEqual(r.got.problems, []);
    const all = r.got.metrics.flatMap((m) => points([m], "lens.client.time_to_first_token"));
    assert.equal(all.reduce((sum, p) => sum + Number(p.count), 0), result.latency.ttft.count);
    for (const p of all) {
      assert.equal(p.bucketCounts.reduce((sum, c) => sum + Number(c), 0), Number(p.count));
      assert.equal(p.bucketCounts.length, p.explicitBounds.length + 1);
    }
  },

  async "the conventions to come have their own names"() {
    const r = await receive();
    await run(`url=${r.url},semconv=next`);
    r.close();
    assert.deepEqual(r.got.problems, []);
    assert.equal(points(r.got.metrics, "gen_ai.client.inference.time_to_first_chunk").length, 1);
    assert.equal(points(r.got.metrics, "gen_ai.client.operation.time_to_first_chunk").length, 0);
    assert.equal(points(r.got.metrics, "gen_ai.client.inference.usage.output_tokens").length, 1);
  },

  async "what is retried comes once, Retry-After is honoured"() {
    const r = await receive((kind, nth) => [{ status: 429, headers: { "retry-after": "1" } }, { status: 503 },
      { cut: true }][nth]);
    const { code, said } = await run(`url=${r.url},traces=all`);
    r.close();
    assert.equal(code, 0, said);
    assert.equal(spans(r.got.traces).length, REQUESTS);
  },

  async "a partial success is told and not sent again"() {
    const r = await receive((kind) => ({ rejected: kind === "traces" ? 2 : 0 }));
    const { said } = await run(`url=${r.url},traces=all`);
    r.close();
    assert.match(said, /2 spans were rejected: too old/);
    const ids = spans(r.got.traces).map((s) => s.spanId);
    assert.equal(new Set(ids).size, ids.length);
  },

  async "one bad span costs one span"() {
    const r = await receive(() => ({}));
    let seen = 0;
    r.close();
    const picky = await receive((kind) => (kind === "traces" && seen++ === 0 ? { status: 400 } : {}));
    await run(`url=${picky.url},traces=all`);
    picky.close();
    assert.equal(spans(picky.got.traces).length, REQUESTS);
  },

  async "a wrong token ends it at once, lens export sends the rest with the right one"() {
    const wrong = await receive(() => ({ status: 401 }));
    const { code, said, file } = await run(`url=${wrong.url},traces=all`, { more: ["--strict"] });
    wrong.close();
    assert.equal(code, 5, said);
    assert.match(said, /401/);
    assert.match(said, /lens export/);
    const right = await receive();
    const ended = await start(["export", file, "--to", `otlp:url=${right.url},traces=all`]);
    right.close();
    assert.equal(ended.code, 0, ended.said);
    assert.equal(spans(right.got.traces).length, REQUESTS);
    assert.ok(points(right.got.metrics, "lens.client.time_to_first_token").length > 0);
  },

  async "OTEL_* variables fill in, the signal's own win, headers stay secret"() {
    const r = await receive();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${r.url}/base/`,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${r.url}/as/it/is/traces`,
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=s3cr%20et-value,x-team=perf",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_TIMEOUT: "5000",
      OTEL_SERVICE_NAME: "nightly",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=ci%2Fcd,service.name=ignored",
      OTEL_TRACES_SAMPLER: "always_on",
    };
    const { said, file } = await run("", { env });
    r.close();
    assert.deepEqual(r.got.problems, []);
    assert.ok(r.got.headers.some((h) => h["content-type"] === "application/json"));
    assert.ok(r.got.headers.every((h) => h["api-key"] === "s3cr et-value" && h["x-team"] === "perf"));
    const resource = attributes(r.got.metrics[0].resourceMetrics[0].resource.attributes);
    assert.equal(resource["service.name"], "nightly");
    assert.equal(resource["deployment.environment"], "ci/cd");
    assert.equal(spans(r.got.traces).length, REQUESTS);
    assert.ok(!said.includes("s3cr") && !readFileSync(file).includes("s3cr"));
  },

  async "bad settings are one clear message and exit 2"() {
    const cases = [
      ["otlp:traces=some", {}, /traces is `some`, expected off/],
      ["otlp:traces=ratio:2", {}, /ratio:R with R from 0 to 1/],
      ["otlp:headers=plain", {}, /env:|file:/],
      ["otlp", { OTEL_EXPORTER_OTLP_PROTOCOL: "tcp" }, /http\/protobuf, http\/json or grpc/],
      ["otlp", { OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, /milliseconds/],
      ["otlp", { OTEL_EXPORTER_OTLP_ENDPOINT: "host:4318" }, /http:\/\/ or https:\/\//],
    ];
    for (const [given, env, expected] of cases) {
      const { code, said } = await start(["run", "-n", "1", "--export", given], env);
      assert.equal(code, 2, `${given}: ${said}`);
      assert.match(said, expected);
    }
  },

  async "slowest:N tells the slowest of each interval"() {
    const r = await receive();
    await run(`url=${r.url},traces=slowest:2`);
    r.close();
    const told = spans(r.got.traces);
    assert.ok(told.length >= 2 && told.length <= 2 * (r.got.metrics.length + 1), `${told.length} spans`);
    assert.equal(new Set(told.map((s) => s.spanId)).size, told.length);
  },
};

let failed = 0;
for (const [name, body] of Object.entries(tests)) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}\n${error.stack}`);
  }
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
