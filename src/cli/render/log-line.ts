// A line of the log as a person reads it. Lines of older programs, which number their parts, are understood too.

import { isRecord, parseJson } from "../../base/json.ts";

export interface LogRecord {
  /** As it is written, ISO 8601. */
  readonly time: string | undefined;
  readonly level: string | undefined;
  readonly subsystem: string | undefined;
  readonly module: string | undefined;
  readonly message: string;
  /** What else belongs to it. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** undefined for a line that is no record. Never throws. */
export function parseLogLine(line: string): LogRecord | undefined {
  const value = line.trimStart().startsWith("{") ? parseJson(line) : undefined;
  if (!isRecord(value)) return undefined;
  return isRecord(value["_meta"]) ? fromNumbered(value, value["_meta"]) : fromNamed(value);
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);

function fromNamed(value: Record<string, unknown>): LogRecord {
  const { time, level, subsystem, module, message, ...fields } = value;
  return {
    time: textOf(time),
    level: textOf(level),
    subsystem: textOf(subsystem),
    module: textOf(module),
    message: textOf(message) ?? "",
    fields,
  };
}

/** `{"0": names or a part of the message, "1": ..., "_meta": {...}, "time": ...}` */
function fromNumbered(value: Record<string, unknown>, meta: Record<string, unknown>): LogRecord {
  const parts = Object.keys(value)
    .filter((key) => /^\d+$/u.test(key))
    .toSorted((a, b) => Number(a) - Number(b))
    .map((key) => value[key]);
  const names = namesIn(parts[0]) ?? namesIn(meta["name"]);
  const said = namesIn(parts[0]) ? parts.slice(1) : parts;
  return {
    time: textOf(value["time"]) ?? textOf(meta["date"]),
    level: textOf(meta["logLevelName"])?.toLowerCase(),
    subsystem: names?.subsystem,
    module: names?.module,
    message: said.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? ""))).join(" "),
    fields: {},
  };
}

function namesIn(value: unknown): { subsystem: string | undefined; module: string | undefined } | undefined {
  const names = typeof value === "string" && value.startsWith("{") ? parseJson(value) : undefined;
  if (!isRecord(names)) return undefined;
  const subsystem = textOf(names["subsystem"]);
  const module = textOf(names["module"]);
  return subsystem === undefined && module === undefined ? undefined : { subsystem, module };
}

export type TimeForm = "utc" | "local" | "clock";

/** `utc`: as it stands; `local`: with the offset of this machine; `clock`: the time of day here. What is no time stays as it is. */
export function renderTime(time: string, form: TimeForm): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  if (form === "clock") return date.toTimeString().slice(0, 8);
  if (form === "utc") return date.toISOString();
  const offset = -date.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, "0");
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
  return `${shifted}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}
