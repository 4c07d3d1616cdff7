// Another version of the program: the sources of this one with steps of the database added, and a version of its own.

import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Migration } from "../../src/platform/database.ts";

const root = join(import.meta.dirname, "..", "..");

export interface OtherVersion {
  readonly launcher: string;
  /** For its processes. */
  readonly env: NodeJS.ProcessEnv;
}

/** `folder` is made. */
export async function makeVersion(folder: string, version: string, steps: readonly Migration[]): Promise<OtherVersion> {
  await mkdir(folder, { recursive: true });
  for (const part of ["src", "bin", "package.json"])
    await cp(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) => !basename(path).includes(".test."),
    });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const tables = join(folder, "src", "gateway", "tables.ts");
  const text = await readFile(tables, "utf8");
  const changed = text.replace(
    /(export const tables: [^;]*?)\n\];/u,
    (_, list: string) => `${list}\n  ...${JSON.stringify(steps)},\n];`,
  );
  if (changed === text) throw new Error(`${tables} has no list of tables any more`);
  await writeFile(tables, changed);
  // what a build writes into the program
  const preload = join(folder, "version.mjs");
  await writeFile(preload, `globalThis.BUILD_VERSION = ${JSON.stringify(version)};\n`);
  return {
    launcher: join(folder, "bin", "openclaw.mjs"),
    env: { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` },
  };
}
