// Ollama's client against `lens mock`: same text, counts, finish and errors as from Ollama.
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import { collect, play, withMock } from "./mock.mjs";

const TOKENS = 8;
const REASONING = 3;
const text = "The river runs past the mill and under";
const thoughts = "The river runs";
const plain = {
  model: "llama3.2",
  messages: [{ role: "user", content: "Tell me about the river." }],
};
const tools = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object" } } },
];

const withClient = (flags, body) =>
  withMock(["--provider", "ollama", "--tokens", String(TOKENS), ...flags], (url) =>
    body(new Ollama({ host: url })),
  );

function checkCounts(last, output) {
  assert.equal(last.done, true);
  assert.ok(last.prompt_eval_count > 0);
  assert.equal(last.eval_count, output);
  for (const name of ["total", "load", "prompt_eval", "eval"])
    assert.ok(last[`${name}_duration`] > 0);
}

await play({
  "lists the model": () =>
    withClient([], async (client) => {
      assert.equal((await client.list()).models.length, 1);
    }),

  whole: () =>
    withClient([], async (client) => {
      const r = await client.chat(plain);
      assert.equal(r.message.content, text);
      assert.equal(r.done_reason, "stop");
      checkCounts(r, TOKENS);
    }),

  streamed: () =>
    withClient([], async (client) => {
      const lines = await collect(await client.chat({ ...plain, stream: true }));
      assert.equal(lines.map((l) => l.message.content).join(""), text);
      assert.equal(lines.at(-1).done_reason, "stop");
      checkCounts(lines.at(-1), TOKENS);
    }),

  generate: () =>
    withClient(["--reasoning", String(REASONING)], async (client) => {
      const ask = { model: "llama3.2", prompt: "Tell me about the river." };
      const lines = await collect(await client.generate({ ...ask, stream: true }));
      assert.equal(lines.map((l) => l.response).join(""), text);
      assert.equal(lines.map((l) => l.thinking ?? "").join(""), thoughts);
      checkCounts(lines.at(-1), TOKENS + REASONING);
      const r = await client.generate(ask);
      assert.equal(r.response, text);
      assert.equal(r.thinking, thoughts);
    }),

  thinking: () =>
    withClient(["--reasoning", String(REASONING)], async (client) => {
      const lines = await collect(await client.chat({ ...plain, think: true, stream: true }));
      assert.equal(lines.map((l) => l.message.thinking ?? "").join(""), thoughts);
      assert.equal(lines.map((l) => l.message.content).join(""), text);
      const r = await client.chat({ ...plain, think: true });
      assert.equal(r.message.thinking, thoughts);
      assert.equal(r.message.content, text);
    }),

  tools: () =>
    withClient(["--tool", "get_weather"], async (client) => {
      const lines = await collect(await client.chat({ ...plain, tools, stream: true }));
      const calls = lines.flatMap((l) => l.message.tool_calls ?? []);
      assert.equal(calls.length, 1);
      assert.equal(calls[0].function.name, "get_weather");
      assert.ok(calls[0].function.arguments.text.length > 0);
      const r = await client.chat({ ...plain, tools });
      assert.deepEqual(r.message.tool_calls[0].function, calls[0].function);
    }),

  "a limit": () =>
    withClient([], async (client) => {
      const r = await client.chat({ ...plain, options: { num_predict: 3 } });
      assert.equal(r.done_reason, "length");
      checkCounts(r, 3);
    }),

  "a refused request": () =>
    withClient(["--fault", "503:1"], async (client) => {
      await assert.rejects(client.chat(plain), (error) => {
        assert.equal(error.status_code, 503);
        assert.ok(error.error.length > 0);
        return true;
      });
    }),

  "an error in the stream": () =>
    withClient(["--fault", "error:1"], async (client) => {
      await assert.rejects(
        async () => collect(await client.chat({ ...plain, stream: true })),
        /./,
      );
    }),
});
