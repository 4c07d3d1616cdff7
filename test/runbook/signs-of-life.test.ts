// What a monitor hears of a Gateway on which nothing happens, at a clock that is moved by hand.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { brandOf } from "../../src/base/brand.ts";
import { createManualClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { openConfig } from "../../src/config/store.ts";
import { createGateway } from "../../src/gateway/compose.ts";
import { openOwnDatabase } from "../../src/gateway/database.ts";
import { createEnv } from "../../src/platform/env.ts";
import { openListener } from "../../src/platform/listen.ts";
import { derivePaths } from "../../src/platform/paths.ts";
import { openRawClient } from "../kit/raw-client.ts";

test("a quiet Gateway ticks every thirty seconds, and tells who is there and how it is every minute (RB-76, RB-92, OV-35, OV-43)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "quiet-"));
  const clock = createManualClock(Date.now());
  const brand = brandOf("openclaw");
  const env = createEnv(brand, { OPENCLAW_STATE_DIR: folder });
  const paths = derivePaths({ brand, env, profile: undefined, home: folder, temporary: folder, exists: () => false });
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  const gateway = createGateway({
    brand,
    version: "test",
    paths,
    env,
    config: await openConfig({ path: paths.config, variable: () => undefined }),
    secret: () => ({ mode: "token", value: "secret", source: "test" }),
    database: await openOwnDatabase({ paths, version: "test", command: (words) => words, log: silentLog }),
    clock,
    ids: systemIds,
    log: silentLog,
    logFile: () => join(folder, "log"),
    command: (words) => words,
    listener,
  });
  try {
    await gateway.start();
    const client = await openRawClient(listener.port, "secret");
    await client.connect();
    await client.wait(({ event }) => event === "presence");
    const from = client.frames.length;
    const heard = () => client.frames.slice(from).map(({ event }) => event);
    const seen = async (event: string, count: number) => {
      for (const end = Date.now() + 5_000; heard().filter((it) => it === event).length < count;) {
        assert.ok(Date.now() < end, `${event}: ${heard().join(" ")}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await clock.advance(29_000);
    assert.ok(!heard().includes("tick"));
    for (let step = 0; step < 24; step += 1) {
      await clock.advance(4_000);
      // whoever says nothing for two pings is cut off, and real time hardly passes here
      await client.request("system-presence");
    }
    await seen("tick", 4);
    await seen("presence", 2);
    await seen("health", 2);
    assert.equal(heard().filter((event) => event === "tick").length, 4);
    client.close();
  } finally {
    await gateway.stop({ reason: "gateway stopping" });
    await rm(folder, { recursive: true, force: true });
  }
});
