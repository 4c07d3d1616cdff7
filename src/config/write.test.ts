import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { editText } from "./edit.ts";
import { createConfigWriter, type ConfigWriter } from "./write.ts";

let folder: string;
let path: string;
let writer: ConfigWriter;
const variable = () => undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "write-"));
  path = join(folder, "openclaw.json");
  writer = createConfigWriter({ files: { path, variable }, clock: systemClock });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("the file and the copy of the one before are private, and no rest is left", async () => {
  await writer.write(() => "{ gateway: { port: 1 } }");
  await writer.write(() => "{ gateway: { port: 2 } }");
  assert.equal(await readFile(path, "utf8"), "{ gateway: { port: 2 } }");
  assert.equal(await readFile(`${path}.bak`, "utf8"), "{ gateway: { port: 1 } }");
  for (const name of await readdir(folder)) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  assert.deepEqual((await readdir(folder)).toSorted(), ["openclaw.json", "openclaw.json.bak", "openclaw.json.lock"]);
});

test("T27: a hand that changes the file while ours is being written is not overwritten: we look at what it wrote", async () => {
  await writer.write(() => "{ gateway: { port: 1 } }");
  const seen: (string | undefined)[] = [];
  await writer.write(({ text }) => {
    seen.push(text);
    // an editor takes no lock
    if (seen.length === 1) writeFileSync(path, "{ gateway: { port: 2 } }");
    return (text ?? "").replace("}", ", bind: 'lan' }");
  });
  assert.deepEqual(seen, ["{ gateway: { port: 1 } }", "{ gateway: { port: 2 } }"]);
  assert.equal(await readFile(path, "utf8"), "{ gateway: { port: 2 , bind: 'lan' } }");
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith(".tmp")),
    [],
  );
  await assert.rejects(
    writer.write(({ text }) => {
      writeFileSync(path, `${text} `);
      return "{}";
    }),
    (error) => error instanceof Fault && error.code === "storage",
  );
});

test("a text with problems is refused with each of them, and nothing is written", async () => {
  await writer.write(() => "{}");
  await assert.rejects(
    writer.write(() => "{ gatway: 1, gateway: { port: 'x' } }"),
    (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.message, "invalid config");
      const issues = error.details?.["issues"] as { path: string }[];
      assert.deepEqual(issues.map((issue) => issue.path).toSorted(), ["gateway.port", "gatway"]);
      return true;
    },
  );
  assert.equal(await readFile(path, "utf8"), "{}");
});

test("a broken file can be mended step by step, and never be made worse", async () => {
  await writeFile(path, "{ gatway: 1, loging: 2 }");
  const mending = createConfigWriter({ files: { path, variable }, clock: systemClock, isMending: true });
  await assert.rejects(
    writer.write(() => "{ loging: 2 }"),
    Fault,
  );
  assert.equal((await mending.write(() => "{ loging: 2 }")).problems.length, 1);
  await assert.rejects(
    mending.write(() => "{ loging: 2, chanels: 3 }"),
    Fault,
  );
});

test("a link stays a link: the file it leads to is written", async () => {
  const real = join(folder, "dotfiles.json");
  await writeFile(real, "{}");
  await symlink(real, path);
  await writer.write(() => "{ gateway: { port: 7 } }");
  assert.ok((await lstat(path)).isSymbolicLink());
  assert.match(await readFile(real, "utf8"), /port: 7/u);
});

test("a link that leads to nothing yet stays one too: the file is made where it leads, and links in a circle are told", async () => {
  await symlink("dotfiles/gateway.json", path);
  await writer.write(() => "{ gateway: { port: 1 } }");
  assert.ok((await lstat(path)).isSymbolicLink());
  assert.equal(await readFile(join(folder, "dotfiles", "gateway.json"), "utf8"), "{ gateway: { port: 1 } }");

  const loop = join(folder, "loop.json");
  await symlink("other.json", loop);
  await symlink("loop.json", join(folder, "other.json"));
  const circular = createConfigWriter({ files: { path: loop, variable }, clock: systemClock });
  await assert.rejects(
    circular.write(() => "{}"),
    (error) =>
      error instanceof Fault && /cannot be written: .*ELOOP/u.test(error.message) && /circle/u.test(error.next ?? ""),
  );
});

