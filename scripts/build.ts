// Sources -> dist/: one bundle an entry with lazy chunks, packages included. `--if-stale` does nothing when dist is newer than
// everything it was made from.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const meta = join(dist, "meta.json");

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const isStale = () =>
  !existsSync(meta) ||
  ["src", "package-lock.json", "scripts/build.ts"].some((path) => newest(join(root, path)) > statSync(meta).mtimeMs);

if (!process.argv.includes("--if-stale") || isStale()) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  rmSync(dist, { recursive: true, force: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: { cli: "src/cli/main.ts", client: "src/client/connect.ts" },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22.19",
    minify: true,
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    metafile: true,
    chunkNames: "chunks/[name]-[hash]",
    define: { BUILD_VERSION: JSON.stringify(version) },
    // packages of the CommonJS kind call `require` for Node's own modules
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    // optional native parts of ws
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "warning",
  });
  writeFileSync(meta, JSON.stringify(result.metafile));
}
