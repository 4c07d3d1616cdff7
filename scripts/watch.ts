// `npm run gateway:watch`: builds and starts the Gateway, and does both anew when a source changes. A build with errors leaves the
// one that runs alone. Arguments go to `gateway`: `npm run gateway:watch -- --port 19000`.

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, watch } from "node:fs";
import { join } from "node:path";

import { root, run } from "./run.ts";

/** Editors save in several steps, and version control many files at once. */
const quietMs = 150;
/** Longer than the Gateway gives its turns. */
const patienceMs = 15_000;
const launcher = join(root, "bin", "openclaw.mjs");

let child: ChildProcess | undefined;
let leaving: ChildProcess | undefined;
let isStopping = false;
let isBusy = false;
let hasChanged = false;
let timer: NodeJS.Timeout | undefined;
let lastError = "";

const say = (text: string) => console.log(`[watch] ${text}`);

/** Names, sizes and times of the sources that dist was made from. */
function builtFrom(): string {
  try {
    return (JSON.parse(readFileSync(join(root, "dist", "stamp.json"), "utf8")) as { inputs: string }).inputs;
  } catch {
    // never built
    return "";
  }
}

/** True when there is a build of the sources as they are. */
async function build(): Promise<boolean> {
  const { code, output } = await run([process.execPath, join(root, "scripts", "build.ts"), "--if-stale"]);
  if (code === 0) {
    lastError = "";
    if (output.trim() !== "") say(output.trim());
    return true;
  }
  // a second event of the same save needs no second telling
  if (output !== lastError)
    say(`the build failed${child ? "; the Gateway before it goes on" : ""}:\n${output.trimEnd()}`);
  lastError = output;
  return false;
}

function start(): void {
  // a group of its own: Ctrl-C comes to us alone, and the Gateway gets one signal to stop
  const detached = process.platform !== "win32";
  const made = spawn(process.execPath, [launcher, "gateway", ...process.argv.slice(2)], { stdio: "inherit", detached });
  child = made;
  made.once("exit", (code, signal) => {
    if (child !== made) return;
    child = undefined;
    if (isStopping) return;
    say(`the Gateway ended (${signal ?? code}); a change of a source starts it again`);
  });
}

async function stop(): Promise<void> {
  const current = child;
  child = undefined;
  if (!current || current.exitCode !== null || current.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    current.once("exit", resolve);
  });
  leaving = current;
  current.kill("SIGTERM");
  const late = setTimeout(() => current.kill("SIGKILL"), patienceMs);
  await ended;
  clearTimeout(late);
}

async function renew(): Promise<void> {
  if (isBusy) {
    hasChanged = true;
    return;
  }
  isBusy = true;
  do {
    hasChanged = false;
    const before = builtFrom();
    const isBuilt = await build();
    if (isStopping) break;
    if (!isBuilt || (child && builtFrom() === before)) continue;
    if (child) say("restarting");
    await stop();
    if (!isStopping) start();
  } while (hasChanged && !isStopping);
  isBusy = false;
}

function onChange(name: string | null): void {
  if (name !== null && (/\.test\.ts$|(?:^|[\\/])\.|~$/u.test(name) || name === "rooms.json")) return;
  clearTimeout(timer);
  timer = setTimeout(() => void renew(), quietMs);
}

const watches = [
  watch(join(root, "src"), { recursive: true }, (_, name) => onChange(name)),
  // editors replace files: the folder is watched, not the file
  watch(root, (_, name) => (name === "package.json" ? onChange(name) : undefined)),
];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // whoever asks twice is not patient
    if (isStopping) {
      leaving?.kill("SIGKILL");
      return;
    }
    isStopping = true;
    clearTimeout(timer);
    for (const watching of watches) watching.close();
    void stop();
  });
}

await renew();
