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

test("a Node import that gets in is noticed", async () => {
  await assert.rejects(
    bundle(exportAll([...entries, "client/device-identity.ts"])),
    /Could not resolve "node:crypto"/u,
  );
});
