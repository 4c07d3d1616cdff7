// What processes that were killed in the middle of a save leave behind: temporary files, by names that only we give them. Somebody
// else's files are never meant, nor links, nor what may still be in use.

import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Paths } from "./paths.ts";

/** Made by `writeFileAtomic`, and by who makes a restore point. */
const temporaryFile = /\.[0-9a-f]{12}\.tmp$/u;
const temporaryFolder = /^\.\d{8}-\d{6}-\d{3}(?:-\d+)?\.tmp$/u;

/** The file that a temporary one was to become; undefined for a name that is none of ours. */
export const targetOf = (name: string): string | undefined =>
  temporaryFile.test(name) ? name.replace(temporaryFile, "") : undefined;

export interface Leftover {
  readonly path: string;
  readonly isFolder: boolean;
  readonly bytes: number;
}

type LeftoverPaths = Pick<Paths, "state" | "credentials" | "config" | "configHistory" | "deviceIdentity" | "voiceWake">;

/** Those that were not touched for `olderThanMs`. What cannot be read is passed over. */
export async function findLeftovers(
  paths: LeftoverPaths,
  { now, olderThanMs }: { readonly now: number; readonly olderThanMs: number },
): Promise<Leftover[]> {
  const restorePoints = join(paths.state, "restore-points");
  const own = new Set([
    paths.state,
    paths.credentials,
    paths.configHistory,
    dirname(paths.deviceIdentity),
    dirname(paths.voiceWake),
    join(paths.state, "gateway", "tls"),
    restorePoints,
  ]);
  const isOld = (mtimeMs: number) => now - mtimeMs > olderThanMs;
  const look = async (folder: string, isOurs: (name: string) => boolean): Promise<Leftover[]> => {
    const names = (await readdir(folder).catch(() => [])).filter(isOurs);
    const found = await Promise.all(names.map((name) => judge(join(folder, name), isOld)));
    return found.filter((leftover) => leftover !== undefined);
  };
  const config = dirname(paths.config);
  const begin = `${basename(paths.config)}.`;
  const lists = [...own].map((folder) =>
    look(folder, (name) => temporaryFile.test(name) || (folder === restorePoints && temporaryFolder.test(name))),
  );
  // the config may stand among files of others
  if (!own.has(config)) lists.push(look(config, (name) => name.startsWith(begin) && temporaryFile.test(name)));
  return (await Promise.all(lists)).flat();
}

async function judge(path: string, isOld: (mtimeMs: number) => boolean): Promise<Leftover | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found || !isOld(found.mtimeMs)) return undefined;
  if (process.getuid !== undefined && found.uid !== process.getuid()) return undefined;
  const isFolder = temporaryFolder.test(basename(path));
  const isAsNamed = isFolder ? found.isDirectory() : found.isFile();
  return isAsNamed ? { path, isFolder, bytes: found.size } : undefined;
}
