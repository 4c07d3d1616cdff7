import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { keepCapturesSmall } from "./capture.ts";

const root = mkdtempSync(join(tmpdir(), "capture-"));
after(() => rmSync(root, { recursive: true, force: true }));

const limits = { maxBytes: 1_000, keptBytes: 100 };
const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`).join("");

test("output that is captured keeps its newest lines, at the start and every ten minutes", async () => {
  const path = join(root, "out.log");
  writeFileSync(path, lines(500));
  const descriptor = openSync(path, "a");
  const clock = createManualClock();
  const stop = keepCapturesSmall([{ descriptor, path }], clock, limits);
  const kept = readFileSync(path, "utf8");
  assert.match(kept, /^line \d+\n[\s\S]*line 499\n$/u);
  assert.ok(kept.length <= 100);

  writeSync(descriptor, lines(300));
  assert.ok(statSync(path).size > 1_000);
  await clock.advance(10 * 60_000);
  assert.match(readFileSync(path, "utf8"), /^line 2\d\d\n[\s\S]*line 299\n$/u);
  writeSync(descriptor, "the next\n");
  assert.match(readFileSync(path, "utf8"), /line 299\nthe next\n$/u, "no hole before what comes next");
  stop();
  writeSync(descriptor, lines(300));
  await clock.advance(60 * 60_000);
  assert.ok(statSync(path).size > 1_000, "it has ended");
  closeSync(descriptor);
});

test("a file that is not where we write to is left alone, and so is one that is small or none", () => {
  const path = join(root, "other.log");
  writeFileSync(path, lines(500));
  const small = join(root, "small.log");
  writeFileSync(small, lines(10));
  const descriptor = openSync(small, "a");
  const captures = [
    { descriptor, path },
    { descriptor, path: small },
    { descriptor, path: join(root, "none.log") },
    { descriptor: 9_999, path },
  ];
  keepCapturesSmall(captures, createManualClock(), limits)();
  assert.equal(readFileSync(path, "utf8"), lines(500));
  assert.equal(readFileSync(small, "utf8"), lines(10));
  closeSync(descriptor);
});
