// `session.maintenance` in numbers: how much is kept, and for how long.

import type { Config } from "../settings/config.ts";

export interface Maintenance {
  /** False: what is too much is told, and stays. */
  readonly isEnforced: boolean;
  readonly finishedMs: number;
  /** undefined: for ever. */
  readonly archivesMs: number | undefined;
  readonly sessions: { readonly olderThanMs: number | undefined; readonly keep: number | undefined };
  /** undefined: no limit. */
  readonly budget: DiskBudget | undefined;
}

export interface DiskBudget {
  readonly maxBytes: number;
  /** What is left once something had to go. */
  readonly targetBytes: number;
}

const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
const spans: Readonly<Record<string, number>> = { h: hourMs, d: dayMs, w: 7 * dayMs };
const sizes: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

export function readMaintenance({ session }: Config): Maintenance {
  const { mode, pruneAfter, pruneDays, maxEntries, resetArchiveRetention, finishedRetention, ...disk } =
    session.maintenance ?? {};
  return {
    isEnforced: mode !== "warn",
    finishedMs: toMs(finishedRetention ?? "7d"),
    archivesMs: resetArchiveRetention === false ? undefined : toMs(resetArchiveRetention ?? "30d"),
    sessions: { olderThanMs: toAge(pruneAfter, pruneDays), keep: maxEntries },
    budget: toBudget(disk.maxDiskBytes ?? "10gb", disk.highWaterBytes),
  };
}

type Span = string | number;

function toAge(after: Span | false | undefined, days: number | undefined): number | undefined {
  if (after === false) return undefined;
  const span = after ?? days;
  return span === undefined ? undefined : toMs(span);
}

function toBudget(max: Span | false, highWater: Span | undefined): DiskBudget | undefined {
  const maxBytes = max === false ? 0 : toBytes(max);
  if (maxBytes === 0) return undefined;
  const wanted = highWater === undefined ? 0 : toBytes(highWater);
  return { maxBytes, targetBytes: wanted > 0 ? Math.min(wanted, maxBytes) : Math.floor(maxBytes * 0.8) };
}

/** The schema has seen to its form; a bare number counts days. */
function toMs(span: Span): number {
  if (typeof span === "number") return span * dayMs;
  const [, count = "0", unit = "d"] = /^(\d+)([hdw]?)$/u.exec(span) ?? [];
  return Number(count) * (spans[unit] ?? dayMs);
}

/** A bare number counts bytes. */
function toBytes(size: Span): number {
  if (typeof size === "number") return size;
  const [, count = "0", unit = ""] = /^([\d.]+)(kb|mb|gb|tb)$/u.exec(size) ?? [];
  return Math.floor(Number(count) * (sizes[unit] ?? 1));
}
