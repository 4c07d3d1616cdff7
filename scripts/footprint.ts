// Writes docs/footprint.md: what each entry loads at once. Packages and bytes come from the build and are held by a test; times
// and memory are measured on the machine at hand.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

import { listEntries, readMetafile } from "./metafile.ts";
import { root } from "./run.ts";

const rounds = 7;
const cache = mkdtempSync(join(tmpdir(), "footprint-"));

interface Cost {
  readonly ms: number;
  readonly mb: number;
}

/** Import time and growth of the process, with a warm compile cache as the launcher gives it. */
function measure(file: string | undefined): Cost {
  const load = file === undefined ? "" : `await import(${JSON.stringify(join(root, file))});`;
  const code = `const start = performance.now(); ${load}
    console.log(JSON.stringify({ ms: performance.now() - start, mb: process.memoryUsage.rss() / 2 ** 20 }));`;
  const costs = Array.from({ length: rounds }, () => {
    const env = { ...process.env, NODE_COMPILE_CACHE: cache };
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8", env });
    return JSON.parse(stdout) as Cost;
  });
  return { ms: median(costs.map(({ ms }) => ms)), mb: median(costs.map(({ mb }) => mb)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const floor = measure(undefined);
const rows = listEntries(readMetafile(join(root, "dist", "meta.json"))).map((entry) => {
  const { ms, mb } = measure(entry.file);
  const kb = Math.round(entry.bytes / 1024);
  return `| ${entry.source} | ${kb} | ${ms.toFixed(0)} | ${(mb - floor.mb).toFixed(0)} | ${entry.packages.join(" ") || "-"} |`;
});
rmSync(cache, { recursive: true });

writeFileSync(
  join(root, "docs", "footprint.md"),
  `# Footprint

What each entry of the build loads at once, with everything it imports eagerly; lazy parts have a row of their own. The
Gateway is \`src/cli/main.ts\` and \`src/cli/gateway/run.ts\` together.

Made by \`npm run footprint\`. A test compares the packages and the bytes with the build (\`test/structure/eager.test.ts\`): a new
eager package, or a tenth more bytes, shows here in the commit that brings it. Times and memory are medians of ${rounds} processes
with a warm compile cache on Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "CPU"}; memory is what an import adds to an empty
process of ${floor.mb.toFixed(0)} MB.

| entry | KB | ms | + MB | packages |
| --- | ---: | ---: | ---: | --- |
${rows.join("\n")}
`,
);
console.log(`wrote docs/footprint.md: ${rows.length} entries`);
