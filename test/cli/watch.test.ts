// `npm run gateway:watch` on a copy of the sources: a change restarts it, a mistake does not, Ctrl-C ends both.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { freePort } from "../kit/gateway-process.ts";

const root = join(import.meta.dirname, "..", "..");
/** A build on a busy machine. */
const patienceMs = 60_000;

let folder: string;
let watcher: ChildProcess;
let port: number;
let printed = "";
const copy = (...parts: string[]) => join(folder, "checkout", ...parts);
const count = (word: string) => printed.split(word).length - 1;
const starts = () => count("listening on ws://");

/** True when somebody listens. */
const answers = () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-"));
  for (const name of ["src", "scripts", "bin", "package.json", "package-lock.json", "tsconfig.json"])
    await cp(join(root, name), copy(name), { recursive: true });
  await symlink(join(root, "node_modules"), copy("node_modules"));
  await mkdir(join(folder, "state"));
  port = await freePort();
  // what npm would run, with its arguments
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const [, script = ""] = (scripts["gateway:watch"] ?? "").split(" ");
  watcher = spawn(process.execPath, [copy(script), "--port", String(port), "--allow-unconfigured"], {
    cwd: copy(),
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      NO_COLOR: "1",
      OPENCLAW_STATE_DIR: join(folder, "state"),
      OPENCLAW_LOG_DIR: join(folder, "log"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [watcher.stdout, watcher.stderr])
    stream?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  await until(() => starts() === 1, patienceMs);
});
after(async () => {
  if (watcher.exitCode === null) watcher.kill("SIGTERM");
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("a saved source is built and runs, once for many saves (RB-07, OV-08)", async () => {
  const path = copy("src", "cli", "gateway", "announcement.ts");
  const text = await readFile(path, "utf8");
  assert.ok(text.includes("`listening on"));
  for (let save = 0; save < 20; save += 1) await writeFile(path, text.replace("`listening on", "`now listening on"));
  await until(() => printed.includes("now listening on"), patienceMs);
  assert.equal(starts(), 2, printed);
  assert.equal(await answers(), true);
});

test("a touched test restarts nothing; a touched source does", async () => {
  const now = new Date();
  await utimes(copy("src", "base", "semaphore.test.ts"), now, now);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(starts(), 2);
  await utimes(copy("src", "base", "semaphore.ts"), now, now);
  await until(() => starts() === 3, patienceMs);
});

test("a mistake is shown and leaves the one that runs alone, until it is mended", async () => {
  const path = copy("src", "base", "semaphore.ts");
  const text = await readFile(path, "utf8");
  await appendFile(path, "\nconst = ;\n");
  await until(() => printed.includes("the build failed; the Gateway before it goes on"), patienceMs);
  assert.match(printed, /semaphore\.ts:\d+/u);
  assert.equal(await answers(), true);
  assert.equal(starts(), 3);
  await writeFile(path, `${text}\n// mended\n`);
  await until(() => starts() === 4, patienceMs);
});

test("Ctrl-C ends both", async () => {
  const ended = new Promise((resolve) => {
    watcher.once("exit", (code) => resolve(code));
  });
  watcher.kill("SIGINT");
  assert.equal(await ended, 0);
  await until(async () => !(await answers()));
  assert.match(printed, /received SIGTERM; shutting down[\s\S]*stopped/u);
});