test("writers that know nothing of each other lose none of each other's changes (T27)", async () => {
  const writers = Array.from({ length: 4 }, () =>
    createConfigWriter({ files: { path, variable }, clock: systemClock }),
  );
  await writer.write(() => "{ env: {} }");
  const names = Array.from({ length: 60 }, (_, index) => `K${index}`);
  await Promise.all(
    names.map((name, index) =>
      writers[index % writers.length]?.write(({ text = "", value }) => {
        const env = value?.["env"] as Record<string, string>;
        return editText(text, value, { ...value, env: { ...env, [name]: "1" } }).text;
      }),
    ),
  );
  const { value } = await writer.read();
  assert.deepEqual(Object.keys(value?.["env"] as object).toSorted(), names.toSorted());
});

for (const how of ["renames", "writes in place"] as const) {
  test(`T27: a hand that ${how} beside continuous writing of ours loses no save, nor do we`, async () => {
    let ours = 0;
    let [saved, late] = [0, 0];
    writeFileSync(path, "{ meta: { ours: 0, hand: 0 } }");
    const hand = () => {
      const seen = readFileSync(path, "utf8");
      const next = seen.replace(/hand: \d+/u, `hand: ${saved + 1}`);
      if (!seen.includes(`hand: ${saved} `)) {
        // it may be on its way back
        late += 1;
        return;
      }
      saved += 1;
      writeFileSync(how === "renames" ? `${path}~` : path, next);
      if (how === "renames") renameSync(`${path}~`, path);
    };
    const hands = setInterval(hand, 7);
    const endAt = Date.now() + 3_000;
    for (; Date.now() < endAt; ours += 1)
      await writer
        .write(({ text }) => (text ?? "").replace(/ours: \d+/u, `ours: ${ours + 1}`))
        .catch((error: unknown) => {
          // the hand was faster twenty times in a row
          assert.ok(error instanceof Fault && error.code === "storage");
          ours -= 1;
        });
    clearInterval(hands);
    const meta = `ours: ${ours}, hand: ${saved}`;
    assert.equal(await readFile(path, "utf8"), `{ meta: { ${meta} } }`);
    assert.ok(ours > 3 && saved > 50 && late < saved, `${meta}, ${late} late`);
  });
}

test("two processes that write at the same time lose nothing", async () => {
  await writer.write(() => "{ env: {} }");
  const script = `
    import { systemClock } from ${JSON.stringify(new URL("../base/clock.ts", import.meta.url).href)};
    import { editText } from ${JSON.stringify(new URL("./edit.ts", import.meta.url).href)};
    import { createConfigWriter } from ${JSON.stringify(new URL("./write.ts", import.meta.url).href)};
    const writer = createConfigWriter({ files: { path: ${JSON.stringify(path)}, variable: () => undefined }, clock: systemClock });
    setInterval(() => {}, 1000).unref(); const hold = setInterval(() => {}, 1000);
    for (let index = 0; index < 50; index += 1) {
      await writer.write(({ text, value }) => editText(text, value, { ...value, env: { ...value.env, [process.argv[1] + index]: "1" } }).text);
    }
    clearInterval(hold);
  `;
  const codes = await Promise.all(
    ["A", "B"].map(
      (name) =>
        new Promise((resolve) => {
          const child = spawn(process.execPath, ["--input-type=module", "-e", script, name], { stdio: "inherit" });
          child.once("exit", resolve);
        }),
    ),
  );
  assert.deepEqual(codes, [0, 0]);
  const { value } = await writer.read();
  assert.equal(Object.keys(value?.["env"] as object).length, 100);
});

test("kill -9 at any instant of a save leaves the file as it was or as it was to be, and the next writer gets through (R8)", async () => {
  const rest = "x".repeat(200_000);
  const textOf = (index: number) => JSON.stringify({ env: { A: String(index), REST: rest } });
  await writer.write(() => textOf(0));
  const script = `
    import { systemClock } from ${JSON.stringify(new URL("../base/clock.ts", import.meta.url).href)};
    import { createConfigWriter } from ${JSON.stringify(new URL("./write.ts", import.meta.url).href)};
    const writer = createConfigWriter({ files: { path: ${JSON.stringify(path)}, variable: () => undefined }, clock: systemClock });
    setInterval(() => {}, 1000);
    for (let index = 1; ; index += 1) {
      await writer.write(() => JSON.stringify({ env: { A: String(index), REST: "x".repeat(200_000) } }));
      if (index === 1) process.stdout.write("writing");
    }
  `;
  for (let kill = 0; kill < 12; kill += 1) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, kill * 3));
    child.kill("SIGKILL");
    await ended;
    const text = await readFile(path, "utf8");
    const { env } = JSON.parse(text) as { env: { A: string } };
    assert.equal(text, textOf(Number(env.A)));
  }
  await writer.write(() => textOf(7));
  assert.equal(await readFile(path, "utf8"), textOf(7));
});
