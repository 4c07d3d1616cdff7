import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";

import fc from "fast-check";

import { parseAddress, parseSegments } from "./address.ts";
import { openInside } from "./file.ts";

const inside = "inside";
const outside = "OUTSIDE";

async function setUp(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "canvas-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, "canvas");
  await mkdir(join(root, "sub"), { recursive: true });
  await writeFile(join(folder, "secret.txt"), outside);
  await writeFile(join(root, ".hidden"), outside);
  await writeFile(join(root, "index.html"), inside);
  await writeFile(join(root, "sub", "a b.txt"), inside);
  return { folder, root };
}

/** undefined: nothing is served. */
async function read(root: string, segments: readonly string[]): Promise<string | undefined> {
  const found = await openInside(root, segments);
  if (!found || found === "folder") return found;
  try {
    return await found.handle.readFile("utf8");
  } finally {
    await found.handle.close();
  }
}

test("S19: 100,000 encoded paths: none leads out of the folder, and plain ones lead to their files", async (context) => {
  const { root } = await setUp(context);
  assert.equal(await read(root, parseSegments("/sub/a%20b.txt") ?? []), inside);
  assert.equal(await read(root, parseSegments("/sub") ?? []), "folder");
  const piece = fc.constantFrom(
    ..."secret.txt|sub|index.html|.hidden|%2ehidden|..|.|%2e%2e|%2E.|.%2e|%252e%252e|%c0%ae%c0%ae|%e0%80%ae|..%2f..|%2f|%5c|..%5c|%00|%0a".split(
      "|",
    ),
    ..."//server/share|C:|c%3a|file:|index.html::$DATA|%ff|%|%u002e|con|NUL|etc|passwd|tmp|\u2025|．．|a%20b.txt| |%20|...|. .|proc|self|~".split(
      "|",
    ),
  );
  const paths = fc.array(fc.tuple(piece, fc.constantFrom("/", "%2f", "\\", "%5c", "//", "", "/./", "/../")), {
    maxLength: 8,
  });
  const seen = { served: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(paths, fc.array(fc.tuple(fc.string(), fc.constant("/")), { maxLength: 4 })),
      async (parts) => {
        const segments = parseSegments(`/${parts.flat().join("")}`);
        if (!segments) return;
        for (const name of segments) assert.ok(!/[/\\:\0]/u.test(name) && !name.startsWith("."), name);
        const text = await read(root, segments);
        assert.notEqual(text, outside);
        if (text === inside) seen.served += 1;
      },
    ),
    { numRuns: 100_000 },
  );
  assert.ok(seen.served > 0, "some of them are files");
});

test("S19: a link that leads out, a hidden file behind a link and what is no file are not there; a link within is", async (context) => {
  const { folder, root } = await setUp(context);
  await symlink(join(folder, "secret.txt"), join(root, "out.txt"));
  await symlink(folder, join(root, "up"));
  await symlink(join(root, ".hidden"), join(root, "shown.txt"));
  await symlink(join(root, "loop"), join(root, "loop"));
  await symlink(join(root, "index.html"), join(root, "within.html"));
  if (process.platform !== "win32") execFileSync("mkfifo", [join(root, "pipe")]);
  for (const segments of [
    ["out.txt"],
    ["up", "secret.txt"],
    ["up", "canvas", "..", "secret.txt"],
    ["shown.txt"],
    ["loop"],
    ["pipe"],
    ["none"],
  ])
    assert.equal(await read(root, segments), undefined, segments.join("/"));
  assert.equal(await read(root, ["within.html"]), inside);
});

test("S23: while a folder on the way flips between a real one and a link that leads out, nothing of outside is read", async (context) => {
  const { folder, root } = await setUp(context);
  const away = join(folder, "away");
  await mkdir(away);
  await writeFile(join(away, "file.txt"), outside);
  const flipped = join(root, "flip");
  const kept = join(root, "kept");
  await mkdir(flipped);
  await writeFile(join(flipped, "file.txt"), inside);
  const state = { isDone: false, flips: 0 };
  const pause = async () => {
    for (let left = Math.floor(Math.random() * 12); left > 0; left -= 1) await setImmediate();
  };
  const flip = async () => {
    while (!state.isDone) {
      await rename(flipped, kept);
      await symlink(away, flipped);
      await pause();
      await unlink(flipped);
      await rename(kept, flipped);
      await pause();
      state.flips += 1;
    }
  };
  const flipping = flip();
  const counts = { inside: 0, none: 0 };
  const endsAt = Date.now() + 20_000;
  try {
    for (let round = 0; round < 100_000 && Date.now() < endsAt; round += 8) {
      const texts = await Promise.all(Array.from({ length: 8 }, () => read(root, ["flip", "file.txt"])));
      for (const text of texts) {
        assert.notEqual(text, outside);
        counts[text === inside ? "inside" : "none"] += 1;
      }
    }
  } finally {
    state.isDone = true;
    await flipping;
  }
  assert.ok(counts.inside > 0 && counts.none > 0 && state.flips > 100, JSON.stringify({ ...counts, ...state }));
  context.diagnostic(JSON.stringify({ ...counts, ...state }));
});

test("the paths of the canvas have three names, with and without a capability, and nothing else is one of them", () => {
  const capability = "ab".repeat(32);
  for (const name of ["__openclaw__", "__moltbot__", "__clawdbot__"]) {
    assert.deepEqual(parseAddress(`/${name}/canvas/x%20y`), { prefix: "", page: "files", rest: "/x%20y" });
    const prefix = `/${name}/cap/${capability}`;
    assert.deepEqual(parseAddress(`${prefix}/${name}/canvas`), { capability, prefix, page: "files", rest: "" });
    assert.equal(parseAddress(`${prefix}/${name}/ws`)?.page, "live");
    assert.equal(parseAddress(`/${name}/live.js`)?.page, "script");
    assert.deepEqual(parseAddress(`${prefix}/${name}/a2ui/`), { capability, prefix, page: "a2ui", rest: "/" });
    assert.equal(parseAddress(`/${name}/a2ui/ws`)?.page, "a2ui-live");
  }
  for (const path of [
    "/",
    "/canvas/",
    "/__openclaw__/",
    "/__openclaw__/canvasx",
    "/__openclaw__/a2uix",
    "/__openclaw__/ws/",
    "/__openclaw__/live.js/x",
    "/__openclaw__/constructor",
    "//__openclaw__/canvas/",
    "/__openclaw__/cap/ab/__openclaw__/canvas/",
  ])
    assert.equal(parseAddress(path), undefined, path);
});
