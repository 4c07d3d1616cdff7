// The idle Gateway's memory, as the system counts it.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";

import { createGatewayProcess } from "../kit/gateway-process.ts";

const budgetMb = 80;
/** Node's own share differs between its builds and machines by a few MB. */
const toleranceMb = 4;
const idleMs = 2_000;

const canMeasure = existsSync("/proc/self/status");

test(`an idle Gateway stays below ${budgetMb} MB`, { skip: canMeasure ? false : "needs /proc" }, async (context) => {
  const gateway = await createGatewayProcess({ args: ["--allow-unconfigured"] });
  try {
    await gateway.start();
    // nothing to await: the measure is what remains after a while of nothing
    await pause(idleMs);
    const status = readFileSync(`/proc/${gateway.pid()}/status`, "utf8");
    const rssMb = Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) / 1024;
    context.diagnostic(`${rssMb.toFixed(1)} MB`);
    assert.ok(rssMb > 20, `the figure must be the Gateway's: ${rssMb} MB`);
    assert.ok(rssMb <= budgetMb + toleranceMb, `${rssMb.toFixed(1)} MB idle, budget ${budgetMb} (+${toleranceMb}) MB`);
  } finally {
    await gateway.dispose();
  }
});
