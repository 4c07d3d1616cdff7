// What the commands of doctor look at: this instance, its service, and its Gateway where one answers.

import { homedir } from "node:os";
import { join } from "node:path";

import { Fault } from "../../base/fault.ts";
import { createRestorePoints, type RestorePoints } from "../../doctor/restore-points.ts";
import { createScene, type Scene, type SceneDependencies } from "../../doctor/scene.ts";
import { profileFromEnv } from "../../platform/paths.ts";
import type { Config } from "../../settings/config.ts";
import { configFiles } from "../config-files.ts";
import { readConfig, findGateway, withClient } from "../connection.ts";
import type { Context } from "../context.ts";
import { findLauncher, openCliServices } from "../service/open.ts";

/** A Gateway on this machine answers in milliseconds. */
const askMs = 3_000;

export function openScene(context: Context, isDeep: boolean): Scene {
  const { brand, version, env, paths, clock, command } = context;
  return createScene({
    brand,
    version,
    env,
    paths,
    files: configFiles(context),
    clock,
    command,
    isDeep,
    profile: paths.profile ?? profileFromEnv(env),
    home: homedir(),
    platform: process.platform,
    openServices: () => openCliServices(context, "gateway"),
    launcher: findLauncher,
    ask: (config) => ask(context, config),
  });
}

export function openRestorePoints({ paths, clock }: Context): RestorePoints {
  return createRestorePoints(join(paths.state, "restore-points"), clock);
}

async function ask(context: Context, read: Config | undefined): ReturnType<SceneDependencies["ask"]> {
  try {
    const config = read ?? (await readConfig(context)).config;
    const target = await findGateway(context, config);
    const options = { scopes: ["operator.read"], timeoutMs: askMs, mode: "probe", target, isLooking: true };
    return await withClient(context, options, async (client) => {
      const { problems = [] } = await client.call("health", {}, { timeoutMs: askMs });
      return { version: client.hello.server.version, problems };
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { reason: error.message, ...(error.next ? { next: error.next } : {}) };
  }
}
