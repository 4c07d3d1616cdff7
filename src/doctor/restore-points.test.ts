import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createRestorePoints } from "./restore-points.ts";

const made: string[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "points-"));
  made.push(folder);
});
after(() => Promise.all(made.map((one) => rm(one, { recursive: true, force: true }))));

test("it holds the bytes, their mode and what was not there, closed to others", async () => {
  const file = join(folder, "file");
  const bytes = Buffer.from([0, 255, 10, 13]);
  await writeFile(file, bytes);
  await chmod(file, 0o640);
  const points = createRestorePoints(join(folder, "points"), systemClock);
  const wanted = [{ kind: "file", path: file } as const, { kind: "file", path: join(folder, "none") } as const];
  const point = await points.make(["mend it"], wanted, ["look"]);
  const [kept, missing] = point.entries;
  assert.partialDeepStrictEqual([kept, missing], [{ kind: "file", mode: 0o640, copy: "copy-0" }, { before: null }]);
  assert.deepEqual(await points.copyOf(point, "copy-0"), bytes);
  assert.deepEqual(await points.list(), [{ version: 1, ...point }]);
  for (const name of await readdir(join(folder, "points", point.id)))
    assert.equal((await stat(join(folder, "points", point.id, name))).mode & 0o777, 0o600, name);
  assert.equal((await stat(join(folder, "points", point.id))).mode & 0o777, 0o700);
});

test("there are twenty at most; the newest stay", async () => {
  const points = createRestorePoints(join(folder, "points"), systemClock);
  const ids: string[] = [];
  for (let count = 0; count < 23; count += 1) ids.push((await points.make([`${count}`], [], [])).id);
  assert.equal(new Set(ids).size, 23);
  const left = (await points.list()).map(({ titles }) => Number(titles[0])).toSorted((a, b) => b - a);
  assert.deepEqual(
    left,
    Array.from({ length: 20 }, (_, index) => 22 - index),
  );
});

test("one that cannot be made says so, and leaves nothing behind", async () => {
  await writeFile(join(folder, "points"), "in the way");
  const points = createRestorePoints(join(folder, "points"), systemClock);
  await assert.rejects(points.make(["x"], [], []), (error) => {
    assert.ok(error instanceof Fault);
    assert.match(error.message, /nothing was changed/u);
    return true;
  });
  assert.deepEqual(await readdir(folder), ["points"]);
});
