// Mistral's client against `lens mock`: same text, usage, finish and errors as from the vendor.
import assert from "node:assert/strict";
import { Mistral } from "@mistralai/mistralai";
import { collect, play, withMock } from "./mock.mjs";

const TOKENS = 8;
const REASONING = 3;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const plain = {
  model: "mistral-small-latest",
  messages: [{ role: "user", content: "Tell me about the river." }],
};
const tools = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object" } } },
];

const withClient = (flags, body) =>
  withMock(["--provider", "mistral", "--tokens", String(TOKENS), ...flags], (url) =>
    body(new Mistral({ apiKey: "k", serverURL: url, retryConfig: { strategy: "none" } })),
  );

function checkUsage(usage, output) {
  assert.ok(usage.promptTokens > 0);
  assert.equal(usage.completionTokens, output);
  assert.equal(usage.totalTokens, usage.promptTokens + output);
}

const parts = (content, type, pick) =>
  (Array.isArray(content) ? content : []).filter((p) => p.type === type).map(pick).join("");
const textOf = (content) =>
  typeof content === "string" ? content : parts(content, "text", (p) => p.text);
const thinkingOf = (content) =>
  parts(content, "thinking", (p) => p.thinking.map((t) => t.text).join(""));

await play({
  "lists the model": () =>
    withClient([], async (client) => {
      const r = await client.models.list();
      assert.equal(r.data.length, 1);
    }),

  whole: () =>
    withClient([], async (client) => {
      const r = await client.chat.complete(plain);
      assert.equal(textOf(r.choices[0].message.content), text);
      assert.equal(r.choices[0].finishReason, "stop");
      checkUsage(r.usage, TOKENS);
    }),

  streamed: () =>
    withClient([], async (client) => {
      const chunks = (await collect(await client.chat.stream(plain))).map((c) => c.data);
      assert.equal(chunks.map((c) => textOf(c.choices[0].delta.content)).join(""), text);
      assert.equal(chunks.at(-1).choices[0].finishReason, "stop");
      checkUsage(chunks.at(-1).usage, TOKENS);
    }),

  thinking: () =>
    withClient(["--reasoning", String(REASONING)], async (client) => {
      const chunks = (await collect(await client.chat.stream(plain))).map((c) => c.data);
      assert.equal(chunks.map((c) => thinkingOf(c.choices[0].delta.content)).join(""), thoughts);
      assert.equal(chunks.map((c) => textOf(c.choices[0].delta.content)).join(""), text);
      const r = await client.chat.complete(plain);
      assert.equal(thinkingOf(r.choices[0].message.content), thoughts);
      assert.equal(textOf(r.choices[0].message.content), text);
      checkUsage(r.usage, TOKENS + REASONING);
    }),

  tools: () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const chunks = (await collect(await client.chat.stream({ ...plain, tools }))).map((c) => c.data);
      const calls = chunks.flatMap((c) => c.choices[0].delta.toolCalls ?? []);
      assert.equal(calls.map((c) => c.function.name).join(""), "get_weather");
      const streamed = calls.map((c) => c.function.arguments).join("");
      assert.equal(chunks.at(-1).choices[0].finishReason, "tool_calls");
      const r = await client.chat.complete({ ...plain, tools });
      assert.equal(r.choices[0].message.toolCalls[0].function.name, "get_weather");
      assert.equal(r.choices[0].message.toolCalls[0].function.arguments, streamed);
      assert.ok(JSON.parse(streamed).text.length > 0);
    }),

  "a limit": () =>
    withClient([], async (client) => {
      const r = await client.chat.complete({ ...plain, maxTokens: 3 });
      assert.equal(r.choices[0].finishReason, "length");
      checkUsage(r.usage, 3);
    }),

  "a refused request": () =>
    withClient(["--fault", "429:1"], async (client) => {
      await assert.rejects(client.chat.complete(plain), (error) => {
        assert.equal(error.statusCode, 429);
        assert.equal(JSON.parse(error.body).type, "rate_limited");
        return true;
      });
    }),

  "an error in the stream": () =>
    withClient(["--fault", "error:1"], async (client) => {
      await assert.rejects(async () => collect(await client.chat.stream(plain)));
    }),
});
