import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { tailLog } from "./log-tail.ts";

const root = mkdtempSync(join(tmpdir(), "tail-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("tail reads on from its cursor and never splits a line", async () => {
  const file = join(root, "openclaw-2026-01-02.log");
  writeFileSync(file, "one\ntwo\nthr");
  const first = await tailLog(file);
  assert.deepEqual([first.lines, first.cursor], [["one", "two"], 8]);
  writeFileSync(file, "one\ntwo\nthree\nfour\n");
  const second = await tailLog(file, { cursor: first.cursor });
  assert.deepEqual([second.lines, second.reset], [["three", "four"], undefined]);
  assert.deepEqual((await tailLog(file, { limit: 1 })).lines, ["four"]);
  assert.deepEqual((await tailLog(file, { maxBytes: 8 })).lines, ["four"]);
});

test("a rotated file is told, and a missing one gives the newest beside it", async () => {
  const file = join(root, "openclaw-2026-01-02.log");
  writeFileSync(file, "new\n");
  const rotated = await tailLog(file, { cursor: 5_000 });
  assert.deepEqual([rotated.lines, rotated.reset], [["new"], true]);
  assert.equal((await tailLog(join(root, "openclaw-2026-01-09.log"))).file, file);
  assert.deepEqual((await tailLog(join(root, "nowhere", "x-2026-01-01.log"))).lines, []);
});

test(
  "a pipe or a folder in the place of the file is an error, and nobody waits for it",
  { skip: process.platform === "win32", timeout: 20_000 },
  async () => {
    const file = join(root, "odd-2026-01-02.log");
    execFileSync("mkfifo", [file]);
    await assert.rejects(tailLog(file), /odd-2026-01-02\.log is no file/u);
    rmSync(file);
    mkdirSync(file);
    await assert.rejects(tailLog(file), /is no file/u);
  },
);

test("the byte limit leaves out older lines and says so; a line that begins at the limit is whole", async () => {
  const file = join(root, "limits-2026-01-02.log");
  writeFileSync(file, "first\nsecond\nthird\n");
  const cut = await tailLog(file, { maxBytes: 13 });
  assert.deepEqual([cut.lines, cut.truncated, cut.reset], [["second", "third"], true, undefined]);
  const behind = await tailLog(file, { cursor: 0, maxBytes: 7 });
  assert.deepEqual([behind.lines, behind.truncated, behind.reset], [["third"], true, true]);
});

test("over midnight, until the first line of the day, the cursor goes on in the file of yesterday", async () => {
  const folder = mkdtempSync(join(root, "midnight-"));
  const yesterday = join(folder, "x-2026-01-01.log");
  const today = join(folder, "x-2026-01-02.log");
  writeFileSync(yesterday, "one\n");
  const first = await tailLog(yesterday);
  const second = await tailLog(today, { cursor: first.cursor });
  assert.deepEqual([second.file, second.lines, second.reset], [yesterday, [], undefined]);
});

test("a last line that was cut short in an older file is not a rotation, however long it is and however often it is asked", async () => {
  const folder = mkdtempSync(join(root, "torn-"));
  const older = join(folder, "x-2026-01-01.log");
  const today = join(folder, "x-2026-01-02.log");
  writeFileSync(older, `one\n${"torn ".repeat(20)}`);
  let { cursor } = await tailLog(today, { maxBytes: 10 });
  for (let count = 0; count < 3; count += 1) {
    const tail = await tailLog(today, { cursor, maxBytes: 10 });
    assert.deepEqual([tail.file, tail.lines, tail.reset, tail.truncated], [older, [], undefined, undefined]);
    ({ cursor } = tail);
  }
  appendFileSync(older, "end\ntwo\n");
  const whole = await tailLog(today, { cursor, maxBytes: 100 });
  assert.deepEqual([whole.lines.at(-1), whole.reset], ["two", true]);
});

test("a cursor of another file is noticed by the middle of a line that it points into", async () => {
  const file = join(root, "other-2026-01-02.log");
  writeFileSync(file, "a line that is long\nnext\n");
  const tail = await tailLog(file, { cursor: 7 });
  assert.deepEqual([tail.lines, tail.reset], [["a line that is long", "next"], true]);
});

test("however the file grows, polling gives every line once, whole and in order", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "))),
      fc.array(fc.nat({ max: 40 })),
      async (expected, steps) => {
        const file = join(root, `grow-${(count += 1)}-2026-01-02.log`);
        writeFileSync(file, "");
        const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(""));
        const seen: string[] = [];
        let { cursor } = await tailLog(file);
        let at = 0;
        for (const step of [...steps, bytes.length]) {
          appendFileSync(file, bytes.subarray(at, at + step));
          at += step;
          const tail = await tailLog(file, { cursor });
          assert.equal(tail.reset, undefined);
          seen.push(...tail.lines);
          ({ cursor } = tail);
        }
        assert.deepEqual(seen, expected);
      },
    ),
    { numRuns: 60 },
  );
});
