import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createManualClock, systemClock, type ManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createConfigHistory, type ConfigContent, type ConfigHistory } from "./history.ts";

let folder: string;
let clock: ManualClock;
let history: ConfigHistory;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "history-")), "versions");
  clock = createManualClock();
  history = createConfigHistory({ folder, clock });
});
afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

const content = (text: string): ConfigContent => ({ text, parts: [] });
async function keep(text: string, isGood = true) {
  await clock.advance(1_000);
  await history.keep(content(text), isGood);
}
const texts = async () => Promise.all((await history.list()).map(async (it) => (await history.read(it))?.text));

test("versions come back newest first, each once, in private files", async () => {
  for (const text of ["{ a: 1 }", "{ b: 2 }", "{ a: 1 }"]) await keep(text);
  assert.deepEqual(await texts(), ["{ a: 1 }", "{ b: 2 }"]);
  const names = await readdir(folder);
  assert.equal(names.length, 2);
  for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test("a good one stays good when it is replaced, and one that was replaced becomes good when it works", async () => {
  await keep("{ a: 1 }");
  await keep("{ b: 2 }", false);
  await keep("{ a: 1 }", false);
  await keep("{ b: 2 }", true);
  assert.deepEqual(
    (await history.list()).map(({ isGood }) => isGood),
    [true, true],
  );
});

test("what is kept is bounded by number and by bytes, and the newest good one is never given up", async () => {
  history = createConfigHistory({ folder, clock, maxVersions: 3, maxBytes: 1_000 });
  await keep("// good");
  for (let index = 0; index < 10; index += 1) await keep(`// ${index}`, false);
  assert.deepEqual(await texts(), ["// 9", "// 8", "// 7", "// good"]);
  await keep(`// ${"x".repeat(900)}`, false);
  await keep(`// ${"y".repeat(900)}`, false);
  assert.deepEqual(
    (await history.list()).map(({ isGood, bytes }) => [isGood, bytes]),
    [
      [false, 903],
      [true, 7],
    ],
  );
});

test("a version that is not what its name says is not read, and is written anew when it comes again", async () => {
  await keep("{ a: 1 }");
  const [name = ""] = await readdir(folder);
  await writeFile(join(folder, name), "{ a: ");
  assert.deepEqual(await texts(), [undefined]);
  await keep("{ b: 2 }");
  await keep("{ a: 1 }");
  assert.deepEqual(await texts(), ["{ a: 1 }", "{ b: 2 }"]);
});

test("parts are kept with their file, and what a crash left is cleared away", async () => {
  const whole = { text: '{ $include: "./a.json5" }', parts: [{ name: "a.json5", text: "{ x: 1 }" }] };
  await history.keep(whole, true);
  await writeFile(join(folder, "half.tmp"), "{");
  await utimes(join(folder, "half.tmp"), 0, clock.now() / 1000 - 61);
  const [version] = await history.list();
  assert.deepEqual(version && (await history.read(version)), whole);
  await keep("{}");
  assert.equal((await readdir(folder)).length, 2);
});

test("what another process is writing at this moment is left alone", async () => {
  await keep("{ a: 1 }");
  await writeFile(join(folder, "half.tmp"), "{");
  await utimes(join(folder, "half.tmp"), 0, clock.now() / 1000);
  await keep("{ b: 2 }");
  assert.ok((await readdir(folder)).includes("half.tmp"));
});

test("several that keep versions at once, new ones and the same, get in nobody's way (T27)", async () => {
  const others = Array.from({ length: 4 }, () => createConfigHistory({ folder, clock: systemClock, maxVersions: 5 }));
  for (let round = 0; round < 40; round += 1) {
    await Promise.all(others.map((other, index) => other.keep(content(`{ k: ${round + (index % 2)} }`), index > 1)));
    const [newest] = await history.list();
    assert.ok(newest);
    assert.match((await history.read(newest))?.text ?? "", new RegExp(`^\\{ k: (?:${round}|${round + 1}) \\}$`, "u"));
  }
  await others[0]?.keep(content("{}"), true);
  assert.equal((await readdir(folder)).length, 5);
  const last = await texts();
  assert.equal(last[0], "{}");
  assert.ok(!last.includes(undefined));
});

test("one file is kept as it is written", async () => {
  await keep("// mine\n{ a: 1, }\n");
  const [name = ""] = await readdir(folder);
  assert.equal(await readFile(join(folder, name), "utf8"), "// mine\n{ a: 1, }\n");
});

test("a folder that cannot be written is a fault that names it, and reads as empty", async () => {
  await writeFile(folder, "not a folder");
  assert.deepEqual(await history.list(), []);
  await assert.rejects(
    history.keep(content("{}"), true),
    (error) => error instanceof Fault && error.code === "storage" && error.message.includes(folder),
  );
});
