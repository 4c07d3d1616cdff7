// Opens an address in the user's browser. The address holds the token, and everybody on the machine can read a program's
// arguments: the browser is given another one, which leads to it once.

import { silentLog } from "../../base/log.ts";
import { sleep } from "../../base/clock.ts";
import { openListener, type Listener } from "../../platform/listen.ts";
import { findProgram } from "../../platform/process.ts";
import type { Context } from "../context.ts";
import { openMachine } from "../machine.ts";

/** For a browser that has to start first. */
const waitMs = 20_000;
/** For the program that starts it. */
const startMs = 10_000;

const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  linux: ["xdg-open"],
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** @returns false when there is no program for it, or the browser did not come. */
export async function openBrowser(context: Context, url: string): Promise<boolean> {
  const { env, clock, ids, paths } = context;
  const [name, ...args] = openers[process.platform] ?? [];
  if (name === undefined) return false;
  const program = await findProgram(name, {
    path: env.raw("PATH") ?? "",
    cwd: paths.home,
    endings: env.raw("PATHEXT") ?? ".EXE;.CMD",
  });
  if (program === undefined) return false;
  const path = `/${ids.secret(16)}`;
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog, clock });
  try {
    const taken = leadOnce(listener, path, url);
    const variables = [
      "PATH",
      "HOME",
      "USER",
      "DISPLAY",
      "WAYLAND_DISPLAY",
      "XAUTHORITY",
      "XDG_RUNTIME_DIR",
      "DBUS_SESSION_BUS_ADDRESS",
      "SystemRoot",
    ];
    const handed = variables.flatMap((key) => {
      const value = env.raw(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    const started = openMachine(context).run({
      program,
      argv: [name, ...args, `http://127.0.0.1:${listener.port}${path}`],
      env: Object.fromEntries(handed),
      timeoutMs: startMs,
      maxOutputBytes: 10_000,
    });
    const { exitCode } = await started;
    if (exitCode !== 0) return false;
    return await Promise.race([taken.then(() => true), sleep(clock, waitMs).then(() => false)]);
  } finally {
    await listener.close();
  }
}

/** Resolves when the one who asks first was led on; who asks later finds nothing. */
function leadOnce(listener: Listener, path: string, url: string): Promise<void> {
  return new Promise((resolve) => {
    let isTaken = false;
    listener.serve((server) =>
      server.on("request", (request, response) => {
        if (isTaken || request.url !== path) {
          response.writeHead(404).end();
          return;
        }
        isTaken = true;
        response.writeHead(302, { location: url, "cache-control": "no-store", connection: "close" });
        response.end(() => resolve());
      }),
    );
  });
}
