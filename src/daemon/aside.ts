// Files of older services are not deleted: they may hold what somebody wrote into them.

import { rename } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";

export interface Aside {
  readonly folder: string;
  readonly clock: Clock;
}

/** @returns where it is now. */
export async function setAside(path: string, { folder, clock }: Aside): Promise<string> {
  await ensureFolder(folder);
  const target = join(folder, `${basename(path)}.${clock.now()}`);
  const text = await readTextIfExists(path);
  // readable by its owner alone: older units held tokens
  if (text !== undefined) await writeFileAtomic(path, text);
  await rename(path, target);
  return target;
}
