// The client runs in a page: nothing of Node, and no package, gets into it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

const source = join(import.meta.dirname, "../../src");
const entries = [
  "client/connect.ts",
  "client/reconnect.ts",
  "client/browser-socket.ts",
  "client/browser-identity.ts",
  "protocol/device-auth.ts",
];

function bundle(contents: string) {
  return build({
    stdin: { contents, resolveDir: source, loader: "ts" },
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
    minify: true,
    metafile: true,
    logLevel: "silent",
  });
}

const exportAll = (paths: readonly string[]) => paths.map((path) => `export * from "./${path}";`).join("\n");

test("the client bundles for browsers from its own sources alone, and stays small", async () => {
  const { metafile, outputFiles } = await bundle(exportAll(entries));
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
  for (const path of inputs) assert.match(path, /(?:^|\/)src\/(?:base|protocol|client)\//u);
  const [output] = outputFiles;
  assert.ok(output && output.contents.length < 40_000, `${output?.contents.length} bytes`);
  assert.doesNotMatch(output.text, /\bprocess\.|\bBuffer\b|\brequire\(/u);
});

test("the A2UI page bundles for browsers from the renderer and a few sources of ours, and stays small", async () => {
  const { metafile, outputFiles } = await bundle('import "./canvas/page/main.ts";');
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>" && !path.includes("node_modules/"));
  for (const path of inputs) assert.match(path, /(?:^|\/)src\/(?:base|canvas\/page|canvas\/a2ui)\//u);
  const packages = Object.keys(metafile.inputs).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(path)?.[1] ?? [],
  );
  for (const heavy of ["date-fns", "zod-to-json-schema"]) assert.ok(!packages.includes(heavy), heavy);
  const [output] = outputFiles;
  assert.ok(output && output.contents.length < 500_000, `${output?.contents.length} bytes`);
});

test("a Node import that gets in is noticed", async () => {
  await assert.rejects(
    bundle(exportAll([...entries, "client/device-identity.ts"])),
    /Could not resolve "node:crypto"/u,
  );
});
