// What is done about a changed config: the least that its keys declare and the mode allows.

import type { RunId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Timeline } from "../ports/timeline.ts";
import type { Config } from "../settings/config.ts";
import { decideDisturbance, type ChannelDisturbance } from "./effects.ts";
import { listChanges } from "./merge.ts";
import type { ConfigStore } from "./store.ts";

export interface RestartAnswer {
  readonly ok: boolean;
  readonly pid: number;
  readonly delayMs: number;
  readonly reason?: string;
  /** What is kept over the restart for whoever asked. */
  readonly sentinel?: Record<string, unknown>;
}

/** Who is told once the Gateway is back. */
export interface Asker {
  readonly kind: "config-apply" | "restart";
  /** As it was written. */
  readonly sessionKey: string;
  readonly note?: string;
  /** The run that asks: its reply goes out first. */
  readonly runId?: RunId;
  /** The same for the same asking, however often it is tried. */
  readonly effectKey?: string;
}

export interface RestartRequest {
  readonly reason: string;
  /** From now. */
  readonly delayMs: number;
  readonly asker?: Asker;
}
export type AskRestart = (request: RestartRequest) => RestartAnswer | Promise<RestartAnswer>;

/** What is done about hot keys. What it throws is told, and what was there before stays. */
export interface Taker {
  /** A key or a section. */
  readonly key: string;
  readonly take: () => Promise<void>;
}

export interface TakeUpDependencies {
  readonly store: ConfigStore;
  readonly log: Log;
  readonly restartChannel: (disturbed: ChannelDisturbance) => Promise<void>;
  /** @returns false when it listens there already. @throws Fault when it cannot; it then listens where it did. */
  readonly moveListener: () => Promise<boolean>;
  readonly takers: readonly Taker[];
  /** Absent: nobody can start the Gateway anew but a person. */
  readonly restart?: AskRestart;
  /** Takes which keys changed, by whom, and what came of it; never what they were set to. */
  readonly timeline?: Timeline;
}

export interface Applied {
  /** The most that was done. */
  readonly effect: "none" | "hot" | "channel" | "listener" | "restart";
  /** Keys that wait for a restart, of the listener at least; it was asked for when there is an answer. */
  readonly restartPaths: readonly string[];
  readonly restart?: RestartAnswer;
}

export interface Notes {
  /** Something could not be taken up; undefined: it could. */
  readonly note: (key: string, message: string | undefined, next?: string) => void;
  /** Keys that differ from what the Gateway started with, and need it to start again. */
  readonly waiting: () => readonly string[];
  /** The same of the listener. */
  readonly waitingToListen: () => readonly string[];
  /** It listens as the config in use says. */
  readonly listening: () => void;
}

export interface How {
  /** `asked`: not a saved file, but somebody who said so. */
  readonly mode: "asked" | NonNullable<Config["gateway"]["reload"]["mode"]>;
  /** undefined: there must be no restart. */
  readonly restartDelayMs: number | undefined;
  readonly asker?: Asker | undefined;
}

const maxKeysTold = 20;
/** Stamps: nothing starts anew for them in any mode. */
const stamps = ["$schema", "meta", "wizard"];

/** @returns what takes up the difference between the config that was in use and the one that is. */
export function createTakeUp(dependencies: TakeUpDependencies, notes: Notes) {
  const { store, log, restart } = dependencies;
  const { waiting, waitingToListen } = notes;
  const disturb = createDisturb(dependencies, notes.note);
  const listen = createListen(dependencies, notes);

  const allWaiting = () => [...waiting(), ...waitingToListen()];

  const startAnew = async (
    reason: readonly string[],
    { restartDelayMs: delayMs = 0, asker }: How,
    keys: string,
  ): Promise<Applied> => {
    const why = `config changed: ${listKeys(reason)}`;
    const answer = await restart?.({ reason: why, delayMs, ...(asker ? { asker } : {}) });
    if (answer) log.info(`the config has changed, the Gateway starts anew: ${keys}`);
    else log.warn(`the config has changed; stop the Gateway and start it again for: ${listKeys(reason)}`);
    return { effect: "restart", restartPaths: allWaiting(), ...(answer ? { restart: answer } : {}) };
  };

  const takeUp = async (changes: Changes, how: How): Promise<Applied> => {
    const mayDisturb = how.mode !== "hot" && how.restartDelayMs !== undefined;
    const reason = decideRestart(changes, waiting(), how);
    const keys = listKeys(changes.map((path) => path.join(".")));
    if (reason !== undefined && mayDisturb) return startAnew(reason, how, keys);
    const listened = await listen(changes, how, mayDisturb);
    if (changes.length > 0) {
      const isLeft = reason !== undefined || listened === "waits";
      if (isLeft) log.warn(`the config has changed; this counts after a restart: ${listKeys(allWaiting())}`);
      const restarted = await disturb(changes);
      log.info(`the config has changed: ${keys}`, restarted.length > 0 ? { restarted } : undefined);
      if (listened !== "moved") return { effect: restarted.length > 0 ? "channel" : "hot", restartPaths: allWaiting() };
    }
    return { effect: listened === "moved" ? "listener" : "none", restartPaths: allWaiting() };
  };
  return async (before: Config, how: How): Promise<Applied> => {
    const changes = listChanges(before, store.current());
    const applied = await takeUp(changes, how);
    if (changes.length > 0) tell(dependencies, { changes, how, effect: applied.effect });
    return applied;
  };
}

