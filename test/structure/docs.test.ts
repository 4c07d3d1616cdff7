// Pages and sources agree: links lead somewhere, numbers of lessons are listed, commands exist, rooms are on the map.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { readSources } from "../../scripts/rooms.ts";
import { root } from "../../scripts/run.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root });
const generated = /[\\/]generated[\\/]/u;

test("every link between our pages leads to a file (RB-56, OV-53, VG-15)", () => {
  for (const page of pages) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/gu)) {
      if (/^[a-z]+:/u.test(target)) continue;
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

test("every lesson that a source cites is listed", () => {
  const listed = new Set([...read("docs/lessons.md").matchAll(/^\| ([RST]\d+) \|/gmu)].map(([, number]) => number));
  for (const folder of ["src", "test"]) {
    for (const { path, text } of readSources(join(root, folder))) {
      if (generated.test(path)) continue;
      for (const [, comment = ""] of text.matchAll(/(?:^|\s)(?:\/\/|\/?\*)(.*)$/gmu)) {
        for (const [number] of comment.matchAll(/\b[RST]\d{1,3}\b/gu))
          assert.ok(listed.has(number), `${folder}/${path} cites ${number}`);
      }
    }
  }
});

test("every `npm run` and `pnpm` in the pages exists (RB-83)", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const page of pages) {
    for (const [, name = ""] of read(page).matchAll(/(?:npm run (?:-s )?|pnpm (?:run )?)([a-z][\w:-]*)/gu))
      assert.ok(scripts[name], `${page}: npm run ${name}`);
  }
});

test("files that the pages name exist", () => {
  for (const page of ["AGENTS.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/footprint.md"]) {
    for (const [, path = ""] of read(page).matchAll(/`((?:src|scripts|test|bench|docs|bin)\/[\w./-]+)`/gu)) {
      assert.ok(existsSync(join(root, path)), `${page} names ${path}`);
    }
  }
});

test("every room is on the map", () => {
  const { order } = JSON.parse(read("src/rooms.json")) as { order: string[][] };
  const architecture = read("docs/architecture.md");
  for (const room of order.flat())
    assert.ok(architecture.includes(`| \`${room}\` |`), `docs/architecture.md lacks ${room}`);
});

test("CI runs the test command of the README and nothing else", () => {
  assert.equal(read(".ci/run").trimEnd().split("\n").at(-1), "npm ci && npm test");
  if (existsSync(join(root, "README.md"))) assert.ok(read("README.md").includes("npm ci && npm test"), "README.md");
});
