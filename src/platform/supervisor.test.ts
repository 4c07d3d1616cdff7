import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { createSupervisor } from "./supervisor.ts";

const never = new AbortController().signal;

test("services start in order and stop in reverse; one that fails is alone in that and is started again (R6)", async () => {
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

test("whichever services fail, and however often, all run in the end and stop in reverse order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 6 }), async (failures) => {
      const clock = createManualClock();
      const supervisor = createSupervisor({ clock, log: silentLog });
      const stopped: number[] = [];
      const left = [...failures];
      const running = new Set<number>();
      await supervisor.start(
        failures.map((_, index): Service => ({
          name: String(index),
          async start() {
            assert.ok(!running.has(index), "started twice");
            left[index] = (left[index] ?? 0) - 1;
            if ((left[index] ?? 0) >= 0) throw new Error("no");
            running.add(index);
          },
          async stop() {
            stopped.push(index);
          },
        })),
      );
      await clock.advance(5 * 60_000);
      assert.equal(running.size, failures.length);
      assert.ok(supervisor.states().every(({ state }) => state.state === "running"));
      await supervisor.stop(never);
      assert.deepEqual(stopped, failures.map((_, index) => index).toReversed());
    }),
    { numRuns: 30 },
  );
});

test("after stop nothing is started again", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  let starts = 0;
  const service: Service = {
    name: "a",
    async start() {
      starts += 1;
      throw new Error("no");
    },
    async stop() {},
  };
  await supervisor.start([service]);
  await supervisor.stop(never);
  await clock.advance(10 * 60_000);
  assert.equal(starts, 1);
});

test("a service that was stopped while it was still starting does not stay up", async () => {
  const supervisor = createSupervisor({ clock: createManualClock(), log: silentLog });
  const begun = Promise.withResolvers<void>();
  let isUp = false;
  const starting = supervisor.start([
    {
      name: "slow",
      async start() {
        await begun.promise;
        isUp = true;
      },
      async stop() {
        isUp = false;
      },
    },
  ]);
  await supervisor.stop(never);
  begun.resolve();
  await starting;
  assert.equal(isUp, false);
  assert.equal(supervisor.states()[0]?.state.state, "stopped");
});

test("a service that hangs while stopping is left behind, and those before it still get their turn", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const stopped: string[] = [];
  await supervisor.start([
    {
      name: "first",
      async start() {},
      async stop() {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        stopped.push("first");
      },
    },
    { name: "hung", async start() {}, stop: () => new Promise(() => undefined) },
  ]);
  const controller = new AbortController();
  const stopping = supervisor.stop(controller.signal);
  controller.abort();
  // the grace begins only once the abort was noticed
  await clock.advance(0);
  await clock.advance(1_000);
  await stopping;
  assert.deepEqual(stopped, ["first"]);
});

test("a service that cannot tell how it is counts as degraded and hides nobody", async () => {
  const supervisor = createSupervisor({ clock: createManualClock(), log: silentLog });
  const service = (name: string, health: Service["health"]): Service => ({
    name,
    async start() {},
    async stop() {},
    ...(health ? { health } : {}),
  });
  await supervisor.start([
    service("a", () => {
      throw new Error("broken gauge");
    }),
    service("b", () => ({ state: "degraded", reason: "slow" })),
    service("c", undefined),
  ]);
  assert.deepEqual(
    supervisor.states().map(({ state }) => (state.state === "degraded" ? state.reason : state.state)),
    ["broken gauge", "slow", "running"],
  );
});

test("a service that is restarted stops, starts, and keeps its place in the order; a failure of it is tried again", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const seen: string[] = [];
  let isBroken = false;
  const service = (name: string): Service => ({
    name,
    async start() {
      if (name === "a" && isBroken) throw new Error("broken");
      seen.push(`+${name}`);
    },
    async stop() {
      seen.push(`-${name}`);
    },
  });
  await supervisor.start(["a", "b"].map(service));
  await supervisor.restart("a", never);
  await supervisor.restart("nobody", never);
  assert.deepEqual(seen.splice(0), ["+a", "+b", "-a", "+a"]);
  isBroken = true;
  await supervisor.restart("a", never);
  assert.equal(supervisor.states()[0]?.state.state, "degraded");
  isBroken = false;
  await clock.advance(60_000);
  assert.deepEqual(seen.splice(0), ["-a", "+a"]);
  await supervisor.stop(never);
  await supervisor.restart("a", never);
  assert.deepEqual(seen, ["-b", "-a"]);
});

test("a service that is taken away stops and is forgotten, whether it runs, waits for another try, or is still starting", async () => {
  const clock = createManualClock();
  const supervisor = createSupervisor({ clock, log: silentLog });
  const seen: string[] = [];
  const slow = Promise.withResolvers<void>();
  const service = (name: string, start: () => Promise<void>): Service => ({
    name,
    async start() {
      seen.push(`+${name}`);
      await start();
    },
    async stop() {
      seen.push(`-${name}`);
    },
  });
  await supervisor.start([
    service("well", async () => undefined),
    service("ill", () => Promise.reject(new Error("broken"))),
  ]);
  const starting = supervisor.start([service("slow", () => slow.promise)]);
  for (const name of ["well", "ill", "slow", "nobody"]) await supervisor.remove(name, never);
  assert.deepEqual(seen.splice(0), ["+well", "+ill", "+slow", "-well", "-ill", "-slow"]);
  assert.deepEqual(supervisor.states(), []);
  slow.resolve();
  await starting;
  await clock.advance(120_000);
  assert.deepEqual(seen, ["-slow"], "what it opened since is closed again, and nothing is tried again");
  await supervisor.stop(never);
});
