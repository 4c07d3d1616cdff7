import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { methodTable, type MethodRow } from "../../protocol/generated/methods.ts";
import { decideAccess, grantScopes, hasScope } from "./scopes.ts";

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
