// JSON lines to `<folder>/<prefix>-YYYY-MM-DD.log`, one object a line: {time, level, subsystem, message, …fields}; short lines to
// the console. A line is in the kernel before the call returns; a full disk loses lines, counts them, and stops nothing (R32).

import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { pino, type Logger } from "pino";

import type { Clock } from "../base/clock.ts";
import type { Log, LogFields, LogLevel } from "../base/log.ts";
import { logFileName } from "./log-name.ts";
import { createLineSink } from "./log-sink.ts";
import { redactText } from "./redact.ts";

export interface LogOptions {
  readonly folder: string;
  readonly prefix: string;
  readonly clock: Clock;
  readonly level: LogLevel | "silent";
  readonly consoleLevel: LogLevel | "silent";
  /** Receives a finished short line; absent: no console. */
  readonly console?: (line: string, level: LogLevel) => void;
  readonly isJsonConsole?: boolean;
  readonly redact?: readonly RegExp[];
}

export interface OpenLog {
  readonly log: Log;
  /** The file written to now. */
  file(): string;
  /** Lines lost because the disk refused them. */
  lost(): number;
  close(): void;
}

const order: readonly (LogLevel | "silent")[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const reaches = (level: LogLevel, threshold: LogLevel | "silent") => order.indexOf(level) >= order.indexOf(threshold);

/** Opens the log. Never throws for a disk that refuses: it then tries again while lines come. */
export function openLog(options: LogOptions): OpenLog {
  const { clock } = options;
  const roll = createRoll(options);
  const sink = createLineSink({ clock, openFile: roll.open, target: roll.target });
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(redactText(line, options.redact)) },
  );
  return {
    log: createLog(logger, "gateway", options),
    file: () => roll.target().path,
    lost: () => sink.lost(),
    close: () => sink.close(),
  };
}

function createLog(logger: Logger, subsystem: string, options: LogOptions): Log {
  const write = (level: LogLevel, message: string, fields: LogFields | undefined) => {
    const plain = fields
      ? Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, flatten(value)]))
      : undefined;
    logger[level]({ subsystem, ...plain }, message);
    if (!options.console || !reaches(level, options.consoleLevel)) return;
    const line = options.isJsonConsole
      ? JSON.stringify({ time: new Date(options.clock.now()).toISOString(), level, subsystem, message, ...plain })
      : renderShort({ subsystem, message, fields: plain, now: options.clock.now() });
    options.console(redactText(line, options.redact), level);
  };
  return {
    trace: (message, fields) => write("trace", message, fields),
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    child: (name) => createLog(logger, name, options),
  };
}

/** Errors as their message, code and cause: stack traces only where somebody asks for them (debug). */
function flatten(value: unknown, depth = 0): unknown {
  if (!(value instanceof Error)) return value;
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  const cause = value.cause !== undefined && depth < 3 ? { cause: flatten(value.cause, depth + 1) } : {};
  return {
    name: value.name,
    message: value.message,
    ...code,
    ...cause,
    stack: depth === 0 ? value.stack?.split("\n").slice(1, 6).join("\n") : undefined,
  };
}

function renderShort(line: {
  subsystem: string;
  message: string;
  fields: Record<string, unknown> | undefined;
  now: number;
}): string {
  const time = new Date(line.now).toTimeString().slice(0, 8);
  const short = line.subsystem.replace(/^(?:gateway|channels)\//u, "");
  const extras = Object.entries(line.fields ?? {}).map(([key, value]) => `${key}=${renderValue(value)}`);
  return [`${time} [${short}] ${line.message}`, ...extras].join(" ");
}

function renderValue(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(String(value.message));
  return typeof value === "string" && !/\s/u.test(value) ? value : (JSON.stringify(value) ?? "undefined");
}

const maxFileBytes = 50 * 1024 * 1024;
const keptFiles = 14;
const totalBytes = 200 * 1024 * 1024;

/** Which file takes the next line: a new one each local day and whenever one is full. */
function createRoll({ folder, prefix, clock }: LogOptions) {
  return {
    target: () => ({ path: logFileName({ folder, prefix, now: clock.now() }), maxBytes: maxFileBytes }),
    /** Opens for appending; moves a full file aside and removes what is over the budget. */
    open(path: string): { descriptor: number; size: number } {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      let descriptor = openSync(path, "a", 0o600);
      let { size } = fstatSync(descriptor);
      if (size >= maxFileBytes) {
        closeSync(descriptor);
        renameSync(path, `${path}.${clock.now()}`);
        descriptor = openSync(path, "a", 0o600);
        size = 0;
      }
      removeOld(folder, prefix, path);
      return { descriptor, size };
    },
  };
}

function removeOld(folder: string, prefix: string, current: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.startsWith(`${prefix}-`) && /-\d{4}-\d\d-\d\d\.log/u.test(name.slice(prefix.length)))
    .map((name) => ({ path: join(folder, name), ...statOf(join(folder, name)) }))
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs);
  let sum = 0;
  for (const [index, file] of files.entries()) {
    sum += file.size;
    if (file.path !== current && (index >= keptFiles || sum > totalBytes)) unlinkSync(file.path);
  }
}

function statOf(path: string): { size: number; mtimeMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, mtimeMs };
}
