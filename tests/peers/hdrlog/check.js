// A log of lens, read by hdr-histogram-js: its lines add up to what lens shows.
//
//   node check.js LENS MODULE_DIR
"use strict";

const assert = require("node:assert");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [lens, modules] = process.argv.slice(2);
const hdr = require(path.join(modules, "hdr-histogram-js"));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lens-hdrlog-"));

function call(...args) {
  const done = spawnSync(path.resolve(lens), args, { cwd: folder, encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

function readLog(name) {
  const reader = new hdr.HistogramLogReader(fs.readFileSync(path.join(folder, name), "utf8"), 64);
  const lines = [];
  for (let h; (h = reader.nextIntervalHistogram()) !== null; ) lines.push(h);
  return { lines, start: reader.startTimeSec };
}

function check(name, summary) {
  const { lines, start } = readLog(name);
  const began = Date.parse(summary.run.started_at) / 1000;
  assert.ok(Math.abs(start - began) < 0.002, `starts at ${start}, the run at ${began}`);
  const latency = summary.results[0].latency;
  for (const metric of ["ttft", "itl", "e2e"]) {
    const own = lines.filter((h) => h.tag === metric);
    assert.ok(own.length > 2, `${metric}: ${own.length} lines`);
    for (let i = 1; i < own.length; i++) assert.ok(own[i].startTimeStampMsec >= own[i - 1].endTimeStampMsec - 1);
    const sum = own[0].copy ? own[0] : own[0];
    for (const h of own.slice(1)) sum.add(h);
    assert.equal(Number(sum.totalCount), latency[metric].count, metric);
    for (const [stat, q] of [["p50", 50], ["p99", 99]]) {
      const value = Number(sum.getValueAtPercentile(q)) / 1e6;
      const shown = latency[metric][stat];
      assert.ok(Math.abs(value - shown) <= Math.max(0.0006, shown * 1e-4), `${metric} ${stat}: ${value}, ${shown}`);
    }
  }
  return lines.length;
}

try {
  const summary = JSON.parse(call("run", "-n", "200", "-c", "8", "--interval", "300ms", "-o", "a.lens", "--json",
    "--quiet", "--export", "hdrlog:path=a.hlog"));
  const count = check("a.hlog", summary);
  const whole = fs.readFileSync(path.join(folder, "a.hlog"));
  assert.match(whole.toString(), /^#\[Histogram log format version 1\.3\]\n/);

  // From the run file it is the same log, also over one that was torn.
  call("export", "a.lens", "--to", "hdrlog:name=b,path=b.hlog");
  assert.deepEqual(fs.readFileSync(path.join(folder, "b.hlog")), whole);
  fs.writeFileSync(path.join(folder, "b.hlog"), whole.subarray(0, whole.length / 2));
  call("export", "a.lens", "--to", "hdrlog:name=b,path=b.hlog", "--again");
  assert.deepEqual(fs.readFileSync(path.join(folder, "b.hlog")), whole);
  console.log(`hdr-histogram-js reads ${count} lines as lens shows them`);
} finally {
  fs.rmSync(folder, { recursive: true });
}
