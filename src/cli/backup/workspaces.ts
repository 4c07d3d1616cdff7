// After a restore into another home, profile or folder the config still names the workspaces of the machine that it came from:
// those that came along are named where they are now, and of others it is said that they are not here.

import { existsSync } from "node:fs";

import type { Places } from "../../backup/places.ts";
import type { RestorePlan } from "../../backup/restore.ts";
import { changeText } from "../../config/edit.ts";
import { readAt, setAt, type ConfigPath } from "../../config/path.ts";
import { createConfigWriter, type SourceFile } from "../../config/write.ts";
import { expandHome } from "../../platform/paths.ts";
import type { Context } from "../context.ts";

export interface Named {
  /** Of the config. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

export interface NamedAnew {
  readonly moved: readonly Named[];
  /** For people. */
  readonly warnings: readonly string[];
}

/** Changes the main file alone, when it can be parsed. */
export async function nameWorkspaces(context: Context, plan: RestorePlan, places: Places): Promise<NamedAnew> {
  const { env, clock } = context;
  const files = { path: places.config, variable: (name: string) => env.raw(name) };
  const writer = createConfigWriter({ files, clock, isMending: true });
  const source = await writer.read();
  if (source.value === undefined || !plan.roots.some(({ part }) => part === "config"))
    return { moved: [], warnings: [] };
  const all = listNames(source).map((name) => ({ ...name, to: findPlace(name.from, plan) }));
  const moved = all.flatMap(({ path, key, from, to }) =>
    to === undefined || expandHome(from, context.paths.home) === to ? [] : [{ path, key, from, to }],
  );
  if (moved.length > 0)
    await writer.write(({ text, value }) => {
      if (value === undefined) return undefined;
      return changeText(
        text,
        value,
        moved.reduce<unknown>((whole, { path, to }) => setAt(whole, path, to), value),
      );
    });
  const isHere = (path: string) => path === places.workspaces[0] || existsSync(path);
  const lost = all.filter(({ to, from }) => to === undefined && !isHere(expandHome(from, context.paths.home)));
  return {
    moved: moved.map(({ key, from, to }) => ({ key, from, to })),
    warnings: lost.map(({ key, from }) => toWarning(context, { key, from }, places)),
  };
}

interface NamedPlace {
  readonly path: ConfigPath;
  readonly key: string;
  readonly from: string;
}

function listNames({ value }: SourceFile): readonly NamedPlace[] {
  const list: unknown = readAt(value, ["agents", "list"]);
  const agents = Array.isArray(list) ? [...list.keys()] : [];
  const paths: readonly ConfigPath[] = [
    ["agents", "defaults", "workspace"],
    ...agents.map((index): ConfigPath => ["agents", "list", String(index), "workspace"]),
  ];
  return paths.flatMap((path) => {
    const from: unknown = readAt(value, path);
    return typeof from === "string" && from !== "" ? [{ path, key: path.join("."), from }] : [];
  });
}

/** Where the restore put what was there; undefined: it was not in the backup. `~` was another home, perhaps. */
function findPlace(name: string, { manifest, roots }: RestorePlan): string | undefined {
  const index = manifest.workspaces.findIndex(
    ({ path }) => path === name || (name.startsWith("~/") && path.endsWith(name.slice(1))),
  );
  return roots.find(({ part }) => part === `workspace/${index}`)?.folder;
}

function toWarning({ command }: Context, { key, from }: Omit<Named, "to">, places: Places): string {
  const own = key.startsWith("agents.defaults.") ? places.workspaces[0] : undefined;
  const next = command(`config set ${key} ${own ?? "<folder>"}`);
  return `${key} is ${from}, which is not here and not in the backup: bring it, or ${next}`;
}
