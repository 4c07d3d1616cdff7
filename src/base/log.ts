// What rooms write their log lines through. The one that reaches disk is platform/log.

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** Extra fields of a line. Secrets are masked by the writer, yet do not pass them. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines carry `subsystem`, such as `channels/telegram`. */
  child(subsystem: string): Log;
}

/** Drops everything. */
export const silentLog: Log = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
