// The Gateway's log as the config and the flags want it: JSON lines in the file, short lines on the console.

import type { LogLevel } from "../../base/log.ts";
import { openLog, type OpenLog } from "../../platform/log.ts";
import { parseRedactPatterns } from "../../platform/redact.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

/** All but the file is asked for with each line, so that a changed config counts. */
export function openGatewayLog(context: Context, config: () => Config, isVerbose: boolean): OpenLog {
  const logging = () => config().logging;
  const { out } = context;
  let patterns: { readonly from: readonly string[]; readonly parsed: readonly RegExp[] } | undefined;
  const redact = () => {
    const { redactSensitive, redactPatterns: from = [] } = logging();
    if (redactSensitive === "off") return [];
    if (patterns?.from !== from) patterns = { from, parsed: parseRedactPatterns(from) };
    return patterns.parsed;
  };
  const show = (line: string, level: LogLevel) => {
    if (level === "error" || level === "fatal") out.error(out.style("red", line));
    else if (level === "warn") out.error(out.style("yellow", line));
    else out.line(level === "debug" || level === "trace" ? out.style("dim", line) : line);
  };
  return openLog({
    folder: context.paths.logs,
    prefix: context.paths.logPrefix,
    file: logging().file,
    clock: context.clock,
    get level() {
      return logging().level ?? "info";
    },
    get consoleLevel() {
      return isVerbose ? "debug" : (logging().consoleLevel ?? "info");
    },
    console: show,
    get isJsonConsole() {
      return logging().consoleStyle === "json";
    },
    get redact() {
      return redact();
    },
  });
}
