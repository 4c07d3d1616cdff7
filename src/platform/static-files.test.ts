import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { openStaticFile, parseStaticPath } from "./static-files.ts";

const secret = "outside of the root";
let folder: string;
let root: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "static-")));
  root = join(folder, "root");
  await mkdir(join(root, "sub"), { recursive: true });
  await mkdir(join(folder, "root-beside"));
  await mkdir(join(folder, "out"));
  await writeFile(join(folder, "secret.txt"), secret);
  await writeFile(join(folder, "out", "a.txt"), secret);
  await writeFile(join(folder, "root-beside", "a.txt"), secret);
  await writeFile(join(root, "index.html"), "<p>page</p>");
  await writeFile(join(root, "sub", "a.txt"), "inside");
  await writeFile(join(root, ".env"), secret);
});
after(() => rm(folder, { recursive: true, force: true }));

const fetchText = async (path: string): Promise<string | undefined> => {
  const names = parseStaticPath(path);
  const found = names && (await openStaticFile(root, names));
  if (found === undefined || found === "folder") return found;
  try {
    return (await found.read()).toString();
  } finally {
    await found.close();
  }
};

test("a file is opened with its type, size and a mark of its content", async () => {
  const found = await openStaticFile(root, ["sub", "a.txt"]);
  assert.ok(found !== undefined && found !== "folder");
  assert.deepEqual([found.mimeType, found.size], ["text/plain; charset=utf-8", 6]);
  await found.close();
  await writeFile(join(root, "sub", "b.txt"), "one");
  const marks = async () => {
    const file = await openStaticFile(root, ["sub", "b.txt"]);
    assert.ok(file !== undefined && file !== "folder");
    await file.close();
    return file.etag;
  };
  const first = await marks();
  assert.equal(await marks(), first);
  await writeFile(join(root, "sub", "b.txt"), "two");
  assert.notEqual(await marks(), first);
});

test("folders are told apart, what is missing is missing, and a large file comes in parts", async () => {
  assert.deepEqual(
    await Promise.all(["/sub", "/sub/", "/", "/none", "/sub/a.txt/x", `/${"a".repeat(5_000)}`].map(fetchText)),
    ["folder", "folder", "folder", undefined, undefined, undefined],
  );
  const large = Buffer.alloc(300_000, "abc");
  await writeFile(join(root, "large.bin"), large);
  const file = await openStaticFile(root, ["large.bin"]);
  assert.ok(file !== undefined && file !== "folder");
  const parts: Buffer[] = [];
  for await (const part of file.parts()) parts.push(part);
  await file.close();
  assert.ok(parts.length > 3 && Buffer.concat(parts).equals(large));
});

test("a file that becomes shorter while it is read is an error, not a short answer", async () => {
  await writeFile(join(root, "shrinks"), Buffer.alloc(200_000));
  const file = await openStaticFile(root, ["shrinks"]);
  assert.ok(file !== undefined && file !== "folder");
  await writeFile(join(root, "shrinks"), "");
  await assert.rejects(file.read(), /shorter/u);
  await file.close();
});

test("S19: links that stay inside are followed, those that leave, pipes and devices are not there", async () => {
  await symlink(join(root, "sub"), join(root, "link-in"));
  await symlink(join(folder, "secret.txt"), join(root, "link-out"));
  await symlink("..", join(root, "link-up"));
  await symlink("../root-beside", join(root, "link-beside"));
  await symlink("/dev/zero", join(root, "zero"));
  await symlink("loop", join(root, "loop"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  assert.equal(await fetchText("/link-in/a.txt"), "inside");
  const paths = "link-out link-up/secret.txt link-up link-beside/a.txt zero loop pipe".split(" ");
  for (const path of paths) assert.equal(await fetchText(`/${path}`), undefined, path);
});

test("S19: a hundred thousand encoded paths never leave the root", async () => {
  const piece = fc.constantFrom(
    ..."..|.|%2e%2e|%2E.|..%2f|%2f|/|//|\\|%5c|..%5c|%00|%c0%ae|%252e%252e|secret.txt|out|a.txt|.env|sub|root|C:|::$DATA|con".split(
      "|",
    ),
    "．．",
    "%ef%bc%8e",
    "~",
    "index.html",
    " ",
    ".. ",
  );
  const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`);
  await fc.assert(
    fc.asyncProperty(paths, async (path) => {
      const text = await fetchText(path);
      assert.ok(text !== secret, path);
    }),
    { numRuns: 100_000 },
  );
});

test("S23: a link that is exchanged all the time never shows what is outside", { timeout: 60_000 }, async () => {
  const swapped = join(root, "swapped");
  await mkdir(join(root, "real"));
  await writeFile(join(root, "real", "a.txt"), "inside");
  const state = { isOver: false };
  const swapping = (async () => {
    while (!state.isOver) {
      for (const target of ["real", "../out"]) {
        await symlink(target, `${swapped}.new`);
        await rename(`${swapped}.new`, swapped);
      }
    }
    await unlink(swapped);
  })();
  const seen = new Map<string | undefined, number>();
  for (let round = 0; round < 4_000; round += 1) {
    const text = await fetchText("/swapped/a.txt");
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  state.isOver = true;
  await swapping;
  assert.ok((seen.get("inside") ?? 0) > 100 && (seen.get(undefined) ?? 0) > 100, "both were met");
  assert.equal(seen.get(secret), undefined);
});

test("no handle stays open", { skip: process.platform !== "linux" }, async () => {
  const count = async () => (await readdir("/proc/self/fd")).length;
  const atFirst = await count();
  for (const path of ["/sub/a.txt", "/sub", "/link-out", "/pipe", "/zero", "/none"])
    for (let round = 0; round < 20; round += 1) await fetchText(path);
  assert.ok((await count()) <= atFirst + 2);
});
