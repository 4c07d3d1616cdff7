// A file that takes one JSON object a line, masked and bounded like the log: for what is recorded on request.

import type { Clock } from "../base/clock.ts";
import { toPlainFields } from "./log-fields.ts";
import { createRoll, type RollLimits } from "./log-roll.ts";
import { createLineSink } from "./log-sink.ts";

export interface RecordOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly limits: () => RollLimits;
  readonly redact: () => readonly RegExp[];
  /** Once when it begins to be refused by the disk. */
  readonly onTrouble: (reason: string) => void;
}

export interface Recorder {
  /** Never throws. */
  write(entry: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/** Opened with its first line. */
export function openRecord({ path, clock, limits, redact, onTrouble }: RecordOptions): Recorder {
  const roll = createRoll({
    folder: "",
    prefix: "",
    file: path,
    clock,
    get limits() {
      return limits();
    },
  });
  const sink = createLineSink({
    clock,
    target: roll.target,
    openFile: roll.open,
    onTrouble,
    onRecovery: () => undefined,
  });
  return {
    write: (entry) => sink.write(`${JSON.stringify(toPlainFields(entry, redact()))}\n`),
    close: sink.close,
  };
}
