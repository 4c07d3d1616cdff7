import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { createFileWatch, type FileWatch, type FileWatchOptions } from "./watch.ts";

let folder: string;
let path: string;
let watch: FileWatch | undefined;
let calls: number;
let next: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-"));
  path = join(folder, "file.json");
  calls = 0;
  next = () => {};
});
afterEach(async () => {
  watch?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(extra: Partial<FileWatchOptions> = {}) {
  watch = createFileWatch({
    paths: () => [path],
    clock: systemClock,
    pollMs: 60_000,
    onChange() {
      calls += 1;
      next();
    },
    ...extra,
  });
  await watch.start();
}

/** Does it, and resolves with the word that something changed. */
async function seen(task: () => Promise<unknown>): Promise<void> {
  const told = new Promise<void>((resolve) => {
    next = resolve;
  });
  await task();
  await told;
}

test("a file that comes, is written, replaced by rename, and goes is told of (RB-08)", async () => {
  await start();
  await seen(() => writeFile(path, "1"));
  await seen(() => writeFile(path, "22"));
  await seen(async () => {
    await writeFile(`${path}.swp`, "333");
    await rename(`${path}.swp`, path);
  });
  await seen(() => writeFile(path, "after the rename"));
  await seen(() => rm(path));
});

test("other files of the folder are nobody's business", async () => {
  await writeFile(path, "1");
  await start();
  for (let count = 0; count < 20; count += 1) await writeFile(join(folder, `other-${count}`), "x");
  await seen(() => writeFile(path, "2"));
  assert.ok(calls <= 3, `${calls} calls`);
});

test("a link is followed: its target's writes, and its turning elsewhere", async () => {
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  await Promise.all([mkdir(one), mkdir(two)]);
  await Promise.all([one, two].map((place) => writeFile(join(place, "real.json"), "1")));
  await symlink(join(one, "real.json"), path);
  await start({ pollMs: 50 });
  await seen(() => writeFile(join(one, "real.json"), "2"));
  await seen(async () => {
    await symlink(join(two, "real.json"), `${path}.new`);
    await rename(`${path}.new`, path);
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await seen(() => writeFile(join(two, "real.json"), "3"));
});

test("where the system says nothing, looking finds it; a link to a folder that is turned too", async () => {
  await mkdir(join(folder, "v1"));
  await mkdir(join(folder, "v2"));
  await writeFile(join(folder, "v1", "real.json"), "1");
  await writeFile(join(folder, "v2", "real.json"), "2");
  await symlink("v1", join(folder, "current"));
  path = join(folder, "current", "real.json");
  await start({ pollMs: 20, isPollingOnly: true });
  await seen(async () => {
    await symlink("v2", join(folder, "new"));
    await rename(join(folder, "new"), join(folder, "current"));
  });
  await seen(() => writeFile(path, "longer than before"));
});

test("a folder that is taken away and made anew is watched again, and nothing is told after the stop", async () => {
  const inner = join(folder, "inner");
  await mkdir(inner);
  path = join(inner, "file.json");
  await writeFile(path, "1");
  await start({ pollMs: 20 });
  await seen(() => rm(inner, { recursive: true }));
  await seen(async () => {
    await mkdir(inner);
    await writeFile(path, "2");
  });
  watch?.stop();
  const before = calls;
  await writeFile(path, "3 and more");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(calls, before);
});

test("a path that comes into the list is watched once that is said, without waiting for the next look", async () => {
  const other = join(folder, "parts", "other.json");
  await mkdir(join(folder, "parts"));
  await writeFile(other, "1");
  const paths = [path];
  await start({ paths: () => paths });
  paths.push(other);
  await watch?.refresh();
  await seen(() => writeFile(other, "2"));
  assert.ok(calls > 0);
});
