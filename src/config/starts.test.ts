import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createManualClock, type ManualClock } from "../base/clock.ts";
import { openStarts } from "./starts.ts";

let folder: string;
let path: string;
let clock: ManualClock;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starts-"));
  path = join(folder, "starts.json");
  clock = createManualClock(1_800_000_000_000);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => openStarts({ path, clock });
/** A start that ends without a word. */
async function die(id: string, source: "file" | "last-good" = "file") {
  const starts = await open();
  await starts.begin(id, source);
  await clock.advance(6_000);
}
const isDistrusted = async (id: string) => (await open()).ladder.distrust(id, "file") !== undefined;

test("after three starts without an end a config is stepped over, and no other one is (R6)", async () => {
  for (const expected of [false, false, false, true]) {
    assert.equal(await isDistrusted("bad"), expected);
    if (!expected) await die("bad");
  }
  const { ladder } = await open();
  assert.match(ladder.distrust("bad", "file")?.reason ?? "", /3 times in a row: it ended without a word while/u);
  assert.deepEqual([ladder.distrust("other", "file"), ladder.isSafe], [undefined, false]);
});

test("an error counts with its words, and a fault that no config helps against does not", async () => {
  for (let count = 0; count < 3; count += 1) {
    const starts = await open();
    await starts.begin("bad", "file");
    await starts.failed("EISDIR");
    await (await open()).begin("unlucky", "file");
    const other = await open();
    await other.begin("unlucky", "file");
    await other.failed();
  }
  assert.match((await open()).ladder.distrust("bad", "file")?.reason ?? "", /EISDIR/u);
});

test("one that has settled is trusted again; ends soon after a start need five, and leave a doubt", async () => {
  const serve = async () => {
    const starts = await open();
    await starts.begin("a", "file");
    await starts.up();
    return starts;
  };
  await die("a");
  await die("a");
  await (await serve()).settled();
  for (let count = 0; count < 4; count += 1) await serve();
  assert.equal(await isDistrusted("a"), false);
  await serve();
  const { ladder } = await open();
  assert.deepEqual([ladder.distrust("a", "file")?.isCertain, ladder.isSafe], [false, false]);
  await (await serve()).settled();
  for (let count = 0; count < 20; count += 1) await (await serve()).settled();
  assert.equal(await isDistrusted("a"), false);
});

test("when the last good one does not start either, only the safe config is left; a stop in order forgets it all", async () => {
  for (let count = 0; count < 3; count += 1) await die("bad");
  await die("good", "last-good");
  assert.equal((await open()).ladder.isSafe, false);
  await die("good", "last-good");
  const starts = await open();
  assert.equal(starts.ladder.isSafe, true);
  await starts.begin(undefined, "safe");
  await starts.up();
  assert.equal((await open()).ladder.isSafe, true);
  await starts.stopped();
  assert.deepEqual([(await open()).ladder.isSafe, await isDistrusted("bad")], [false, false]);
});

test("one that worked before is never given up for the safe config because it was killed, however often; an error in words counts", async () => {
  const first = await open();
  await first.begin("a", "file");
  await first.up();
  await first.settled();
  for (let count = 0; count < 10; count += 1) await die("a");
  for (let count = 0; count < 10; count += 1) await die("a", "last-good");
  const { ladder } = await open();
  assert.deepEqual([ladder.distrust("a", "file")?.isCertain, ladder.isSafe], [false, false]);
  for (let count = 0; count < 3; count += 1) {
    const starts = await open();
    await starts.begin("a", "file");
    await starts.failed("EISDIR");
  }
  assert.equal((await open()).ladder.distrust("a", "file")?.isCertain, true);
});

test("as long as nobody told why any of them ended, it may have been somebody from outside", async () => {
  assert.equal((await open()).isSilent, false);
  for (let count = 0; count < 3; count += 1) await die("new");
  assert.equal((await open()).isSilent, true);
  const starts = await open();
  await starts.begin("new", "file");
  await starts.failed("EISDIR");
  assert.equal((await open()).isSilent, false);
});

test("what is ten minutes old does not count any more, nor does a file that nobody can read", async () => {
  for (let count = 0; count < 3; count += 1) await die("bad");
  await clock.advance(10 * 60_000);
  assert.equal(await isDistrusted("bad"), false);
  await writeFile(path, '{ "failed": [1, {}, "x"], "starting": 3 }');
  assert.equal(await isDistrusted("bad"), false);
  await writeFile(path, "{");
  await die("bad");
  assert.match(await readFile(path, "utf8"), /"starting"/u);
});
