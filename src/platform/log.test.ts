import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import type { LogLevel } from "../base/log.ts";
import { openLog } from "./log.ts";
import { tailLog } from "./log-tail.ts";

const root = mkdtempSync(join(tmpdir(), "log-"));
after(() => rmSync(root, { recursive: true, force: true }));

function open(folder: string) {
  const clock = createManualClock();
  const shown: [LogLevel, string][] = [];
  const opened = openLog({
    folder,
    prefix: "openclaw",
    clock,
    level: "debug",
    consoleLevel: "info",
    console: (line, level) => shown.push([level, line]),
  });
  return { clock, shown, ...opened };
}

test("a line is one JSON object in a private, dated file, and a short line on the console", () => {
  const { log, file, shown, close } = open(join(root, "a"));
  log.child("channels/telegram").warn("trouble", { reason: "x y", attempt: 2 });
  log.debug("only in the file");
  close();
  const lines = readFileSync(file(), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    { ...lines[0], time: undefined },
    { level: "warn", time: undefined, subsystem: "channels/telegram", reason: "x y", attempt: 2, message: "trouble" },
  );
  assert.equal(lines.length, 2);
  assert.match(file(), /openclaw-\d{4}-\d\d-\d\d\.log$/u);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.equal(shown.length, 1);
  assert.match(shown[0]?.[1] ?? "", /^\d\d:\d\d:\d\d \[telegram\] trouble reason="x y" attempt=2$/u);
});

test("secrets reach neither file nor console, not even inside the cause of an error", () => {
  const { log, file, shown, close } = open(join(root, "b"));
  const cause = new Error("GET https://api.telegram.org/bot123456:AAAAAAAAAAAAAAAAAAAAAAAA/getMe failed");
  log.error("failed", { error: new Error("outer", { cause }), config: { botToken: "hunter2hunter2" } });
  close();
  const text = readFileSync(file(), "utf8") + JSON.stringify(shown);
  assert.ok(!text.includes("AAAAAAAA") && !text.includes("hunter2"), text);
});

test("a new day gets a new file", async () => {
  const { log, file, clock, close } = open(join(root, "c"));
  log.info("monday");
  const first = file();
  await clock.advance(24 * 60 * 60 * 1000);
  log.info("tuesday");
  close();
  assert.notEqual(file(), first);
  assert.equal(readdirSync(join(root, "c")).length, 2);
});

test("a disk that refuses loses lines, counts them, and is tried again later", async () => {
  writeFileSync(join(root, "blocked"), "a file where the folder should be");
  const { log, lost, clock, close } = open(join(root, "blocked"));
  log.info("one");
  log.info("two");
  assert.equal(lost(), 2);
  rmSync(join(root, "blocked"));
  await clock.advance(6_000);
  log.info("three");
  assert.equal(lost(), 2);
  assert.ok(statSync(join(root, "blocked")).isDirectory());
  close();
});

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
