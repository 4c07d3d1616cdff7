// The timeline of the Gateway's lives in the state folder: how each began and ended, and its minutes between. JSON lines, masked and
// bounded like the log, and kept for some days; what no life tells of its end was a crash.

import type { Clock } from "../../base/clock.ts";
import { toFault } from "../../base/fault.ts";
import { timelineFile } from "../../platform/paths.ts";
import type { RollLimits } from "../../platform/log-roll.ts";
import type { Recorder } from "../../platform/record.ts";
import type { Timeline } from "../../ports/timeline.ts";
import type { Context } from "../context.ts";
import type { Phases } from "./announcement.ts";

/** Two files of three days each, with a channel or two. */
const limits: RollLimits = { maxFileBytes: 2 * 1024 * 1024, maxTotalBytes: 4 * 1024 * 1024, keepDays: 14 };

const maxReason = 300;

export interface LifeTimeline extends Timeline {
  up(phases: Phases, config: string): void;
  /** `why`: a signal, a restart with its reason, or an error. */
  stopping(why: string): void;
  /** In order; nothing is noted for a life that never came up. */
  stopped(): void;
  failed(error: unknown): void;
  close(): void;
}

export interface LifeOptions {
  readonly record: (path: string, limits: RollLimits) => Recorder;
  readonly mask: (text: string) => string;
  readonly config: string;
  /** Of this process. */
  readonly isFirst: boolean;
}

/** Only while the state folder's lock is held. */
export function openTimeline({ paths, clock, version }: Context, options: LifeOptions): LifeTimeline {
  const recorder = options.record(timelineFile(paths), limits);
  const timeline = createLife(recorder, clock, options.mask);
  timeline.note("start", {
    version,
    node: process.versions.node,
    config: options.config,
    isFirst: options.isFirst,
  });
  return timeline;
}

function createLife(recorder: Recorder, clock: Clock, mask: LifeOptions["mask"]): LifeTimeline {
  let stoppingAt: number | undefined;
  const note: Timeline["note"] = (kind, entry) =>
    recorder.write({ at: clock.now(), kind, pid: process.pid, ...(entry as object) });
  return {
    note,
    up: (phases, config) => note("up", { ms: phases.totalMs(), steps: phases.steps(), config }),
    stopping(why) {
      stoppingAt = clock.monotonic();
      note("stopping", { why });
    },
    stopped() {
      if (stoppingAt !== undefined) note("stopped", { ms: Math.round(clock.monotonic() - stoppingAt) });
    },
    failed(error) {
      const { code, message } = toFault(error);
      // half a secret at the end would not be recognised
      note("failed", { code, reason: mask(message).slice(0, maxReason) });
    },
    close: recorder.close,
  };
}
