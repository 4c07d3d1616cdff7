import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import type { LogLevel } from "../base/log.ts";
import { openLog } from "./log.ts";

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
  const lines = () =>
    readFileSync(opened.file(), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { clock, shown, lines, ...opened };
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
  const { log, lost, clock, shown, lines, close } = open(join(root, "blocked"));
  log.info("one");
  log.info("two");
  assert.equal(lost(), 2);
  assert.equal(shown.filter(([, line]) => line.includes("cannot be written")).length, 1);
  rmSync(join(root, "blocked"));
  await clock.advance(6_000);
  log.info("three");
  assert.equal(lost(), 2);
  assert.deepEqual(
    lines().map(({ message, lost: missing }) => [message, missing]),
    [
      ["three", undefined],
      ["lines were lost: the log file could not be written", 2],
    ],
  );
  close();
});

test("every line is JSON of its own, whatever is masked in it", () => {
  const { log, lines, close } = open(join(root, "json"));
  log.info("one", { hasToken: false, password: null, token: 4096, key: "-----BEGIN PRIVATE KEY-----\nMIIEvQ" });
  log.info('two "quoted" password="a', { note: '{"password":"x y"}' });
  log.info("three", { level: "high", time: 0 });
  assert.deepEqual(
    lines().map(({ level, message }) => [level, message]),
    [
      ["info", "one"],
      ["info", 'two "quoted" password="***'],
      ["info", "three"],
    ],
  );
  close();
});

test("nothing that is logged, and no console, throws into the caller", () => {
  const opened = openLog({
    folder: join(root, "throwing"),
    prefix: "openclaw",
    clock: createManualClock(),
    level: "info",
    consoleLevel: "info",
    console() {
      throw new Error("EPIPE");
    },
  });
  const cyclic: Record<string, unknown> = { big: 1n };
  cyclic["self"] = cyclic;
  opened.log.error("broken", { cyclic, error: new Error("x", { cause: cyclic }) });
  assert.equal(opened.lost(), 0);
  assert.match(readFileSync(opened.file(), "utf8"), /"message":"broken"/u);
  opened.close();
});

test("a stranger's text stays on one line of the console and moves no cursor", () => {
  const { log, shown, close } = open(join(root, "console"));
  log.info("from \u001B[2Jann\r\n00:00:00 [gateway] forged", { name: "\u001B]0;title\u0007\u009Bx" });
  assert.doesNotMatch(shown[0]?.[1] ?? "", /\p{Cc}/u);
  close();
});

test("a full file is moved aside; files over the budget go, and those of another profile stay", () => {
  const folder = join(root, "full");
  mkdirSync(folder);
  const { log, file, lines, close } = open(folder);
  const sparse = (name: string, megabytes: number) => {
    writeFileSync(name, "");
    truncateSync(name, megabytes * 1024 * 1024);
  };
  sparse(file(), 50);
  sparse(join(folder, "openclaw-2001-01-01.log"), 190);
  sparse(join(folder, "openclaw-dev-2001-01-01.log"), 190);
  log.info("first of the new file");
  assert.deepEqual(lines().length, 1);
  const names = readdirSync(folder).toSorted();
  assert.equal(names.filter((name) => /^openclaw-\d{4}-\d\d-\d\d\.log/u.test(name)).length, 2, names.join());
  assert.ok(names.includes("openclaw-dev-2001-01-01.log") && !names.includes("openclaw-2001-01-01.log"), names.join());
  close();
});

test("a file that is named takes the lines of every day, and rolls when it is full", async () => {
  const folder = join(root, "named");
  const file = join(folder, "deep", "mine.log");
  const clock = createManualClock();
  const opened = openLog({ folder, prefix: "openclaw", file, clock, level: "info", consoleLevel: "silent" });
  opened.log.info("first");
  await clock.advance(3 * 24 * 3_600_000);
  opened.log.info("three days later");
  assert.equal(opened.file(), file);
  assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 2);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  opened.close();

  const aside = ["mine.log.1", "mine.log.2", "mine.log.old", "other.log"];
  for (const name of aside) {
    writeFileSync(join(folder, "deep", name), "");
    truncateSync(join(folder, "deep", name), 90 * 1024 * 1024);
  }
  truncateSync(file, 50 * 1024 * 1024);
  const again = openLog({ folder, prefix: "openclaw", file, clock, level: "info", consoleLevel: "silent" });
  again.log.info("in a new one");
  assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 1);
  const names = readdirSync(join(folder, "deep"));
  assert.ok(names.includes(`mine.log.${clock.now()}`), names.join());
  assert.ok(names.includes("mine.log.old") && names.includes("other.log"), "what is not ours stays");
  assert.equal(names.filter((name) => name === "mine.log.1" || name === "mine.log.2").length, 1, "over the budget");
  again.close();
  assert.deepEqual(readdirSync(folder), ["deep"], "no dated file beside it");
});

