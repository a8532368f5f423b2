// An OTLP/HTTP receiver that believes nothing: protobuf is decoded by OpenTelemetry's own generated code and must be
// the same bytes again, JSON is held against the protobuf schema, key by key.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import http from "node:http";
import path from "node:path";
import zlib from "node:zlib";

const require = createRequire(path.join(process.cwd(), "package.json"));
const generated = require("@opentelemetry/otlp-transformer/build/src/generated/root.js");
const protobuf = require("protobufjs");

const kinds = {
  metrics: ["opentelemetry.proto.collector.metrics.v1", "ExportMetricsServiceRequest"],
  traces: ["opentelemetry.proto.collector.trace.v1", "ExportTraceServiceRequest"],
};

function generatedType([scope, name]) {
  return scope.split(".").reduce((at, part) => at[part], generated)[name];
}

const schema = (() => {
  const root = new protobuf.Root();
  const folder = path.join(process.cwd(), "node_modules/@elastic/mockotlpserver");
  root.resolvePath = (_, target) => path.join(folder, target.replace(/^.*(?=opentelemetry\/proto)/, ""));
  root.loadSync([
    "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
  ]);
  return root;
})();

const wide = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/** OTLP/JSON as the specification has it, which receivers do not check. */
function checkJson(value, type, where) {
  for (const [key, held] of Object.entries(value)) {
    const field = type.fields[key];
    assert.ok(field, `${where}.${key} is no field of ${type.name}`);
    assert.equal(Array.isArray(held), field.repeated, `${where}.${key}: array or not`);
    for (const one of field.repeated ? held : [held]) checkOne(one, field, `${where}.${key}`);
  }
}

function checkOne(value, field, where) {
  field.resolve();
  if (field.resolvedType instanceof protobuf.Enum) assert.equal(typeof value, "number", where);
  else if (field.resolvedType) checkJson(value, field.resolvedType, where);
  else if (wide.has(field.type)) assert.match(String(typeof value === "string" && value), /^-?\d+$/, where);
  else if (/^(traceId|spanId|parentSpanId)$/.test(field.name))
    assert.match(value, field.name === "traceId" ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/, where);
  else if (field.type === "string") assert.equal(typeof value, "string", where);
  else if (field.type === "bool") assert.equal(typeof value, "boolean", where);
  else if (field.type !== "double" || !["NaN", "Infinity", "-Infinity"].includes(value))
    assert.equal(typeof value, "number", where);
}

/** JSON's 64-bit strings and hex ids become what protobuf.js makes of the other encoding. */
export function plain(kind, type, body) {
  if (type.includes("json")) {
    const value = JSON.parse(body);
    checkJson(value, schema.lookupType(kinds[kind].join(".")), "request");
    return value;
  }
  const message = generatedType(kinds[kind]);
  const decoded = message.decode(body);
  assert.deepEqual(Buffer.from(message.encode(decoded).finish()), body, "the bytes are not the same again");
  return message.toObject(decoded, { longs: String, bytes: String, enums: Number });
}

const partial = { metrics: "rejectedDataPoints", traces: "rejectedSpans" };

/** Starts it; `answer(kind, nth)` may say {status, headers, rejected, cut}. */
export async function receive(answer = () => ({})) {
  const got = { metrics: [], traces: [], headers: [], problems: [], count: 0 };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const kind = request.url.split("/").pop();
      const told = answer(kind, got.count++) ?? {};
      const type = request.headers["content-type"];
      let body = Buffer.concat(chunks);
      got.headers.push(request.headers);
      if (told.cut) return request.socket.destroy();
      if ((told.status ?? 200) === 200) {
        try {
          if (request.headers["content-encoding"] === "gzip") body = zlib.gunzipSync(body);
          got[kind].push(plain(kind, type, body));
        } catch (error) {
          got.problems.push(error);
        }
      }
      const json = told.rejected
        ? { partialSuccess: { [partial[kind]]: String(told.rejected), errorMessage: "too old" } }
        : { partialSuccess: {} };
      response.writeHead(told.status ?? 200, { "content-type": type, ...told.headers });
      response.end(type.includes("json") ? JSON.stringify(told.body ?? json) : told.rejected
        ? Buffer.from([0x0a, 0x0b, 0x08, told.rejected, 0x12, 0x07, ...Buffer.from("too old")])
        : Buffer.from([0x0a, 0x00]));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { got, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Points of a metric in the last request that has it, with their attributes as an object. */
export function points(requests, name) {
  for (const request of [...requests].reverse())
    for (const resource of request.resourceMetrics)
      for (const scope of resource.scopeMetrics)
        for (const metric of scope.metrics)
          if (metric.name === name) {
            const data = metric.sum ?? metric.gauge ?? metric.histogram ?? metric.exponentialHistogram;
            return data.dataPoints.map((point) => ({ ...point, is: attributes(point.attributes) }));
          }
  return [];
}

export function attributes(list) {
  return Object.fromEntries((list ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** A quantile of an exponential histogram: the upper end of its bucket. */
export function quantile(point, q) {
  const rank = Math.ceil(Number(point.count) * q);
  let seen = Number(point.zeroCount ?? 0);
  if (seen >= rank) return 0;
  for (const [i, count] of point.positive.bucketCounts.entries()) {
    seen += Number(count);
    if (seen >= rank) return 2 ** (((point.positive.offset ?? 0) + i + 1) / 2 ** (point.scale ?? 0));
  }
  throw new Error("fewer values than it says");
}

export function spans(requests) {
  return requests.flatMap((r) => r.resourceSpans.flatMap((s) => s.scopeSpans.flatMap((one) => one.spans ?? [])));
}
