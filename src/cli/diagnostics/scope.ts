// What a bundle is made of and for how long back.

import type { GatewayTarget, LoadedConfig } from "../connection.ts";
import type { Context } from "../context.ts";

export interface Scope {
  readonly context: Context;
  readonly given: {
    readonly config: LoadedConfig["config"];
    readonly loaded: LoadedConfig;
    readonly target: GatewayTarget;
  };
  readonly hours: number;
  /** For what the Gateway is asked. */
  readonly askMs: number;
  readonly logLines: number;
  readonly logBytes: number;
}
