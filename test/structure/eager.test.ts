// What is loaded before it is needed. A package that becomes eager shows up here and in docs/footprint.md, in the same commit.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { findEntry, listEntries, readMetafile, type Entry, type Metafile } from "../../scripts/metafile.ts";
import { root, run } from "../../scripts/run.ts";

const refresh = "run `npm run build && npm run footprint` and commit docs/footprint.md, if the change is meant";
const growthAllowed = 1.1;

let meta: Metafile;
before(async () => {
  const { code, output } = await run([process.execPath, "scripts/build.ts", "--if-stale"]);
  assert.equal(code, 0, output);
  meta = readMetafile(join(root, "dist", "meta.json"));
});

/** Loaded when the Gateway starts: the command line and the `gateway run` command. */
const gatewayEntries = () => [findEntry(meta, "src/cli/main.ts"), findEntry(meta, "src/cli/gateway/run.ts")];

function listed(): ReadonlyMap<string, { kb: number; packages: readonly string[] }> {
  const text = readFileSync(join(root, "docs", "footprint.md"), "utf8");
  const rows = [...text.matchAll(/^\| (src\/\S+) \| (\d+) \|[^|]*\|[^|]*\| (.*) \|$/gmu)];
  return new Map(
    rows.map(([, source = "", kb = "", packages = ""]) => [
      source,
      { kb: Number(kb), packages: packages === "-" ? [] : packages.split(" ") },
    ]),
  );
}

test("channels, model providers, schema builders, telemetry and Markdown wait until they are needed", () => {
  const lazy =
    /^(?:grammy|@grammyjs\/.*|@ai-sdk\/.*|ai|zod|marked|typebox|ajv|tokenx|sharp|playwright-core|@whiskeysockets\/.*|@opentelemetry\/.*|@modelcontextprotocol\/.*)$/u;
  for (const { source, packages } of gatewayEntries()) {
    assert.deepEqual(
      packages.filter((name) => lazy.test(name)),
      [],
      `eager in ${source}`,
    );
  }
});

test("the first screen of the command line is commander and nothing else", () => {
  assert.deepEqual(findEntry(meta, "src/cli/main.ts").packages, ["commander"]);
});

test("commands that ask a running Gateway are one file, with nothing of its rooms", () => {
  const rooms = /^src\/(?:gateway|agent|channels|conversation)\//u;
  const { file, inputs } = findEntry(meta, "src/cli/quick.ts");
  // what is loaded later is in the same file; the two that may not be are packages apart
  assert.deepEqual(
    inputs.filter((input) => rooms.test(input)),
    [],
  );
  assert.deepEqual(
    meta.outputs[file]?.imports.filter(({ external }) => external !== true),
    [],
  );
});

test("schemas are compiled at build time: no bundle holds typebox", () => {
  for (const { source, packages } of listEntries(meta)) assert.ok(!packages.includes("typebox"), source);
});

test("the client runs in a browser: it brings no package and no built-in of Node", () => {
  const client = findEntry(meta, "src/client/connect.ts");
  assert.deepEqual(client.packages, []);
  const builtIns = client.inputs.filter((input) => /from "node:/u.test(readFileSync(join(root, input), "utf8")));
  assert.deepEqual(builtIns, []);
});

test("each entry loads exactly the packages that docs/footprint.md lists", () => {
  const rows = listed();
  const actual = listEntries(meta).map(({ source, packages }: Entry) => [source, packages.join(" ")]);
  const expected = [...rows].map(([source, { packages }]) => [source, packages.join(" ")]);
  assert.deepEqual(actual, expected, refresh);
});

test("no entry has grown by a tenth without being listed", () => {
  for (const [source, { kb }] of listed()) {
    const now = Math.round(findEntry(meta, source).bytes / 1024);
    assert.ok(now <= kb * growthAllowed + 4, `${source}: ${now} KB, listed with ${kb} KB; ${refresh}`);
  }
});
