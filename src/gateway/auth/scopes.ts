// May this caller use this method, see this event? Pure; what was granted counts, never what was claimed (S5).

import { Fault } from "../../base/fault.ts";
import type { EventRow, MethodRow } from "../../protocol/generated/methods.ts";
import type { Caller } from "../../ports/method.ts";

/** All that can be granted; both generations of clients ask for some of these. */
const known: ReadonlySet<string> = new Set([
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk",
  "operator.talk.secrets",
  "operator.sessions.read",
  "operator.sessions.write",
]);

/** What the holder of the shared secret gets of what it asks for; words that mean nothing are not repeated to others. */
export function grantScopes(asked: readonly string[]): readonly string[] {
  return [...new Set(asked)].filter((scope) => known.has(scope));
}

/** Admin stands for all, write for read; `needed` is a WireScope, or any other that can be granted. */
export function hasScope(scopes: readonly string[], needed: string): boolean {
  if (needed === "any" || scopes.includes("operator.admin") || scopes.includes(needed)) return true;
  return needed === "operator.read" && scopes.includes("operator.write");
}

/** True when nothing is asked for that is not held. */
export function coversScopes(held: readonly string[], asked: readonly string[]): boolean {
  return asked.every((scope) => hasScope(held, scope));
}

/**
 * `row` is undefined for a method that does not exist: without admin rights nobody learns which do.
 * @returns the refusal, or undefined.
 */
export function decideAccess(row: MethodRow | undefined, caller: Pick<Caller, "role" | "scopes">): Fault | undefined {
  const isRole = row ? row.role === "any" || row.role === caller.role : caller.role === "operator";
  if (!isRole) return new Fault("invalid_params", `unauthorized role: ${caller.role}`);
  const needed = row?.scope ?? "operator.admin";
  if (hasScope(caller.scopes, needed)) return undefined;
  return new Fault("forbidden", `missing scope: ${needed}`, {
    next: "connect with that scope",
    details: { code: "MISSING_SCOPE", missingScope: needed, requiredScopes: [needed] },
  });
}

export function mayReceive(row: EventRow, caller: Pick<Caller, "scopes">): boolean {
  return row.scope !== "direct" && hasScope(caller.scopes, row.scope);
}
