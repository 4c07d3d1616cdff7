// Takes up what the config file says now with the least that its keys declare: nothing, a room that is told, a channel that starts
// again, the listener, or the Gateway. One change at a time, whoever made it; a file with errors changes nothing (R7, R9).

import type { Clock, Timer } from "../base/clock.ts";
import type { Service } from "../base/service.ts";
import type { FileWatch } from "../platform/watch.ts";
import { decideDisturbance } from "./effects.ts";
import { listChanges } from "./merge.ts";
import type { ConfigSnapshot, ConfigStore } from "./store.ts";
import {
  createTakeUp,
  listKeys,
  type Applied,
  type Asker,
  type How,
  type Notes,
  type TakeUpDependencies,
} from "./take-up.ts";

export interface ReloadDependencies extends TakeUpDependencies {
  readonly clock: Clock;
  readonly watch: (onChange: () => void) => FileWatch;
  /** What `problems` tells has changed. */
  readonly onProblems: () => void;
}

export interface Reloader extends Service {
  /**
   * Runs `write`, then takes up what it wrote into the file; what is watched meanwhile waits, and finds it done.
   * `restartDelayMs`: when the Gateway may start anew for it; undefined: it may not.
   */
  change<T>(
    write: () => Promise<T>,
    restartDelayMs: (written: T) => number | undefined,
    asker?: Asker,
  ): Promise<{ readonly written: T; readonly applied: Applied }>;
  /** What of the file does not count yet, and why. */
  problems(): readonly { readonly message: string; readonly next: string }[];
}

/** A file that never comes to rest is looked at all the same. */
const maxWaitMs = 10_000;
const retryMs = 5_000;

export function createReloader(dependencies: ReloadDependencies): Reloader {
  const { store, clock, log } = dependencies;
  /** What restart keys are as this Gateway started with, and those of its listener as that did. */
  const atStart = store.current();
  let atListening = atStart;
  let told = store.snapshot().rendered.join("; ");
  let suspected: string | undefined;
  const refused = new Map<string, { message: string; next: string }>();
  let timer: Timer | undefined;
  let firstAt: number | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const mine = queue.then(task);
    queue = mine.catch(() => undefined);
    return mine;
  };
  const waiting = () => decideDisturbance(listChanges(atStart, store.current())).restart;
  const waitingToListen = () => decideDisturbance(listChanges(atListening, store.current())).listener;
  const listening = () => void (atListening = store.current());
  const note = (key: string, message: string | undefined, next = "") => {
    if (message === undefined) refused.delete(key);
    else refused.set(key, { message, next });
  };
  const take = createTake(dependencies, { note, waiting, waitingToListen, listening });

  const poke = () => {
    const now = clock.monotonic();
    const quietMs = store.current().gateway.reload.debounceMs ?? 0;
    firstAt ??= now;
    timer?.cancel();
    timer = clock.after(Math.max(0, Math.min(quietMs, firstAt + Math.max(maxWaitMs, quietMs) - now)), () => {
      firstAt = undefined;
      inTurn(lookAtFile).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        note("file", `the config file could not be taken up: ${reason}`, "it is tried again by itself");
        dependencies.onProblems();
        log.error("the config file could not be taken up; it is tried again", { error });
        timer = clock.after(retryMs, poke);
      });
    });
  };

  const watch = dependencies.watch(() => poke());
  const readAgain: ConfigStore["reload"] = async (isWanted) => {
    const snapshot = await store.reload(isWanted);
    // what it includes may be new
    await watch.refresh();
    return snapshot;
  };

  /** @returns false while it is not sure: a save may be on its way. */
  const tellErrors = ({ rendered }: ConfigSnapshot): boolean => {
    const text = rendered.join("; ");
    if (text === told) return true;
    if (text !== suspected) {
      suspected = text;
      return false;
    }
    told = text;
    dependencies.timeline?.note("config-refused", { problems: rendered.length });
    log.error(`the config file has errors, the config before stays in use: ${text}`);
    dependencies.onProblems();
    return true;
  };

  const lookAtFile = async () => {
    const before = store.snapshot();
    let isOff = false;
    const isSafe = before.source === "safe";
    const after = await readAgain((config) => isSafe || !(isOff = config.gateway.reload.mode === "off"));
    note("file", undefined);
    if (!after.isValid) {
      if (!tellErrors(after)) poke();
      return;
    }
    suspected = undefined;
    if (told !== "") log.info("the config file is in order again");
    told = "";
    if (after === before) return;
    if (isOff) log.info("the config file has changed; it counts after a restart, gateway.reload.mode is off");
    else await take(before, { mode: after.config.gateway.reload.mode ?? "hybrid", restartDelayMs: 0 });
    dependencies.onProblems();
  };

  return {
    name: "config watch",
    async start() {
      await watch.start();
      // what was written between reading the file and watching it
      poke();
    },
    async stop() {
      watch.stop();
      timer?.cancel();
      await queue;
    },
    change: (write, restartDelayMs, asker) =>
      inTurn(async () => {
        const before = store.snapshot();
        const written = await write();
        await readAgain();
        const applied = await take(before, { mode: "asked", restartDelayMs: restartDelayMs(written), asker });
        told = "";
        dependencies.onProblems();
        return { written, applied };
      }),
    problems() {
      const keys = [...waiting(), ...waitingToListen()];
      const pending = { message: `changed and not in use: ${listKeys(keys)}`, next: "restart the Gateway" };
      return [...refused.values(), ...(keys.length > 0 ? [pending] : [])];
    },
  };
}

/** What is in use afterwards is a version to come back to. */
function createTake(dependencies: ReloadDependencies, notes: Notes) {
  const { store, log } = dependencies;
  const takeUp = createTakeUp(dependencies, notes);
  return async (before: ConfigSnapshot, how: How): Promise<Applied> => {
    const isMended = before.source === "safe" && store.snapshot().source === "file";
    if (isMended) return leaveSafeMode(dependencies, how);
    const applied = await takeUp(before.config, how);
    // a restart has yet to show it
    if (applied.effect === "restart") return applied;
    try {
      await store.keepGood();
      notes.note("history", undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      notes.note("history", reason, "make the state folder writable, with room on its disk");
      log.error("the config is in use and cannot be kept as a good one", { error });
    }
    return applied;
  };
}

/** Nothing runs that a restart could disturb: there is no reason to wait, whatever the mode. */
async function leaveSafeMode({ restart, log }: ReloadDependencies, { restartDelayMs = 0 }: How): Promise<Applied> {
  const answer = await restart?.({ reason: "the config is mended", delayMs: restartDelayMs });
  if (answer) log.info("the config is mended: the Gateway leaves safe mode");
  else log.warn("the config is mended; stop the Gateway and start it again to leave safe mode");
  return { effect: "restart", restartPaths: [], ...(answer ? { restart: answer } : {}) };
}
