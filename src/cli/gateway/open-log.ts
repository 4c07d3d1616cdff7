// The Gateway's log as the config and the flags want it: JSON lines in the file, short lines on the console. It knows the secrets of
// this instance, and masks them wherever they turn up.

import { join } from "node:path";

import type { LogLevel } from "../../base/log.ts";
import { keepCapturesSmall } from "../../platform/capture.ts";
import { openLog, type OpenLog } from "../../platform/log.ts";
import { decideThresholds, reaches } from "../../platform/log-levels.ts";
import type { RollLimits } from "../../platform/log-roll.ts";
import { openRecord, type Recorder } from "../../platform/record.ts";
import { redactText } from "../../platform/redact.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { createMasks } from "../masks.ts";

export interface GatewayLog extends OpenLog {
  /** A secret that is in neither config nor environment. */
  know(secret: string): void;
  mask(text: string): string;
  /** Patterns of what is masked. */
  masked(): readonly RegExp[];
  /** Whether debug lines of this part go anywhere. */
  isDebugged(subsystem: string): boolean;
  /** A file of its own beside the log, masked and bounded in the same way; `limits` absent: those of the log. */
  record(path: string, limits?: RollLimits): Recorder;
}

/** All but the file is asked for with each line, so that a changed config counts. */
export function openGatewayLog(
  context: Context,
  config: () => Config,
  { name, isVerbose }: { readonly name: "gateway" | "node"; readonly isVerbose: boolean },
): GatewayLog {
  const logging = () => config().logging;
  const { out, flags } = context;
  const masks = createMasks(config, [flags.token, flags.password]);
  const flagsFromEnv = (context.env.get("DIAGNOSTICS") ?? "").split(",").filter((flag) => flag.trim() !== "");
  const show = (line: string, level: LogLevel) => {
    if (level === "error" || level === "fatal") out.error(out.style("red", line));
    else if (level === "warn") out.error(out.style("yellow", line));
    else out.line(level === "debug" || level === "trace" ? out.style("dim", line) : line);
  };
  const options = {
    folder: context.paths.logs,
    prefix: context.paths.logPrefix,
    file: logging().file,
    link: join(context.paths.state, "logs", `${name}.log`),
    clock: context.clock,
    isVerbose,
    get level() {
      return logging().level ?? "info";
    },
    get consoleLevel() {
      return logging().consoleLevel ?? "info";
    },
    get levels() {
      return logging().levels;
    },
    get flags() {
      return [...(config().diagnostics?.flags ?? []), ...flagsFromEnv];
    },
    get limits() {
      return toLimits(logging());
    },
    console: show,
    get consoleStyle() {
      return logging().consoleStyle ?? (out.isTerminal ? "pretty" : "compact");
    },
    get redact() {
      return masks.patterns();
    },
  };
  const opened = openLog(options);
  return {
    ...opened,
    know: masks.know,
    masked: masks.patterns,
    mask: (text) => redactText(text, masks.patterns()),
    record: (path, limits) =>
      openRecord({
        path,
        clock: context.clock,
        limits: () => limits ?? options.limits,
        redact: masks.patterns,
        onTrouble: (reason) => opened.log.warn(`${path} cannot be written (${reason}); what it should take is lost`),
      }),
    isDebugged(subsystem) {
      const { file, console } = decideThresholds(subsystem, options);
      return reaches("debug", file) || reaches("debug", console);
    },
  };
}

function toLimits({ maxFileBytes, maxTotalBytes, keepDays }: Config["logging"]) {
  // the validator has filled them in
  return { maxFileBytes: maxFileBytes ?? 0, maxTotalBytes: maxTotalBytes ?? 0, keepDays: keepDays ?? 1 };
}

/** Keeps the files small that launchd captures our output in. @returns a function that ends it. */
export function watchCaptures({ paths, clock }: Context, name: "gateway" | "node"): () => void {
  const at = (ending: string) => join(paths.state, "logs", `${name}${ending}`);
  return keepCapturesSmall(
    [
      { descriptor: 1, path: at(".log") },
      { descriptor: 2, path: at(".err.log") },
    ],
    clock,
  );
}
