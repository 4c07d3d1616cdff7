import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../base/clock.ts";
import { openLog } from "./log.ts";
import { createLogReader } from "./log-reader.ts";

const root = mkdtempSync(join(tmpdir(), "reader-"));
after(() => rmSync(root, { recursive: true, force: true }));

type Step = { readonly kind: "line" | "roll" | "day" | "poll" };

test("whatever is rolled, by size or by day, a follower gets every line once and in order", async () => {
  const step = fc.record<Step>({ kind: fc.constantFrom("line", "line", "line", "roll", "day", "poll") });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isNamed) => {
      const folder = mkdtempSync(join(root, "any-"));
      let day = 1;
      let stamp = 1_000;
      let written = 0;
      const file = () => join(folder, isNamed ? "mine.log" : `x-2026-01-${String(day).padStart(2, "0")}.log`);
      let touches = 0;
      // files that are written within one tick of the file system's clock are told apart by their names alone
      const touch = (path: string) => {
        touches += 1;
        utimesSync(path, 1_000_000 + touches, 1_000_000 + touches);
      };
      writeFileSync(file(), "");
      touch(file());
      const reader = createLogReader(file);
      const seen: string[] = [];
      let { cursor } = await reader.read({});
      for (const { kind } of [...steps, { kind: "poll" } as const]) {
        if (kind === "line") {
          appendFileSync(file(), `line ${(written += 1)}\n`);
          touch(file());
        } else if (kind === "roll" && written > 0) {
          const aside = `${file()}.${(stamp += 1)}`;
          appendFileSync(file(), "");
          renameSync(file(), aside);
          writeFileSync(file(), "");
          touch(file());
        } else if (kind === "day") day = Math.min(day + 1, 28);
        else {
          const tail = await reader.read({ cursor });
          assert.equal(tail.reset, undefined);
          seen.push(...tail.lines);
          ({ cursor } = tail);
        }
      }
      assert.deepEqual(
        seen,
        Array.from({ length: written }, (_, index) => `line ${index + 1}`),
      );
    }),
    { numRuns: 150 },
  );
});

test("a log that rolls as fast as it can is followed without a hole", async () => {
  const clock = createManualClock();
  const folder = join(root, "fast");
  const limits = { maxFileBytes: 64 * 1024, maxTotalBytes: 4 * 1024 * 1024, keepDays: 14 };
  const opened = openLog({ folder, prefix: "x", clock, level: "info", consoleLevel: "silent", limits });
  opened.log.info("0");
  const reader = createLogReader(opened.file);
  const seen: string[] = [];
  let { cursor, lines } = await reader.read({});
  seen.push(...lines);
  for (let round = 1; round <= 20; round += 1) {
    for (let count = 0; count < 100; count += 1) opened.log.info("x".repeat(1_000));
    opened.log.info(String(round));
    await clock.advance(60 * 60 * 1000);
    ({ cursor, lines } = await reader.read({ cursor, limit: 5_000, maxBytes: 1_000_000 }));
    seen.push(...lines);
  }
  const messages = seen.map((line) => (JSON.parse(line) as { message: string }).message);
  assert.equal(messages.length, 1 + 20 * 101);
  assert.deepEqual(
    messages.filter((message) => message.length < 3),
    Array.from({ length: 21 }, (_, index) => String(index)),
  );
  opened.close();
});

test("what was read before and is gone, and a cursor of elsewhere, are told as a reset", async () => {
  const file = join(root, "gone-2026-01-01.log");
  writeFileSync(file, "one\ntwo\n");
  const reader = createLogReader(() => file);
  const { cursor } = await reader.read({});
  renameSync(file, join(root, "elsewhere"));
  writeFileSync(file, "three\n");
  const tail = await reader.read({ cursor });
  assert.deepEqual([tail.lines, tail.reset], [["three"], true]);
  const other = await reader.read({ cursor: 5_000 });
  assert.deepEqual([other.lines, other.reset], [["three"], true]);
});

test("another profile's log in the same folder is never read", async () => {
  const folder = mkdtempSync(join(root, "profiles-"));
  const own = join(folder, "x-2026-01-01.log");
  writeFileSync(own, "own\n");
  const reader = createLogReader(() => own);
  const { cursor } = await reader.read({});
  writeFileSync(join(folder, "x-dev-2026-01-01.log"), "other\n");
  renameSync(own, `${own}.1`);
  writeFileSync(own, "new\n");
  assert.deepEqual((await reader.read({ cursor })).lines, ["new"]);
});

test("a follower that fell behind gets the newest lines and is told", async () => {
  const file = join(root, "behind-2026-01-01.log");
  writeFileSync(file, "");
  const reader = createLogReader(() => file);
  const { cursor } = await reader.read({});
  appendFileSync(file, "one\ntwo\nthree\n");
  renameSync(file, `${file}.1`);
  writeFileSync(file, "four\nfive\n");
  const tail = await reader.read({ cursor, limit: 3 });
  assert.deepEqual([tail.lines, tail.truncated, tail.reset], [["three", "four", "five"], true, true]);
  const small = createLogReader(() => file);
  assert.deepEqual((await small.read({ maxBytes: 5 })).lines, ["five"]);
});
