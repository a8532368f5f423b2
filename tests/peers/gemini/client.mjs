// Google's client against `lens mock`: same text, same usage, same errors as from Gemini.
import assert from "node:assert/strict";
import { ApiError, GoogleGenAI } from "@google/genai";
import { collect, play, withMock } from "./mock.mjs";

const TOKENS = 8;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const model = "gemini-2.5-flash";
const contents = "Tell me about the river.";

const withClient = (flags, body) =>
  withMock(["--provider", "gemini", "--tokens", String(TOKENS), ...flags], (url) =>
    body(new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: url } })),
  );

const partsOf = (answers) =>
  answers.flatMap((a) => a.candidates?.[0]?.content?.parts ?? []);
const joined = (parts, thought) =>
  parts.filter((p) => Boolean(p.thought) === thought).map((p) => p.text ?? "").join("");

function checkUsage(usage, visible, thoughtCount = undefined, cached = undefined) {
  assert.ok(usage.promptTokenCount > 0);
  assert.equal(usage.candidatesTokenCount, visible);
  assert.equal(usage.thoughtsTokenCount, thoughtCount);
  assert.equal(usage.cachedContentTokenCount, cached);
  assert.equal(
    usage.totalTokenCount,
    usage.promptTokenCount + visible + (thoughtCount ?? 0),
  );
}

await play({
  whole: () =>
    withClient(["--cached", "5"], async (client) => {
      const r = await client.models.generateContent({ model, contents });
      assert.equal(r.text, text);
      assert.equal(r.candidates[0].finishReason, "STOP");
      assert.equal(r.modelVersion, model);
      assert.ok(r.responseId.length > 0);
      checkUsage(r.usageMetadata, TOKENS, undefined, 5);
    }),

  streamed: () =>
    withClient([], async (client) => {
      const all = await collect(
        await client.models.generateContentStream({ model, contents }),
      );
      assert.equal(joined(partsOf(all), false), text);
      assert.equal(all.at(-1).candidates[0].finishReason, "STOP");
      assert.equal(new Set(all.map((a) => a.responseId)).size, 1);
      checkUsage(all.at(-1).usageMetadata, TOKENS);
    }),

  thinking: () =>
    withClient(["--reasoning", "3"], async (client) => {
      const config = { thinkingConfig: { includeThoughts: true } };
      const whole = await client.models.generateContent({ model, contents, config });
      const all = await collect(
        await client.models.generateContentStream({ model, contents, config }),
      );
      assert.equal(joined(partsOf([whole]), true), thoughts);
      assert.equal(joined(partsOf(all), true), thoughts);
      assert.equal(joined(partsOf(all), false), joined(partsOf([whole]), false));
      const usage = whole.usageMetadata;
      checkUsage(usage, usage.candidatesTokenCount, 3);
      checkUsage(all.at(-1).usageMetadata, usage.candidatesTokenCount, 3);
    }),

  limited: () =>
    withClient([], async (client) => {
      const config = { maxOutputTokens: 3 };
      const r = await client.models.generateContent({ model, contents, config });
      assert.equal(r.text, "The river runs");
      assert.equal(r.candidates[0].finishReason, "MAX_TOKENS");
      checkUsage(r.usageMetadata, 3);
    }),

  tools: () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const config = {
        tools: [{ functionDeclarations: [{ name: "get_weather", description: "w" }] }],
      };
      const whole = await client.models.generateContent({ model, contents, config });
      const all = await collect(
        await client.models.generateContentStream({ model, contents, config }),
      );
      const calls = all.flatMap((a) => a.functionCalls ?? []);
      assert.equal(whole.functionCalls.length, 1);
      assert.equal(whole.functionCalls[0].name, "get_weather");
      assert.equal(typeof whole.functionCalls[0].args.text, "string");
      assert.deepEqual(calls, whole.functionCalls);
    }),

  "counts tokens": () =>
    withClient([], async (client) => {
      const r = await client.models.countTokens({ model, contents });
      assert.ok(r.totalTokens > 0);
    }),

  "embeds": () =>
    withClient([], async (client) => {
      const r = await client.models.embedContent({ model: "gemini-embedding-001", contents });
      assert.ok(r !== undefined);
    }),

  "lists the model": () =>
    withClient([], async (client) => {
      const models = await collect(await client.models.list());
      assert.equal(models.length, 1);
      assert.ok(models[0].name.startsWith("models/"));
    }),

  "errors by status": async () => {
    for (const status of [429, 500, 503])
      await withClient(["--fault", `${status}:1`], (client) =>
        assert.rejects(
          client.models.generateContent({ model, contents }),
          (error) => error instanceof ApiError && error.status === status,
        ),
      );
  },

  "error inside a stream": () =>
    withClient(["--fault", "error:1"], (client) =>
      assert.rejects(
        async () => collect(await client.models.generateContentStream({ model, contents })),
        (error) => error instanceof ApiError,
      ),
    ),

  "a request without contents": () =>
    withMock(["--provider", "gemini"], async (url) => {
      const r = await fetch(`${url}/v1beta/models/${model}:generateContent`, {
        method: "POST",
        body: "{}",
      });
      assert.equal(r.status, 400);
      assert.equal((await r.json()).error.status, "INVALID_ARGUMENT");
    }),
});
