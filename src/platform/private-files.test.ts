import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";

import { createPrivateFiles, isNotWritable } from "./private-files.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "private-"));
  folders.push(folder);
  return folder;
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test("of many that create a file at once one succeeds, and all read its text", async () => {
  const folder = await openFolder();
  const path = join(folder, "sub", "secret.json");
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => createPrivateFiles().create(path, `text ${i}`)));
  assert.equal(made.filter(Boolean).length, 1);
  assert.equal(await createPrivateFiles().read(path), `text ${made.indexOf(true)}`);
  assert.deepEqual(await readdir(join(folder, "sub")), ["secret.json"]);
  assert.deepEqual([await modeOf(path), await modeOf(join(folder, "sub"))], ["600", "700"]);
});

test("what others could read is closed to them when it is read", async () => {
  const path = join(await openFolder(), "secret");
  const files = createPrivateFiles();
  assert.equal(await files.read(path), undefined);
  await files.write(path, "one");
  assert.equal(await modeOf(path), "600");
  await chmod(path, 0o644);
  assert.equal(await files.read(path), "one");
  assert.equal(await modeOf(path), "600");
  await files.write(path, "two");
  assert.equal(await readFile(path, "utf8"), "two");
});

test("a full or read-only disk is told from any other trouble", () => {
  assert.ok(isNotWritable(Object.assign(new Error("x"), { code: "EROFS" })));
  assert.ok(!isNotWritable(Object.assign(new Error("x"), { code: "EIO" })));
  assert.ok(!isNotWritable(new Error("EROFS")));
});
