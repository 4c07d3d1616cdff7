// Agents of launchd, by `launchctl`. A restart never takes the service out of launchd: what is out may not come back (R11).

import { lstat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { sleep, type Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { ProcessResult } from "../platform/process.ts";
import { setAside, type Aside } from "./aside.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { ServiceManager, ServiceRuntime, ServiceStatus } from "./service.ts";
import { parsePlist, renderPlist } from "./plist.ts";
import { tailText } from "./tail.ts";
import { said, type Tool } from "./tool.ts";

export interface LaunchdOptions {
  readonly label: string;
  /** Of the property lists. */
  readonly folder: string;
  readonly legacyLabels: readonly string[];
  readonly uid: number;
  readonly launchctl: Tool;
  readonly clock: Clock;
  readonly aside: Aside;
  readonly output: ServiceDefinition["output"];
}

/** As long as a Gateway may take to end, and some more. */
const patienceMs = 45_000;
const pauseMs = 250;

export function createLaunchdManager(options: LaunchdOptions): ServiceManager {
  const { label, folder, launchctl } = options;
  const path = join(folder, `${label}.plist`);
  const control = createControl(options, path);

  const removeLegacy = async () => {
    const warnings: string[] = [];
    for (const legacy of options.legacyLabels) {
      const file = join(folder, `${legacy}.plist`);
      if ((await readTextIfExists(file)) === undefined) continue;
      await launchctl("bootout", `gui/${options.uid}/${legacy}`);
      warnings.push(`${legacy}, an older label, was taken away; it is kept as ${await setAside(file, options.aside)}`);
    }
    return warnings;
  };

  return {
    label: "launchd",
    loadedText: "loaded",
    notLoadedText: "not loaded",
    name: label,
    scope: "user",
    path,
    logsCommand: `tail -n 200 ${options.output.stderr} ${options.output.stdout}`,
    byHand: {
      stop: `launchctl bootout gui/$UID/${label}`,
      restart: `launchctl kickstart -k gui/$UID/${label}`,
    },
    render: (definition) => renderPlist(label, definition),
    async read() {
      const text = await readTextIfExists(path);
      return text === undefined ? undefined : { path, text, ...parsePlist(text) };
    },
    async status(): Promise<ServiceStatus> {
      try {
        const printed = await control.print();
        if (printed === undefined) return { isLoaded: false, runtime: { status: "stopped", missingUnit: true } };
        const runtime = toRuntime(printed);
        const isOrphan = (await readTextIfExists(path)) === undefined;
        return { isLoaded: true, runtime: isOrphan ? { ...runtime, cachedLabel: true } : runtime };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        const next = error.next ? { next: error.next } : {};
        return { isLoaded: false, runtime: { status: "unknown", detail: error.message, ...next } };
      }
    },
    async install(definition: ServiceDefinition) {
      const warnings = await removeLegacy();
      await ensureFolder(dirname(definition.output.stdout));
      // a Gateway in the foreground left a link to its log there: launchd would write into that
      if (await isLink(definition.output.stdout)) await unlink(definition.output.stdout);
      await ensureFolder(folder, 0o755);
      await writeFileAtomic(path, renderPlist(label, definition), { mode: 0o644 });
      await control.takeOut();
      await control.bringIn();
      return warnings;
    },
    async uninstall() {
      await control.takeOut();
      await unlink(path).catch((error: unknown) => {
        if (!isCode(error, "ENOENT")) throw error;
      });
    },
    start: () => control.kick([]),
    stop: control.takeOut,
    restart: () => control.kick(["-k"]),
    output: async () => [...(await tailText(options.output.stdout)), ...(await tailText(options.output.stderr))],
  };
}

const isLink = (path: string) =>
  lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

/** launchctl's verbs, with patience: it answers before it is done. */
function createControl({ label, uid, launchctl, clock }: LaunchdOptions, path: string) {
  const domain = `gui/${uid}`;
  const target = `${domain}/${label}`;

  const print = async (): Promise<string | undefined> => {
    const result = await launchctl("print", target);
    if (result.exitCode === 0) return result.stdout;
    if (isAbsent(result)) return undefined;
    throw explain(result, label);
  };

  const wait = async <T>(look: () => Promise<T | undefined>, onLate: () => Fault): Promise<T> => {
    const giveUpAt = clock.monotonic() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (clock.monotonic() >= giveUpAt) throw onLate();
      await sleep(clock, pauseMs);
    }
  };

  const takeOut = async () => {
    if ((await print()) === undefined) return;
    const result = await launchctl("bootout", target);
    // 36: it is on its way out
    if (result.exitCode !== 0 && result.exitCode !== 36 && !isAbsent(result) && !isUnderWay(result))
      throw explain(result, label);
    await wait(
      async () => ((await print()) === undefined ? true : undefined),
      () =>
        new Fault("timeout", `${label} did not end within ${patienceMs / 1000} s`, {
          next: `launchctl print ${target}`,
        }),
    );
  };

  const bringIn = async () => {
    await launchctl("enable", target);
    let last: ProcessResult | undefined;
    await wait(
      async () => {
        last = await launchctl("bootstrap", domain, path);
        if (last.exitCode !== 0 && !isUnderWay(last)) throw explain(last, label);
        // what it answered counts less than what is there
        return (await print()) === undefined ? undefined : true;
      },
      () => explain(last, label),
    );
  };

  const kick = async (flags: readonly string[]) => {
    if ((await print()) === undefined) {
      await bringIn();
      return;
    }
    const result = await launchctl("kickstart", ...flags, target);
    if (result.exitCode === 0 || isUnderWay(result)) {
      if ((await print()) === undefined) await bringIn();
      return;
    }
    if (!isAbsent(result)) throw explain(result, label);
    await bringIn();
  };

  return { print, takeOut, bringIn, kick };
}

const isAbsent = (result: ProcessResult) =>
  result.exitCode === 113 ||
  result.exitCode === 3 ||
  /could not find service|no such process|not found/iu.test(said(result));

/** 5 while it is still ending, 37 while it is starting, 149 when it is there already: look, and try again. */
const isUnderWay = ({ exitCode }: ProcessResult) =>
  exitCode === 5 || exitCode === 37 || exitCode === 149 || exitCode === 17;

function explain(result: ProcessResult | undefined, label: string): Fault {
  const text = result ? said(result) : "";
  const line = text.split("\n")[0] || `exit code ${result?.exitCode ?? "unknown"}`;
  if (
    result?.exitCode === 125 ||
    result?.exitCode === 112 ||
    /domain does not support|could not find domain/iu.test(text)
  )
    return new Fault("unreachable", `launchd has no login session for ${label} (${line})`, {
      next: "log in on the screen once; for a machine without a screen write a LaunchDaemon of your own",
    });
  if (result?.exitCode === 5)
    return new Fault("unreachable", `launchd does not take ${label} (${line})`, {
      next: `check the file with plutil -lint, and launchctl print-disabled gui/$UID`,
    });
  return new Fault("unreachable", `launchctl failed for ${label}: ${line}`, {
    next: `launchctl print gui/$UID/${label}`,
  });
}

/** launchctl writes for people: `key = value` lines, those of the service itself first. */
function toRuntime(text: string): ServiceRuntime {
  const value = (name: string) => new RegExp(`^\\s*${name} = (.+)$`, "mu").exec(text)?.[1]?.trim();
  const state = value("state");
  const pid = Number(value("pid") ?? 0);
  const exit = value("last exit (?:code|status)");
  const status = exit === undefined ? undefined : Number.parseInt(exit, 10);
  const reason = value("last exit reason") ?? value("last terminating signal");
  return {
    status: state === "running" || pid > 0 ? "running" : state === undefined ? "unknown" : "stopped",
    ...(state === undefined ? {} : { state }),
    ...(pid > 0 ? { pid } : {}),
    ...(status === undefined || Number.isNaN(status) ? {} : { lastExitStatus: status }),
    ...(reason === undefined ? {} : { lastExitReason: reason }),
  };
}
