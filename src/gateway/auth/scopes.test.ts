import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { eventTable, methodTable, type EventRow, type MethodRow } from "../../protocol/generated/methods.ts";
import { decideAccess, grantScopes, hasScope, mayReceive } from "./scopes.ts";

const scopes = ["operator.read", "operator.write", "operator.approvals", "operator.pairing", "operator.admin"];

test("write implies read and admin implies all; nothing else implies anything", () => {
  assert.equal(hasScope(["operator.write"], "operator.read"), true);
  assert.equal(hasScope(["operator.read"], "operator.write"), false);
  assert.equal(hasScope(["operator.admin"], "operator.pairing"), true);
  assert.equal(hasScope(["operator.pairing"], "operator.read"), false);
  assert.equal(hasScope([], "any"), true);
});

test("no method is reachable above what was granted", () => {
  const rows = Object.entries(methodTable) as [string, MethodRow][];
  const implied = (granted: readonly string[], needed: string) =>
    needed === "any" ||
    granted.includes("operator.admin") ||
    granted.includes(needed) ||
    (needed === "operator.read" && granted.includes("operator.write"));
  fc.assert(
    fc.property(
      fc.subarray(scopes),
      fc.constantFrom(...rows),
      fc.constantFrom("operator", "node"),
      (granted, row, role) => {
        const refusal = decideAccess(row[1], { role: role as "operator" | "node", scopes: granted });
        const isRole = row[1].role === "any" || row[1].role === role;
        assert.equal(
          refusal === undefined,
          isRole && implied(granted, row[1].scope),
          `${row[0]} ${role} ${granted.join()}`,
        );
      },
    ),
  );
});

test("only an admin learns that a method does not exist", () => {
  assert.equal(decideAccess(undefined, { role: "operator", scopes: ["operator.admin"] }), undefined);
  const refusal = decideAccess(undefined, { role: "operator", scopes: ["operator.write"] });
  assert.equal(refusal?.message, "missing scope: operator.admin");
  assert.deepEqual(refusal?.details, {
    code: "MISSING_SCOPE",
    missingScope: "operator.admin",
    requiredScopes: ["operator.admin"],
  });
  assert.equal(decideAccess(undefined, { role: "node", scopes: [] })?.message, "unauthorized role: node");
});

test("asked scopes are granted once each; words that mean nothing are not", () => {
  assert.deepEqual(grantScopes(["operator.read", "root", "operator.read", "__proto__", "operator.write"]), [
    "operator.read",
    "operator.write",
  ]);
});

test("events about pairing and approvals are for those who decide; what is meant for one connection goes to nobody else", () => {
  const guarded = {
    "node.pair.requested": "operator.pairing",
    "node.pair.resolved": "operator.pairing",
    "device.pair.requested": "operator.pairing",
    "device.pair.resolved": "operator.pairing",
    "exec.approval.requested": "operator.approvals",
    "exec.approval.resolved": "operator.approvals",
  };
  const rows: Readonly<Record<string, EventRow>> = eventTable;
  for (const [event, needed] of Object.entries(guarded)) {
    const row = rows[event];
    assert.ok(row, event);
    const heardBy = [[], ...scopes.map((scope) => [scope])].filter((granted) => mayReceive(row, { scopes: granted }));
    assert.deepEqual(heardBy.flat().toSorted(), ["operator.admin", needed], event);
  }
  const direct = Object.entries(rows).filter(([, row]) => row.scope === "direct");
  assert.deepEqual(direct.map(([event]) => event).toSorted(), ["connect.challenge", "node.invoke.request"]);
  for (const [event, row] of direct) assert.equal(mayReceive(row, { scopes: ["operator.admin"] }), false, event);
});
