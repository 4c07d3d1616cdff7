// Loaded before a program (`--import`): counts its changes to files, and kills the process with SIGKILL right before or right after
// the one that KILL_AT names (`3-` before the third, `3+` after it). The program knows nothing of it.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const wanted = process.env["KILL_AT"] ?? "";
let count = 0;

type Call = (...args: never[]) => Promise<unknown>;
function wrap(owner: object, name: string): void {
  // every method that is named below returns a promise
  const methods = owner as Record<string, Call>;
  const real = methods[name];
  if (!real) throw new Error(`there is no ${name}`);
  methods[name] = async function (this: unknown, ...args: never[]) {
    count += 1;
    const step = count;
    if (wanted === `${step}-`) process.kill(process.pid, "SIGKILL");
    const result = await real.apply(this, args);
    if (wanted === `${step}+`) process.kill(process.pid, "SIGKILL");
    return result;
  };
}

/** The same for what does not wait; Node reads its modules by it as well, which are no step. */
function wrapSync(name: "openSync" | "renameSync"): void {
  const real = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name](...args: unknown[]) {
      if (!/\.json(?:\.|$)/u.test(String(args[0]))) return real(...args);
      count += 1;
      const step = count;
      if (wanted === `${step}-`) process.kill(process.pid, "SIGKILL");
      try {
        return real(...args);
      } finally {
        if (wanted === `${step}+`) process.kill(process.pid, "SIGKILL");
      }
    },
  });
}

const handle = await fs.promises.open(process.execPath, "r");
const prototype = Object.getPrototypeOf(handle) as object;
await handle.close();
for (const name of ["writeFile", "sync"]) wrap(prototype, name);
for (const name of ["open", "rename", "unlink", "link", "mkdir"]) wrap(fs.promises, name);
for (const name of ["openSync", "renameSync"] as const) wrapSync(name);
syncBuiltinESMExports();
