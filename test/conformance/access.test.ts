// Who may call what: every method of the contract x every set of scopes x both roles x both dialects of errors, through the real
// dispatcher. The cells come from the contract, so a new method is in the matrix as soon as it exists (T35).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { root } from "../../scripts/run.ts";
import type { AnyHandler } from "../../src/gateway/dispatch.ts";
import { contract } from "../../src/protocol/contract.ts";
import { validate_response } from "../../src/protocol/generated/answers.js";
import { methodTable, type MethodRow } from "../../src/protocol/generated/methods.ts";
import { openDispatchServer, type DispatchServer, type Identity } from "../kit/dispatch-server.ts";
import { createGatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type Frame } from "../kit/raw-client.ts";
import { sample, type JsonSchema } from "../kit/schema-samples.ts";

const rows = Object.entries(methodTable) as [string, MethodRow][];
const validParams = new Map(
  // a TypeBox schema is a JSON Schema
  Object.entries(contract).map(([name, { params }]) => [name, sample(params as JsonSchema, "least")]),
);
/** Names that are no method, some of which every object has, and one that only the handshake knows. */
const strangeNames = [
  "no.such",
  "constructor",
  "__proto__",
  "toString",
  "health ",
  "HEALTH",
  "node.",
  "operator.admin",
];
/** Words that can be granted and open nothing here, or that a client made up. */
const idleScopes = ["operator.questions", "operator.talk", "operator.root", "admin", "*", "any", "node", "operator"];

function subsets(items: readonly string[]): string[][] {
  return items.reduce<string[][]>((all, item) => [...all, ...all.map((set) => [...set, item])], [[]]);
}

const usedScopes = [...new Set([...rows.map(([, { scope }]) => scope), "operator.admin"])].filter((it) => it !== "any");
const scopeSets = [
  ...subsets(usedScopes),
  ...idleScopes.filter((it) => !usedScopes.some((used) => used === it)).map((it) => [it]),
];

/** The law as the protocol has it, written a second time. */
function mayCall({ role, scope }: Pick<MethodRow, "role" | "scope">, caller: Identity): boolean {
  if (role !== "any" && role !== caller.role) return false;
  if (scope === "any" || caller.scopes.includes("operator.admin") || caller.scopes.includes(scope)) return true;
  return scope === "operator.read" && caller.scopes.includes("operator.write");
}

let server: DispatchServer;
let reached: string[] = [];
before(async () => {
  const entries = rows.map(([name]): [string, AnyHandler] => [
    name,
    async () => {
      reached.push(name);
      return { reached: name };
    },
  ]);
  // a handler without a contract is reached by nobody
  server = await openDispatchServer(
    Object.fromEntries([...entries, ["no.such", async () => ({ reached: "no.such" })]]),
  );
});
after(() => server.stop());

function assertRefused({ error }: Frame, caller: Identity, row: Pick<MethodRow, "role" | "scope">): void {
  if (row.role !== "any" && row.role !== caller.role) {
    assert.equal(error?.message, `unauthorized role: ${caller.role}`);
    assert.equal(error.code, "INVALID_REQUEST");
    return;
  }
  assert.equal(error?.message, `missing scope: ${row.scope}`);
  assert.equal(error.code, caller.protocol >= 4 ? "FORBIDDEN" : "INVALID_REQUEST");
  const { code, missingScope, requiredScopes } = error.details ?? {};
  assert.deepEqual(
    { code, missingScope, requiredScopes },
    { code: "MISSING_SCOPE", missingScope: row.scope, requiredScopes: [row.scope] },
  );
}

test("a cell is open exactly when role and scopes allow it, and a refused one never reaches the handler", async (context) => {
  const outcomes = new Map<string, Set<boolean>>(rows.map(([name]) => [name, new Set()]));
  let cells = 0;
  for (const role of ["operator", "node"] as const)
    for (const protocol of [3, 4, 7])
      for (const scopes of scopeSets) {
        const caller: Identity = { role, protocol, scopes };
        reached = [];
        const expected: string[] = [];
        const answers = await server.ask(
          caller,
          rows.map(([method]) => ({ method, params: validParams.get(method) })),
        );
        rows.forEach(([name, row], index) => {
          const answer = answers[index];
          assert.ok(answer && validate_response(answer), `${name}: ${JSON.stringify(answer)}`);
          const isOpen = mayCall(row, caller);
          assert.equal(
            answer.ok,
            isOpen,
            `${name} by ${role} ${protocol} [${scopes.join()}]: ${JSON.stringify(answer)}`,
          );
          if (isOpen) expected.push(name);
          else assertRefused(answer, caller, row);
          outcomes.get(name)?.add(isOpen);
          cells += 1;
        });
        assert.deepEqual(reached.toSorted(), expected.toSorted());
      }
  assert.equal(cells, rows.length * scopeSets.length * 6);
  context.diagnostic(`${cells} cells: ${rows.length} methods, ${scopeSets.length} sets of scopes, 2 roles, 3 versions`);
  for (const [name, row] of rows) {
    const both = row.role === "any" && row.scope === "any" ? [true] : [true, false];
    assert.deepEqual([...(outcomes.get(name) ?? [])].toSorted(), both.toSorted(), `${name} was tried open and closed`);
  }
});

