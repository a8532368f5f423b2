// Requests that lens signs, signed again by AWS's own signer: both come to the same.
import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Sha256 } from "@aws-crypto/sha256-js";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import { play, run, withServer } from "./mock.mjs";

const KEY = "AKIDEXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const codec = new EventStreamCodec(toUtf8, fromUtf8);
const string = (value) => ({ type: "string", value });
const event = (name, payload) =>
  Buffer.from(codec.encode({
    headers: { ":message-type": string("event"), ":event-type": string(name) },
    body: fromUtf8(JSON.stringify(payload)),
  }));
const stream = Buffer.concat([
  event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } }),
  event("messageStop", { stopReason: "end_turn" }),
  event("metadata", { usage: { inputTokens: 5, outputTokens: 1, totalTokens: 6 } }),
]);

/* Signs what arrived the way AWS's clients do, and compares. */
async function check(request, token) {
  const authorization = request.headers.authorization ?? "";
  const [, region, names] = authorization.match(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+), Signature=[0-9a-f]{64}$/,
  ) ?? assert.fail(`not a signature: ${authorization}`);
  const signed = names.split(";");
  const stamp = request.headers["x-amz-date"];
  const date = new Date(
    stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  assert.ok(Math.abs(Date.now() - date.getTime()) < 60_000);
  for (const name of ["host", "x-amz-date", "content-type"]) assert.ok(signed.includes(name), name);
  assert.equal(request.headers["x-amz-security-token"], token);
  const signer = new SignatureV4({
    region,
    service: "bedrock",
    sha256: Sha256,
    applyChecksum: signed.includes("x-amz-content-sha256"),
    credentials: { accessKeyId: KEY, secretAccessKey: SECRET, sessionToken: token },
  });
  const headers = Object.fromEntries(
    signed
      .filter((n) => !["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"].includes(n))
      .map((n) => [n, request.headers[n]]),
  );
  const again = await signer.sign(
    new HttpRequest({
      method: request.method,
      protocol: "http:",
      hostname: "127.0.0.1",
      path: request.url,
      headers,
      body: request.body,
    }),
    { signingDate: date },
  );
  assert.equal(authorization, again.headers.authorization);
  return region;
}

async function runSigned(model, environment, settings, token) {
  const folder = mkdtempSync(join(tmpdir(), "lens-aws-"));
  const seen = [];
  try {
    if (settings.profile !== undefined) {
      mkdirSync(join(folder, ".aws"));
      writeFileSync(join(folder, ".aws", "credentials"), settings.profile);
    }
    await withServer(
      async (request) => {
        seen.push(request);
        return {
          headers: { "content-type": "application/vnd.amazon.eventstream" },
          body: stream,
        };
      },
      async (url) => {
        const r = await run(
          ["run", "--json", "--quiet", "--provider", "bedrock", "--url", url, "-m", model, "-n", "2",
            "-o", join(folder, "run.lens"), ...(settings.flags ?? [])],
          { HOME: folder, ...environment },
        );
        assert.equal(r.code, 0, r.stderr);
        assert.equal(JSON.parse(r.stdout).results[0].requests.ok, 2);
        assert.ok(!(r.stdout + r.stderr).includes(SECRET));
      },
    );
    assert.ok(seen.length >= 2);
    const regions = new Set();
    for (const request of seen) regions.add(await check(request, token));
    assert.equal(regions.size, 1);
    return { seen, region: [...regions][0] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const environment = { AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: SECRET };

await play({
  "keys of the environment": async () => {
    const { seen, region } = await runSigned(
      "anthropic.claude-3-haiku-20240307-v1:0",
      { ...environment, AWS_REGION: "eu-central-1" },
      {},
      undefined,
    );
    assert.equal(region, "eu-central-1");
    assert.equal(
      seen[0].url,
      "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream",
    );
  },

  "a session token, and the other variable for the region": async () => {
    const { region } = await runSigned("m", { ...environment, AWS_DEFAULT_REGION: "sa-east-1", 
      AWS_SESSION_TOKEN: "FwoGZXIvYXdzE//token=" }, {}, "FwoGZXIvYXdzE//token=");
    assert.equal(region, "sa-east-1");
  },

  "an ARN in the path": async () => {
    const { seen } = await runSigned(
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x",
      environment,
      {},
      undefined,
    );
    assert.ok(seen[0].url.includes("%3A123456789012%3Ainference-profile%2Fus.anthropic"));
  },

  "a profile": async () => {
    const profile = `[work]\naws_access_key_id = ${KEY}\naws_secret_access_key = ${SECRET}\nregion = ap-south-1\n`;
    const { region } = await runSigned("m", {}, {
      profile,
      flags: ["--set", "provider.profile=work"],
    }, undefined);
    assert.equal(region, "ap-south-1");
  },

  "a credential process": async () => {
    const json = JSON.stringify({ Version: 1, AccessKeyId: KEY, SecretAccessKey: SECRET });
    const folder = mkdtempSync(join(tmpdir(), "lens-process-"));
    try {
      writeFileSync(join(folder, "keys.json"), json);
      await runSigned("m", {}, {
        flags: ["--set", `provider.credential_process=cat ${join(folder, "keys.json")}`],
      }, undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});
