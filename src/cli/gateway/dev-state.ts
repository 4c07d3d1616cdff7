// The dev profile needs no setup: its first run writes a config, and `--reset` puts all that it had aside and begins anew.

import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { basename } from "node:path";

import { Fault } from "../../base/fault.ts";
import { createConfigWriter } from "../../config/write.ts";
import { ensureFolder } from "../../platform/files.ts";
import { openLock } from "../../platform/lock.ts";
import type { Context } from "../context.ts";

const devAgent = {
  id: "dev",
  default: true,
  identity: { name: "Dev", theme: "a plain helper for trying things out", emoji: "🧪" },
};

/**
 * Writes the dev profile's config where there is none, after moving everything aside with `isReset`.
 * @returns what was done, a line each. @throws Fault `already_running` when its Gateway runs, `usage` for another's state.
 */
export async function prepareDev(
  context: Context,
  { isReset, isConfigNeeded }: { isReset: boolean; isConfigNeeded: boolean },
): Promise<string[]> {
  const { paths, clock, env } = context;
  const done = isReset ? await moveAside(context) : [];
  if (existsSync(paths.config) || (!isConfigNeeded && !isReset)) return done;
  const config = {
    gateway: { mode: "local", bind: "loopback" },
    agents: { defaults: { workspace: paths.workspace, skipBootstrap: true }, list: [devAgent] },
  };
  await ensureFolder(paths.state);
  const writer = createConfigWriter({ files: { path: paths.config, variable: (name) => env.raw(name) }, clock });
  // somebody else may have written one meanwhile
  await writer.write((source) => (source.exists ? undefined : `${JSON.stringify(config, undefined, 2)}\n`));
  return [...done, `wrote a config for the dev profile: ${paths.config}`];
}

/** State, config and workspace get another name beside their place; nothing is deleted. */
async function moveAside({ paths, brand, clock }: Context): Promise<string[]> {
  if ([brand.stateFolder, ...brand.fallbackStateFolders].includes(basename(paths.state))) {
    throw new Fault("usage", `--reset: ${paths.state} is not the dev profile's own state folder`, {
      field: "--reset",
      next: "unset the variable that points there",
    });
  }
  if (!existsSync(paths.state)) return [];
  const lock = await openLock(paths.lock);
  try {
    const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/gu, "");
    // a config inside of the state folder goes with it
    const places = [paths.state, paths.config, paths.workspace];
    const done: string[] = [];
    for (const path of places) {
      if (!existsSync(path)) continue;
      await rename(path, `${path}.reset-${stamp}`);
      done.push(`moved ${path} to ${path}.reset-${stamp}`);
    }
    return done;
  } finally {
    lock.release();
  }
}
