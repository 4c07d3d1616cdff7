import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { renderChart } from "./chart.ts";
import { digestTimeline, readTimeline } from "./timeline.ts";

const minute = { lag: { p50: 0, p99: 1, max: 1 }, busy: 0.1, rss: 80_000_000, channels: [] };
const line = (at: number, kind: string, rest: object = {}, pid = 7) => JSON.stringify({ at, kind, pid, ...rest });
const start = (at: number, isFirst = true, pid = 7) =>
  line(at, "start", { version: "1", node: "24", config: "file", isFirst }, pid);

test("each life has the end that its lines tell of, and none when they tell nothing (R45)", () => {
  const text = [
    line(50, "minute", minute),
    start(100),
    line(110, "up", { ms: 10, steps: [["config", 4]], config: "file" }),
    line(200, "stopping", { why: "restart: SIGUSR1" }),
    line(210, "stopped", { ms: 10 }),
    start(220, false),
    line(300, "minute", minute),
    start(400, true, 8),
    line(410, "failed", { code: "port_busy", reason: "taken" }, 8),
    start(500, true, 9),
    line(510, "up", { ms: 1, steps: [], config: "safe" }, 9),
    line(520, "failed", { code: "internal", reason: "bug" }, 9),
    start(600, true, 10),
    line(610, "stopping", { why: "SIGTERM" }, 10),
    line(620, "stopped", { ms: 1 }, 10),
    start(700, true, 11),
    "{ half a li",
  ].join("\n");
  const { lives, damaged, lines } = digestTimeline(text, 0, undefined);
  assert.deepEqual(
    lives.map(({ end, why }) => [end, why]),
    [
      ["restarted", "restart: SIGUSR1"],
      ["silent", undefined],
      ["failed", "port_busy: taken"],
      ["error", "internal: bug"],
      ["stopped", "SIGTERM"],
      ["silent", undefined],
    ],
  );
  assert.deepEqual([lives[0]?.upMs, lives[1]?.isRestart, lives[1]?.lastSeenAt], [10, true, 300]);
  assert.equal(damaged, 1);
  assert.equal(lines.length, 16);
  assert.equal(digestTimeline(text, 0, 11).lives.at(-1)?.end, "running");
  assert.equal(digestTimeline(text, 0, 12).lives.at(-1)?.end, "silent", "another process has its number by now");
  assert.deepEqual(
    digestTimeline(text, 510, undefined).lives.map(({ startedAt }) => startedAt),
    [500, 600, 700],
  );
});

test("files that were put aside are read before the newest (R45)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "timeline-"));
  try {
    const file = join(folder, "timeline.jsonl");
    assert.deepEqual((await readTimeline({ file, since: 0, runningPid: undefined })).lives, []);
    await writeFile(`${file}.1700000000002`, `${line(30, "up", { ms: 1, steps: [] })}\n`);
    await writeFile(`${file}.1700000000001`, `${start(20)}\n`);
    await writeFile(file, `${line(40, "stopping", { why: "SIGTERM" })}\n${line(41, "stopped", { ms: 1 })}\n`);
    const { lives } = await readTimeline({ file, since: 0, runningPid: undefined });
    assert.deepEqual([lives.length, lives[0]?.end, lives[0]?.upMs], [1, "stopped", 1]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the picture shows when it was late, and which lives ended without a word (R45)", () => {
  const hour = 3_600_000;
  const text = [
    start(0),
    line(hour, "minute", minute),
    line(2 * hour, "minute", { ...minute, lag: { p50: 0, p99: 9, max: 9_000 }, busy: 1 }),
    start(12 * hour, true, 8),
    line(12 * hour, "minute", minute, 8),
    line(13 * hour, "config", { by: "file", effect: "hot", paths: ["a"], count: 1 }, 8),
    line(14 * hour, "channel", { channel: "telegram", account: "default", event: "trouble" }, 8),
    line(23.9 * hour, "stopping", { why: "SIGTERM" }, 8),
    line(23.9 * hour, "stopped", { ms: 1 }, 8),
  ].join("\n");
  const { lives, lines } = digestTimeline(text, 0, undefined);
  const rows = renderChart(lines, lives, { from: 0, to: 24 * hour }).split("\n");
  const row = (name: string) => (rows.find((one) => one.startsWith(name)) ?? "").slice(10);
  assert.deepEqual([row("loop late")[3], row("loop late")[6], row("loop late")[36]], ["▁", "█", "▁"]);
  assert.equal(row("loop late").trim().length > 0 && row("loop late")[20], " ");
  assert.deepEqual([row("lives")[0], row("lives")[6], row("lives")[36], row("lives")[71]], ["S", "X", "S", "."]);
  assert.equal(row("config")[39], "c");
  assert.equal(row("channels")[42], "!");
});
