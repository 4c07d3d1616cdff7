// The Gateway's log as the config and the flags want it: JSON lines in the file, short lines on the console.

import type { LogLevel } from "../../base/log.ts";
import { openLog, type OpenLog } from "../../platform/log.ts";
import { parseRedactPatterns } from "../../platform/redact.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

export function openGatewayLog(context: Context, config: Config, isVerbose: boolean): OpenLog {
  const { logging } = config;
  const { out } = context;
  const isRedacting = logging.redactSensitive !== "off";
  const show = (line: string, level: LogLevel) => {
    if (level === "error" || level === "fatal") out.error(out.style("red", line));
    else if (level === "warn") out.error(out.style("yellow", line));
    else out.line(level === "debug" || level === "trace" ? out.style("dim", line) : line);
  };
  return openLog({
    folder: context.paths.logs,
    prefix: context.paths.logPrefix,
    file: logging.file,
    clock: context.clock,
    level: logging.level ?? "info",
    consoleLevel: isVerbose ? "debug" : (logging.consoleLevel ?? "info"),
    console: show,
    isJsonConsole: logging.consoleStyle === "json",
    redact: isRedacting ? parseRedactPatterns(logging.redactPatterns ?? []) : [],
  });
}
