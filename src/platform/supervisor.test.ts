import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { createBus } from "./bus.ts";
import { openListener } from "./listen.ts";
import { openLock } from "./lock.ts";
import { createSupervisor } from "./supervisor.ts";

test("services start in order and stop in reverse; one that fails is alone in that and is started again", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const seen: string[] = [];
  let failures = 2;
  const service = (name: string): Service => ({
    name,
    async start() {
      if (name === "b" && (failures -= 1) >= 0) throw new Error("not yet");
      seen.push(`+${name}`);
    },
    async stop() {
      seen.push(`-${name}`);
      if (name === "c") throw new Error("stopping broke");
    },
  });
  await supervisor.start(["a", "b", "c"].map(service));
  assert.deepEqual(seen, ["+a", "+c"]);
  const b = supervisor.states()[1]?.state;
  assert.ok(b?.state === "degraded" && b.reason === "not yet");
  await clock.advance(60_000);
  assert.deepEqual(seen, ["+a", "+c", "+b"]);
  assert.equal(supervisor.states()[1]?.state.state, "running");
  await supervisor.stop(new AbortController().signal);
  assert.deepEqual(seen.slice(3), ["-c", "-b", "-a"]);
});

test("a listener of the bus that throws stops neither the others nor the publisher", () => {
  const bus = createBus(silentLog);
  const seen: number[] = [];
  bus.subscribe(() => {
    throw new Error("broken");
  });
  const leave = bus.subscribe((event) => seen.push(event.seq));
  bus.publish("tick", { ts: 1 });
  bus.publish("tick", { ts: 2 });
  leave();
  bus.publish("tick", { ts: 3 });
  assert.deepEqual(seen, [1, 2]);
});

test("a busy port names its owner", async () => {
  const first = await openListener({ host: "127.0.0.1", port: 0, log: silentLog });
  await assert.rejects(
    openListener({ host: "127.0.0.1", port: first.port, log: silentLog }),
    (error) => error instanceof Fault && error.code === "port_busy" && error.message.includes(`pid ${process.pid}`),
  );
  await first.close();
});

test("the lock keeps a second process out, names its owner, and goes with a killed process at once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  const path = join(folder, "gateway.lock");
  const script = join(folder, "holder.mjs");
  writeFileSync(
    script,
    `import { openLock } from ${JSON.stringify(join(import.meta.dirname, "lock.ts"))};
     const lock = await openLock(${JSON.stringify(path)});
     await lock.describe({ pid: process.pid, port: 4711, version: "1", startedAt: 1 });
     console.log("held");
     setInterval(() => {}, 1000);`,
  );
  try {
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      await assert.rejects(
        openLock(path),
        (error) =>
          error instanceof Fault &&
          error.code === "already_running" &&
          error.message.includes(`pid ${child.pid}, port 4711`),
      );
      child.kill("SIGKILL");
      await once(child, "exit");
      (await openLock(path)).release();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
