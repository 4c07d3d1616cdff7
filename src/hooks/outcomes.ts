// What became of the turns that hooks asked for, told to the main session; those of an earlier life of the Gateway too.

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { ellipsize } from "../base/text.ts";
import type { Runs } from "../conversation/runs.ts";
import type { TurnRow } from "../conversation/store/turns.ts";
import type { Database } from "../platform/database.ts";
import { listRuns, tellOutcome, type HookRun } from "./store.ts";

export interface Outcomes extends Service {
  /** The run was submitted and its row is stored. */
  follow(run: HookRun): void;
}

export interface OutcomeDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly runs: Pick<Runs, "waitForEnd">;
}

const maxLength = 500;

export function createOutcomes({ database, clock, log, runs }: OutcomeDependencies): Outcomes {
  let stopping = new AbortController();
  const tell = async (run: HookRun) => {
    const turn = await runs.waitForEnd(run.runId, 0, stopping.signal);
    if (stopping.signal.aborted) return;
    // a row without a turn was forgotten with its run
    const text = `Hook ${run.name}: ${turn ? renderOutcome(turn) : "nothing is known of its turn any more"}`;
    await database.write((sql) => tellOutcome(sql, run, { text, at: clock.now() }));
  };
  const follow = (run: HookRun) =>
    void tell(run).catch((error: unknown) =>
      log.error("cannot tell what became of a hook", { runId: run.runId, error }),
    );
  return {
    name: "hooks",
    follow,
    async start() {
      stopping = new AbortController();
      for (const run of await database.read(listRuns)) follow(run);
    },
    async stop() {
      stopping.abort();
    },
  };
}

function renderOutcome({ state, outcome }: TurnRow): string {
  if (state !== "ok") return `failed (${outcome?.fault?.message ?? state})`;
  const text = (outcome?.text ?? "").replaceAll(/\s+/gu, " ").trim();
  return text === "" ? "done, with nothing to say" : ellipsize(text, maxLength);
}
