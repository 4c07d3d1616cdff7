// The room checker itself: each law broken once in a small tree must be seen, and nothing else.

import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { checkPorts, checkRooms, readSources } from "../../scripts/rooms.ts";

const order = [
  ["base"],
  ["ports"],
  ["platform"],
  ["conversation"],
  ["agent", "channels/a", "channels/b"],
  ["gateway"],
  ["cli"],
];

function check(tree: Readonly<Record<string, string>>): readonly string[] {
  return checkRooms(
    Object.entries(tree).map(([path, text]) => ({ path, text })),
    order,
  );
}

test("a tree that keeps the order has no problem", () => {
  const problems = check({
    "base/text.ts": "export const a = 1;\n",
    "conversation/lane.ts": 'import { a } from "../base/text.ts";\nexport const b = a;\n',
    "gateway/compose.ts":
      'import type { B } from "../conversation/lane.ts";\nconst later = () => import("../agent/turn.ts");\n',
    "agent/turn.ts": 'import { b } from "../conversation/lane.ts";\n',
  });
  assert.deepEqual(problems, []);
});

test("an import from a later room is seen in every form it can be written", () => {
  const forms = [
    'import { x } from "../gateway/ws.ts";',
    'import type { X } from "../gateway/ws.ts";',
    "import {\n  x,\n  type Y,\n} from '../gateway/ws.ts';",
    'import * as ws from "../gateway/ws.ts";',
    'import "../gateway/ws.ts";',
    'export { x } from "../gateway/ws.ts";',
    'export * from "../gateway/ws.ts";',
    'export type { X } from "../gateway/ws.ts";',
    'const late = async () => await import("../gateway/ws.ts");',
    'export function f(x: import("../gateway/ws.ts").X) { return x; }',
    'type All = typeof import("../gateway/ws.ts");',
  ];
  for (const form of forms) {
    const problems = check({ "base/text.ts": `${form}\n` });
    assert.equal(problems.length, 1, form);
    assert.match(problems[0] ?? "", /^base\/text\.ts:\d+: base imports upward, from gateway/u, form);
  }
});

test("imports in comments, strings and templates are not imports", () => {
  const text = [
    '// import { x } from "../gateway/ws.ts";',
    '/* import("../gateway/ws.ts") */',
    "const a = 'import { x } from \"../gateway/ws.ts\"';",
    'const b = `import { x } from "../gateway/ws.ts" ${1 + 1}`;',
    'const c = /import "x" from "..\\/gateway\\/ws.ts"/u;',
    "",
  ];
  assert.deepEqual(check({ "base/text.ts": text.join("\n") }), []);
});

test("code after a template, a regular expression or a division is still read", () => {
  const upward = 'const late = () => import("../cli/main.ts");\n';
  for (const before of [
    "const t = `a ${b ? `c ${d}` : {}} e`;\n",
    "const r = /[/'\"`]/u;\n",
    "const q = a / b; // '\n",
    "const s = 'it\\'s';\n",
  ]) {
    assert.equal(check({ "base/text.ts": before + upward }).length, 1, before);
  }
});

test("siblings never import each other, not even a type", () => {
  const problems = check({ "channels/a/send.ts": 'import type { B } from "../b/send.ts";\n' });
  assert.deepEqual(problems, ["channels/a/send.ts:1: channels/a imports its sibling channels/b (../b/send.ts)"]);
});

test("a file outside of every room, and an import of one, is seen", () => {
  assert.deepEqual(check({ "extra/x.ts": "" }), ["extra/x.ts: stands in no room of rooms.json"]);
  assert.match(check({ "base/text.ts": 'import x from "../../scripts/run.ts";\n' })[0] ?? "", /in no room/u);
});

test("a test beside its file may use the kit, other files may not", () => {
  const text = 'import { until } from "../../test/kit/conversation.ts";\n';
  assert.deepEqual(check({ "conversation/lane.test.ts": text }), []);
  assert.equal(check({ "conversation/lane.ts": text }).length, 1);
});

test("a dynamic import whose target cannot be read is refused", () => {
  assert.match(check({ "base/text.ts": "const f = (name: string) => import(name);\n" })[0] ?? "", /plain string/u);
  assert.match(check({ "base/text.ts": 'const f = (n: string) => import("./" + n);\n' })[0] ?? "", /plain string/u);
});

