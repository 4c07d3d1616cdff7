import assert from "node:assert/strict";
import fs, {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";

import { systemClock } from "../base/clock.ts";
import { swapFile } from "./swap-file.ts";

const isWhole = (text: string) => text.endsWith(".");
const swap = (path: string, text: string, expected: string | undefined) =>
  swapFile(path, text, { expected, isWhole, clock: systemClock });

function setUp(context: TestContext, text?: string) {
  const folder = mkdtempSync(join(tmpdir(), "swap-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "file");
  if (text !== undefined) writeFileSync(path, text);
  return { path, read: () => readFileSync(path, "utf8"), names: () => readdirSync(folder) };
}

/** `save` happens after the file was looked at for the last time, and before it is replaced. */
function meanwhile(context: TestContext, path: string, save: () => void): void {
  const real = fs.openSync;
  let isDone = false;
  fs.openSync = (...args) => {
    if (args[0] === path && !isDone) {
      isDone = true;
      save();
    }
    return real(...args);
  };
  syncBuiltinESMExports();
  context.after(() => {
    fs.openSync = real;
    syncBuiltinESMExports();
  });
}

describe("a file that others save as well", { skip: process.platform === "win32" }, () => {
  test("is replaced when it is what was expected, and nothing temporary stays", async (context) => {
    const { path, read, names } = setUp(context, "old.");
    assert.equal(await swap(path, "new.", "old."), true);
    assert.deepEqual([read(), names()], ["new.", ["file"]]);
    assert.equal(await swap(path, "newer.", "old."), false);
    assert.deepEqual([read(), names()], ["new.", ["file"]]);
  });

  test("is made where nothing is, and one that somebody made meanwhile stays", async (context) => {
    const { path, read, names } = setUp(context);
    assert.equal(await swap(path, "new.", undefined), true);
    assert.deepEqual([read(), names()], ["new.", ["file"]]);
    assert.equal(await swap(path, "newer.", undefined), false);
    assert.deepEqual([read(), names()], ["new.", ["file"]]);
  });

  test("goes back to its place when an editor renamed it there in the moment before", async (context) => {
    const { path, read, names } = setUp(context, "old.");
    meanwhile(context, path, () => {
      writeFileSync(`${path}~`, "by hand.");
      renameSync(`${path}~`, path);
    });
    assert.equal(await swap(path, "ours.", "old."), false);
    assert.deepEqual([read(), names()], ["by hand.", ["file"]]);
  });

  test("goes back once it is whole when an editor was writing into it", async (context) => {
    const { path, read, names } = setUp(context, "old.");
    meanwhile(context, path, () => {
      const descriptor = openSync(path, "w");
      setTimeout(() => writeSync(descriptor, "by "), 50);
      setTimeout(() => {
        writeSync(descriptor, "hand.");
        closeSync(descriptor);
      }, 200);
    });
    assert.equal(await swap(path, "ours.", "old."), false);
    assert.deepEqual([read(), names()], ["by hand.", ["file"]]);
  });

  test("is ours when an editor had begun and never came to an end", async (context) => {
    const { path, read, names } = setUp(context, "old.");
    meanwhile(context, path, () => writeFileSync(path, "half"));
    assert.equal(await swap(path, "ours.", "old."), true);
    assert.deepEqual([read(), names()], ["ours.", ["file"]]);
  });

  test("keeps what was saved last when there were two", async (context) => {
    const { path, read, names } = setUp(context, "old.");
    meanwhile(context, path, () => {
      writeFileSync(path, "by hand.");
      setTimeout(() => writeFileSync(path, "by hand again."), 5);
    });
    assert.equal(await swap(path, "ours.", "old."), false);
    assert.deepEqual([read(), names()], ["by hand again.", ["file"]]);
  });
});
