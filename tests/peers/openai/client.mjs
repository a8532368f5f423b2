// The official client against `lens mock`: same text, same usage, same errors as from OpenAI.
import assert from "node:assert/strict";
import OpenAI, { AzureOpenAI } from "openai";
import { collect, play, withMock as withServer } from "./mock.mjs";

const TOKENS = 8;
const REASONING = 3;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";

const withMock = (flags, body) =>
  withServer(["--tokens", String(TOKENS), ...flags], (url) =>
    body(new OpenAI({ apiKey: "sk-test", baseURL: `${url}/v1`, maxRetries: 0 })),
  );

/* Both ways in, by key and by token, and both paths. */
const withAzure = (flags, body) =>
  withServer(["--provider", "azure", "--tokens", String(TOKENS), ...flags], async (url) => {
    const common = { endpoint: url, apiVersion: "2024-10-21", maxRetries: 0 };
    await body(new AzureOpenAI({ ...common, apiKey: "k", deployment: "gpt" }));
    await body(new AzureOpenAI({ ...common, azureADTokenProvider: async () => "t" }));
    await body(new OpenAI({ apiKey: "k", baseURL: `${url}/openai/v1`, maxRetries: 0 }));
  });

const messages = [{ role: "user", content: "Tell me about the river." }];
const tools = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object" } } },
];

function checkUsage(usage, output, reasoning = 0, cached = 0) {
  assert.ok(usage.prompt_tokens > 0);
  assert.equal(usage.completion_tokens, output);
  assert.equal(usage.total_tokens, usage.prompt_tokens + output);
  assert.equal(usage.completion_tokens_details.reasoning_tokens, reasoning);
  assert.equal(usage.prompt_tokens_details.cached_tokens, cached);
}

function checkResponseUsage(usage, output, reasoning = 0) {
  assert.ok(usage.input_tokens > 0);
  assert.equal(usage.output_tokens, output);
  assert.equal(usage.total_tokens, usage.input_tokens + output);
  assert.equal(usage.output_tokens_details.reasoning_tokens, reasoning);
}

