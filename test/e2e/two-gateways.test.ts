// Two whole Gateways in one process: nothing of a module is shared between them.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { brandOf } from "../../src/base/brand.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { openConfig } from "../../src/config/store.ts";
import { createGateway } from "../../src/gateway/compose.ts";
import { openOwnDatabase } from "../../src/gateway/database.ts";
import { createEnv } from "../../src/platform/env.ts";
import { openListener } from "../../src/platform/listen.ts";
import { derivePaths } from "../../src/platform/paths.ts";
import { openRawClient, type Frame } from "../kit/raw-client.ts";

const messagesOf = (frame: Frame | undefined) => (frame?.payload?.["messages"] ?? []) as unknown[];

async function openGateway(folder: string, secret: string) {
  const brand = brandOf("openclaw");
  const env = createEnv(brand, { OPENCLAW_STATE_DIR: folder });
  const paths = derivePaths({ brand, env, profile: undefined, home: folder, temporary: folder, exists: () => false });
  const config = await openConfig({ path: paths.config, variable: () => undefined });
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  const gateway = createGateway({
    brand,
    version: "test",
    paths,
    env,
    config,
    secret: () => ({ mode: "token", value: secret, source: "test" }),
    database: await openOwnDatabase({ paths, version: "test", command: (words) => words, log: silentLog }),
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    logFile: () => join(folder, "log"),
    command: (words) => words,
    listener,
  });
  await gateway.start();
  return { gateway, port: listener.port };
}

test("two Gateways in one process keep their clients, sessions and secrets apart (RB-33, MG-01, OV-17)", async () => {
  const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), "two-"))));
  const [first, second] = await Promise.all(folders.map((folder, index) => openGateway(folder, `secret-${index}`)));
  assert.ok(first && second);
  try {
    const one = await openRawClient(first.port, "secret-0");
    const two = await openRawClient(second.port, "secret-1");
    assert.equal((await one.connect()).ok, true);
    assert.equal((await two.connect()).ok, true);
    const stranger = await openRawClient(second.port, "secret-0");
    assert.equal((await stranger.connect()).ok, false);

    one.send({ type: "req", id: "run", method: "agent", params: { message: "hello", idempotencyKey: "same-key" } });
    await one.wait((frame) => frame.id === "run" && frame.payload?.["status"] === "ok");
    const [mine, theirs] = await Promise.all(
      [one, two].map((client) => client.request("chat.history", { sessionKey: "main" })),
    );
    assert.equal(messagesOf(mine).length, 2);
    assert.equal(messagesOf(theirs).length, 0);
    assert.ok(!two.frames.some((frame) => frame.event === "chat"));

    await first.gateway.stop({ reason: "gateway stopping" });
    assert.equal((await one.closed).code, 1012);
    assert.equal((await two.request("health")).ok, true);
    two.close();
    stranger.close();
  } finally {
    await Promise.all([first, second].map(({ gateway }) => gateway.stop({ reason: "gateway stopping" })));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
});
