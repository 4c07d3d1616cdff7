// What the commands of the first steps write with.

import { createConfigWriter } from "../../config/write.ts";
import { createPrivateFiles } from "../../platform/private-files.ts";
import type { SetupDependencies } from "../../setup/apply.ts";
import type { Invocation } from "../commands.ts";
import { configFiles } from "../config-files.ts";
import type { Context } from "../context.ts";

export function openSetup(context: Context): SetupDependencies {
  const { paths, env, clock, ids } = context;
  const writer = createConfigWriter({ files: configFiles(context), clock });
  return { paths, env, writer, files: createPrivateFiles(), ids };
}

/** The option's text; undefined when it was not given. */
export function textOf({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
