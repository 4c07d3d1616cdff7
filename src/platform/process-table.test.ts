import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { userInfo } from "node:os";
import { test } from "node:test";

import fc from "fast-check";

import { systemClock } from "../base/clock.ts";
import { createProcessTable, parseStat } from "./process-table.ts";
import { createRunProcess } from "./process.ts";

const run = createRunProcess(systemClock);
const hasPs = await access("/bin/ps").then(
  () => true,
  () => false,
);
const skip = process.platform === "win32" || !hasPs ? "no ps here" : false;
const tables = [process.platform === "linux" ? "linux" : "darwin", "darwin"] as const;

test("a process is known by its id, its name, its owner, and masked arguments", { skip }, async () => {
  const script = "setInterval(() => {}, 1e6); console.log(1)";
  const child = spawn(process.execPath, ["-e", script, "--", "--token", "sesame-1234"]);
  const { pid = 0 } = child;
  try {
    await once(child.stdout, "data");
    for (const platform of tables) {
      const table = createProcessTable({ run, platform });
      const facts = await table.describe(pid);
      assert.partialDeepStrictEqual(facts, { pid, user: userInfo().username });
      assert.match(facts?.commandLine ?? "", /-e setInterval.*--token \*\*\*/u);
      assert.equal(await table.isAlive(pid), true);
    }
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  for (const platform of tables) {
    const table = createProcessTable({ run, platform });
    const known = [await table.isAlive(pid), await table.describe(pid), await table.stampOf(pid)];
    assert.deepEqual(known, [false, undefined, undefined]);
  }
});

test("the stamp of a process stays, and no other process has it", { skip }, async () => {
  const table = createProcessTable({ run, platform: process.platform });
  const mine = await table.stampOf(process.pid);
  assert.ok(mine);
  assert.equal(await table.stampOf(process.pid), mine);
  assert.notEqual(await table.stampOf(1), mine);
});

test("a zombie does not live", { skip }, async () => {
  // the shell becomes a program that never looks after the child it had
  const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
  try {
    const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(chunk.toString().trim());
    for (const platform of tables) {
      const table = createProcessTable({ run, platform });
      for (let tries = 0; tries < 100 && (await table.isAlive(pid)); tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(process.kill(pid, 0), true, "it is there");
      assert.equal(await table.isAlive(pid), false, platform);
    }
  } finally {
    parent.kill("SIGKILL");
    await once(parent, "exit");
  }
});

test("a name with blanks and parentheses does not shift the fields", () => {
  const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
  fc.assert(
    fc.property(fc.string({ maxLength: 15 }), fc.constantFrom("R", "S", "Z"), (name, state) => {
      const parsed = parseStat(`7 (${name}) ${state} ${rest.join(" ")}\n`);
      assert.deepEqual(parsed, { command: name, isZombie: state === "Z", startTicks: "22" });
    }),
  );
  assert.equal(parseStat(""), undefined);
});

test("a number that is no name of a user is told as such", async () => {
  const table = createProcessTable({ run, platform: process.platform });
  assert.equal(await table.userName(userInfo().uid), userInfo().username);
  if (process.platform === "linux") assert.equal(await table.userName(3_999_999), "uid 3999999");
});
