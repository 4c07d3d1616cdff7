// May this caller use this method? Pure; what was granted counts, never what was claimed (S5).

import { Fault } from "../../base/fault.ts";
import type { WireScope } from "../../protocol/method.ts";
import type { EventRow, MethodRow } from "../../protocol/generated/methods.ts";
import type { Caller } from "../../ports/method.ts";

export function hasScope(scopes: readonly string[], needed: WireScope): boolean {
  if (needed === "any" || scopes.includes("operator.admin") || scopes.includes(needed)) return true;
  return needed === "operator.read" && scopes.includes("operator.write");
}

/**
 * `row` is undefined for a method that does not exist: without admin rights nobody learns which do.
 * @returns the refusal, or undefined.
 */
export function decideAccess(row: MethodRow | undefined, caller: Caller): Fault | undefined {
  if (row && row.role !== "any" && row.role !== caller.role) {
    return new Fault("invalid_params", `unauthorized role: ${caller.role}`);
  }
  if (!row && caller.role === "node") return new Fault("invalid_params", "unauthorized role: node");
  const needed = row?.scope ?? "operator.admin";
  if (hasScope(caller.scopes, needed)) return undefined;
  return new Fault("forbidden", `missing scope: ${needed}`, {
    next: "connect with that scope",
    details: { code: "MISSING_SCOPE", missingScope: needed, requiredScopes: [needed] },
  });
}

export function mayReceive(row: EventRow, caller: Caller): boolean {
  return hasScope(caller.scopes, row.scope);
}
