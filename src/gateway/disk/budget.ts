// How much has to go, and what goes first: pure.

import type { DiskBudget } from "../../config/maintenance.ts";

/** Something that can be spared. */
export interface Spare {
  readonly path: string;
  /** When it was made, or written to last; ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

/** 0 until the budget is overrun; then all that is above its target. */
export function decideExcess(bytes: number, { maxBytes, targetBytes }: DiskBudget): number {
  return bytes > maxBytes ? bytes - targetBytes : 0;
}

/** The oldest, and no more of them than it takes to get `bytes`. */
export function chooseOldest<One extends Spare>(spares: readonly One[], bytes: number): One[] {
  const chosen: One[] = [];
  let sum = 0;
  for (const spare of spares.toSorted((a, b) => a.at - b.at || (a.path < b.path ? -1 : Number(a.path > b.path)))) {
    if (sum >= bytes) break;
    chosen.push(spare);
    sum += spare.bytes;
  }
  return chosen;
}
