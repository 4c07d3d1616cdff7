// Sources -> dist/: one bundle an entry with lazy chunks, packages included. `--if-stale` does nothing when dist was made from
// exactly these sources; it is asked before every start and test, so it loads nothing and reads no file's text. `--clean`: nothing of
// the build before stays, for a package.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";

import type { OutputFile, Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const stampFile = join(dist, "stamp.json");

interface Stamp {
  readonly inputs: string;
  readonly files: readonly string[];
}

function readStamp(): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8")) as Stamp;
  } catch {
    // never built, or interrupted
    return undefined;
  }
}

/** Names, sizes and times of all that a build depends on; a removed file shows, too. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const add = (path: string) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.includes(".test.")) add(join(entry.parentPath, entry.name));
  }
  for (const name of [
    "package.json",
    "package-lock.json",
    "scripts/build.ts",
    "scripts/lazy-builtins.ts",
    "scripts/builtin-imports.ts",
  ])
    add(join(root, name));
  return hash.digest("hex");
}

/**
 * Bundles of their own, or every command that shares a module with them would cut them into another piece; and a piece costs a short
 * command more than what is in it. The others find them by names of package.json, for they are asked from files in several folders.
 */
const ownBundles = {
  gateway: "src/cli/gateway/run.ts",
  quick: "src/cli/quick.ts",
  doctor: "src/cli/doctor/doctor.ts",
} as const;

/** Every word of our sources, for what may be told to strangers (src/diagnostics/words.ts). */
function readWords(): string {
  const folder = join(root, "src");
  const words = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.includes(".test.")) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    for (const word of text.match(/\p{L}[\p{L}\p{M}\p{N}]*/gu) ?? []) words.add(word);
  }
  return [...words].toSorted().join(" ");
}

type Finished = Pick<OutputFile, "path" | "contents">;

async function bundle(): Promise<{ outputFiles: readonly Finished[]; outputs: object }> {
  const [{ build }, { lazyBuiltins }, { builtinBanner, takeBuiltins }] = await Promise.all([
    import("esbuild"),
    import("./lazy-builtins.ts"),
    import("./builtin-imports.ts"),
  ]);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  // optional native parts of ws and of unpdf
  const external: string[] = ["bufferutil", "utf-8-validate", "@napi-rs/canvas"];
  const options = {
    absWorkingDir: root,
    outdir: dist,
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22.19",
    minify: true,
    // stack traces stay readable; the maps are read only by `node --enable-source-maps`
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    metafile: true,
    chunkNames: "chunks/[name]-[hash]",
    define: { BUILD_VERSION: JSON.stringify(version), BUILD_WORDS: JSON.stringify(readWords()) },
    splitting: true,
    banner: { js: builtinBanner },
    external,
    logLevel: "warning",
  } as const;
  const ownPaths: Plugin = {
    name: "own-paths",
    setup(plugins) {
      // grammY's build for Node brings an HTTP client of its own, which we never use
      const web = { kind: "import-statement", resolveDir: root } as const;
      // oxlint-disable-next-line eslint/require-unicode-regexp -- esbuild hands the patterns to Go, which knows no flags
      plugins.onResolve({ filter: /^grammy$/ }, () => plugins.resolve("grammy/web", web));
      // oxlint-disable-next-line eslint/require-unicode-regexp -- likewise
      plugins.onResolve({ filter: /\.ts$/ }, ({ kind, path, importer }) => {
        if (kind !== "dynamic-import") return undefined;
        const source = relative(root, join(dirname(importer), path));
        const name = Object.entries(ownBundles).find(([, own]) => own === source)?.[0];
        return name === undefined ? undefined : { path: `#${name}`, external: true };
      });
    },
  };
  const later: Record<string, string> = {};
  const apart: Plugin = {
    name: "later-apart",
    setup(plugins) {
      // oxlint-disable-next-line eslint/require-unicode-regexp -- likewise
      plugins.onResolve({ filter: /\.ts$/ }, ({ kind, path, importer }) => {
        if (kind !== "dynamic-import") return undefined;
        const source = relative(root, join(dirname(importer), path));
        const name = source.replace("src/", "later/").replace(/\.ts$/u, "");
        later[name] = source;
        return { path: `./${name}.js`, external: true };
      });
    },
  };
  // in brackets what is taken from Node: `tls`, `https` and `zlib` by ws, other programs by commander
  // one file each: what `cli` loads later is built with the rest, and what the others do is not much
  const one = { ...options, splitting: false };
  const [first, quick, doctor, gateway] = await Promise.all([
    build({ ...one, entryPoints: { cli: "src/cli/main.ts" }, plugins: [lazyBuiltins(1), ownPaths, apart] }),
    build({ ...one, entryPoints: { quick: ownBundles.quick }, plugins: [lazyBuiltins(3), ownPaths] }),
    build({ ...one, entryPoints: { doctor: ownBundles.doctor }, plugins: [lazyBuiltins(3), ownPaths] }),
    build({ ...options, entryPoints: { gateway: ownBundles.gateway }, plugins: [lazyBuiltins(3), ownPaths] }),
  ]);
  const rest = await build({
    ...options,
    entryPoints: { ...later, client: "src/client/connect.ts", "pdf-worker": "src/platform/pdf-worker.ts" },
    plugins: [lazyBuiltins(4), ownPaths],
  });
  const files: Finished[] = [first, quick, doctor, gateway, rest].flatMap(({ outputFiles }) => outputFiles);
  const scripts = files.filter(({ path }) => path.endsWith(".js"));
  const texts = takeBuiltins(scripts.map(({ contents }) => Buffer.from(contents).toString()));
  for (const [index, file] of scripts.entries()) file.contents = Buffer.from(texts[index] ?? "");
  return {
    outputFiles: files,
    // what several load lazily is the same in each of them
    outputs: Object.assign({}, ...[gateway, rest, doctor, quick, first].map(({ metafile }) => metafile.outputs)),
  };
}

