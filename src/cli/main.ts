// The command line: argv -> one command of the table -> exit code. Only the chosen command's module is loaded.

import { existsSync } from "node:fs";
import { join } from "node:path";

import { brandOf, type Brand } from "../base/brand.ts";
import { holdProcess } from "../base/clock.ts";
import { faultCodes, toFault } from "../base/fault.ts";
import { createEnv } from "../platform/env.ts";
import { parseArguments } from "./arguments.ts";
import { createContext, decideColor, type Context, type GlobalFlags } from "./context.ts";
import { createOutput } from "./render/output.ts";

declare const BUILD_VERSION: string | undefined;

/** Set by the build; a checkout that runs its sources is `dev`. */
const version = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "dev";

/** Sets `process.exitCode`; never throws. */
export async function main(invocation: { brandName: string; argv: readonly string[] }): Promise<void> {
  const brand = brandOf(invocation.brandName);
  // Node would print it as it is, secrets and all; the Gateway deals with its own
  const end = async (error: unknown) => {
    if (process.listenerCount("uncaughtException") > 1) return;
    await tell(brand, invocation.argv, error);
    process.exit();
  };
  process.on("uncaughtException", end);
  // timers alone do not hold a process, and a command may wait for nothing else
  const release = holdProcess();
  try {
    process.exitCode = await dispatch(brand, invocation.argv);
  } catch (error) {
    await tell(brand, invocation.argv, error);
  } finally {
    release();
  }
}

/** What a bug says may hold anything; what we say ourselves is only looked through for secrets that are known. */
async function tell(brand: Brand, argv: readonly string[], error: unknown): Promise<void> {
  const { maskFault } = await import("./mask-fault.ts");
  const fault = maskFault(toFault(error));
  createOutput({ color: decideColor(createEnv(brand), argv.includes("--no-color")) }).fault(fault);
  process.exitCode = faultCodes[fault.code].exit;
}

async function dispatch(brand: Brand, argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(brand, version, argv);
  if ("exitCode" in parsed) {
    createOutput({ color: "auto" }).printed(parsed);
    return parsed.exitCode;
  }
  const { command, invocation } = parsed;
  // the table says which of these take a text and which are switches
  const context = createContext(brand, version, invocation.options as GlobalFlags);
  if (existsSync(join(context.paths.state, ".restore", "journal.json"))) await finishRestore(context);
  const { run } = await command.load();
  return run(context, invocation);
}

/** A restore that was killed between two renames: nobody is to see half of it. */
async function finishRestore({ paths, out }: Context): Promise<void> {
  const { finishRestore: finish } = await import("../backup/restore.ts");
  await finish(paths.state, paths.lock);
  out.error("note: a restore that was cut off is finished now");
}