await play({
  "lists the model": () =>
    withMock([], async (client) => {
      const list = await client.models.list();
      assert.equal(list.data.length, 1);
      assert.equal(list.data[0].object, "model");
    }),

  "chat, whole": () =>
    withMock(["--cached", "5"], async (client) => {
      const r = await client.chat.completions.create({ model: "m", messages });
      assert.equal(r.object, "chat.completion");
      assert.equal(r.model, "m");
      assert.equal(r.choices[0].message.content, text);
      assert.equal(r.choices[0].finish_reason, "stop");
      checkUsage(r.usage, TOKENS, 0, 5);
    }),

  "chat, streamed": () =>
    withMock([], async (client) => {
      const chunks = await collect(
        await client.chat.completions.create({
          model: "m",
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      assert.equal(chunks[0].choices[0].delta.role, "assistant");
      assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? "").join(""), text);
      assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
      assert.deepEqual(chunks.at(-1).choices, []);
      checkUsage(chunks.at(-1).usage, TOKENS);
      assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
      assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
    }),

  "chat, streamed without usage": () =>
    withMock([], async (client) => {
      const chunks = await collect(
        await client.chat.completions.create({ model: "m", messages, stream: true }),
      );
      assert.ok(chunks.every((c) => c.usage === undefined && c.choices.length === 1));
    }),

  "chat, by the client's stream helper": () =>
    withMock([], async (client) => {
      const r = await client.chat.completions
        .stream({ model: "m", messages, stream_options: { include_usage: true } })
        .finalChatCompletion();
      assert.equal(r.choices[0].message.content, text);
      checkUsage(r.usage, TOKENS);
    }),

  "chat, limited": () =>
    withMock([], async (client) => {
      for (const name of ["max_tokens", "max_completion_tokens"]) {
        const r = await client.chat.completions.create({ model: "m", messages, [name]: 3 });
        assert.equal(r.choices[0].finish_reason, "length");
        assert.equal(r.choices[0].message.content, "The river runs");
        checkUsage(r.usage, 3);
      }
    }),

  "chat, with reasoning": () =>
    withMock(["--reasoning", String(REASONING)], async (client) => {
      const chunks = await collect(
        await client.chat.completions.create({
          model: "m",
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      const join = (name) => chunks.map((c) => c.choices[0]?.delta[name] ?? "").join("");
      const whole = await client.chat.completions.create({ model: "m", messages });
      assert.equal(join("reasoning_content"), thoughts);
      assert.equal(whole.choices[0].message.reasoning_content, thoughts);
      assert.equal(join("content"), whole.choices[0].message.content);
      assert.ok(text.startsWith(join("content")));
      checkUsage(chunks.at(-1).usage, whole.usage.completion_tokens, REASONING);
    }),

  "chat, with a tool": () =>
    withMock(["--tool", "get_weather"], async (client) => {
      const whole = await client.chat.completions.create({ model: "m", messages, tools });
      const call = whole.choices[0].message.tool_calls[0];
      assert.equal(whole.choices[0].finish_reason, "tool_calls");
      assert.equal(call.function.name, "get_weather");
      assert.equal(typeof JSON.parse(call.function.arguments), "object");
      const streamed = await client.chat.completions
        .stream({ model: "m", messages, tools })
        .finalChatCompletion();
      assert.equal(streamed.choices[0].finish_reason, "tool_calls");
      const other = streamed.choices[0].message.tool_calls[0];
      assert.equal(other.function.name, "get_weather");
      assert.equal(other.function.arguments, call.function.arguments);
      assert.ok(other.id.length > 0);
    }),

  "completions, whole and streamed": () =>
    withMock([], async (client) => {
      const whole = await client.completions.create({ model: "m", prompt: "The" });
      assert.equal(whole.choices[0].text, text);
      assert.equal(whole.choices[0].finish_reason, "stop");
      checkUsage(whole.usage, TOKENS);
      const chunks = await collect(
        await client.completions.create({
          model: "m",
          prompt: "The",
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      assert.equal(chunks.map((c) => c.choices[0]?.text ?? "").join(""), text);
      checkUsage(chunks.at(-1).usage, TOKENS);
    }),

  "responses, whole": () =>
    withMock(["--reasoning", String(REASONING)], async (client) => {
      const r = await client.responses.create({ model: "m", input: "Tell me." });
      assert.equal(r.status, "completed");
      assert.ok(text.startsWith(r.output_text) && r.output_text.length > 0);
      assert.equal(r.output[0].type, "reasoning");
      assert.equal(r.output[0].summary[0].text, thoughts);
      checkResponseUsage(r.usage, r.usage.output_tokens, REASONING);
    }),

  "responses, streamed": () =>
    withMock([], async (client) => {
      const events = await collect(
        await client.responses.create({ model: "m", input: "Tell me.", stream: true }),
      );
      assert.deepEqual(
        events.map((e) => e.sequence_number),
        events.map((_, i) => i),
      );
      assert.deepEqual(
        events.map((e) => e.type).filter((t) => !t.endsWith(".delta")),
        [
          "response.created",
          "response.in_progress",
          "response.output_item.added",
          "response.content_part.added",
          "response.output_text.done",
          "response.content_part.done",
          "response.output_item.done",
          "response.completed",
        ],
      );
      const deltas = events.filter((e) => e.type === "response.output_text.delta");
      assert.equal(deltas.map((e) => e.delta).join(""), text);
      assert.equal(events.find((e) => e.type === "response.output_text.done").text, text);
      checkResponseUsage(events.at(-1).response.usage, TOKENS);
    }),

  "responses, by the client's stream helper": () =>
    withMock(["--reasoning", String(REASONING)], async (client) => {
      const whole = await client.responses.create({ model: "m", input: "Tell me." });
      const streamed = await client.responses
        .stream({ model: "m", input: "Tell me." })
        .finalResponse();
      assert.equal(streamed.output_text, whole.output_text);
      assert.deepEqual(
        streamed.output.map((o) => o.type),
        ["reasoning", "message"],
      );
      assert.equal(streamed.output[0].summary[0].text, thoughts);
      checkResponseUsage(streamed.usage, whole.usage.output_tokens, REASONING);
    }),

  "responses, limited": () =>
    withMock([], async (client) => {
      const r = await client.responses.create({ model: "m", input: "x", max_output_tokens: 3 });
      assert.equal(r.status, "incomplete");
      assert.equal(r.incomplete_details.reason, "max_output_tokens");
      const events = await collect(
        await client.responses.create({
          model: "m",
          input: "x",
          max_output_tokens: 3,
          stream: true,
        }),
      );
      assert.equal(events.at(-1).type, "response.incomplete");
    }),

  "responses, with a tool": () =>
    withMock(["--tool", "get_weather"], async (client) => {
      const whole = await client.responses.create({ model: "m", input: "x" });
      const call = whole.output.find((o) => o.type === "function_call");
      assert.equal(call.name, "get_weather");
      const streamed = await client.responses.stream({ model: "m", input: "x" }).finalResponse();
      const other = streamed.output.find((o) => o.type === "function_call");
      assert.equal(other.name, "get_weather");
      assert.equal(other.arguments, call.arguments);
      assert.equal(typeof JSON.parse(other.arguments), "object");
      const events = await collect(
        await client.responses.create({ model: "m", input: "x", stream: true }),
      );
      const joined = events
        .filter((e) => e.type === "response.function_call_arguments.delta")
        .map((e) => e.delta)
        .join("");
      assert.equal(joined, call.arguments);
    }),

  "rate limit": () =>
    withMock(["--fault", "429:1"], async (client) => {
      await assert.rejects(
        client.chat.completions.create({ model: "m", messages }),
        (error) =>
          error instanceof OpenAI.RateLimitError &&
          error.status === 429 &&
          error.code === "rate_limit_exceeded" &&
          error.headers.has("retry-after"),
      );
    }),

  "server error": () =>
    withMock(["--fault", "500:1"], async (client) => {
      await assert.rejects(
        client.responses.create({ model: "m", input: "x", stream: true }),
        (error) => error instanceof OpenAI.InternalServerError && error.status === 500,
      );
    }),

  "error inside a stream": () =>
    withMock(["--fault", "error:1"], async (client) => {
      const streams = [
        () => client.chat.completions.create({ model: "m", messages, stream: true }),
        () => client.completions.create({ model: "m", prompt: "x", stream: true }),
        () => client.responses.create({ model: "m", input: "x", stream: true }),
      ];
      for (const open of streams) {
        await assert.rejects(
          async () => collect(await open()),
          (error) => error instanceof OpenAI.APIError,
        );
      }
    }),

  "a request without messages": () =>
    withMock([], async (client) => {
      await assert.rejects(
        client.chat.completions.create({ model: "m" }),
        (error) => error instanceof OpenAI.BadRequestError && error.status === 400,
      );
    }),

  embeddings: () =>
    withMock([], async (client) => {
      const floats = await client.embeddings.create({
        model: "e",
        input: ["a", "b"],
        encoding_format: "float",
        dimensions: 5,
      });
      assert.equal(floats.data.length, 2);
      assert.equal(floats.data[1].index, 1);
      assert.equal(floats.data[0].embedding.length, 5);
      assert.equal(floats.usage.prompt_tokens, floats.usage.total_tokens);
      /* By itself the client asks for base64 and decodes it. */
      const decoded = await client.embeddings.create({
        model: "e",
        input: ["a", "b"],
        dimensions: 5,
      });
      assert.deepEqual(decoded.data, floats.data);
    }),

  "azure, whole and streamed": () =>
    withAzure(["--cached", "5"], async (client) => {
      const whole = await client.chat.completions.create({ model: "gpt", messages });
      assert.equal(whole.model, "gpt");
      assert.equal(whole.choices[0].message.content, text);
      checkUsage(whole.usage, TOKENS, 0, 5);
      const chunks = await collect(
        await client.chat.completions.create({
          model: "gpt",
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      assert.deepEqual(chunks[0].choices, []);
      assert.equal(chunks[0].prompt_filter_results.length, 1);
      assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? "").join(""), text);
      checkUsage(chunks.at(-1).usage, TOKENS, 0, 5);
    }),

  "azure, with a tool": () =>
    withAzure(["--tool", "get_weather"], async (client) => {
      const r = await client.chat.completions
        .stream({ model: "gpt", messages, tools })
        .finalChatCompletion();
      assert.equal(r.choices[0].finish_reason, "tool_calls");
      assert.equal(r.choices[0].message.tool_calls[0].function.name, "get_weather");
    }),

  "azure, embeddings": () =>
    withAzure([], async (client) => {
      const r = await client.embeddings.create({ model: "gpt", input: "a" });
      assert.equal(r.data[0].embedding.length, 8);
      assert.equal(r.model, "gpt");
    }),

  "azure, errors": () =>
    withAzure(["--fault", "429:1"], async (client) => {
      await assert.rejects(
        client.chat.completions.create({ model: "gpt", messages }),
        (error) => error instanceof OpenAI.RateLimitError && error.status === 429,
      );
    }),
});
