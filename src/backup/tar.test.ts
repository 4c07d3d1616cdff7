import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import fc from "fast-check";

import { Fault } from "../base/fault.ts";
import { readTar, renderTarHeader, tarEnd, tarPadding, type TarEntry } from "./tar.ts";

interface Given {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

function pack(files: readonly Given[]): Buffer {
  const parts = files.flatMap(({ path, bytes, mode }) => [
    renderTarHeader({ path, kind: "file", size: bytes.length, mode }),
    bytes,
    tarPadding(bytes.length),
  ]);
  return Buffer.concat([...parts, tarEnd()]);
}

async function* slices(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function unpack(whole: Buffer, size = 700): Promise<(TarEntry & { content: Buffer })[]> {
  const found: (TarEntry & { content: Buffer })[] = [];
  for await (const { bytes, ...entry } of readTar(slices(whole, size))) {
    const parts: Buffer[] = [];
    for await (const part of bytes) parts.push(part);
    found.push({ ...entry, content: Buffer.concat(parts) });
  }
  return found;
}

const given = fc.record({
  path: fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }).filter((path) => !/[\0\n]|\/$/u.test(path)),
  bytes: fc.uint8Array({ maxLength: 2_000 }),
  mode: fc.constantFrom(0o600, 0o644, 0o755),
});

test("what is packed comes out the same, whatever the names, sizes and pieces", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(given, { maxLength: 6 }), fc.integer({ min: 1, max: 2_000 }), async (files, size) => {
      const found = await unpack(pack(files), size);
      assert.deepEqual(
        found.map(({ path, mode, content }) => ({ path, mode, bytes: new Uint8Array(content) })),
        files.map(({ path, mode, bytes }) => ({ path, mode, bytes: new Uint8Array(bytes) })),
      );
    }),
    { numRuns: 200 },
  );
});

test("an archive of anybody else's, a cut one and a damaged one are Faults, and nothing else happens", async () => {
  const whole = pack([{ path: "state/a", bytes: Buffer.alloc(900, 7), mode: 0o600 }]);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
        fc.integer({ min: 0, max: whole.length - 1025 }).map((length) => whole.subarray(0, length)),
        fc.tuple(fc.nat(511), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
          const copy = Buffer.from(whole);
          copy[at] = (copy[at] ?? 0) ^ change;
          return copy;
        }),
      ),
      async (bytes) => {
        try {
          for (const { path } of await unpack(bytes)) assert.equal(typeof path, "string");
        } catch (error) {
          assert.ok(error instanceof Fault && error.code === "invalid_params", String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("the system's own tar lists and unpacks it, long names and letters of all languages too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tar-"));
  try {
    const long = `state/${"long/".repeat(40)}Ünïcödé-日本.txt`;
    const files = [
      { path: "state/a.txt", bytes: Buffer.from("hello"), mode: 0o600 },
      { path: long, bytes: Buffer.alloc(1_000, 65), mode: 0o600 },
    ];
    const archive = join(folder, "a.tar");
    await writeFile(archive, pack(files));
    execFileSync("tar", ["-xf", archive, "-C", folder]);
    for (const { path, bytes } of files) assert.deepEqual(await readFile(join(folder, path)), bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("sizes beyond eight gigabytes are told in full", async () => {
  const size = 20 * 1024 ** 3;
  const head = renderTarHeader({ path: "big", kind: "file", size, mode: 0o600 });
  const entries = readTar(slices(head, 512));
  const { value } = await entries.next();
  assert.equal(value && value.size, size);
});
