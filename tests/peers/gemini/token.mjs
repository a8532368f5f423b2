// Service accounts: the JWT that lens signs is checked by jose, the token it gets for it is
// what the API sees.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as jose from "jose";
import { play, run, withServer } from "./mock.mjs";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const EMAIL = "lens@project.iam.gserviceaccount.com";
const answer = {
  candidates: [{ content: { parts: [{ text: "Hi" }], role: "model" }, finishReason: "STOP", index: 0 }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1, totalTokenCount: 4 },
};

/* Token endpoint and API in one; keeps what it saw. */
function google(seen, token) {
  return async (request) => {
    if (request.url.startsWith("/token")) {
      seen.tokens.push(new URLSearchParams(request.body.toString()));
      return token(seen.tokens.length);
    }
    seen.calls.push(request);
    return {
      headers: { "content-type": "text/event-stream" },
      body: `data: ${JSON.stringify(answer)}\r\n\r\n`,
    };
  };
}

const good = () => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ access_token: "ya29.lens", expires_in: 3600, token_type: "Bearer" }),
});

function runVertex(url, file, folder, count = 3) {
  return run([
    "run", "--json", "--quiet", "--provider", "gemini", "--url", url, "-m", "gemini-2.5-flash",
    "--set", "provider.vertex=true", "--set", "provider.project=p1",
    "--set", "provider.location=europe-west4", "--set", `provider.credentials_file=${file}`,
    "-n", String(count), "-o", join(folder, "run.lens"), "--force",
  ], { HOME: folder });
}

async function withFolder(body) {
  const folder = mkdtempSync(join(tmpdir(), "lens-google-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await play({
  "a service account's JWT": () =>
    withFolder(async (folder) => {
      const { publicKey, privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
      const seen = { tokens: [], calls: [] };
      await withServer(google(seen, good), async (url) => {
        const file = join(folder, "account.json");
        writeFileSync(file, JSON.stringify({
          type: "service_account",
          client_email: EMAIL,
          private_key_id: "kid-1",
          private_key: await jose.exportPKCS8(privateKey),
          token_uri: `${url}/token`,
        }));
        const r = await runVertex(url, file, folder);
        assert.equal(r.code, 0, r.stderr);
        assert.equal(JSON.parse(r.stdout).results[0].requests.ok, 3);
        /* Asked once for all requests. */
        assert.equal(seen.tokens.length, 1);
        assert.equal(
          seen.tokens[0].get("grant_type"),
          "urn:ietf:params:oauth:grant-type:jwt-bearer",
        );
        const jwt = await jose.jwtVerify(seen.tokens[0].get("assertion"), publicKey, {
          issuer: EMAIL,
          algorithms: ["RS256"],
        });
        assert.equal(jwt.protectedHeader.kid, "kid-1");
        assert.equal(jwt.payload.scope, SCOPE);
        assert.equal(jwt.payload.exp - jwt.payload.iat, 3600);
        for (const call of seen.calls) {
          assert.equal(call.headers.authorization, "Bearer ya29.lens");
          assert.equal(call.headers["x-goog-api-key"], undefined);
          assert.equal(
            call.url,
            "/v1beta1/projects/p1/locations/europe-west4/publishers/google/models/" +
              "gemini-2.5-flash:streamGenerateContent?alt=sse",
          );
        }
        assert.ok(!r.stdout.includes("ya29") && !r.stderr.includes("ya29"));
      });
    }),

  "an authorized user": () =>
    withFolder(async (folder) => {
      const seen = { tokens: [], calls: [] };
      await withServer(google(seen, good), async (url) => {
        const file = join(folder, "user.json");
        writeFileSync(file, JSON.stringify({
          type: "authorized_user",
          client_id: "id",
          client_secret: "secret",
          refresh_token: "refresh",
          token_uri: `${url}/token`,
        }));
        const r = await runVertex(url, file, folder);
        assert.equal(r.code, 0, r.stderr);
        assert.equal(seen.tokens[0].get("grant_type"), "refresh_token");
        assert.equal(seen.tokens[0].get("refresh_token"), "refresh");
        assert.ok(seen.calls.every((c) => c.headers.authorization === "Bearer ya29.lens"));
      });
    }),

  "a refused account": () =>
    withFolder(async (folder) => {
      const { privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
      const seen = { tokens: [], calls: [] };
      const refuse = () => ({
        status: 400,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ error: "invalid_grant", error_description: "Invalid JWT" }),
      });
      await withServer(google(seen, refuse), async (url) => {
        const file = join(folder, "account.json");
        writeFileSync(file, JSON.stringify({
          type: "service_account",
          client_email: EMAIL,
          private_key_id: "kid-1",
          private_key: await jose.exportPKCS8(privateKey),
          token_uri: `${url}/token`,
        }));
        const r = await runVertex(url, file, folder);
        assert.notEqual(r.code, 0);
        assert.match(r.stderr + r.stdout, /invalid_grant|Invalid JWT/);
        assert.equal(seen.calls.length, 0);
      });
    }),
});
