// Frames of AWS's encoder are read by lens, frames of lens's mock by AWS's decoder.
import assert from "node:assert/strict";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import { play, run, withMock } from "./mock.mjs";

const codec = new EventStreamCodec(toUtf8, fromUtf8);
const string = (value) => ({ type: "string", value });
const event = (name, payload, more = {}) =>
  codec.encode({
    headers: {
      ":message-type": string("event"),
      ":event-type": string(name),
      ":content-type": string("application/json"),
      ...more,
    },
    body: fromUtf8(JSON.stringify(payload)),
  });

/* One header of every type, which a reader has to pass over. */
const every = {
  yes: { type: "boolean", value: true },
  no: { type: "boolean", value: false },
  byte: { type: "byte", value: 7 },
  short: { type: "short", value: 300 },
  integer: { type: "integer", value: 70000 },
  long: { type: "long", value: (await import("@smithy/eventstream-codec")).Int64.fromNumber(5) },
  binary: { type: "binary", value: new Uint8Array([1, 2, 3]) },
  time: { type: "timestamp", value: new Date(0) },
  id: { type: "uuid", value: "01234567-89ab-cdef-0123-456789abcdef" },
};

const frames = [
  event("messageStart", { role: "assistant" }, every),
  event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Grüße, " } }),
  event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "🌍" } }, every),
  event("messageStop", { stopReason: "end_turn" }),
  event("metadata", {
    usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7 },
    metrics: { latencyMs: 12 },
  }),
];
const hex = (bytes) => Buffer.from(bytes).toString("hex");

async function decode(chunks) {
  const r = await run(
    ["decode", "-"],
    {},
    JSON.stringify({ id: "x", api: "bedrock.converse", chunks_hex: chunks }) + "\n",
  );
  assert.equal(r.stderr, "");
  return JSON.parse(r.stdout);
}

/* The frames in a body, by the length each begins with. */
function* cut(body) {
  for (let at = 0; at < body.length; ) {
    const size = body.readUInt32BE(at);
    yield body.subarray(at, at + size);
    at += size;
  }
}

await play({
  "AWS's frames": async () => {
    const answer = await decode(frames.map(hex));
    assert.equal(answer.text, "Grüße, 🌍");
    assert.equal(answer.events, 2);
    assert.equal(answer.finish, "end_turn");
    assert.deepEqual(answer.usage, { in: 5, cache_read: 0, cache_write: 0, out: 2 });
    assert.equal(answer.error.class, "none");
    assert.deepEqual(answer.extra, { server_latency_ms: 12 });
  },

  "a flipped bit anywhere": async () => {
    const broken = Buffer.from(frames[1]);
    for (let at = 0; at < broken.length; at++) {
      const copy = Buffer.from(broken);
      copy[at] ^= 4;
      const answer = await decode([hex(frames[0]), hex(copy)]);
      assert.match(answer.error.class, /protocol_error|truncated/, `byte ${at}`);
      assert.equal(answer.text, "", `byte ${at}`);
    }
  },

  "frames of the mock": () =>
    withMock(["--provider", "bedrock", "--tokens", "5", "--reasoning", "2"], async (url) => {
      for (const route of ["converse-stream", "invoke-with-response-stream"]) {
        const response = await fetch(`${url}/model/anthropic.claude/${route}`, {
          method: "POST",
          body: JSON.stringify({ messages: [{ role: "user", content: [{ text: "x" }] }] }),
        });
        const body = Buffer.from(await response.arrayBuffer());
        const messages = [...cut(body)].map((frame) => codec.decode(frame));
        assert.equal(
          response.headers.get("content-type"),
          "application/vnd.amazon.eventstream",
        );
        assert.ok(messages.length > 6);
        for (const m of messages) {
          assert.equal(m.headers[":message-type"].value, "event");
          JSON.parse(toUtf8(m.body));
        }
      }
    }),

  "an exception of the mock": () =>
    withMock(["--provider", "bedrock", "--fault", "error:1"], async (url) => {
      const response = await fetch(`${url}/model/m/converse-stream`, {
        method: "POST",
        body: JSON.stringify({ messages: [{ role: "user", content: [{ text: "x" }] }] }),
      });
      const body = Buffer.from(await response.arrayBuffer());
      const last = [...cut(body)].map((frame) => codec.decode(frame)).at(-1);
      assert.equal(last.headers[":message-type"].value, "exception");
      assert.match(last.headers[":exception-type"].value, /^[a-z][A-Za-z]+Exception$/);
      assert.equal(typeof JSON.parse(toUtf8(last.body)).message, "string");
    }),
});
