// What the Gateway says once it serves: where, with what, how long each step took, and what to do next.

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { renderProblem } from "../../config/explain.ts";
import type { ConfigStore } from "../../config/store.ts";
import type { Context } from "../context.ts";
import type { RunFlags } from "./run-flags.ts";

/** The steps of a start, each with the time since the one before. */
export interface Phases {
  mark(name: string): void;
  /** In ms, in order. */
  steps(): readonly (readonly [string, number])[];
  /** `config 12, lock 3`; in ms. */
  list(): string;
  totalMs(): number;
}

export function createPhases(clock: Clock): Phases {
  const startedAt = clock.monotonic();
  let last = startedAt;
  const done: [string, number][] = [];
  return {
    mark(name) {
      const now = clock.monotonic();
      done.push([name, Math.round(now - last)]);
      last = now;
    },
    steps: () => done,
    list: () => done.map(([name, ms]) => `${name} ${ms}`).join(", "),
    totalMs: () => Math.round(clock.monotonic() - startedAt),
  };
}

export interface Announcement {
  readonly log: Log;
  readonly url: string;
  readonly logFile: string;
  readonly config: ConfigStore;
  readonly phases: Phases;
  readonly flags: RunFlags;
  /** Where a token was put that was made for this start. */
  readonly newToken: string | undefined;
  readonly model: string | undefined;
  readonly notices: Promise<readonly { readonly message: string; readonly next?: string }[]>;
}

export async function announce(context: Context, announcement: Announcement): Promise<void> {
  const { log, config, phases, flags, newToken, model } = announcement;
  const { path, exists, source } = config.snapshot();
  if (model !== undefined) log.info(`agent model: ${model}`);
  log.info(`listening on ${announcement.url} (pid ${process.pid})`, { ms: phases.totalMs() });
  log.info(`started in ${phases.totalMs()} ms: ${phases.list()}`);
  log.info(`log file: ${announcement.logFile}`);
  log.info(`config: ${path}${exists ? "" : " (missing: defaults)"}`);
  if (flags.rawStream !== undefined) log.warn(`what models stream is kept in ${flags.rawStream}`);
  tellOfConfig(config, log);
  if (source === "safe") {
    log.error(`it leaves safe mode by itself once the config is mended: ${context.command("config validate")}`);
    return;
  }
  for (const notice of await announcement.notices)
    log.info(notice.next ? `${notice.message}; ${notice.next}` : notice.message);
  if (newToken !== undefined) log.info(`a token was made for this Gateway and kept in ${newToken}`);
  log.info(`next: in another terminal, ${context.command('agent --message "hello"')}`);
}

function tellOfConfig(config: ConfigStore, log: Log): void {
  const { source, path, rendered, warnings, legacy } = config.snapshot();
  const instead = source === "safe" ? "safe mode: no channel and no agent runs" : "the last good config is in use";
  for (const problem of rendered) log.error(`config error, ${instead}: ${problem}`);
  for (const warning of warnings) {
    const line = `config: ${renderProblem(path, warning)}`;
    if (source === "file") log.warn(line);
    else log.error(`${line}; ${instead}`);
  }
  for (const key of legacy) log.warn(`config of an older program, read as it is meant: ${renderProblem(path, key)}`);
}
