// JSON lines to `<folder>/<prefix>-YYYY-MM-DD.log` or the file that is named, one object a line: {time, level, subsystem, message, …fields}; short lines to
// the console. A line is in the kernel before the call returns; a full disk loses lines, counts them, and stops nothing (R32).

import { pino, type Logger } from "pino";

import type { Clock } from "../base/clock.ts";
import type { Log, LogFields, LogLevel } from "../base/log.ts";
import { toPlainFields, toPlainText } from "./log-fields.ts";
import { decideThresholds, reaches, type LevelOptions } from "./log-levels.ts";
import { renderLine, type ConsoleStyle, type Line } from "./log-line.ts";
import type { LogPlace } from "./log-name.ts";
import { createRoll, type RollLimits } from "./log-roll.ts";
import { createLineSink, type SinkTrouble } from "./log-sink.ts";

/** But for the place, all of it is read with each line. */
export interface LogOptions extends LogPlace, LevelOptions {
  readonly clock: Clock;
  readonly limits?: RollLimits;
  /** Leads to the newest file; absent: there is none. */
  readonly link?: string;
  /** Receives a finished short line; absent: no console. */
  readonly console?: (line: string, level: LogLevel) => void;
  /** Default pretty. */
  readonly consoleStyle?: ConsoleStyle;
  readonly redact?: readonly RegExp[];
}

export interface OpenLog {
  readonly log: Log;
  /** The file written to now. */
  file(): string;
  /** Lines lost because the disk refused them. */
  lost(): number;
  /** Why lines are lost now; undefined while they are not. */
  trouble(): SinkTrouble | undefined;
  close(): void;
}

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
    lost: sink.lost,
    trouble: sink.trouble,
    close: sink.close,
  };
}

function createLog(logger: Logger, subsystem: string, options: LogOptions): Log {
  const write = (level: LogLevel, text: string, given: LogFields | undefined) => {
    const thresholds = decideThresholds(subsystem, options);
    const isShown = options.console !== undefined && reaches(level, thresholds.console);
    const isWritten = reaches(level, thresholds.file);
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

function showLine(line: Line, options: LogOptions): void {
  try {
    options.console?.(renderLine(line, options.consoleStyle ?? "pretty", options.clock.now()), line.level);
  } catch {
    // a terminal that is gone: the file has the line, and logging never throws into its caller
  }
}