/** The page of A2UI, for browsers: served as it is, never loaded by the Gateway. */
async function bundlePage(): Promise<readonly OutputFile[]> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/canvas/page/main.ts", out: "a2ui" },
      { in: "src/canvas/page/page.css", out: "a2ui" },
    ],
    outdir: join(dist, "a2ui"),
    write: false,
    bundle: true,
    // a plain script: a module would ask for rights that a page without an origin has not
    format: "iife",
    platform: "browser",
    target: ["chrome123", "firefox120", "safari17.5"],
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  return outputFiles;
}

async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await writeFile(temporary, data);
  await rename(temporary, path);
}

/** A Gateway that runs from the build before this one still finds the chunks it has yet to load; older ones go. */
async function removeOld(keep: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !keep.has(relative(dist, path))) await rm(path, { force: true });
  }
}

const before = readStamp();
const inputs = fingerprint();
if (!process.argv.includes("--if-stale") || before?.inputs !== inputs) {
  const startedAt = performance.now();
  const [{ outputFiles: programs, outputs }, page] = await Promise.all([bundle(), bundlePage()]);
  const outputFiles = [...programs, ...page];
  const files = [...new Set(outputFiles.map((file) => relative(dist, file.path)))];
  // entries last: they name the chunks, and somebody may be starting from them right now
  const inOrder = outputFiles.toSorted((a, b) => Number(b.path.includes("chunks")) - Number(a.path.includes("chunks")));
  for (const { path, contents } of inOrder) await writeWhole(path, contents);
  await writeWhole(join(dist, "meta.json"), JSON.stringify({ outputs }));
  await removeOld(new Set([...files, ...(before?.files ?? []), "meta.json", "stamp.json"]));
  await writeWhole(stampFile, JSON.stringify({ inputs, files } satisfies Stamp));
  const bytes = outputFiles.reduce((sum, file) => sum + (file.path.endsWith(".js") ? file.contents.length : 0), 0);
  console.log(
    `built dist: ${files.filter((file) => !file.endsWith(".map")).length} files, ${Math.round(bytes / 1024)} KB, ${Math.round(performance.now() - startedAt)} ms`,
  );
}
if (process.argv.includes("--clean"))
  await removeOld(new Set([...(readStamp()?.files ?? []), "meta.json", "stamp.json"]));
