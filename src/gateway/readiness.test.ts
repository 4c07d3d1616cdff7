import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { until } from "../../test/kit/conversation.ts";
import { openServerKit, secret } from "../../test/kit/gateway-server.ts";
import { createMemoryChannel } from "../../test/kit/memory-channel.ts";
import { startFakeTelegram } from "../../test/kit/telegram-server.ts";
import { createManualClock, systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import type { ServiceState } from "../base/service.ts";
import { createTelegram } from "../channels/telegram/channel.ts";
import { openDatabase, type Database } from "../platform/database.ts";
import { createEgress } from "../platform/egress.ts";
import type { Channel, ChannelAccountStatus } from "../ports/channel.ts";
import { createReadyRoute } from "./http/ready-route.ts";
import { createReadiness, readinessMigrations, type ReadinessDependencies } from "./readiness.ts";

function setUp(context: TestContext, options: Partial<ReadinessDependencies> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "readiness-"));
  const database = openDatabase(join(folder, "db.sqlite"), readinessMigrations);
  context.after(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  const clock = createManualClock();
  const readiness = createReadiness({
    clock,
    database,
    channels: () => [],
    services: () => [],
    isDraining: () => false,
    isSafe: false,
    ...options,
  });
  const names = async () => (await readiness.check()).map(({ name }) => name);
  return { clock, database, readiness, names };
}

const channelOf = (status: () => Partial<ChannelAccountStatus>): Channel => ({
  ...createMemoryChannel("phone"),
  status: () => [
    { accountId: "a", isEnabled: true, isConfigured: true, isRunning: true, isConnected: true, ...status() },
  ],
});

test("it is ready when it has started, until it stops; in safe mode it never is", async (context) => {
  let isDraining = false;
  const { readiness, names } = setUp(context, { isDraining: () => isDraining });
  assert.deepEqual(await names(), ["starting"]);
  readiness.started();
  assert.deepEqual(await names(), []);
  isDraining = true;
  assert.deepEqual(await names(), ["stopping"]);
  const safe = setUp(context, { isSafe: true });
  safe.readiness.started();
  assert.deepEqual(await safe.names(), ["safe-mode"]);
});

test("a channel counts by its own deadline, and only when it is set up and switched on (R35)", async (context) => {
  let status: Partial<ChannelAccountStatus> = {};
  const { clock, readiness, names } = setUp(context, { channels: () => [channelOf(() => status)] });
  readiness.started();
  const start = clock.now();
  for (const [name, expected, next] of [
    ["no limit, connected", [], {}],
    ["no limit, not connected", ["phone:a"], { isConnected: false }],
    ["no answer yet", ["phone:a"], { pollDeadlineMs: 1_000 }],
    ["in time, with trouble", [], { pollDeadlineMs: 1_000, lastPollAt: start, isConnected: false }],
    ["at its end", [], { pollDeadlineMs: 1_000, lastPollAt: start - 1_000 }],
    ["too late", ["phone:a"], { pollDeadlineMs: 1_000, lastPollAt: start - 1_001 }],
    ["not running", ["phone:a"], { pollDeadlineMs: 1_000, lastPollAt: start, isRunning: false }],
    ["switched off", [], { isRunning: false, isEnabled: false }],
    ["without a token", [], { isRunning: false, isConfigured: false }],
  ] as const) {
    status = next;
    assert.deepEqual(await names(), expected, name);
  }
});

test("a bot whose polls hang makes it unready after its own deadline, and ready again when one is answered", async (context) => {
  const telegram = await startFakeTelegram();
  context.after(() => telegram.close());
  const channel = createTelegram({
    settings: () => ({ enabled: true, allowFrom: [], botToken: telegram.token, apiRoot: telegram.apiRoot }) as never,
    tokenFromEnv: () => undefined,
    unsetKeys: async () => false,
    readFile: async () => undefined,
    fetch: createEgress({ clock: systemClock }).fetch,
    clock: systemClock,
    log: silentLog,
    timing: {
      pollSeconds: 1,
      graceMs: 200,
      backoff: { initialMs: 10, maxMs: 40, factor: 2, jitter: 0 },
      tokenRetryMs: 60,
      tokenLookMs: 10,
      minEmptyPollMs: 20,
    },
  });
  context.after(() => channel.stop(AbortSignal.timeout(1_000)));
  const { readiness, names } = setUp(context, { clock: systemClock, channels: () => [channel] });
  readiness.started();
  await channel.start(async () => ({ outcome: "dropped", reason: "test" }));
  await until(async () => (await names()).length === 0);
  telegram.react = ({ method }) => (method === "getUpdates" ? { hang: true } : undefined);
  const hungAt = performance.now();
  await until(async () => (await names()).includes("telegram:default"));
  assert.ok(performance.now() - hungAt > 600, "it was called hung before its time");
  telegram.react = () => undefined;
  await until(async () => (await names()).length === 0);
});

test("a database that takes no commit makes it unready, at most one is made a second, and what is wrong is masked", async (context) => {
  let failure: Error | null = null;
  let writes = 0;
  const kept: { database?: Database } = {};
  const { clock, database, readiness } = setUp(context, {
    database: {
      write: (task) => {
        writes += 1;
        if (failure) return Promise.reject(failure);
        assert.ok(kept.database);
        return kept.database.write(task);
      },
    },
    mask: (text) => text.replaceAll("hunter2", "***"),
  });
  kept.database = database;
  readiness.started();
  await Promise.all([readiness.check(), readiness.check()]);
  assert.deepEqual([await readiness.check(), writes], [[], 1]);
  failure = new Fault("storage", "disk full, hunter2");
  await clock.advance(1_000);
  assert.deepEqual(await readiness.check(), [{ name: "database", reason: "cannot be written: disk full, ***" }]);
  assert.equal(writes, 2);
  const { asked } = await database.read((sql) => sql.get("SELECT asked FROM readiness")!);
  assert.equal(asked, 1);
});

test("a lane that does not run makes it unready, another service does not", async (context) => {
  const broken: ServiceState = { state: "degraded", reason: "no" };
  const { readiness, names } = setUp(context, {
    services: () => ["lane", "retention"].map((name) => ({ name, state: broken })),
  });
  readiness.started();
  assert.deepEqual(await names(), ["lane"]);
});

test("strangers hear whether it is ready and no more; a wrong secret is refused (S14)", async (context) => {
  const check = async () => [{ name: "telegram:default", reason: "not running" }];
  const kit = await openServerKit({ routes: [createReadyRoute({ check, uptimeMs: () => 5 })] });
  context.after(() => kit.stop());
  const call = async (path: string, token?: string) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const response = await fetch(`http://127.0.0.1:${kit.port}${path}`, { headers });
    return [response.status, await response.json()];
  };
  assert.deepEqual(await call("/readyz"), [503, { ready: false }]);
  assert.deepEqual(await call("/ready", secret), [
    503,
    { ready: false, failing: ["telegram:default"], reasons: { "telegram:default": "not running" }, uptimeMs: 5 },
  ]);
  assert.equal((await call("/readyz", "wrong"))[0], 401);
});
