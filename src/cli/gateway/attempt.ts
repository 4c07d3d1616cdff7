// One start of the Gateway with one config, as the next start is to know it: it came up, it settled, it failed, it was stopped.

import { Fault } from "../../base/fault.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { settleMs, type Starts } from "../../config/starts.ts";
import type { ConfigStore } from "../../config/store.ts";
import type { LifeTimeline } from "./timeline.ts";

export interface Attempt {
  /** Those before did not end well, and nobody told why. */
  readonly isAfterSilence: boolean;
  /** Only while the state folder's lock is held. The timeline is closed with the end. */
  begin(timeline: LifeTimeline): Promise<void>;
  /** @throws Fault before it has begun. */
  timeline(): LifeTimeline;
  /** It serves: its config is one to come back to. Never throws. */
  up(log: Log): Promise<void>;
  /** How it ended; undefined: in order. */
  end(error: unknown): Promise<void>;
}

export function createAttempt(starts: Starts, config: ConfigStore, clock: Clock): Attempt {
  let timer: Timer | undefined;
  let begun: LifeTimeline | undefined;
  return {
    isAfterSilence: starts.isSilent,
    async begin(timeline) {
      begun = timeline;
      await starts.begin(config.id(), config.snapshot().source);
    },
    timeline() {
      if (!begun) throw new Fault("internal", "a start that has not begun has no timeline");
      return begun;
    },
    async up(log) {
      const note = async (task: () => Promise<void>) => {
        try {
          await task();
        } catch (error) {
          log.warn("the start with this config cannot be noted", { error });
        }
      };
      await note(starts.up);
      await note(config.keepGood);
      timer = clock.after(settleMs, () => void note(starts.settled));
    },
    async end(error) {
      timer?.cancel();
      if (!begun) return;
      if (error !== undefined) begun.failed(error);
      begun.close();
      await (error === undefined ? starts.stopped() : starts.failed(blame(error)));
    },
  };
}

/** What another config may help against; a busy port or a full disk is not of them. */
function blame(error: unknown): string | undefined {
  if (error instanceof Fault && error.code !== "config_invalid" && error.code !== "internal") return undefined;
  return error instanceof Error ? error.message : String(error);
}