test("a cycle is told once, with its way; a lazy step breaks it", () => {
  const a = 'import type { B } from "./b.ts";\n';
  const problems = check({
    "base/a.ts": a,
    "base/b.ts": 'import { c } from "./c.ts";\n',
    "base/c.ts": 'import { a } from "./a.ts";\n',
  });
  assert.deepEqual(problems, ["cycle: base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts"]);
  assert.deepEqual(check({ "base/a.ts": a, "base/b.ts": 'export const load = () => import("./a.ts");\n' }), []);
});

test("the machine's abilities are used by their owners only", () => {
  const uses: readonly (readonly [code: string, owner: string])[] = [
    ['import { DatabaseSync } from "node:sqlite";', "platform/database.ts"],
    ['import { spawn } from "node:child_process";', "platform/process.ts"],
    ['import { request } from "node:https";', "platform/egress.ts"],
    ['import { createServer } from "node:net";', "platform/listen.ts"],
    ["const a = process.env;", "platform/env.ts"],
    ["const a = () => process.exit(1);", "cli/main.ts"],
    ["const a = Date.now();", "base/clock.ts"],
    ["const a = new Date();", "base/clock.ts"],
    ["setTimeout(() => {}, 1);", "base/clock.ts"],
    ["const a = AbortSignal.timeout(5);", "base/clock.ts"],
    ['import { setTimeout as pause } from "node:timers/promises";', "base/clock.ts"],
    ['console.log("x");', "cli/render/table.ts"],
  ];
  for (const [code, owner] of uses) {
    assert.equal(check({ "agent/turn.ts": `${code}\n` }).length, 1, code);
    assert.deepEqual(check({ [owner]: `${code}\n` }), [], code);
  }
});

test("types of a built-in, its pure functions, tests and mere mentions are free", () => {
  const text = [
    'import type { IncomingMessage } from "node:http";',
    'import { isIPv4 } from "node:net";',
    'const hint = "process.env and setTimeout(";',
    "const later = (clock: Clock, date: number) => [clock.now(), new Date(date), clock.setTimeout(1)];",
    "// console.log(Date.now())",
    "",
  ].join("\n");
  assert.deepEqual(
    check({ "agent/turn.ts": text, "agent/turn.test.ts": "setTimeout(() => {}, process.env.X);\n" }),
    [],
  );
});

test("a module keeps no state of its own", () => {
  for (const text of [
    "let count = 0;\n",
    "export let x: number;\n",
    "const cache = new Map<string, number>();\n",
    "const seen: string[] = [];\n",
  ]) {
    assert.match(check({ "agent/turn.ts": text })[0] ?? "", /state of the module/u, text);
  }
  const constants =
    "const words = new Set(['a']);\nconst limits = { a: 1 };\nfunction f() {\n  let x = 1;\n  const m = new Map();\n}\n";
  assert.deepEqual(check({ "agent/turn.ts": constants }), []);
});

test("eleven values from other rooms are too many, but types, and the two files that wire all, are free", () => {
  const values = Array.from({ length: 11 }, (_, index) => `import { x } from "../base/f${index}.ts";\n`).join("");
  assert.deepEqual(check({ "agent/turn.ts": values }), ["agent/turn.ts: imports 11 files of other rooms (at most 10)"]);
  assert.deepEqual(check({ "gateway/handlers.ts": values }), []);
  assert.deepEqual(check({ "agent/turn.ts": values.replaceAll("import {", "import type {") }), []);
});

test("a port that exports a value is seen", async () => {
  const root = mkdtempSync(join(tmpdir(), "rooms-"));
  try {
    writeFileSync(join(root, "package.json"), JSON.stringify({ type: "module" }));
    mkdirSync(join(root, "ports"));
    writeFileSync(join(root, "ports", "good.ts"), "export interface Good { a: 1 }\nexport type Other = Good;\n");
    writeFileSync(join(root, "ports", "bad.ts"), "export interface Bad { a: 1 }\nexport const limit = 3;\n");
    assert.equal(readSources(root).length, 2);
    assert.deepEqual(await checkPorts(root), ["ports/bad.ts: ports hold types only, this exports limit"]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
