import assert from "node:assert/strict";
import { fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { createLineSink } from "./log-sink.ts";

const root = mkdtempSync(join(tmpdir(), "sink-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("a full disk is told once, tried again every five seconds, and what was lost is told when it is over", async (t) => {
  if (process.platform !== "linux") return t.skip("needs /dev/full");
  const clock = createManualClock();
  const path = join(root, "log");
  const told: (string | number)[] = [];
  const descriptors: number[] = [];
  let isFull = true;
  const sink = createLineSink({
    clock,
    target: () => ({ path, maxBytes: 1_000 }),
    openFile(wanted) {
      const descriptor = openSync(isFull ? "/dev/full" : wanted, "a");
      descriptors.push(descriptor);
      return { descriptor, size: 0 };
    },
    onTrouble: (reason) => told.push(reason.split(":")[0] ?? ""),
    onRecovery: (lost) => told.push(lost),
  });
  for (let second = 0; second < 12; second += 1) {
    sink.write(`${second}\n`);
    await clock.advance(1_000);
  }
  assert.equal(descriptors.length, 3);
  // none is kept open while the disk refuses
  for (const descriptor of descriptors) assert.throws(() => fstatSync(descriptor));
  isFull = false;
  await clock.advance(5_000);
  sink.write("there\n");
  sink.write("again\n");
  assert.deepEqual(told, ["ENOSPC", 12]);
  assert.equal(sink.lost(), 12);
  assert.equal(readFileSync(path, "utf8"), "there\nagain\n");
  sink.close();
  sink.write("after the end\n");
  assert.equal(sink.lost(), 13);
});
