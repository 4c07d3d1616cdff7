// The timeline file, read back: which lives there were and how each ended, the minutes, what channels and config went through.

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { isRecord, parseJson } from "../base/json.ts";
import { readTextIfExists } from "../platform/files.ts";
import type { TimelineEntries, TimelineKind } from "../ports/timeline.ts";

export type TimelineLine = {
  [Kind in TimelineKind]: { readonly at: number; readonly pid: number; readonly kind: Kind } & TimelineEntries[Kind];
}[TimelineKind];

export type LineOf<Kind extends TimelineKind> = Extract<TimelineLine, { kind: Kind }>;

/** `silent`: nothing tells of its end: a crash, a kill or a power cut. */
export type Ending = "running" | "stopped" | "restarted" | "failed" | "error" | "silent";

export interface Life {
  readonly startedAt: number;
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  /** Of the config that it began with: file, last-good, safe or defaults. */
  readonly config: string;
  /** In a process that had lived before. */
  readonly isRestart: boolean;
  /** Absent: it never served. */
  readonly upMs?: number;
  readonly steps: readonly (readonly [string, number])[];
  readonly lastSeenAt: number;
  readonly end: Ending;
  readonly why?: string;
}

export interface Timeline {
  readonly lives: readonly Life[];
  readonly lines: readonly TimelineLine[];
  /** Lines that could not be read: the disk was full, or somebody wrote into it. */
  readonly damaged: number;
}

const kinds: ReadonlySet<string> = new Set<TimelineKind>([
  "start",
  "up",
  "minute",
  "channel",
  "config",
  "config-refused",
  "stopping",
  "stopped",
  "failed",
]);

export interface ReadOptions {
  readonly file: string;
  /** ms since the epoch; what is older is left out, but for the life that was under way. */
  readonly since: number;
  /** The process that runs now, if one does. */
  readonly runningPid: number | undefined;
}

/** Nothing there gives an empty one. @throws what the system says when it cannot be read. */
export async function readTimeline({ file, since, runningPid }: ReadOptions): Promise<Timeline> {
  const names = (await readdir(dirname(file)).catch(() => [])).filter((name) => name.startsWith(basename(file)));
  // those that were put aside end with the time of that
  const older = names.filter((name) => /\.\d+$/u.test(name)).toSorted();
  const texts: string[] = [];
  for (const name of [...older, basename(file)]) texts.push((await readTextIfExists(join(dirname(file), name))) ?? "");
  return digestTimeline(texts.join("\n"), since, runningPid);
}

export function digestTimeline(text: string, since: number, runningPid: number | undefined): Timeline {
  const written = text.split("\n").filter((line) => line.trim() !== "");
  const all = written.flatMap((line) => parseLine(line) ?? []);
  const lives = splitLives(all)
    .map((lines, index, list) => toLife(lines, index === list.length - 1 ? runningPid : undefined))
    .filter((life) => life !== undefined)
    .filter((life) => life.lastSeenAt >= since || life.end === "running");
  return { lives, lines: all.filter(({ at }) => at >= since), damaged: written.length - all.length };
}

function parseLine(line: string): TimelineLine | undefined {
  const value = parseJson(line);
  if (!isRecord(value) || typeof value["at"] !== "number" || !kinds.has(String(value["kind"]))) return undefined;
  // written by our own recorder; what a newer or older one adds or lacks is dealt with where it is read
  return value as unknown as TimelineLine;
}

function splitLives(lines: readonly TimelineLine[]): TimelineLine[][] {
  const lives: TimelineLine[][] = [];
  for (const line of lines) {
    if (line.kind === "start" || lives.length === 0) lives.push([line]);
    else lives.at(-1)?.push(line);
  }
  return lives;
}

const find = <Kind extends TimelineKind>(lines: readonly TimelineLine[], kind: Kind) =>
  // the kind says which it is
  lines.find((line) => line.kind === kind) as LineOf<Kind> | undefined;

/** undefined for lines whose beginning was rolled away. */
function toLife(lines: readonly TimelineLine[], runningPid: number | undefined): Life | undefined {
  const [start] = lines;
  if (start?.kind !== "start") return undefined;
  const up = find(lines, "up");
  const { at: startedAt, pid, version, node, config, isFirst } = start;
  return {
    startedAt,
    pid,
    version,
    node,
    config,
    isRestart: !isFirst,
    ...(up ? { upMs: up.ms } : {}),
    steps: up?.steps ?? [],
    lastSeenAt: lines.at(-1)?.at ?? startedAt,
    ...toEnd(lines, pid === runningPid),
  };
}

function toEnd(lines: readonly TimelineLine[], isRunning: boolean): Pick<Life, "end" | "why"> {
  const failed = find(lines, "failed");
  if (failed) return { end: find(lines, "up") ? "error" : "failed", why: `${failed.code}: ${failed.reason}` };
  const stopping = find(lines, "stopping");
  const why = stopping ? { why: stopping.why } : {};
  if (find(lines, "stopped")) return { end: stopping?.why.startsWith("restart") ? "restarted" : "stopped", ...why };
  return { end: isRunning ? "running" : "silent", ...why };
}
