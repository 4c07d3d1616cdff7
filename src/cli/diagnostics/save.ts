// Where a bundle goes: where its owner says, else where bundles are kept, else wherever there is room.

import { open, readdir, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Fault } from "../../base/fault.ts";
import { ensureFolder, writeFileAtomic } from "../../platform/files.ts";
import type { Context } from "../context.ts";

/** In the folder of its own; older ones go. */
const maxKept = 5;

/** @returns where it is. @throws Fault when it cannot be written anywhere. */
export async function saveBundle(
  context: Context,
  { zip, output }: { readonly zip: Buffer; readonly output: string | undefined },
): Promise<string> {
  const { brand, paths, clock } = context;
  const stamp = new Date(clock.now())
    .toISOString()
    .replace(/\.\d+Z$/u, "Z")
    .replaceAll(":", "-");
  const prefix = `${brand.name}-diagnostics-`;
  const name = `${prefix}${stamp}.zip`;
  if (output !== undefined) return write(await decideOutput(output, name), zip);
  const support = join(paths.state, "logs", "support");
  // nothing is set up for a bundle: where there is no state, it goes where the person is
  const isSetUp = (await stat(paths.state).catch(() => undefined))?.isDirectory() === true;
  const folders = [...(isSetUp ? [support] : []), process.cwd(), tmpdir()];
  let failed: unknown;
  for (const folder of folders) {
    try {
      if (folder === support) await ensureFolder(support);
      const path = await write(join(folder, name), zip);
      if (folder === support) await prune(support, prefix);
      return path;
    } catch (error) {
      // a full or closed disk: the next place may do
      failed = error;
    }
  }
  throw failed;
}

async function decideOutput(output: string, name: string): Promise<string> {
  const path = resolve(output);
  const isFolder = /[/\\]$/u.test(output) || (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (isFolder) return join(path, name);
  await refuseOther(path);
  return path;
}

/** A bundle may be written anew; a file that is something else was named by mistake. */
async function refuseOther(path: string): Promise<void> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead === 0 || buffer.toString("latin1", 0, 2) === "PK") return;
  } finally {
    await file.close();
  }
  throw new Fault("usage", `${path} is there already, and is no bundle`, {
    field: "--output",
    next: "name another file",
  });
}

async function write(path: string, zip: Buffer): Promise<string> {
  try {
    await writeFileAtomic(path, zip);
    return path;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("storage", `the bundle cannot be written: ${reason}`, {
      cause,
      next: "name another place with --output",
    });
  }
}

async function prune(folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith(".zip")).toSorted();
  // another command may be at it
  for (const name of names.slice(0, -maxKept)) await unlink(join(folder, name)).catch(() => undefined);
}
