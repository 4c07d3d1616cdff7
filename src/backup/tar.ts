// The tar format (POSIX ustar with pax names), both ways, for archives of our own: any tar program opens them, and what we read
// back must be exactly what we would have written.

import { Fault } from "../base/fault.ts";

const blockSize = 512;
/** What eleven octal digits hold, 8 GB; larger files say their size in a pax record. */
const maxOctalSize = 0o77_777_777_777;
/** Names and sizes in pax records: more is an attack. */
const maxPaxBytes = 64 * 1024;

export interface TarEntry {
  /** With `/`, relative; a folder's without the slash at its end. */
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
}

/** The blocks before an entry's bytes. */
export function renderTarHeader({ path, kind, size, mode }: TarEntry): Buffer {
  const name = kind === "folder" ? `${path}/` : path;
  const records = [
    ...(Buffer.byteLength(name) > 100 || !/^[ -~]*$/u.test(name) ? [paxRecord("path", name)] : []),
    ...(size > maxOctalSize ? [paxRecord("size", String(size))] : []),
  ];
  const own = header({ name: name.slice(-100), type: kind === "folder" ? "5" : "0", size, mode });
  if (records.length === 0) return own;
  const body = Buffer.from(records.join(""));
  return Buffer.concat([
    header({ name: "pax", type: "x", size: body.length, mode }),
    body,
    tarPadding(body.length),
    own,
  ]);
}

/** What fills the last block of an entry's bytes. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((blockSize - (size % blockSize)) % blockSize);

export const tarEnd = (): Buffer => Buffer.alloc(2 * blockSize);

/** `5 a=b\n`: a length that counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}

interface Header {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
}

function header({ name, type, size, mode }: Header): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, digits: number, at: number) => block.write(value.toString(8).padStart(digits, "0"), at);
  // a name beyond ASCII or a hundred bytes stands in the pax record; this one is for programs that do not know those
  block.write(name.replaceAll(/[^ -~]/gu, "_"), 0, 100, "latin1");
  octal(mode & 0o777, 7, 100);
  octal(0, 7, 108);
  octal(0, 7, 116);
  octal(size > maxOctalSize ? 0 : size, 11, 124);
  octal(0, 11, 136);
  block.write(type, 156);
  block.write("ustar\u000000", 257, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** With the checksum's own field as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 32;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

/** An entry on its way in. `bytes` has to be read to its end before the next entry comes. */
export interface ReadEntry extends TarEntry {
  readonly bytes: AsyncIterable<Buffer>;
}

/** @throws Fault `invalid_params` for anything that is no such archive, with the place. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<ReadEntry> {
  const input = createInput(source);
  let pax: Pax = {};
  for (;;) {
    const at = input.offset();
    const block = await input.take(blockSize);
    if (block.every((byte) => byte === 0)) break;
    const found = parseHeader(block, at);
    if (found.type === "x") {
      if (found.size > maxPaxBytes) throw damaged(at, "a name is too long");
      pax = parsePax(await input.take(found.size), at);
      await input.skip(tarPadding(found.size).length);
      continue;
    }
    const entry = toEntry(found, pax, at);
    pax = {};
    yield { ...entry, bytes: input.part(entry.size) };
    await input.finishPart();
    await input.skip(tarPadding(entry.size).length);
  }
  await input.expectEnd();
}

interface Pax {
  path?: string;
  size?: number;
}

function toEntry({ name, type, mode, ...found }: Header, pax: Pax, at: number): TarEntry {
  if (type !== "0" && type !== "5") throw damaged(at, "an entry is neither a file nor a folder");
  const path = pax.path ?? name;
  const size = pax.size ?? found.size;
  if (type === "0") return { path, kind: "file", size, mode };
  if (size !== 0) throw damaged(at, "a folder has bytes");
  return { path: path.replace(/\/$/u, ""), kind: "folder", size, mode };
}

function parseHeader(block: Buffer, at: number): Header {
  const text = (from: number, length: number) => {
    const field = block.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.toString("latin1", 0, end === -1 ? length : end);
  };
  const octal = (from: number, length: number) => {
    const digits = text(from, length).trim();
    if (!/^[0-7]+$/u.test(digits)) throw damaged(at, "a header is damaged");
    return Number.parseInt(digits, 8);
  };
  if (text(257, 5) !== "ustar" || octal(148, 8) !== checksum(block)) throw damaged(at, "a header is damaged");
  return { name: text(0, 100), type: text(156, 1), size: octal(124, 12), mode: octal(100, 8) & 0o777 };
}

function parsePax(body: Buffer, at: number): Pax {
  const found: Pax = {};
  for (let from = 0; from < body.length;) {
    const blank = body.indexOf(32, from);
    const length = Number(body.toString("latin1", from, Math.max(from, blank)));
    if (blank === -1 || !Number.isInteger(length) || length < 5 || from + length > body.length)
      throw damaged(at, "a long name is damaged");
    const record = body.toString("utf8", blank + 1, from + length - 1);
    const equals = record.indexOf("=");
    const value = record.slice(equals + 1);
    if (record.startsWith("path=")) found.path = value;
    else if (record.startsWith("size=") && Number.isSafeInteger(Number(value)) && Number(value) >= 0)
      found.size = Number(value);
    else throw damaged(at, "it holds records of another program");
    from += length;
  }
  return found;
}

function createInput(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  /** Bytes of the current entry that nobody has read yet. */
  let left = 0;

  /** Some bytes, at least one and at most `most`. */
  const some = async (most: number): Promise<Buffer> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) throw damaged(offset, "it ends too early");
      rest = next.value;
    }
    const taken = rest.subarray(0, most);
    rest = rest.subarray(taken.length);
    offset += taken.length;
    return taken;
  };
  const skip = async (size: number) => {
    for (let missing = size; missing > 0;) missing -= (await some(missing)).length;
  };
  return {
    offset: () => offset,
    skip,
    async take(size: number) {
      const parts: Buffer[] = [];
      for (let missing = size; missing > 0;) {
        const part = await some(missing);
        parts.push(part);
        missing -= part.length;
      }
      return Buffer.concat(parts);
    },
    part(size: number): AsyncIterable<Buffer> {
      left = size;
      return (async function* read() {
        while (left > 0) {
          const bytes = await some(left);
          left -= bytes.length;
          yield bytes;
        }
      })();
    },
    async finishPart() {
      await skip(left);
      left = 0;
    },
    /** Nothing but the zeros that end an archive. */
    async expectEnd() {
      let zeros = rest;
      for (;;) {
        if (zeros.some((byte) => byte !== 0)) throw damaged(offset, "something stands behind its end");
        const next = await chunks.next();
        if (next.done === true) return;
        zeros = next.value;
      }
    },
  };
}

function damaged(at: number, what: string): Fault {
  return new Fault("invalid_params", `the archive is damaged: ${what} (near byte ${at} of its contents)`, {
    next: "take another backup",
  });
}
