// What the commands about services begin with.

import { homedir } from "node:os";
import { realpath } from "node:fs/promises";

import { Fault } from "../../base/fault.ts";
import type { ServiceKind } from "../../daemon/names.ts";
import { openServices, type Services } from "../../daemon/open.ts";
import { profileFromEnv } from "../../platform/paths.ts";
import { createRunProcess } from "../../platform/process.ts";
import type { Context } from "../context.ts";

export interface OpenedServices extends Services {
  readonly kind: ServiceKind;
  readonly profile: string | undefined;
  readonly home: string;
}

export async function openCliServices(context: Context, kind: ServiceKind): Promise<OpenedServices> {
  const { brand, env, paths, version, clock } = context;
  const profile = paths.profile ?? profileFromEnv(env);
  const home = homedir();
  const services = await openServices({
    brand,
    env,
    paths,
    profile,
    version,
    kind,
    platform: process.platform,
    home,
    clock,
    run: createRunProcess(clock),
  });
  return { ...services, kind, profile, home };
}

/** This very program, by its real place: links may lead elsewhere tomorrow. */
export async function findLauncher(): Promise<readonly [string, string]> {
  const script = process.argv[1];
  if (script === undefined)
    throw new Fault("internal", "this program does not know where it is", { next: "start it by its file in bin/" });
  return [process.execPath, await realpath(script)];
}