test("a blank name is no name", () => {
  const folder = join(root, "blank");
  const opened = openLog({
    folder,
    prefix: "openclaw",
    file: " ",
    clock: createManualClock(),
    level: "info",
    consoleLevel: "silent",
  });
  opened.log.info("x");
  assert.match(opened.file(), /openclaw-\d{4}-\d\d-\d\d\.log$/u);
  opened.close();
});

test("a file that was taken away is made again", async () => {
  const { log, file, clock, lines, close } = open(join(root, "cleaned"));
  log.info("one");
  rmSync(file());
  await clock.advance(5_000);
  log.info("two");
  assert.deepEqual(
    lines().map(({ message }) => message),
    ["two"],
  );
  close();
});

test("a last line that was cut short is not continued", () => {
  const folder = join(root, "torn");
  mkdirSync(folder);
  const { log, file, close } = open(folder);
  appendFileSync(file(), '{"message":"tor');
  log.info("whole");
  assert.match(readFileSync(file(), "utf8"), /^\{"message":"tor\n\{.*"message":"whole"\}\n$/u);
  close();
});

test("a link in the place of the file is not followed, and a file that others may read is closed to them", () => {
  const folder = join(root, "links");
  mkdirSync(folder);
  const victim = join(root, "victim");
  const linked = open(folder);
  symlinkSync(victim, linked.file());
  linked.log.info("x");
  assert.deepEqual([linked.lost(), existsSync(victim)], [1, false]);
  linked.close();

  const open0644 = open(join(root, "loose"));
  mkdirSync(join(root, "loose"));
  writeFileSync(open0644.file(), "", { mode: 0o644 });
  open0644.log.info("x");
  assert.equal(statSync(open0644.file()).mode & 0o777, 0o600);
  open0644.close();
});

/** Limits of a test's own, and what has been shown. */
function openLimited(folder: string, limits: { maxFileBytes: number; maxTotalBytes: number; keepDays: number }) {
  const clock = createManualClock();
  const opened = openLog({ folder, prefix: "openclaw", clock, level: "info", consoleLevel: "silent", limits });
  return { clock, ...opened };
}

test("however much is logged, the files together stay within the budget, and no line is lost before it is due", () => {
  const folder = join(root, "budget");
  const limits = { maxFileBytes: 64 * 1024, maxTotalBytes: 256 * 1024, keepDays: 14 };
  const { log, lost, close } = openLimited(folder, limits);
  const sizes = () => readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const total = () => sizes().reduce((sum, size) => sum + size, 0);
  let most = 0;
  for (let index = 0; index < 8_000; index += 1) {
    log.info("x".repeat(200), { index });
    if (index % 50 === 0) most = Math.max(most, total());
  }
  close();
  assert.equal(lost(), 0);
  assert.ok(most <= limits.maxTotalBytes + 1_000, `${most} bytes`);
  assert.ok(most > limits.maxTotalBytes / 2, "the budget is used");
  const indexes = readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n"))
    .map((text) => (JSON.parse(text) as { index: number }).index)
    .toSorted((a, b) => a - b);
  assert.equal(indexes.at(-1), 7_999);
  assert.equal(indexes.length, 8_000 - (indexes[0] ?? 0), "what is kept has no hole");
});

test("old files go by age, and changed limits count with the next file", async () => {
  const folder = join(root, "age");
  mkdirSync(folder);
  const limits = { maxFileBytes: 1024 * 1024, maxTotalBytes: 10 * 1024 * 1024, keepDays: 3 };
  const { log, clock, close } = openLimited(folder, limits);
  for (const days of [2, 4]) {
    const path = join(folder, `openclaw-2001-01-0${days}.log`);
    writeFileSync(path, "x\n");
    const at = clock.now() / 1000 - days * 24 * 3_600;
    utimesSync(path, at, at);
  }
  log.info("one");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes("2001")),
    ["openclaw-2001-01-02.log"],
  );
  limits.keepDays = 1;
  await clock.advance(24 * 3_600_000);
  log.info("two");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes("2001")),
    [],
  );
  close();
});

test("why lines are lost is told as long as they are", async () => {
  writeFileSync(join(root, "in-the-way"), "");
  const { log, trouble, clock, close } = open(join(root, "in-the-way"));
  assert.equal(trouble(), undefined);
  log.info("one");
  log.info("two");
  assert.equal(trouble()?.lost, 2);
  assert.match(trouble()?.reason ?? "", /EEXIST|ENOTDIR/u);
  rmSync(join(root, "in-the-way"));
  await clock.advance(6_000);
  log.info("three");
  assert.equal(trouble(), undefined);
  close();
});
