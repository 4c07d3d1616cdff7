// A count that was typed behind a flag.

import { Fault } from "../base/fault.ts";

export interface Count {
  /** Where nothing was typed. */
  readonly fallback: number;
  readonly most: number;
  /** The flag. */
  readonly field: string;
}

/** @throws Fault `usage` for anything but a whole number from 1 to `most`. */
export function parseCount(value: string | boolean | undefined, { fallback, most, field }: Count): number {
  if (value === undefined) return fallback;
  const count = Number(value);
  if (Number.isInteger(count) && count > 0 && count <= most) return count;
  throw new Fault("usage", `not a whole number from 1 to ${most}: ${String(value)}`, { field });
}