function tell(
  { timeline }: TakeUpDependencies,
  { changes, how, effect }: { readonly changes: Changes; readonly how: How; readonly effect: Applied["effect"] },
): void {
  const asker = how.asker?.runId === undefined ? "client" : "agent";
  timeline?.note("config", {
    by: how.mode === "asked" ? asker : "file",
    effect,
    paths: changes.slice(0, maxKeysTold).map((path) => path.join(".")),
    count: changes.length,
  });
}

type Changes = readonly (readonly string[])[];

/** @returns what has the listener open anew where that is due. A failure is told, and the one before goes on (R9). */
function createListen({ moveListener, log }: TakeUpDependencies, { note, listening, waitingToListen }: Notes) {
  /** A saved file means what it changed; who asks for it means all that waits. */
  const isDue = (changes: Changes, { mode }: How) => {
    if (waitingToListen().length === 0) return false;
    // any key of the listener may be what was lacking
    return mode === "asked" || decideDisturbance(changes).listener.length > 0;
  };
  return async (changes: Changes, how: How, mayDisturb: boolean): Promise<"moved" | "waits" | "nothing"> => {
    if (waitingToListen().length === 0) note("listener", undefined);
    if (!isDue(changes, how)) return "nothing";
    if (!mayDisturb) return "waits";
    try {
      const isMoved = await moveListener();
      listening();
      note("listener", undefined);
      return isMoved ? "moved" : "nothing";
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      note("listener", `it listens where it did: ${reason}`, "mend the cause, then save the config again");
      log.error("the listener could not be opened anew; the one before goes on", { error });
      return "nothing";
    }
  };
}

/** @returns the keys that are the reason for a restart; undefined when none is needed. */
function decideRestart(changes: Changes, pending: readonly string[], { mode }: How): readonly string[] | undefined {
  const keys = changes.map((path) => path.join("."));
  if (mode === "restart" && changes.some(([section = ""]) => !stamps.includes(section))) return keys;
  // who asks for it means all that waits; a saved file means what it changed
  if (mode === "asked") return pending.length > 0 ? pending : undefined;
  return pending.some((key) => keys.includes(key)) ? pending : undefined;
}

/** @returns the channels that were started again, as `telegram`, or accounts of them, as `telegram:work`. */
function createDisturb({ log, takers, restartChannel }: TakeUpDependencies, note: Notes["note"]) {
  const attempt = async (key: string, next: string, task: () => Promise<void>) => {
    try {
      await task();
      note(key, undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      note(key, `${key} could not be taken up: ${reason}`, next);
      log.error(`${key} could not be taken up; what was there before goes on`, { error });
    }
  };
  return async (changes: Changes): Promise<readonly string[]> => {
    const { channels, hot } = decideDisturbance(changes);
    for (const { key, take } of takers) {
      const isConcerned = hot.some((changed) => changed === key || changed.startsWith(`${key}.`));
      if (isConcerned) await attempt(key, "see the reason, and mend the config", take);
    }
    for (const channel of channels)
      await attempt(`channels.${channel.id}`, "restart the Gateway", () => restartChannel(channel));
    return channels.flatMap(({ id, accounts }) => accounts?.map((account) => `${id}:${account}`) ?? [id]);
  };
}

/** For texts: not without end. */
export function listKeys(keys: readonly string[]): string {
  const more = keys.length - maxKeysTold;
  return more > 0 ? `${keys.slice(0, maxKeysTold).join(", ")} and ${more} more` : keys.join(", ");
}
