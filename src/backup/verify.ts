// Whether a backup can be relied upon: every byte of the file, every file in it, and the inside of its databases.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beginsLikeDatabase, checkDatabase, databaseMagic } from "../platform/database-copy.ts";
import { readBackup, type Reading } from "./read.ts";

export interface VerifyOptions {
  /** Folder in which databases are unpacked for a look; undefined: they are not looked into. */
  readonly temporary: string | undefined;
}

/** @throws Fault `not_found` when there is no such file, `invalid_params` when a newer program made it. */
export async function verifyBackup(path: string, { temporary }: VerifyOptions): Promise<Reading> {
  if (temporary === undefined) return readBackup(path, () => Promise.resolve());
  const folder = await mkdtemp(join(temporary, "backup-verify-"));
  const problems: string[] = [];
  try {
    const reading = await readBackup(path, async (entry, bytes) => {
      if (entry.kind === "folder") return;
      const { head, all } = await peek(bytes);
      if (!beginsLikeDatabase(head)) return;
      const copy = join(folder, randomBytes(8).toString("hex"));
      await writeFile(copy, all, { mode: 0o600 });
      problems.push(...checkDatabase(copy).map((line) => `${entry.path}: ${line}`));
      await rm(copy);
    });
    return { ...reading, problems: [...reading.problems, ...problems] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first bytes, and all of them from the beginning. */
async function peek(bytes: AsyncIterable<Buffer>): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const rest = bytes[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < databaseMagic.length) {
    const next = await rest.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = (async function* read() {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  })();
  return { head, all };
}
