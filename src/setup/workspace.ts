// The folder that the agent works in, with its starter files. What is there already stays as it is.

import { join } from "node:path";

import { ensureFolder } from "../platform/files.ts";
import type { PrivateFiles } from "../ports/files.ts";
import { starterFiles } from "./starter-files.ts";

export interface WorkspaceOptions {
  readonly folder: string;
  /** Only the folder. */
  readonly isBare: boolean;
  readonly files: Pick<PrivateFiles, "create">;
}

/** @returns the names of the files that are new. */
export async function makeWorkspace({ folder, isBare, files }: WorkspaceOptions): Promise<readonly string[]> {
  await ensureFolder(folder);
  if (isBare) return [];
  const created: string[] = [];
  for (const { name, text } of starterFiles) {
    if (await files.create(join(folder, name), text)) created.push(name);
  }
  return created;
}
