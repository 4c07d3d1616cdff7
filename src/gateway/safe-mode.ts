// A Gateway whose config cannot be used, nor any that was good: it can be reached, looked at and mended, and does nothing else.

import { Fault } from "../base/fault.ts";
import type { Route } from "../ports/route.ts";
import type { MethodRow } from "../protocol/generated/methods.ts";

/** Whoever mends it changes the config, and lets devices in to do so. */
const mending = /^(?:config|device|node\.pair)\./u;

/** @returns the refusal of a method that does more than look or mend. */
export function refuseInSafeMode(method: string, row: MethodRow): Fault | undefined {
  const isLooking = row.role !== "node" && (row.scope === "any" || row.scope === "operator.read");
  if (isLooking || mending.test(method)) return undefined;
  return refusalOf(method);
}

/**
 * The interfaces of programs as they are then: whoever shows the secret is told to come again later, also where it cannot be known
 * whether they are switched on. Those of strangers are not there.
 */
export function closeInSafeMode(routes: readonly Route[]): readonly Route[] {
  return routes
    .filter(({ access }) => access !== "open" && "scope" in access)
    .map((route) => ({ ...route, isEnabled: () => true, answer: () => Promise.reject(refusalOf("this")) }));
}

const refusalOf = (what: string) =>
  new Fault("safe_mode", `${what} is not served: the Gateway runs in safe mode`, {
    next: "mend the config: health and `config validate` name the place",
  });
