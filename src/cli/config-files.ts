// The config file of this instance with its history, for all who open it.

import type { ConfigFiles } from "../config/evaluate.ts";
import { createConfigHistory } from "../config/history.ts";
import type { Context } from "./context.ts";

export function configFiles({ paths, env, clock }: Pick<Context, "paths" | "env" | "clock">): Required<ConfigFiles> {
  return {
    path: paths.config,
    history: createConfigHistory({ folder: paths.configHistory, clock }),
    variable: (name) => env.raw(name),
  };
}
