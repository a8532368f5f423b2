// Starts programs and servers for one scenario and stops them afterwards.
import { execFile, spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const lens = process.argv[2];

/* `lens mock` with flags; `body` gets its URL. */
export async function withMock(flags, body) {
  const child = spawn(
    lens,
    ["mock", "--port", "0", "--ttft", "2ms", "--itl", "1ms", ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  try {
    const url = await new Promise((resolve, reject) => {
      const look = (line) => {
        const found = line.match(/http:\/\/\S+/);
        if (found) resolve(found[0]);
      };
      createInterface({ input: child.stdout }).on("line", look);
      createInterface({ input: child.stderr }).on("line", look);
      child.on("exit", (code) => reject(new Error(`lens mock ended with ${code}`)));
    });
    return await body(url);
  } finally {
    child.removeAllListeners("exit");
    child.kill();
  }
}

/* A server that answers as `handle` says: (request with body) => {status, headers, body}.
 */
export async function withServer(handle, body) {
  const server = createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", async () => {
      request.body = Buffer.concat(pieces);
      const answer = await handle(request);
      response.writeHead(answer.status ?? 200, answer.headers ?? {});
      response.end(answer.body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await body(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/* Runs lens; gives {code, stdout, stderr}. */
export function run(args, environment = {}, input = "") {
  return new Promise((resolve) => {
    const child = execFile(
      lens,
      args,
      { env: { PATH: process.env.PATH, ...environment }, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
    child.stdin.end(input);
  });
}

export async function collect(stream) {
  const all = [];
  for await (const one of stream) all.push(one);
  return all;
}

/* Runs all and exits with 1 if one failed. */
export async function play(scenarios) {
  let failed = 0;
  for (const [name, scenario] of Object.entries(scenarios)) {
    try {
      await scenario();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  process.exitCode = failed === 0 ? 0 : 1;
}
