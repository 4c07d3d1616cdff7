// Writes everything that is generated from the schemas. With `--check` nothing is written: stale files are named, exit 1. With
// `--only <path>` just what lies below that path.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { generateCli } from "./generate-cli.ts";
import { generateProtocol } from "./generate-protocol.ts";
import { generateSettings } from "./generate-settings.ts";

const root = join(import.meta.dirname, "..");
const isCheck = process.argv.includes("--check");
const only = process.argv.includes("--only") ? (process.argv[process.argv.indexOf("--only") + 1] ?? "") : "";
const all = [...(await generateProtocol()), ...(await generateSettings()), ...(await generateCli())];
const files = all.filter(({ path }) => path.startsWith(only));
const stale: string[] = [];

for (const { path, text } of files) {
  const target = join(root, path);
  const current = existsSync(target) ? await readFile(target, "utf8") : undefined;
  if (current === text) continue;
  stale.push(path);
  if (isCheck) continue;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}

// what no generator writes any more would be imported for ever
const written = new Set(files.map(({ path }) => path));
for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
  if (basename(folder) !== "generated") continue;
  for (const name of await readdir(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (written.has(path)) continue;
    stale.push(path);
    if (!isCheck) await rm(join(root, path));
  }
}

if (isCheck && stale.length > 0) {
  console.error(`stale generated files: ${stale.join(", ")}\nnext: npm run generate, then commit them`);
  process.exitCode = 1;
} else if (!isCheck)
  console.log(stale.length > 0 ? `wrote or removed ${stale.join(", ")}` : "all generated files are fresh");
