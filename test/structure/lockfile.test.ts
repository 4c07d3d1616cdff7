// `npm ci` refuses a lock file that lacks a platform's optional package, on every machine but the one that wrote it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../../scripts/run.ts";

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const read = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8")) as Record<string, unknown>;
const locked = (read("package-lock.json") as { packages: Record<string, Locked> }).packages;

test("every optional package is locked, for all platforms", () => {
  const names = new Set(Object.keys(locked).map((path) => path.split("node_modules/").at(-1)));
  for (const [path, { optionalDependencies = {} }] of Object.entries(locked)) {
    const missing = Object.keys(optionalDependencies).filter((name) => !names.has(name));
    assert.deepEqual(missing, [], `${path || "package.json"}: choose a version that exists for all platforms`);
  }
});

test("the lock file belongs to package.json, and versions are exact", () => {
  for (const kind of ["dependencies", "devDependencies", "optionalDependencies"] as const) {
    const wanted = (read("package.json")[kind] ?? {}) as Record<string, string>;
    assert.deepEqual(locked[""]?.[kind], wanted, kind);
    for (const [name, version] of Object.entries(wanted)) {
      assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/u, name);
      assert.equal(locked[`node_modules/${name}`]?.version, version, name);
    }
  }
});
