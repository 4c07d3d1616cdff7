import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { ensureFolder, readTextIfExists, writeFileAtomic } from "./files.ts";

const root = mkdtempSync(join(tmpdir(), "files-"));
after(() => rmSync(root, { recursive: true, force: true }));
const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a file is private unless it is asked for otherwise, and nothing temporary stays", async () => {
  const folder = join(root, "modes");
  await ensureFolder(folder);
  await writeFileAtomic(join(folder, "a"), "text");
  await writeFileAtomic(join(folder, "b"), new Uint8Array([1, 2]), { mode: 0o644 });
  // what was open to others before is not afterwards
  writeFileSync(join(folder, "c"), "old", { mode: 0o644 });
  await writeFileAtomic(join(folder, "c"), "new");
  assert.deepEqual(
    [folder, join(folder, "a"), join(folder, "b"), join(folder, "c")].map(modeOf),
    [0o700, 0o600, 0o644, 0o600],
  );
  assert.deepEqual([...readFileSync(join(folder, "b"))], [1, 2]);
  assert.deepEqual(readdirSync(folder).toSorted(), ["a", "b", "c"]);
});

test(
  "a pipe that nobody writes into is read as empty, and holds up nobody",
  { skip: process.platform === "win32" },
  async () => {
    const pipe = join(root, "pipe");
    execFileSync("mkfifo", [pipe]);
    assert.equal(await readTextIfExists(pipe), "");
  },
);

test("a write that fails leaves the old file, no temporary one, and its own error", async () => {
  const folder = join(root, "failing");
  mkdirSync(join(folder, "target", "inside"), { recursive: true });
  // a folder cannot be replaced by a file
  await assert.rejects(writeFileAtomic(join(folder, "target"), "x"), { code: /EISDIR|ENOTEMPTY|EEXIST|EPERM/u });
  assert.deepEqual(readdirSync(folder), ["target"]);
  await assert.rejects(writeFileAtomic(join(folder, "none", "x"), "x"), { code: "ENOENT" });
});

test("an existing folder keeps its mode; a missing file reads as undefined, any other trouble is told", async () => {
  const folder = join(root, "given");
  mkdirSync(folder, { mode: 0o755 });
  await ensureFolder(folder);
  assert.equal(modeOf(folder), 0o755);
  await ensureFolder(join(root, "x", "y", "z"));
  assert.equal(modeOf(join(root, "x", "y", "z")), 0o700);
  assert.equal(await readTextIfExists(join(folder, "none")), undefined);
  await writeFileAtomic(join(folder, "some"), "öä");
  assert.equal(await readTextIfExists(join(folder, "some")), "öä");
  assert.equal(await readTextIfExists(join(folder, "some", "below")), undefined);
  await assert.rejects(readTextIfExists(folder), { code: "EISDIR" });
});

test("writers at the same time each write all or nothing", async () => {
  const path = join(root, "raced");
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000));
  await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
  assert.ok(texts.includes(readFileSync(path, "utf8")));
});

test("a process killed while it writes leaves the old text or the new one", async () => {
  const path = join(root, "killed");
  const script = join(root, "writer.mjs");
  writeFileSync(
    script,
    `import { writeFileAtomic } from ${JSON.stringify(join(import.meta.dirname, "files.ts"))};
     for (let n = 0; ; n += 1) {
       await writeFileAtomic(${JSON.stringify(path)}, String(n % 10).repeat(300_000));
       process.stdout.write(".");
     }`,
  );
  for (let round = 0; round < 5; round += 1) {
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    for (let writes = 0; writes <= round * 3; writes += 1) await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const text = readFileSync(path, "utf8");
    assert.equal(text, text.slice(0, 1).repeat(300_000));
  }
});
