// What lens encodes is read by hdr-histogram-js with the same counts and the same buckets,
// and what that encodes is read by lens.
//
//   node check.js HDR_PEER MODULE_DIR
"use strict";

const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const path = require("node:path");

const [peer, modules] = process.argv.slice(2);
const hdr = require(path.join(modules, "hdr-histogram-js"));

function bucketOf(histogram, value) {
  return [
    Number(histogram.lowestEquivalentValue(value)),
    Number(histogram.highestEquivalentValue(value)),
  ];
}

function readsOurs() {
  const written = JSON.parse(execFileSync(peer, ["write"], { maxBuffer: 1 << 28 }));
  for (const ours of written) {
    const theirs = hdr.decodeFromCompressedBase64(ours.encoding, 64);
    assert.equal(theirs.numberOfSignificantValueDigits, 4, ours.name);
    assert.equal(Number(theirs.totalCount), ours.count, ours.name);
    for (const { q, low, high } of ours.quantiles) {
      if (q === 1 && ours.overflow > 0) continue; // beyond every bucket of ours
      const value = Number(theirs.getValueAtPercentile(q * 100));
      assert.deepEqual(bucketOf(theirs, value), [low, high], `${ours.name}: ${q}`);
    }
    console.log(`lens -> hdr-histogram-js: ${ours.name}, ${ours.count} values`);
  }
}

function build(digits, lowest) {
  const histogram = hdr.build({
    bitBucketSize: 64,
    lowestDiscernibleValue: lowest,
    highestTrackableValue: 3600000000000,
    numberOfSignificantValueDigits: digits,
  });
  let state = digits;
  for (let i = 0; i < 100000; i++) {
    state = (state * 48271) % 2147483647;
    histogram.recordValue(Math.floor(Math.exp((state / 2147483647) * Math.log(3.6e12))));
  }
  return histogram;
}

function isReadByUs() {
  const cases = [1, 2, 3, 4, 5].flatMap((digits) => [[digits, 1], [digits, 1000]]);
  const histograms = cases.map(([digits, lowest]) => build(digits, lowest));
  const input = histograms.map((h) => hdr.encodeIntoCompressedBase64(h) + "\n").join("");
  const lines = execFileSync(peer, ["read"], { input }).toString().trim().split("\n");
  assert.equal(lines.length, cases.length);
  lines.forEach((line, i) => {
    const ours = JSON.parse(line);
    const theirs = histograms[i];
    assert.equal(ours.count, Number(theirs.totalCount));
    for (const { q, value } of ours.quantiles) {
      const [low, high] = bucketOf(theirs, Number(theirs.getValueAtPercentile(q * 100)));
      const own = value / 10000 + 512; // a bucket of ours
      assert.ok(value >= low - own && value <= high + own, `${cases[i]} ${q}: ${value}`);
    }
    console.log(`hdr-histogram-js -> lens: ${cases[i][0]} digits from ${cases[i][1]}`);
  });
}

readsOurs();
isReadByUs();
