// The Gateway's service beside this command: where it looks for its config, which port it was given, what it said last. The probe
// goes where the service is, not where this shell points.

import { existsSync } from "node:fs";
import { tmpdir } from "node:os";

import { createEnv, type Env } from "../../platform/env.ts";
import { derivePaths } from "../../platform/paths.ts";
import type { InstalledDefinition } from "../../daemon/definition.ts";
import type { ServiceManager } from "../../daemon/service.ts";
import type { Context } from "../context.ts";

export interface ServiceSide {
  /** This command's context as the service would have it. */
  readonly context: Context;
  /** As its arguments say; undefined when they say nothing. */
  readonly port: string | undefined;
}

const places = ["PROFILE", "STATE_DIR", "CONFIG_PATH", "GATEWAY_PORT", "LOG_DIR"];

export function toServiceSide(context: Context, installed: InstalledDefinition, home: string): ServiceSide {
  const { brand } = context;
  const own = createEnv(brand, installed.environment);
  const env: Env = {
    get: (name) => own.get(name) ?? (places.includes(name) ? undefined : context.env.get(name)),
    source: (name) => own.source(name) ?? (places.includes(name) ? undefined : context.env.source(name)),
    raw: (name) => own.raw(name) ?? context.env.raw(name),
  };
  const paths = derivePaths({
    brand,
    env,
    profile: undefined,
    home,
    temporary: process.platform === "win32" ? tmpdir() : "/tmp",
    exists: existsSync,
  });
  const { program } = installed;
  const at = program.indexOf("--port");
  const joined = program.find((arg) => arg.startsWith("--port="))?.slice("--port=".length);
  const port = at === -1 ? joined : program[at + 1];
  return { context: { ...context, env, paths }, port };
}

const telling = /refusing to bind|gateway auth mode|start blocked|failed to bind|tailscale .* requires|^error:/iu;

/** The line of its newest output that says why it does not work, else the last one. */
export async function findLastError(manager: ServiceManager): Promise<string | undefined> {
  // best effort: what keeps the output may be missing itself
  const lines = await manager.output().catch(() => []);
  return lines.findLast((line) => telling.test(line)) ?? lines.at(-1);
}
