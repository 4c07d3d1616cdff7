// One request as one run: through the waist like every other cause of a turn, followed while it is made, stopped when the client
// goes away.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Intake } from "../conversation/intake.ts";
import type { Lane } from "../conversation/lane.ts";
import { createRunInbound, type RunRequest } from "../conversation/run-inbound.ts";
import type { Runs } from "../conversation/runs.ts";
import type { TurnOutcome, TurnRow } from "../conversation/store/turns.ts";
import type { WatchRun } from "../ports/run-watch.ts";

export interface RunDependencies {
  readonly intake: Pick<Intake, "submit">;
  readonly runs: Pick<Runs, "waitForEnd">;
  readonly lane: Pick<Lane, "abortRun">;
  readonly watchRun: WatchRun;
  readonly clock: Clock;
}

export type RunEvent =
  | { readonly type: "text"; readonly delta: string }
  /** What was said so far does not count any more: another model began anew. */
  | { readonly type: "taken-back" }
  /** Nothing was said for some seconds. */
  | { readonly type: "waiting" }
  /** `text` is all that was said, empty for silence. */
  | { readonly type: "end"; readonly text: string; readonly outcome: TurnOutcome };

/** Between two signs of life. */
const waitingMs = 10_000;
/** An agent that wants to say nothing says this; its beginnings are held back until they turn out to be something else. */
const silentToken = "NO_REPLY";

/**
 * Submits the run and tells what becomes of it; the last event is `end`.
 * @throws Fault of the run or of its submission.
 */
export async function* followRun(
  request: RunRequest,
  signal: AbortSignal,
  dependencies: RunDependencies,
): AsyncGenerator<RunEvent> {
  const { intake, runs, watchRun, clock } = dependencies;
  const { runId, sessionKey } = request;
  let whole = "";
  let said = "";
  let turn: TurnRow | undefined;
  let isOver = false;
  let isOurs = false;
  let wake = () => {};
  const stopWatching = watchRun(runId, (text) => {
    whole = text;
    wake();
  });
  try {
    isOurs = (await intake.submit(createRunInbound(request))).outcome === "accepted";
    const ended = runs
      .waitForEnd(runId, 0, signal)
      .then((row) => (turn = row))
      .finally(() => {
        isOver = true;
        wake();
      });
    // awaited below, unless the reader leaves before
    ended.catch(() => undefined);
    for (;;) {
      if (whole !== said && !silentToken.startsWith(whole.trim())) {
        const isLonger = whole.startsWith(said);
        const delta = isLonger ? whole.slice(said.length) : whole;
        said = whole;
        if (!isLonger) yield { type: "taken-back" };
        yield { type: "text", delta };
      } else if (isOver) break;
      else {
        const isQuiet = await waitForChange(clock, (resolve) => (wake = resolve));
        if (isQuiet && !isOver && whole === said) yield { type: "waiting" };
      }
    }
    await ended;
    yield { type: "end", ...toEnd(turn, said) };
  } finally {
    stopWatching();
    // nobody is there to read it any more
    if (isOurs && !turn) await dependencies.lane.abortRun(sessionKey, runId, "rpc");
  }
}

/** @returns true when nothing changed for a while. */
function waitForChange(clock: Clock, onChange: (resolve: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(waitingMs, () => resolve(true));
    onChange(() => {
      timer.cancel();
      resolve(false);
    });
  });
}

/** @throws Fault when the run failed, was stopped, or its client went away. */
function toEnd(turn: TurnRow | undefined, said: string): { text: string; outcome: TurnOutcome } {
  if (!turn) throw new Fault("aborted", "the client went away before the run ended");
  const { state, outcome } = turn;
  if (state === "ok" && outcome) {
    // what was said between tool calls belongs to it, unless the agent chose silence in the end
    const isWhole = outcome.text !== "" && said.trim().endsWith(outcome.text);
    return { outcome, text: isWhole ? said.trim() : outcome.text };
  }
  const { code = "internal" as const, message = "the run failed" } = outcome?.fault ?? {};
  throw new Fault(code, message);
}
