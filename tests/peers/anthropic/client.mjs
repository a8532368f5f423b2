// Anthropic's client against `lens mock`: same text, same usage, same errors as from the
// vendor.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { collect, play, run, withMock } from "./mock.mjs";

const TOKENS = 8;
const REASONING = 3;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const plain = {
  model: "claude",
  max_tokens: 100,
  messages: [{ role: "user", content: "Tell me about the river." }],
};
const tools = [{ name: "get_weather", input_schema: { type: "object" } }];

const withClient = (flags, body) =>
  withMock(["--provider", "anthropic", "--tokens", String(TOKENS), ...flags], (url) =>
    body(new Anthropic({ apiKey: "sk-test", baseURL: url, maxRetries: 0 }), url),
  );

function checkUsage(usage, output, thinking = undefined, cached = 0) {
  assert.ok(usage.input_tokens > 0);
  assert.equal(usage.output_tokens, output);
  assert.equal(usage.cache_read_input_tokens, cached);
  assert.equal(usage.cache_creation_input_tokens, 0);
  assert.equal(usage.output_tokens_details?.thinking_tokens, thinking);
}

const textOf = (message) =>
  message.content.filter((b) => b.type === "text").map((b) => b.text).join("");

await play({
  "lists the model": () =>
    withClient([], async (client) => {
      const all = await collect(client.models.list());
      assert.equal(all.length, 1);
      assert.equal(all[0].type, "model");
    }),

  "counts tokens": () =>
    withClient([], async (client) => {
      const { max_tokens: _, ...prompt } = plain;
      const r = await client.messages.countTokens(prompt);
      assert.ok(r.input_tokens > 0);
    }),

  whole: () =>
    withClient(["--cached", "5"], async (client) => {
      const r = await client.messages.create(plain);
      assert.equal(r.type, "message");
      assert.equal(r.model, "claude");
      assert.equal(textOf(r), text);
      assert.equal(r.stop_reason, "end_turn");
      checkUsage(r.usage, TOKENS, undefined, 5);
    }),

  streamed: () =>
    withClient([], async (client) => {
      const events = await collect(await client.messages.create({ ...plain, stream: true }));
      assert.equal(events[0].type, "message_start");
      assert.equal(events.at(-1).type, "message_stop");
      assert.equal(
        events
          .filter((e) => e.type === "content_block_delta")
          .map((e) => e.delta.text)
          .join(""),
        text,
      );
      const end = events.find((e) => e.type === "message_delta");
      assert.equal(end.delta.stop_reason, "end_turn");
      checkUsage(end.usage, TOKENS);
    }),

  "by the client's stream helper": () =>
    withClient([], async (client) => {
      const r = await client.messages.stream(plain).finalMessage();
      assert.equal(textOf(r), text);
      assert.equal(r.stop_reason, "end_turn");
      checkUsage(r.usage, TOKENS);
    }),

  limited: () =>
    withClient([], async (client) => {
      const r = await client.messages.create({ ...plain, max_tokens: 3 });
      assert.equal(r.stop_reason, "max_tokens");
      assert.equal(textOf(r), "The river runs");
      checkUsage(r.usage, 3);
    }),

  thinking: () =>
    withClient(["--reasoning", String(REASONING)], async (client) => {
      const ask = { ...plain, max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 1024 } };
      const whole = await client.messages.create(ask);
      const streamed = await client.messages.stream(ask).finalMessage();
      for (const r of [whole, streamed]) {
        assert.equal(r.content[0].type, "thinking");
        assert.equal(r.content[0].thinking, thoughts);
        assert.ok(r.content[0].signature.length > 0);
        assert.ok(text.startsWith(textOf(r)) && textOf(r).length > 0);
        checkUsage(r.usage, whole.usage.output_tokens, REASONING);
      }
      assert.equal(textOf(streamed), textOf(whole));
    }),

  "a tool": () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const whole = await client.messages.create({ ...plain, tools });
      const streamed = await client.messages.stream({ ...plain, tools }).finalMessage();
      for (const r of [whole, streamed]) {
        assert.equal(r.stop_reason, "tool_use");
        assert.equal(r.content[0].type, "tool_use");
        assert.equal(r.content[0].name, "get_weather");
        assert.ok(r.content[0].id.length > 0);
      }
      assert.equal(typeof whole.content[0].input.text, "string");
      assert.deepEqual(streamed.content[0].input, whole.content[0].input);
    }),

  "rate limit": () =>
    withClient(["--fault", "429:1"], async (client) => {
      await assert.rejects(
        client.messages.create(plain),
        (error) =>
          error instanceof Anthropic.RateLimitError &&
          error.status === 429 &&
          error.error.error.type === "rate_limit_error" &&
          error.headers.has("retry-after"),
      );
    }),

  overloaded: () =>
    withClient(["--fault", "503:1"], async (client) => {
      await assert.rejects(
        client.messages.create({ ...plain, stream: true }),
        (error) =>
          error instanceof Anthropic.InternalServerError &&
          error.error.error.type === "overloaded_error",
      );
    }),

  "error inside a stream": () =>
    withClient(["--fault", "error:1"], async (client) => {
      await assert.rejects(
        async () => collect(await client.messages.create({ ...plain, stream: true })),
        (error) => error instanceof Anthropic.APIError && error.error.type === "error",
      );
    }),

  "a request without a limit": () =>
    withClient([], async (client) => {
      const { max_tokens: _, ...prompt } = plain;
      await assert.rejects(
        client.messages.create(prompt),
        (error) =>
          error instanceof Anthropic.BadRequestError && /max_tokens/.test(error.message),
      );
    }),

  "a key in either header": () =>
    withMock(["--provider", "anthropic"], async (url) => {
      for (const options of [{ apiKey: "k" }, { apiKey: null, authToken: "t" }]) {
        const client = new Anthropic({ ...options, baseURL: url, maxRetries: 0 });
        const r = await client.messages.create({ ...plain, max_tokens: 2 });
        assert.equal(r.usage.output_tokens, 2);
      }
    }),

  "lens itself, with all it counts": () =>
    withMock(
      ["--provider", "anthropic", "--tokens", "8", "--reasoning", "3", "--cached", "5"],
      async (url) => {
        const out = `${process.argv[3]}/run.lens`;
        const r = await run([
          ...["run", "--provider", "anthropic", "--url", url, "-m", "m", "-n", "5", "--json"],
          ...["-o", out, "--force", "--quiet"],
        ]);
        assert.equal(r.code, 0, r.stderr);
        const result = JSON.parse(r.stdout).results[0];
        assert.equal(result.requests.ok, 5);
        assert.equal(result.tokens.reasoning, 15);
        assert.equal(result.tokens.cache_read, 25);
        assert.equal(result.tokens.output % 5, 0);
      },
    ),
});
