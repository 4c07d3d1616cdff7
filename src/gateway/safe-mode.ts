// A Gateway whose config cannot be used, nor any that was good: it can be reached, looked at and mended, and does nothing else.

import { Fault } from "../base/fault.ts";
import type { MethodRow } from "../protocol/generated/methods.ts";

/** Whoever mends it changes the config, and lets devices in to do so. */
const mending = /^(?:config|device|node\.pair)\./u;

/** @returns the refusal of a method that does more than look or mend. */
export function refuseInSafeMode(method: string, row: MethodRow): Fault | undefined {
  const isLooking = row.role !== "node" && (row.scope === "any" || row.scope === "operator.read");
  if (isLooking || mending.test(method)) return undefined;
  return new Fault("safe_mode", `${method} is not served: the Gateway runs in safe mode`, {
    next: "mend the config: health and `config validate` name the place",
  });
}
