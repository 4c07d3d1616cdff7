// How a line looks on the console: for a person at a terminal, for a journal, or for a program.

import type { LogLevel } from "../base/log.ts";
import { shorten } from "./log-levels.ts";

export type ConsoleStyle = "pretty" | "compact" | "json";

export interface Line {
  readonly level: LogLevel;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

/** One line whatever is in it. `now`: ms since the epoch. */
export function renderLine(line: Line, style: ConsoleStyle, now: number): string {
  const { level, subsystem, message, fields } = line;
  const date = new Date(now);
  if (style === "json") return JSON.stringify({ time: date.toISOString(), level, subsystem, message, ...fields });
  const time = style === "pretty" ? date.toTimeString().slice(0, 8) : date.toISOString();
  const name = shorten(subsystem.split("/")).join("/");
  const extras = Object.entries(fields ?? {}).map(([key, value]) => `${key}=${renderValue(value)}`);
  // no stranger's text moves the cursor or begins a line of its own
  return [`${time} [${name}] ${withoutName(message, name)}`, ...extras].join(" ").replaceAll(/\p{Cc}+/gu, " ");
}

/** Some messages name their part again. */
function withoutName(message: string, name: string): string {
  return message.startsWith(`[${name}] `) ? message.slice(name.length + 3) : message;
}

function renderValue(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(String(value.message));
  return typeof value === "string" && !/\s/u.test(value) ? value : (JSON.stringify(value) ?? "undefined");
}