test("what is no method is closed to all: only admins learn that it does not exist", async () => {
  for (const role of ["operator", "node"] as const)
    for (const protocol of [3, 4])
      for (const scopes of scopeSets) {
        const caller: Identity = { role, protocol, scopes };
        const answers = await server.ask(
          caller,
          strangeNames.map((method) => ({ method })),
        );
        answers.forEach((answer, index) => {
          if (mayCall({ role: "operator", scope: "operator.admin" }, caller))
            assert.equal(answer.error?.message, `unknown method: ${strangeNames[index] ?? ""}`);
          else assertRefused(answer, caller, { role: "operator", scope: "operator.admin" });
        });
      }
});

test("access is decided before params are looked at", async () => {
  const nobody: Identity = { role: "operator", protocol: 4, scopes: [] };
  const closed = rows.filter(([, row]) => !mayCall(row, nobody));
  const answers = await server.ask(
    nobody,
    closed.map(([method]) => ({ method, params: "not an object" })),
  );
  answers.forEach((answer, index) =>
    assertRefused(answer, nobody, closed[index]?.[1] ?? { role: "any", scope: "any" }),
  );
});

test("each method has only what it advertises: bad params are refused by every one (RB-81, RB-90)", async () => {
  for (const role of ["operator", "node"] as const) {
    const caller: Identity = { role, protocol: 4, scopes: ["operator.admin"] };
    const open = rows.filter(([, row]) => mayCall(row, caller));
    for (const params of ["text", 5, [1]]) {
      reached = [];
      const answers = await server.ask(
        caller,
        open.map(([method]) => ({ method, params })),
      );
      answers.forEach((answer, index) =>
        assert.match(answer.error?.message ?? "", new RegExp(`^invalid ${open[index]?.[0] ?? "?"} params: `, "u")),
      );
      assert.deepEqual(reached, []);
    }
  }
});

test("a Gateway advertises exactly the methods that it answers", async (context) => {
  const gateway = await createGatewayProcess();
  context.after(() => gateway.dispose());
  await gateway.start();
  const client = await openRawClient(gateway.port, gateway.token);
  const hello = await client.connect();
  const { methods } = (hello.payload?.["features"] ?? {}) as { methods?: string[] };
  assert.deepEqual(
    methods,
    rows.map(([name]) => name),
  );
  for (const [name, { role }] of rows) {
    // refused for its params, so it is there, and nothing happens
    const { error } = await client.request(name, "not an object");
    const expected = role === "node" ? "unauthorized role: operator" : `invalid ${name} params: `;
    assert.ok(error?.message.startsWith(expected), `${name}: ${JSON.stringify(error)}`);
  }
  client.close();
});

/** From weak to strong; the special ones are side by side. */
function strength(scope: string): number {
  const ranks: Readonly<Record<string, number>> = {
    any: 0,
    "operator.read": 1,
    "operator.write": 2,
    "operator.admin": 4,
  };
  // the older generation knows no scope for talk and questions: to write is enough there
  return ranks[scope] ?? (["operator.talk", "operator.questions"].includes(scope) ? 2 : 3);
}

/** Weaker than the published server, each with its reason. */
const weaker: Readonly<Record<string, string>> = {
  health: "both generations' servers answer it on every authenticated connection",
};

test("no method asks for less than the published server does", () => {
  const file = join(root, "node_modules", "@openclaw", "gateway-protocol", "protocol.schema.json");
  const published = JSON.parse(readFileSync(file, "utf8")) as { methods: Record<string, { scope?: string }> };
  const tooWeak = rows
    .map(([name, { scope }]) => ({ name, scope, asked: published.methods[name]?.scope ?? "any" }))
    .filter(
      ({ name, scope, asked }) =>
        weaker[name] === undefined && asked.startsWith("operator.") && strength(scope) < strength(asked),
    );
  assert.deepEqual(tooWeak, []);
});
