// Which lines are written and which are shown: the levels of the config, those of single parts of the Gateway, diagnostics flags and
// `--verbose`. Pure.

import type { LogLevel } from "../base/log.ts";

export type Threshold = LogLevel | "silent";

export interface LevelOptions {
  /** Least level in the file. */
  readonly level: Threshold;
  /** Least level on the console. */
  readonly consoleLevel: Threshold;
  /** By part, instead of `level`; on the console too where it is stricter. */
  readonly levels?: Readonly<Record<string, Threshold>> | undefined;
  /** Parts whose debug lines are written and shown. */
  readonly flags?: readonly string[] | undefined;
  /** The console shows everything; the file is as it was. */
  readonly isVerbose?: boolean | undefined;
}

export interface Thresholds {
  readonly file: Threshold;
  readonly console: Threshold;
}

const order: readonly Threshold[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

export const reaches = (level: LogLevel, threshold: Threshold): boolean =>
  order.indexOf(level) >= order.indexOf(threshold);

export function decideThresholds(subsystem: string, options: LevelOptions): Thresholds {
  const { level, consoleLevel, levels = {}, flags = [], isVerbose = false } = options;
  const own = closest(subsystem, Object.keys(levels));
  const part = own === undefined ? undefined : levels[own];
  const isFlagged = closest(subsystem, flags) !== undefined;
  const shown = part === undefined ? consoleLevel : stricter(part, consoleLevel);
  return {
    file: isFlagged ? looser(part ?? level, "debug") : (part ?? level),
    console: isVerbose ? "trace" : isFlagged ? looser(shown, "debug") : shown,
  };
}

const stricter = (a: Threshold, b: Threshold) => (order.indexOf(a) > order.indexOf(b) ? a : b);
const looser = (a: Threshold, b: Threshold) => (order.indexOf(a) < order.indexOf(b) ? a : b);

/** Of the patterns that mean this part, the one that names most of it. */
function closest(subsystem: string, patterns: readonly string[]): string | undefined {
  const matching = patterns.filter((pattern) => matches(subsystem, pattern));
  return matching.toSorted((a, b) => b.length - a.length)[0];
}

/** `telegram`, `telegram.*`, `channels/telegram` and `channels/*` all mean `channels/telegram` and what is below it; `*` means all. */
function matches(subsystem: string, pattern: string): boolean {
  const words = pattern
    .trim()
    .toLowerCase()
    .split(/[./]/u)
    .filter((word) => word !== "");
  while (words.at(-1) === "*") words.pop();
  if (words.length === 0) return pattern.trim() !== "";
  const parts = subsystem.toLowerCase().split("/");
  return [parts, shorten(parts)].some((candidate) => words.every((word, index) => candidate[index] === word));
}

/** As it stands on the console: what nearly every name begins with says nothing. */
export function shorten(parts: readonly string[]): readonly string[] {
  const isGeneral = parts.length > 1 && ["gateway", "channels", "providers"].includes(parts[0] ?? "");
  return (isGeneral ? parts.slice(1) : parts).slice(-2);
}
