// Makes a backup of an installation, whether or not its Gateway runs: databases by SQLite's own online copy, the rest as it is
// read. The archive gets its name when it is whole and on the disk; before that there is only a temporary file (R44).

import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, link, lstat, mkdir, open, readdir, rename, rm, unlink, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

import type { Clock } from "../base/clock.ts";
import { isCode } from "../base/error-code.ts";
import { Fault } from "../base/fault.ts";
import { checkDatabase, copyDatabase, isDatabase } from "../platform/database-copy.ts";
import { ensureFolder, followLink } from "../platform/files.ts";
import { gather, type Gathered, type Source } from "./gather.ts";
import { formatVersion, manifestPath, renderManifest, type Manifest, type ManifestFile } from "./manifest.ts";
import { decideBelonging, type Places } from "./places.ts";
import { writeSealed } from "./seal.ts";
import { renderTarHeader, tarEnd, tarPadding } from "./tar.ts";
import { verifyBackup } from "./verify.ts";

/** Files up to this size are read at once, and so as they are at one moment. */
const smallBytes = 4 * 1024 * 1024;
const chunkBytes = 256 * 1024;
/** Written now and then swept by a later backup when we are killed before its end. */
const temporaryPattern = /^\..+\.(\d+)-[0-9a-f]{12}\.backup-tmp$/u;

