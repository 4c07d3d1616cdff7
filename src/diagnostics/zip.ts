// A ZIP archive in memory: what people open with a double click, and what trackers of bugs take. Small files only.

import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  /** Relative, with `/`; ASCII. */
  readonly path: string;
  readonly text: string;
}

interface Packed {
  readonly stamp: number;
  readonly name: Buffer;
  readonly bytes: Buffer;
  readonly size: number;
  readonly crc: number;
}

const versionNeeded = 20;
/** UTF-8 names. */
const flags = 0x0800;
const deflated = 8;
/** Made on Unix, where the upper half of the attributes is the mode of a file that its owner alone reads. */
const madeBy = (3 << 8) | versionNeeded;
const attributes = 0o100_600 * 0x1_0000;

/** `now`: ms since the epoch, in this machine's time zone as the format wants it. Together below 4 GB. */
export function renderZip(entries: readonly ZipEntry[], now: number): Buffer {
  const stamp = toDosTime(new Date(now));
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const packed = pack(entry, stamp);
    const local = Buffer.concat([renderLocal(packed), packed.name, packed.bytes]);
    directory.push(renderCentral(packed, offset), packed.name);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, renderEnd(entries.length, central.length, offset)]);
}

function pack({ path, text }: ZipEntry, stamp: number): Packed {
  const plain = Buffer.from(text);
  return { stamp, name: Buffer.from(path), bytes: deflateRawSync(plain), size: plain.length, crc: crc32(plain) };
}

/** What both headers have, from the version on. */
function writeShared(block: Buffer, at: number, { name, bytes, size, crc, stamp }: Packed): void {
  block.writeUInt16LE(versionNeeded, at);
  block.writeUInt16LE(flags, at + 2);
  block.writeUInt16LE(deflated, at + 4);
  block.writeUInt32LE(stamp, at + 6);
  block.writeUInt32LE(crc, at + 10);
  block.writeUInt32LE(bytes.length, at + 14);
  block.writeUInt32LE(size, at + 18);
  block.writeUInt16LE(name.length, at + 22);
}

function renderLocal(packed: Packed): Buffer {
  const block = Buffer.alloc(30);
  block.writeUInt32LE(0x04_03_4b_50, 0);
  writeShared(block, 4, packed);
  return block;
}

function renderCentral(packed: Packed, offset: number): Buffer {
  const block = Buffer.alloc(46);
  block.writeUInt32LE(0x02_01_4b_50, 0);
  block.writeUInt16LE(madeBy, 4);
  writeShared(block, 6, packed);
  block.writeUInt32LE(attributes, 38);
  block.writeUInt32LE(offset, 42);
  return block;
}

function renderEnd(count: number, bytes: number, offset: number): Buffer {
  const block = Buffer.alloc(22);
  block.writeUInt32LE(0x06_05_4b_50, 0);
  block.writeUInt16LE(count, 8);
  block.writeUInt16LE(count, 10);
  block.writeUInt32LE(bytes, 12);
  block.writeUInt32LE(offset, 16);
  return block;
}

/** Two seconds are its smallest step, and 1980 its first year. */
function toDosTime(date: Date): number {
  const year = Math.max(0, date.getFullYear() - 1980);
  const day = (year << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}
