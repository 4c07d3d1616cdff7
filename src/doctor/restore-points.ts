// What everything was like before a fix: a folder for each, with copies and a list of them. It is whole before the first change,
// and there is a bounded number of them.

import { createHash } from "node:crypto";
import { readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "../base/clock.ts";
import { isCode, reasonOf } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { isRecord, parseJson } from "../base/json.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import type { Added } from "./finding.ts";

const kept = 20;
const maxCopyBytes = 256 * 1024 * 1024;
const manifestName = "manifest.json";
const idPattern = /^\d{8}-\d{6}-\d{3}(?:-\d+)?$/u;

export type Entry =
  /** A file as it was; `before` null: there was none. `after` is absent when nobody can know it beforehand. */
  | {
      readonly kind: "file";
      readonly path: string;
      readonly before: string | null;
      readonly after?: string | null;
      readonly mode?: number;
      /** Its copy in the folder. */
      readonly copy?: string;
    }
  | { readonly kind: "mode"; readonly path: string; readonly before: number; readonly after: number }
  /** A folder that was not there. */
  | { readonly kind: "folder"; readonly path: string }
  /** Rows of the database. */
  | { readonly kind: "added"; readonly added: Added }
  | { readonly kind: "moved"; readonly from: string; readonly to: string; readonly hash: string };

/** What `make` is asked to remember. */
export type Wanted =
  | { readonly kind: "file"; readonly path: string; readonly after?: string | null }
  | Exclude<Entry, { kind: "file" }>;

export interface RestorePoint {
  readonly id: string;
  /** Ms since the epoch. */
  readonly createdAt: number;
  readonly titles: readonly string[];
  readonly entries: readonly Entry[];
  /** What undo leaves to its owner. */
  readonly hints: readonly string[];
  readonly undoneAt?: number;
}

export interface RestorePoints {
  /** @throws Fault `storage` when it cannot be made; nothing was changed then. */
  make(titles: readonly string[], wanted: readonly Wanted[], hints: readonly string[]): Promise<RestorePoint>;
  /** The newest first. */
  list(): Promise<readonly RestorePoint[]>;
  copyOf(point: RestorePoint, copy: string): Promise<Buffer>;
  markUndone(point: RestorePoint): Promise<void>;
}

export function createRestorePoints(folder: string, clock: Clock): RestorePoints {
  const save = (where: string, point: RestorePoint) =>
    writeFileAtomic(join(where, manifestName), `${JSON.stringify({ version: 1, ...point }, null, 2)}\n`);
  const list = async () => {
    const names = (await readdir(folder).catch(() => [])).filter((name) => idPattern.test(name));
    const found = await Promise.all(
      names.map(async (id) => parsePoint(await readTextIfExists(join(folder, id, manifestName)))),
    );
    return found.filter((point) => point !== undefined).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  };
  return {
    list,
    async make(titles, wanted, hints) {
      const taken = new Set((await list()).map(({ id }) => id));
      const createdAt = clock.now();
      const id = freeId(createdAt, taken);
      const temporary = join(folder, `.${id}.tmp`);
      try {
        await rm(temporary, { recursive: true, force: true });
        await ensureFolder(folder);
        await ensureFolder(temporary);
        const entries: Entry[] = [];
        for (const one of wanted)
          entries.push(one.kind === "file" ? await copyFile(one, temporary, entries.length) : one);
        const point = { id, createdAt, titles, entries, hints };
        await save(temporary, point);
        await rename(temporary, join(folder, id));
        await prune(folder, await list());
        return point;
      } catch (cause) {
        await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
        if (cause instanceof Fault) throw cause;
        const reason = reasonOf(cause);
        throw new Fault(
          "storage",
          `the restore point could not be made in ${folder} (${reason}); nothing was changed`,
          {
            cause,
            next: "make the state folder writable, with room on its disk",
          },
        );
      }
    },
    copyOf: (point, copy) => readFile(join(folder, point.id, copy)),
    async markUndone(point) {
      await save(join(folder, point.id), { ...point, undoneAt: clock.now() });
    },
  };
}

/** Local files are named by the moment, in UTC: `20261121-103105-123`. */
function freeId(at: number, taken: ReadonlySet<string>): string {
  const plain = new Date(at).toISOString().replaceAll(/[-:Z]/gu, "").replace("T", "-").replace(".", "-");
  for (let count = 1; ; count += 1) {
    const id = count === 1 ? plain : `${plain}-${count}`;
    if (!taken.has(id)) return id;
  }
}

export const hashBytes = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** null when there is no such file. @throws whatever keeps it from being read. */
export async function hashFile(path: string): Promise<string | null> {
  try {
    return hashBytes(await readFile(path));
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

async function copyFile(
  { path, after }: Extract<Wanted, { kind: "file" }>,
  folder: string,
  index: number,
): Promise<Entry> {
  const expected = after === undefined ? {} : { after };
  const found = await stat(path).catch(() => undefined);
  if (!found) return { kind: "file", path, before: null, ...expected };
  if (found.size > maxCopyBytes)
    throw new Fault("storage", `${path} is too large for a restore point; nothing was changed`, {
      next: "make a backup, and do this one by hand",
    });
  const bytes = await readFile(path);
  const copy = `copy-${index}`;
  await writeFileAtomic(join(folder, copy), bytes);
  return { kind: "file", path, before: hashBytes(bytes), ...expected, mode: found.mode & 0o777, copy };
}

async function prune(folder: string, points: readonly RestorePoint[]): Promise<void> {
  for (const { id } of points.slice(kept)) await rm(join(folder, id), { recursive: true, force: true });
}

/** undefined for what this version cannot read. */
function parsePoint(text: string | undefined): RestorePoint | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isRecord(value) || value["version"] !== 1 || typeof value["id"] !== "string") return undefined;
  if (!Array.isArray(value["entries"]) || !Array.isArray(value["titles"])) return undefined;
  // written by make, in a folder that is closed to others
  return value as unknown as RestorePoint;
}
