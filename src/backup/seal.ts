// The archive as a file: gzip, and behind it an empty second part whose comment is the SHA-256 of all before it. Programs that
// read gzip pass over that part; for us no bit of the file can change unseen, not even those that gzip itself does not check.

import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";

import { Fault } from "../base/fault.ts";
import { formatVersion } from "./manifest.ts";

const label = "gateway-backup";
/** gzip of nothing, with a comment: magic, deflate, flag, no time, no hints, unknown system. */
const sealHead = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 255]);
const sealTail = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** Longer than any seal. */
const maxSealBytes = 256;

const renderSeal = (version: number, hash: string) =>
  Buffer.concat([sealHead, Buffer.from(`${label} ${version} sha256:${hash}`, "latin1"), sealTail]);

/**
 * Writes `contents` into the file and makes it last.
 * @returns the file's size in bytes.
 */
export async function writeSealed(file: FileHandle, contents: AsyncIterable<Buffer>): Promise<number> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(contents, createGzip(), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
  });
  const seal = renderSeal(formatVersion, hash.digest("hex"));
  await file.writeFile(seal);
  await file.sync();
  return bytes + seal.length;
}

export interface Sealed {
  /** As written in the seal; the format of a backup whose seal is damaged is not known. */
  readonly version: number | undefined;
  /** The bytes are those that were written. */
  readonly isWhole: boolean;
  /** Uncompressed. Throws a Fault `invalid_params` where it cannot be unpacked. */
  contents(): AsyncIterable<Buffer>;
}

/** Reads the whole file once. @throws Fault `not_found` when there is no such file. */
export async function openSealed(path: string): Promise<Sealed> {
  const { size, tail } = await readTail(path);
  const seal = findSeal(tail);
  const end = size - (seal?.length ?? 0);
  const hash = createHash("sha256");
  if (end > 0) for await (const chunk of createReadStream(path, { end: end - 1 })) hash.update(chunk as Buffer);
  const version = seal?.version;
  const isWhole =
    version !== undefined && tail.subarray(-(seal?.length ?? 0)).equals(renderSeal(version, hash.digest("hex")));
  return { version, isWhole, contents: () => unpack(path, end) };
}

async function readTail(path: string): Promise<{ size: number; tail: Buffer }> {
  // to open a pipe would wait until somebody writes into it
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
    throw new Fault("not_found", `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      next: "name the file that backup create wrote",
    });
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile())
      throw new Fault("not_found", `${path} is no file`, { next: "name the file that backup create wrote" });
    const { size } = stats;
    const length = Math.min(size, maxSealBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return { size, tail: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}

function findSeal(tail: Buffer): { version: number; length: number } | undefined {
  const text = tail.toString("latin1");
  const match = new RegExp(`${label} (\\d{1,6}) sha256:[0-9a-f]{64}`, "u").exec(text);
  if (!match || match.index < sealHead.length) return undefined;
  return { version: Number(match[1]), length: tail.length - match.index + sealHead.length };
}

async function* unpack(path: string, end: number): AsyncGenerator<Buffer> {
  if (end <= 0) throw notPacked("it is empty");
  const source = createReadStream(path, { end: end - 1 });
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  try {
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw notPacked(error instanceof Error ? error.message : String(error), error);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function notPacked(why: string, cause?: unknown): Fault {
  return new Fault("invalid_params", `the file cannot be unpacked: ${why}`, {
    cause,
    next: "it is no backup, or it is damaged: take another one",
  });
}
