import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import type { ServiceState } from "../base/service.ts";
import type { Overview, WorkOverview } from "../conversation/overview.ts";
import type { Channel, ChannelAccountStatus, ChannelProbe } from "../ports/channel.ts";
import { validate_result_health } from "../protocol/generated/answers.js";
import { createHealth } from "./health.ts";

const work: WorkOverview = {
  turns: { queued: 2, running: 1, failed: 0 },
  outbox: { pending: 3, sending: 1, failed: 4, flagged: 5 },
  dropped: {},
} as WorkOverview;

const account: ChannelAccountStatus = {
  accountId: "default",
  isEnabled: true,
  isConfigured: true,
  isRunning: true,
  isConnected: true,
  identity: { id: "7", username: "a_bot" },
};

function channel(
  id: string,
  status: () => readonly ChannelAccountStatus[],
  probe?: () => Promise<ChannelProbe>,
): Channel {
  return {
    id,
    label: id.toUpperCase(),
    isLinkable: false,
    accounts: () => ["default"],
    textLimit: () => 4096,
    start: async () => undefined,
    stop: async () => undefined,
    send: async () => ({ outcome: "rejected", reason: "test" }),
    status,
    parseTarget: (text) => ({ channel: id, account: "default", chatId: text }),
    ...(probe ? { probe } : {}),
  };
}

function setUp(
  options: {
    channels?: Channel[];
    overview?: Partial<Overview>;
    services?: { name: string; state: ServiceState }[];
  } = {},
) {
  const clock = createManualClock();
  let reads = 0;
  const refreshed: number[] = [];
  const health = createHealth({
    clock,
    log: silentLog,
    channels: () => options.channels ?? [],
    overview: {
      async work() {
        reads += 1;
        return work;
      },
      sessions: async () => ({ count: 0, recent: [] }),
      ...options.overview,
    },
    sessionsPath: "/state/gateway.sqlite",
    agents: () => [{ id: "main", isDefault: true }],
    services: () => options.services ?? [],
    configSource: () => "file",
    configProblems: () => [{ message: "line 3: unknown key", next: "remove it" }],
    onRefresh: () => refreshed.push(health.version()),
  });
  return { clock, health, reads: () => reads, refreshed };
}

test("a snapshot is shared for a second, then made anew, once for all who ask", async () => {
  const { clock, health, reads, refreshed } = setUp();
  assert.equal(health.version(), 1);
  await health.start();
  for (let count = 0; count < 1_000; count += 1) await health.get(false);
  assert.equal(reads(), 1);
  await clock.advance(1_500);
  const [first, second, third] = await Promise.all([health.get(false), health.get(false), health.get(false)]);
  assert.equal(reads(), 2);
  assert.ok(first === second && second === third);
  await clock.advance(60_000);
  assert.equal(reads(), 3, "clients hear of it every minute though nobody asks");
  assert.deepEqual(refreshed, [2, 3, 4], "each refresh raises the version before it is told");
  await health.stop(new AbortController().signal);
});

test("a probe asks the platforms even while a snapshot without one is being made", async () => {
  let probes = 0;
  const telegram = channel(
    "telegram",
    () => [account],
    async () => {
      probes += 1;
      return { isOk: true, elapsedMs: 3 };
    },
  );
  const { health } = setUp({ channels: [telegram] });
  const plain = health.get(false);
  const probed = health.get(true);
  const also = health.get(true);
  assert.equal((await plain).channels["telegram"]?.lastProbeAt, undefined);
  assert.notEqual((await probed).channels["telegram"]?.lastProbeAt, undefined);
  assert.equal(await also, await probed);
  assert.equal(probes, 1);
});

test("a platform that hangs or a channel that breaks is a line in the snapshot, not its end", async () => {
  const hanging = channel(
    "slow",
    () => [account],
    () => new Promise(() => undefined),
  );
  const broken = channel("broken", () => {
    throw new Error("no state");
  });
  const failing = channel(
    "failing",
    () => [account],
    () => Promise.reject(new Error("ECONNRESET")),
  );
  const good = channel(
    "good",
    () => [account],
    async () => ({ isOk: true, elapsedMs: 1 }),
  );
  const { clock, health } = setUp({ channels: [hanging, broken, failing, good] });
  const promise = health.get(true);
  // those that answer have answered
  await clock.advance(0);
  await clock.advance(6_000);
  const snapshot = await promise;
  assert.ok(validate_result_health(snapshot), JSON.stringify(validate_result_health.errors));
  assert.deepEqual(
    ["slow", "failing", "good"].map((id) => (snapshot.channels[id] as { probe?: { ok: boolean } }).probe?.ok),
    [false, false, true],
  );
  assert.equal(snapshot.channels["broken"]?.state, "degraded");
  assert.match(snapshot.channels["broken"]?.reason ?? "", /no state/u);
  assert.equal(snapshot.ok, true, "channels report for themselves");
});

test("the Gateway is not ok when its database or an essential service fails, and says which", async () => {
  const degraded = { state: "degraded", reason: "it broke", next: "wait" } as const;
  const disk = setUp({
    overview: {
      work: async () => {
        throw new Error("disk I/O error");
      },
    },
  });
  const snapshot = await disk.health.get(false);
  assert.equal(snapshot.ok, false);
  assert.match(snapshot.problems?.[0]?.message ?? "", /database cannot be read: disk I\/O error/u);
  assert.ok(validate_result_health(snapshot));

  const lane = await setUp({ services: [{ name: "lane", state: degraded }] }).health.get(false);
  assert.equal(lane.ok, false);
  assert.deepEqual(lane.problems?.[0], { message: "lane: it broke", next: "wait" });

  const telegram = await setUp({ services: [{ name: "channel telegram", state: degraded }] }).health.get(false);
  assert.equal(telegram.ok, true);
  assert.equal(telegram.problems?.length, 2);
});

test("the link, the queue and the ages are told (RB-101, OV-45)", async () => {
  const { health, clock } = setUp();
  assert.equal((await health.get(false)).linkChannel, undefined);
  const seen = { ...account, lastInboundAt: clock.now() - 500, lastPollAt: clock.now() + 99_999 };
  const snapshot = await setUp({ channels: [channel("telegram", () => [seen])] }).health.get(false);
  assert.deepEqual(snapshot.linkChannel, { id: "telegram", label: "TELEGRAM", linked: true, authAgeMs: null });
  assert.deepEqual(snapshot.queue, {
    queued: 2,
    running: 1,
    failed: 0,
    outboxPending: 4,
    failedSends: 4,
    unknownSends: 5,
  });
  const shown = snapshot.channels["telegram"] as Record<string, unknown>;
  assert.equal(shown["lastInboundAgeMs"], 500);
  assert.equal(shown["lastPollAgeMs"], 0, "an age is never below nothing");
  assert.equal(shown["lastOutboundAgeMs"], null);
  assert.ok(validate_result_health(snapshot));
});
