// Cohere's client against `lens mock`: same text, usage, finish and errors as from the vendor.
import assert from "node:assert/strict";
import { CohereClientV2, CohereError } from "cohere-ai";
import { collect, play, withMock } from "./mock.mjs";

const TOKENS = 8;
const REASONING = 3;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const plain = {
  model: "command-a-03-2025",
  messages: [{ role: "user", content: "Tell me about the river." }],
};
const tools = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object" } } },
];

const withClient = (flags, body) =>
  withMock(["--provider", "cohere", "--tokens", String(TOKENS), ...flags], (url) =>
    body(new CohereClientV2({ token: "k", environment: url, maxRetries: 0 })),
  );

function checkUsage(usage, output) {
  assert.ok(usage.tokens.inputTokens > 0);
  assert.equal(usage.tokens.outputTokens, output);
  assert.equal(usage.billedUnits.outputTokens, output);
}

const joined = (events, type, pick) =>
  events.filter((e) => e.type === type).map(pick).join("");

await play({
  "lists the model": () =>
    withClient([], async (client) => {
      const r = await client.models.list();
      assert.equal(r.models.length, 1);
    }),

  whole: () =>
    withClient([], async (client) => {
      const r = await client.chat(plain);
      assert.equal(r.message.content[0].text, text);
      assert.equal(r.finishReason, "COMPLETE");
      checkUsage(r.usage, TOKENS);
    }),

  streamed: () =>
    withClient([], async (client) => {
      const events = await collect(await client.chatStream(plain));
      assert.equal(events[0].type, "message-start");
      assert.equal(
        joined(events, "content-delta", (e) => e.delta.message.content.text),
        text,
      );
      const end = events.at(-1);
      assert.equal(end.type, "message-end");
      assert.equal(end.delta.finishReason, "COMPLETE");
      checkUsage(end.delta.usage, TOKENS);
    }),

  thinking: () =>
    withClient(["--reasoning", String(REASONING)], async (client) => {
      const events = await collect(await client.chatStream(plain));
      const starts = events.filter((e) => e.type === "content-start");
      assert.deepEqual(starts.map((e) => e.delta.message.content.type), ["thinking", "text"]);
      assert.equal(
        joined(events, "content-delta", (e) => e.delta.message.content.thinking ?? ""),
        thoughts,
      );
      const r = await client.chat(plain);
      assert.equal(r.message.content[0].thinking, thoughts);
      assert.equal(r.message.content[1].text, text);
      checkUsage(r.usage, TOKENS + REASONING);
    }),

  tools: () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const events = await collect(await client.chatStream({ ...plain, tools }));
      const start = events.find((e) => e.type === "tool-call-start");
      assert.equal(start.delta.message.toolCalls.function.name, "get_weather");
      const streamed = joined(
        events,
        "tool-call-delta",
        (e) => e.delta.message.toolCalls.function.arguments,
      );
      assert.equal(events.at(-1).delta.finishReason, "TOOL_CALL");
      const r = await client.chat({ ...plain, tools });
      assert.equal(r.message.toolCalls[0].function.name, "get_weather");
      assert.equal(r.message.toolCalls[0].function.arguments, streamed);
      assert.ok(JSON.parse(streamed).text.length > 0);
    }),

  "a limit": () =>
    withClient([], async (client) => {
      const r = await client.chat({ ...plain, maxTokens: 3 });
      assert.equal(r.finishReason, "MAX_TOKENS");
      assert.equal(r.usage.tokens.outputTokens, 3);
    }),

  "a refused request": () =>
    withClient(["--fault", "429:1"], async (client) => {
      await assert.rejects(client.chat(plain), (error) => {
        assert.ok(error instanceof CohereError);
        assert.equal(error.statusCode, 429);
        assert.ok(error.body.message.length > 0);
        return true;
      });
    }),

  "an error in the stream": () =>
    withClient(["--fault", "error:1"], async (client) => {
      const events = await collect(await client.chatStream(plain));
      const end = events.at(-1);
      assert.equal(end.type, "message-end");
      assert.equal(end.delta.finishReason, "ERROR");
      assert.ok(end.delta.error.length > 0);
    }),
});
