// AWS's client against `lens mock`: it checks our frames and both checksums, and sees the same
// text, usage and errors as from Bedrock.
import assert from "node:assert/strict";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { collect, play, withMock } from "./mock.mjs";

const TOKENS = 8;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const modelId = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const messages = [{ role: "user", content: [{ text: "Tell me about the river." }] }];
const decoder = new TextDecoder();

/* By itself the client would speak HTTP/2 with prior knowledge. */
const withClient = (flags, body) =>
  withMock(["--provider", "bedrock", "--tokens", String(TOKENS), ...flags], (url) =>
    body(
      new BedrockRuntimeClient({
        region: "us-east-1",
        endpoint: url,
        credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
        requestHandler: new NodeHttpHandler({}),
        maxAttempts: 1,
      }),
    ),
  );

const converse = async (client, input = {}) =>
  collect((await client.send(new ConverseStreamCommand({ modelId, messages, ...input }))).stream);
const deltas = (events) =>
  events.filter((e) => e.contentBlockDelta).map((e) => e.contentBlockDelta.delta);
const stop = (events) => events.find((e) => e.messageStop).messageStop.stopReason;
const metadata = (events) => events.find((e) => e.metadata).metadata;

function checkUsage(usage, output, cached = undefined) {
  assert.ok(usage.inputTokens >= 0);
  assert.equal(usage.outputTokens, output);
  assert.equal(usage.cacheReadInputTokens, cached);
  assert.equal(usage.totalTokens, usage.inputTokens + (cached ?? 0) + output);
}

const claudeBody = JSON.stringify({
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 64,
  messages: [{ role: "user", content: "Tell me about the river." }],
});
const invoke = (client, body = claudeBody) =>
  client.send(new InvokeModelCommand({ modelId, body, contentType: "application/json" }));
const invokeStream = async (client, body = claudeBody) =>
  collect(
    (await client.send(
      new InvokeModelWithResponseStreamCommand({ modelId, body, contentType: "application/json" }),
    )).body,
  ).then((all) => all.map((e) => JSON.parse(decoder.decode(e.chunk.bytes))));

const named = (name, status) => (error) =>
  error.name === name && (status === undefined || error.$metadata.httpStatusCode === status);

await play({
  "converse, whole": () =>
    withClient(["--cached", "5"], async (client) => {
      const r = await client.send(new ConverseCommand({ modelId, messages }));
      assert.equal(r.output.message.content.map((c) => c.text ?? "").join(""), text);
      assert.equal(r.stopReason, "end_turn");
      assert.equal(r.metrics.latencyMs, 20);
      checkUsage(r.usage, TOKENS, 5);
    }),

  "converse, streamed": () =>
    withClient([], async (client) => {
      const events = await converse(client);
      assert.equal(events[0].messageStart.role, "assistant");
      assert.equal(deltas(events).map((d) => d.text).join(""), text);
      assert.equal(stop(events), "end_turn");
      assert.ok(events.at(-1).metadata);
      checkUsage(metadata(events).usage, TOKENS);
    }),

  "converse, thinking": () =>
    withClient(["--reasoning", "3"], async (client) => {
      const events = await converse(client);
      const whole = await client.send(new ConverseCommand({ modelId, messages }));
      const [reasoning, visible] = whole.output.message.content;
      assert.equal(
        deltas(events).map((d) => d.reasoningContent?.text ?? "").join(""),
        thoughts,
      );
      assert.equal(reasoning.reasoningContent.reasoningText.text, thoughts);
      assert.equal(deltas(events).map((d) => d.text ?? "").join(""), visible.text);
      checkUsage(metadata(events).usage, whole.usage.outputTokens);
    }),

  "converse, limited": () =>
    withClient([], async (client) => {
      const events = await converse(client, { inferenceConfig: { maxTokens: 3 } });
      assert.equal(deltas(events).map((d) => d.text).join(""), "The river runs");
      assert.equal(stop(events), "max_tokens");
      checkUsage(metadata(events).usage, 3);
    }),

  "converse, tools": () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const events = await converse(client);
      const start = events.find((e) => e.contentBlockStart).contentBlockStart.start.toolUse;
      const whole = await client.send(new ConverseCommand({ modelId, messages }));
      const call = whole.output.message.content.find((c) => c.toolUse).toolUse;
      const input = deltas(events).map((d) => d.toolUse?.input ?? "").join("");
      assert.equal(start.name, "get_weather");
      assert.ok(start.toolUseId.length > 0);
      assert.equal(call.name, "get_weather");
      assert.deepEqual(JSON.parse(input), call.input);
      assert.equal(stop(events), "tool_use");
      assert.equal(whole.stopReason, "tool_use");
    }),

  "invoke, whole": () =>
    withClient(["--cached", "2"], async (client) => {
      const r = await invoke(client);
      const body = JSON.parse(decoder.decode(r.body));
      assert.equal(body.content[0].text, text);
      assert.equal(body.usage.output_tokens, TOKENS);
      assert.equal(body.usage.cache_read_input_tokens, 2);
    }),

  "invoke, streamed": () =>
    withClient(["--reasoning", "3"], async (client) => {
      const events = await invokeStream(client);
      const whole = JSON.parse(decoder.decode((await invoke(client)).body));
      const of = (type, member) =>
        events.filter((e) => e.delta?.type === type).map((e) => e.delta[member]).join("");
      assert.equal(events[0].type, "message_start");
      assert.equal(events.at(-1).type, "message_stop");
      assert.equal(of("thinking_delta", "thinking"), thoughts);
      assert.equal(of("text_delta", "text"), whole.content.find((c) => c.type === "text").text);
      const metrics = events.at(-1)["amazon-bedrock-invocationMetrics"];
      assert.equal(metrics.outputTokenCount, whole.usage.output_tokens);
      assert.equal(typeof metrics.firstByteLatency, "number");
    }),

  "invoke, tools": () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const events = await invokeStream(client);
      const start = events.find((e) => e.content_block?.type === "tool_use").content_block;
      const input = events.map((e) => e.delta?.partial_json ?? "").join("");
      assert.equal(start.name, "get_weather");
      assert.equal(typeof JSON.parse(input), "object");
    }),

  "errors by status": async () => {
    const expected = {
      429: "ThrottlingException",
      500: "InternalServerException",
      503: "ServiceUnavailableException",
    };
    for (const [status, name] of Object.entries(expected))
      await withClient(["--fault", `${status}:1`], async (client) => {
        await assert.rejects(
          client.send(new ConverseCommand({ modelId, messages })),
          named(name, Number(status)),
        );
        await assert.rejects(converse(client), named(name, Number(status)));
        await assert.rejects(invoke(client), named(name, Number(status)));
      });
  },

  "exceptions inside of streams": () =>
    withClient(["--fault", "error:1"], async (client) => {
      const known = /^(InternalServer|Throttling|ServiceUnavailable|ModelStreamError)/i;
      /* The client throws, or hands the exception out as an event. */
      const fails = async (open) => {
        let events;
        try {
          events = await open();
        } catch (error) {
          assert.match(error.name, known);
          return;
        }
        assert.ok(events.some((e) => known.test(Object.keys(e)[0])), JSON.stringify(events));
      };
      await fails(() => converse(client));
      await fails(() => invokeStream(client));
    }),

  "a request that is wrong": () =>
    withClient([], async (client) => {
      await assert.rejects(invoke(client, "{}"), named("ValidationException", 400));
    }),
});
