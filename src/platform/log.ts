// JSON lines to `<folder>/<prefix>-YYYY-MM-DD.log` or the file that is named, one object a line: {time, level, subsystem, message, …fields}; short lines to
// the console. A line is in the kernel before the call returns; a full disk loses lines, counts them, and stops nothing (R32).

import { pino, type Logger } from "pino";

import type { Clock } from "../base/clock.ts";
import type { Log, LogFields, LogLevel } from "../base/log.ts";
import { toPlainFields, toPlainText } from "./log-fields.ts";
import type { LogPlace } from "./log-name.ts";
import { createRoll } from "./log-roll.ts";
import { createLineSink } from "./log-sink.ts";

/** But for the file, all of it is read with each line. */
export interface LogOptions extends LogPlace {
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
  const tell = (level: LogLevel, message: string) =>
    showLine({ level, subsystem: "log", message, fields: undefined }, options);
  const sink = createLineSink({
    clock,
    openFile: roll.open,
    target: roll.target,
    onTrouble: (reason) => tell("warn", `the log file cannot be written (${reason}); lines are lost until it can`),
    onRecovery(lost) {
      if (!reaches("warn", options.level)) return;
      logger.warn({ subsystem: "log", lost }, "lines were lost: the log file could not be written");
    },
  });
  const logger = pino(
    {
      // what is written is decided before
      level: "trace",
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(line) },
  );
  return {
    log: createLog(logger, "gateway", options),
    file: () => sink.path() ?? roll.target().path,
    lost: () => sink.lost(),
    close: () => sink.close(),
  };
}

function createLog(logger: Logger, subsystem: string, options: LogOptions): Log {
  const write = (level: LogLevel, text: string, given: LogFields | undefined) => {
    const isShown = options.console !== undefined && reaches(level, options.consoleLevel);
    const isWritten = reaches(level, options.level);
    if (!isShown && !isWritten) return;
    const message = toPlainText(text, options.redact);
    const fields = given && toPlainFields(given, options.redact);
    if (isWritten) logger[level]({ subsystem, ...fields }, message);
    if (isShown) showLine({ level, subsystem, message, fields }, options);
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

interface Line {
  readonly level: LogLevel;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

function showLine(line: Line, options: LogOptions): void {
  const now = options.clock.now();
  try {
    options.console?.(options.isJsonConsole ? renderJson(line, now) : renderShort(line, now), line.level);
  } catch {
    // a terminal that is gone: the file has the line, and logging never throws into its caller
  }
}

function renderJson({ level, subsystem, message, fields }: Line, now: number): string {
  return JSON.stringify({ time: new Date(now).toISOString(), level, subsystem, message, ...fields });
}

function renderShort({ subsystem, message, fields }: Line, now: number): string {
  const time = new Date(now).toTimeString().slice(0, 8);
  const short = subsystem.replace(/^(?:gateway|channels)\//u, "");
  const extras = Object.entries(fields ?? {}).map(([key, value]) => `${key}=${renderValue(value)}`);
  // one line whatever is in it, and no stranger's text moves the cursor
  return [`${time} [${short}] ${message}`, ...extras].join(" ").replaceAll(/\p{Cc}+/gu, " ");
}

function renderValue(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(String(value.message));
  return typeof value === "string" && !/\s/u.test(value) ? value : (JSON.stringify(value) ?? "undefined");
}
