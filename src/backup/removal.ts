// Takes an installation away, all of it or parts: by renames into a dated folder beside what stays, so that it can be put back by
// hand. Only what is known as ours is touched, links are moved and never followed.

import { lstat, mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, parse, relative, sep } from "node:path";

import type { Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { followLink, readTextIfExists } from "../platform/files.ts";
import type { Places } from "./places.ts";

export type RemovalPart = "config" | "credentials" | "sessions" | "rest" | "workspaces";

export interface RemovalOptions {
  readonly places: Places;
  readonly parts: ReadonlySet<RemovalPart>;
  /** Never touched, nor what it is in. */
  readonly home: string;
  /** Names that a state folder of ours has, without profile: all that is in such a one is ours. */
  readonly stateNames: readonly string[];
  /** Names that our config file has had. */
  readonly configNames: readonly string[];
  readonly clock: Clock;
}

export interface Removal {
  readonly moves: readonly { readonly from: string; readonly to: string }[];
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

const credentialNames = /^(?:credentials|identity|devices|nodes)$/u;
const sessionNames = /^(?:gateway\.sqlite(?:-\w+)?|snapshots|agents|memory|subagents|telegram|media)$/u;
/** Versions of the config that are kept. */
const versionNames = /^config-(?:(?:[0-9a-f]+-)?last-good\.json|history(?:-[0-9a-f]+)?)$/u;
/** What else our programs, of all their ages, have kept in a state folder. */
const otherNames =
  /^(?:\.env|logs|cache|tmp|settings|cron|gateway|dns|browser|canvas|extensions|skills|hooks|tools|sandbox(?:es)?|removed-services|restore-points|before-restore-.*|[\w-]+\.json|gateway\.(?:cmd|vbs))$/u;
/** Stays in any case: locks, what was removed before, workspaces of others, backups. */
const stayingNames = /^(?:.*\.lock(?:\.json|-\w+)?|trash-.*|backups|\.restore)$/u;
const workspaceNames = /^workspace(?:-.*)?$/u;

interface Planning {
  readonly options: RemovalOptions;
  readonly state: string;
  readonly config: string;
  /** Of this time; in the state folder. */
  readonly trash: string;
  readonly moves: { from: string; to: string }[];
  readonly left: { path: string; why: string }[];
}

/** What would go, and where to; nothing is changed. */
export async function planRemoval(options: RemovalOptions): Promise<Removal> {
  const { places, parts, clock } = options;
  const stamp = new Date(clock.now()).toISOString().replaceAll(/[:.]/gu, "-");
  const state = await followLink(places.state);
  const folder = await followLink(dirname(places.config));
  const config = join(folder, basename(places.config));
  const planning: Planning = { options, state, config, trash: join(state, `trash-${stamp}`), moves: [], left: [] };
  const move = (from: string) => {
    const to = dirname(from) === state ? join(planning.trash, basename(from)) : `${from}.removed-${stamp}`;
    planning.moves.push({ from, to });
  };
  const configFiles = await listConfigFiles(config);
  if (parts.has("config")) for (const from of configFiles) move(from);
  const others = await planState(planning, configFiles);
  for (const from of others) move(from);
  if (parts.has("workspaces")) for (const from of await planWorkspaces(planning)) move(from);
  return { moves: planning.moves, left: planning.left };
}

async function planState(planning: Planning, configFiles: readonly string[]): Promise<readonly string[]> {
  const { options, state, left } = planning;
  const refusal = await refuseState(state, options);
  if (refusal !== undefined) {
    left.push({ path: state, why: refusal });
    return [];
  }
  const going: string[] = [];
  for (const name of await list(state)) {
    const path = join(state, name);
    const part = configFiles.includes(path) ? undefined : partOf(name, options);
    if (part === "other" && options.parts.has("rest")) left.push({ path, why: "it is not known as ours" });
    else if (part !== undefined && part !== "other" && options.parts.has(part)) going.push(path);
  }
  return going;
}

async function planWorkspaces(planning: Planning): Promise<readonly string[]> {
  const going: string[] = [];
  for (const path of planning.options.places.workspaces) {
    const why = await refuseWorkspace(path, planning);
    if (why === undefined) going.push(path);
    else if (why !== "missing") planning.left.push({ path, why });
  }
  return going;
}

/** The file, and the copies of it that its changes made. */
async function listConfigFiles(config: string): Promise<string[]> {
  const names = await list(dirname(config));
  const own = basename(config);
  const isCopy = (name: string) => name.startsWith(`${own}.bak`) && /^(?:\.\d+)?$/u.test(name.slice(own.length + 4));
  return names.filter((name) => name === own || isCopy(name)).map((name) => join(dirname(config), name));
}

/** undefined: stays. */
function partOf(name: string, { configNames }: RemovalOptions): RemovalPart | "other" | undefined {
  if (stayingNames.test(name) || workspaceNames.test(name)) return undefined;
  if (credentialNames.test(name)) return "credentials";
  if (sessionNames.test(name)) return "sessions";
  if (configNames.includes(name) || versionNames.test(name)) return "config";
  return otherNames.test(name) ? "rest" : "other";
}

async function refuseState(
  state: string,
  { home, stateNames, configNames }: RemovalOptions,
): Promise<string | undefined> {
  if (isAbove(state, home)) return "it is your home folder, or one that your home is in";
  const names = await list(state);
  const isNamed = stateNames.some((name) => basename(state) === name || basename(state).startsWith(`${name}-`));
  const marks = ["gateway.sqlite", "gateway.lock", "credentials", ...configNames];
  if (names.length === 0 || isNamed || names.some((name) => marks.includes(name))) return undefined;
  return "it does not look like a state folder of this program";
}

async function refuseWorkspace(path: string, { options, state, config }: Planning): Promise<string | undefined> {
  const { home, places } = options;
  const found = await lstat(path).catch(() => undefined);
  if (!found) return "missing";
  if (found.isSymbolicLink()) return "it is a link: what it leads to stays";
  if (!found.isDirectory()) return "it is no folder";
  for (const other of [home, state, config]) if (isAbove(path, other)) return `${other} is in it`;
  const names = await list(path);
  const isOurs =
    path === places.workspaces[0] || names.some((name) => /^(?:AGENTS|SOUL|IDENTITY|USER|HEARTBEAT)\.md$/u.test(name));
  return isOurs || names.length === 0 ? undefined : "it does not look like a workspace of an agent";
}

/** The folder is the other one, or the other one is somewhere in it. */
function isAbove(folder: string, other: string): boolean {
  if (folder === parse(folder).root) return true;
  const [first] = relative(folder, other).split(sep);
  return first !== "..";
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  });
}

/** Does what was planned. `isPurge`: it is deleted as well, once all of it is out of the way. */
export async function removePlanned({ moves }: Removal, isPurge: boolean): Promise<void> {
  for (const { from, to } of moves) {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(from, to).catch((error: unknown) => {
      if (!isCode(error, "ENOENT")) throw error;
    });
  }
  if (!isPurge) return;
  for (const { to } of moves) {
    await rm(to, { recursive: true, force: true });
    // the folder of a time, once it is empty
    if (basename(dirname(to)).startsWith("trash-")) await rmdir(dirname(to)).catch(() => undefined);
  }
}

/** Removes the locks and the state folder itself when nothing else is in it. The lock must not be held. */
export async function removeEmptyState(folder: string): Promise<boolean> {
  const state = await followLink(folder);
  const names = await list(state);
  if (!names.every((name) => /\.lock(?:\.json|-\w+)?$/u.test(name))) return false;
  for (const name of names) await rm(join(state, name), { force: true });
  await rmdir(state).catch(() => undefined);
  return (await readTextIfExists(state).catch(() => "")) === undefined;
}
