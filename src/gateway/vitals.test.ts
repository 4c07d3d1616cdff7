import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock, type Clock } from "../base/clock.ts";
import type { Channel, ChannelAccountStatus } from "../ports/channel.ts";
import type { Timeline, TimelineKind } from "../ports/timeline.ts";
import { createVitals } from "./vitals.ts";

const account: ChannelAccountStatus = {
  accountId: "default",
  isEnabled: true,
  isConfigured: true,
  isRunning: true,
  isConnected: false,
};

function setUp() {
  const time = createManualClock();
  let skewMs = 0;
  let jumpedMs = 0;
  const clock: Clock = {
    now: () => time.now() + skewMs + jumpedMs,
    monotonic: () => time.monotonic() + skewMs,
    after: time.after,
  };
  const noted: { kind: TimelineKind; entry: Record<string, unknown> }[] = [];
  const timeline: Timeline = { note: (kind, entry) => void noted.push({ kind, entry: { ...entry } }) };
  let status: readonly ChannelAccountStatus[] = [account];
  const channel = { id: "telegram", status: () => status } as unknown as Channel;
  const vitals = createVitals({
    clock,
    timeline,
    channels: () => [channel],
    clients: () => 3,
    queue: () => ({ queued: 2, running: 1, outboxPending: 4, failedSends: 9 }),
    lostLogLines: () => 7,
  });
  return {
    vitals,
    advance: time.advance,
    /** The loop is busy for so long: time passes, and timers come late. */
    block: (ms: number) => void (skewMs += ms),
    /** Only the wall clock moves: the machine slept. */
    jump: (ms: number) => void (jumpedMs += ms),
    become: (next: Partial<ChannelAccountStatus>) => void (status = [{ ...account, ...next }]),
    noted: (kind: TimelineKind) => noted.filter((one) => one.kind === kind).map(({ entry }) => entry),
  };
}

test("a line after ten seconds, then one a minute, and the rest at the end (R45)", async () => {
  const { vitals, advance, noted } = setUp();
  await vitals.start();
  await advance(9_000);
  assert.equal(noted("minute").length, 0);
  await advance(1_000);
  assert.equal(noted("minute").length, 1);
  await advance(59_000);
  assert.equal(noted("minute").length, 1);
  await advance(1_000);
  assert.equal(noted("minute").length, 2);
  await advance(5_000);
  await vitals.stop(AbortSignal.abort());
  const minutes = noted("minute");
  assert.deepEqual(
    minutes.map((minute) => minute["spanMs"]),
    [10_000, 60_000, 5_000],
  );
  await advance(120_000);
  assert.equal(noted("minute").length, 3, "nothing runs any more");
});

test("a line says how late timers were, what waits, and what is held (R45)", async () => {
  const { vitals, advance, block, noted } = setUp();
  await vitals.start();
  await advance(5_500);
  block(2_500);
  await advance(4_500);
  const [minute] = noted("minute");
  const { lag, queue, clients, lostLogLines, rss, busy, jumpMs } = minute as {
    lag: { p50: number; p99: number; max: number };
    queue: object;
    clients: number;
    lostLogLines: number;
    rss: number;
    busy: number;
    jumpMs?: number;
  };
  assert.equal(lag.p50, 0);
  assert.equal(lag.max, 2_500);
  assert.equal(lag.p99, 2_500);
  assert.deepEqual(queue, { queued: 2, running: 1, outbox: 4 });
  assert.deepEqual([clients, lostLogLines, jumpMs], [3, 7, undefined]);
  assert.ok(rss > 1_000_000);
  assert.ok(busy >= 0 && busy <= 1);
});

test("a machine that slept is told apart from a loop that was blocked (R45)", async () => {
  const { vitals, advance, jump, noted } = setUp();
  await vitals.start();
  await advance(3_000);
  jump(3_600_000);
  await advance(7_000);
  const [minute] = noted("minute") as { jumpMs?: number; lag?: { max: number } }[];
  assert.equal(minute?.jumpMs, 3_600_000);
  assert.equal(minute?.lag?.max, 0);
});

test("what a channel goes through is told once each, when it is looked at (R45)", async () => {
  const { vitals, become, noted } = setUp();
  await vitals.start();
  become({ isConnected: true });
  vitals.look();
  vitals.look();
  become({ isConnected: false, problem: { reason: `refused ${"x".repeat(1_000)}` }, reconnectAttempts: 4 });
  vitals.look();
  become({ isConnected: true });
  vitals.look();
  become({ isRunning: false, isConnected: false });
  await vitals.stop(AbortSignal.abort());
  const events = noted("channel");
  assert.deepEqual(
    events.map(({ event }) => event),
    ["started", "connected", "disconnected", "trouble", "connected", "mended", "stopped", "disconnected"],
  );
  const trouble = events[3] as { attempts: number; reason: string };
  assert.equal(trouble.attempts, 4);
  assert.equal(trouble.reason.length, 300);
});

test("a reason is masked before it is cut: half a secret would not be recognised (R45)", async () => {
  const { vitals, become, noted } = setUp();
  await vitals.start();
  become({ problem: { reason: `${"x".repeat(270)} token=planted-secret-0123456789` } });
  vitals.look();
  const reason = String(noted("channel").find(({ event }) => event === "trouble")?.["reason"]);
  assert.ok(reason.length <= 300);
  assert.doesNotMatch(reason, /planted/u);
});
