import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Fault } from "../base/fault.ts";
import { openLock, readOwner } from "./lock.ts";

const root = mkdtempSync(join(tmpdir(), "lock-"));
after(() => rmSync(root, { recursive: true, force: true }));

const script = join(root, "holder.mjs");
writeFileSync(
  script,
  `import { openLock } from ${JSON.stringify(join(import.meta.dirname, "lock.ts"))};
   try {
     const lock = await openLock(process.argv[2]);
     await lock.describe({ pid: process.pid, port: 4711, version: "1", startedAt: 1 });
     console.log("held");
     setInterval(() => {}, 1000);
   } catch (error) {
     console.log(error.code);
   }`,
);

/** Another process that tries to take the lock, and what became of it. */
async function tryElsewhere(path: string): Promise<{ child: ChildProcess; answer: string }> {
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return { child, answer: data.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

const isRefusal = (error: unknown, pid?: number) =>
  error instanceof Fault &&
  error.code === "already_running" &&
  (pid === undefined || error.message.includes(`pid ${pid}, port 4711`));

test("a second process is refused and told who runs; a killed one leaves nothing behind, twenty times over (RB-01, RB-133, MG-07)", async () => {
  const path = join(root, "killed.lock");
  for (let round = 0; round < 20; round += 1) {
    const { child, answer } = await tryElsewhere(path);
    assert.equal(answer, "held");
    if (round % 5 === 0) await assert.rejects(openLock(path), (error) => isRefusal(error, child.pid));
    await kill(child);
  }
  (await openLock(path)).release();
});

test("a second try within the process is refused, and does not give the lock away", async () => {
  const path = join(root, "same.lock");
  const lock = await openLock(path);
  await assert.rejects(openLock(path), (error) => isRefusal(error));
  const { child, answer } = await tryElsewhere(path);
  await kill(child);
  assert.equal(answer, "already_running");
  lock.release();
  (await openLock(path)).release();
});

test("nobody is told of an owner that is gone", async () => {
  const path = join(root, "stale.lock");
  const { child } = await tryElsewhere(path);
  assert.equal((await readOwner(path))?.pid, child.pid);
  await kill(child);
  const lock = await openLock(path);
  assert.equal(await readOwner(path), undefined);
  lock.release();
});

test("its files are for the owner alone", async () => {
  const path = join(root, "private.lock");
  const lock = await openLock(path);
  await lock.describe({ pid: 1, port: 2, version: "3", startedAt: 4 });
  assert.deepEqual(
    [path, `${path}.json`].map((file) => statSync(file).mode & 0o777),
    [0o600, 0o600],
  );
  lock.release();
});

test("a damaged lock file and a missing folder are no other Gateway", async () => {
  const path = join(root, "damaged.lock");
  writeFileSync(path, "this is no database, and longer than its header: ".repeat(10));
  for (const bad of [path, join(root, "no", "folder.lock")])
    await assert.rejects(openLock(bad), (error) => error instanceof Fault && error.code === "storage");
});
