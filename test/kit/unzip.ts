// Reads a ZIP archive back by its directory, with sizes and checksums, as any program does.

import assert from "node:assert/strict";
import { crc32, inflateRawSync } from "node:zlib";

export function unzip(zip: Buffer): ReadonlyMap<string, string> {
  const end = zip.lastIndexOf(Buffer.from("PK\u0005\u0006", "latin1"));
  assert.equal(end, zip.length - 22, "the directory ends the file");
  const count = zip.readUInt16LE(end + 8);
  let at = zip.readUInt32LE(end + 16);
  const files = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    assert.equal(zip.readUInt32LE(at), 0x02_01_4b_50);
    const [packed, size, nameLength] = [
      zip.readUInt32LE(at + 20),
      zip.readUInt32LE(at + 24),
      zip.readUInt16LE(at + 28),
    ];
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    assert.equal(zip.readUInt32LE(local), 0x04_03_4b_50);
    const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = inflateRawSync(zip.subarray(begin, begin + packed));
    assert.equal(bytes.length, size);
    assert.equal(crc32(bytes), zip.readUInt32LE(at + 16));
    files.set(name, bytes.toString("utf8"));
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  assert.equal(at, end);
  return files;
}
