// A process that saves the config is killed before and after every single change that it makes to a file: the config, its copies and
// its versions are old or new and whole each time, and the next save works (R8).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { systemClock } from "../../src/base/clock.ts";
import { createConfigHistory } from "../../src/config/history.ts";
import { createConfigWriter } from "../../src/config/write.ts";

const textOf = (number: number) =>
  `// version ${number}\n{ gateway: { port: ${4000 + number} } }\n${"// padding\n".repeat(200)}`;
const kit = (name: string) => join(import.meta.dirname, "..", "kit", name);

function open(folder: string) {
  const path = join(folder, "openclaw.json");
  const history = createConfigHistory({ folder: join(folder, "history"), clock: systemClock, maxVersions: 4 });
  const writer = createConfigWriter({ files: { path, history, variable: () => undefined }, clock: systemClock });
  return { path, history, writer };
}

/** @returns true when it was killed; false when it ended before that step. */
async function saveAndKill(folder: string, text: string, at: string): Promise<boolean> {
  const args = [kit("config-saver.ts"), join(folder, "openclaw.json"), join(folder, "history"), text];
  const child = spawn(process.execPath, ["--import", kit("killing-fs.ts"), ...args], {
    env: { PATH: process.env["PATH"], KILL_AT: at },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  assert.ok(signal === "SIGKILL" || code === 0, `${at}: ${code ?? signal}`);
  return signal === "SIGKILL";
}

const known = new Set([1, 2, 3, 4, 5, 6, 7, 8].map(textOf));

/** Every file is whole, and the next save works. @returns which of the two texts the config has. */
async function inspect(folder: string, at: string): Promise<"old" | "new"> {
  const { path, history, writer } = open(folder);
  const text = await readFile(path, "utf8");
  assert.ok(text === textOf(7) || text === textOf(8), `${at}: ${text.slice(0, 60)}`);
  const copies = (await readdir(folder)).filter((name) => /\.bak(?:\.\d)?$/u.test(name));
  for (const name of copies) assert.ok(known.has(await readFile(join(folder, name), "utf8")), `${at}: ${name}`);
  for (const version of await history.list()) {
    const content = await history.read(version);
    assert.ok(content && known.has(content.text), `${at}: version ${version.id}`);
  }
  await writer.write(() => textOf(9));
  assert.equal(await readFile(path, "utf8"), textOf(9), at);
  const [newest] = await history.list();
  assert.equal(newest && (await history.read(newest))?.text, text, `${at}: what was there is kept`);
  assert.equal(await readFile(`${path}.bak`, "utf8"), text, at);
  return text === textOf(8) ? "new" : "old";
}

test("a config save that is killed at any step leaves old or new, in every file that it touches (R8)", async (context) => {
  const base = await mkdtemp(join(tmpdir(), "config-kill-"));
  const folder = `${base}-killed`;
  try {
    const { writer } = open(base);
    for (let number = 1; number <= 7; number += 1) await writer.write(() => textOf(number));
    const outcomes = { old: 0, new: 0 };
    let steps = 0;
    for (let isKilled = true; isKilled; steps += 1) {
      for (const at of [`${steps + 1}-`, `${steps + 1}+`]) {
        await cp(base, folder, { recursive: true });
        isKilled = await saveAndKill(folder, textOf(8), at);
        outcomes[await inspect(folder, at)] += 1;
        await rm(folder, { recursive: true });
      }
    }
    assert.ok(steps > 20 && outcomes.old > 10 && outcomes.new > 2, JSON.stringify({ steps, outcomes }));
    const [before, after] = [outcomes.old, outcomes.new];
    context.diagnostic(`killed before and after each of ${steps - 1} steps: ${before} times old, ${after} times new`);
  } finally {
    await rm(base, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});