export interface CreateOptions {
  readonly places: Places;
  readonly scope: "all" | "config";
  readonly hasWorkspaces: boolean;
  /** The archive; its folder is made when it is missing. */
  readonly output: string;
  readonly product: { readonly name: string; readonly version: string };
  readonly profile: string | undefined;
  /** Reads the finished archive again before it gets its name, and looks into the copies of databases. */
  readonly isVerified: boolean;
  readonly clock: Clock;
  /** This process, and whether another one lives. */
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  /** Bytes read so far, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Created {
  readonly path: string;
  readonly bytes: number;
  readonly manifest: Manifest;
}

/** What would go into it, without reading or writing any of it. */
export function planBackup({ places, scope, hasWorkspaces }: CreateOptions): Promise<Gathered> {
  return gather({ places, scope, hasWorkspaces, except: [] });
}

/**
 * @throws Fault `usage` when the archive is there already or would hold itself, `storage` when something cannot be read, the disk
 * is full, or the finished archive is not what it should be. Nothing is left behind then.
 */
export async function createBackup(options: CreateOptions): Promise<Created> {
  const { output } = options;
  const folder = dirname(output);
  await checkOutput(options);
  await ensureFolder(folder);
  await sweep(folder, options.isAlive);
  const stem = join(folder, `.${basename(output)}.${options.pid}-`);
  const temporary = `${stem}${randomBytes(6).toString("hex")}.backup-tmp`;
  const staging = `${stem}${randomBytes(6).toString("hex")}.backup-tmp`;
  try {
    await mkdir(staging, { mode: 0o700 });
    const written = await write({ temporary, staging }, options);
    await publish(temporary, output);
    return { path: output, ...written };
  } catch (error) {
    throw explain(error, output);
  } finally {
    await rm(temporary, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

async function checkOutput({ output, places, scope, hasWorkspaces }: CreateOptions): Promise<void> {
  if (await lstat(output).catch(() => undefined)) {
    throw new Fault("usage", `${output} is there already`, { field: "--output", next: "choose another name" });
  }
  const folder = await followLink(dirname(output));
  const inside = (root: string) => relative(root, folder).split(sep);
  const [first = ""] = inside(await followLink(places.state));
  const isInState = scope === "all" && first !== ".." && (first === "" || decideBelonging(first) === "copied");
  const roots = hasWorkspaces ? await Promise.all(places.workspaces.map(followLink)) : [];
  if (isInState || roots.some((root) => inside(root)[0] !== "..")) {
    throw new Fault("usage", `${folder} is part of what is backed up`, {
      field: "--output",
      next: "choose a folder outside of it, best on another disk",
    });
  }
}

/** What backups that were killed left here. */
async function sweep(folder: string, isAlive: (pid: number) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = temporaryPattern.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

interface Working {
  readonly temporary: string;
  /** For copies of databases. */
  readonly staging: string;
}

async function write(
  { temporary, staging }: Working,
  options: CreateOptions,
): Promise<{ bytes: number; manifest: Manifest }> {
  const { places, scope, hasWorkspaces, isVerified } = options;
  const found = await gather({ places, scope, hasWorkspaces, except: [temporary, staging, options.output] });
  const file = await open(temporary, "wx", 0o600);
  let manifest: Manifest | undefined;
  let bytes = 0;
  try {
    const contents = pack(found, { staging, options }, (made) => {
      manifest = made;
    });
    bytes = await writeSealed(file, contents);
  } finally {
    await file.close();
  }
  if (!manifest) throw new Fault("internal", "the archive has no list");
  if (isVerified) {
    // the copies of databases were looked into already
    const { problems } = await verifyBackup(temporary, { temporary: undefined });
    if (problems[0] !== undefined)
      throw new Fault("storage", `the archive is not what was written: ${problems[0]}`, { next: "check the disk" });
  }
  return { bytes, manifest };
}

interface Packing {
  readonly staging: string;
  readonly options: CreateOptions;
}

async function* pack(
  { sources, config, workspaces, skipped }: Gathered,
  { staging, options }: Packing,
  done: (manifest: Manifest) => void,
): AsyncGenerator<Buffer> {
  const files: ManifestFile[] = [];
  const alsoSkipped: string[] = [];
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  let read = 0;
  for (const source of sources) {
    if (source.kind === "folder") {
      yield renderTarHeader({ ...source, size: 0 });
      continue;
    }
    const opened = await openSource(source, { staging, options });
    if (opened === undefined) continue;
    if (opened === "skipped") {
      alsoSkipped.push(source.from);
      continue;
    }
    const hash = createHash("sha256");
    try {
      yield renderTarHeader({ path: source.path, kind: "file", size: opened.size, mode: source.mode });
      for await (const chunk of opened.bytes()) {
        hash.update(chunk);
        yield chunk;
        read += chunk.length;
        options.onProgress?.(read, Math.max(read, total));
      }
      yield tarPadding(opened.size);
    } finally {
      await opened.close();
    }
    const isCopy = opened.isDatabase ? { isDatabase: true } : {};
    files.push({ path: source.path, size: opened.size, sha256: hash.digest("hex"), ...isCopy });
  }
  const manifest: Manifest = {
    format: "gateway-backup",
    version: formatVersion,
    createdAt: options.clock.now(),
    product: options.product,
    profile: options.profile ?? null,
    scope: options.scope,
    config,
    workspaces,
    files,
    skipped: [...skipped, ...alsoSkipped],
  };
  const text = Buffer.from(renderManifest(manifest));
  yield renderTarHeader({ path: manifestPath, kind: "file", size: text.length, mode: 0o600 });
  yield Buffer.concat([text, tarPadding(text.length), tarEnd()]);
  done(manifest);
}

interface Opened {
  readonly size: number;
  readonly isDatabase: boolean;
  bytes(): AsyncIterable<Buffer> | Iterable<Buffer>;
  close(): Promise<void>;
}

/** undefined: it is gone; `skipped`: it is no file any more. */
async function openSource({ from }: Source, { staging, options }: Packing): Promise<Opened | undefined | "skipped"> {
  try {
    if (await isDatabase(from))
      return await openDatabaseCopy(from, join(staging, randomBytes(8).toString("hex")), options);
    // a link that took the file's place meanwhile is not followed
    const file = await open(from, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const { size } = await file.stat();
    if (size > smallBytes)
      return { size, isDatabase: false, bytes: () => readExactly(file, size, from), close: () => file.close() };
    const whole = await file.readFile().finally(() => file.close());
    return { size: whole.length, isDatabase: false, bytes: () => [whole], close: () => Promise.resolve() };
  } catch (error) {
    if (isOf(error, "ENOENT")) return undefined;
    if (isOf(error, "ELOOP")) return "skipped";
    throw error;
  }
}

async function openDatabaseCopy(from: string, copy: string, { isVerified }: CreateOptions): Promise<Opened> {
  await copyDatabase(from, copy);
  const [problem] = isVerified ? checkDatabase(copy) : [];
  if (problem !== undefined)
    throw new Fault("storage", `the database ${from} is damaged: ${problem}`, {
      next: "keep it as it is, and restore a backup of before; --no-verify copies it nevertheless",
    });
  const file = await open(copy, "r");
  const { size } = await file.stat();
  const close = async () => {
    await file.close();
    await unlink(copy);
  };
  return { size, isDatabase: true, bytes: () => readExactly(file, size, from), close };
}

async function* readExactly(file: FileHandle, size: number, name: string): AsyncGenerator<Buffer> {
  for (let left = size; left > 0;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(chunkBytes, left)), 0);
    if (bytesRead === 0)
      throw new Fault("storage", `${name} became shorter while it was read`, { next: "try again when it is at rest" });
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Never over another file, not even one that came a moment ago. */
async function publish(temporary: string, output: string): Promise<void> {
  await chmod(temporary, 0o600);
  try {
    await link(temporary, output);
  } catch (error) {
    if (isOf(error, "EEXIST")) throw error;
    // a file system without hard links
    await rename(temporary, output);
  }
  if (process.platform === "win32") return;
  const folder = await open(dirname(output), "r");
  await folder.sync().catch(() => undefined);
  await folder.close();
}

function explain(error: unknown, output: string): unknown {
  if (isOf(error, "ENOSPC", "EDQUOT", "EFBIG"))
    return new Fault("storage", `there is no room for the backup in ${dirname(output)}`, {
      cause: error,
      next: "free some space, or choose another place with --output; nothing was left behind",
    });
  if (isOf(error, "EACCES", "EPERM", "EROFS"))
    return new Fault("storage", `no permission: ${error instanceof Error ? error.message : ""}`, {
      cause: error,
      next: "run it as the owner of these files, or choose another place with --output",
    });
  return error;
}

/** Also of what a Fault was made of. */
function isOf(error: unknown, ...codes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  return isCode(error, ...codes) || (error.cause !== undefined && isOf(error.cause, ...codes));
}
