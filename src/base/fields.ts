// Reading fields of a stranger's JSON: the right type, or a Fault that names the field.

import { Fault } from "./fault.ts";
import { isRecord } from "./json.ts";

export type Body = Readonly<Record<string, unknown>>;

/** @throws Fault `invalid_params` naming the field. */
export function refuseField(field: string, problem: string, next?: string): Fault {
  return new Fault("invalid_params", `${field} ${problem}`, { field, ...(next === undefined ? {} : { next }) });
}

/** null counts as absent, as these interfaces have it. */
const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

export function asObject(value: unknown, field: string): Body {
  if (!isRecord(value)) throw refuseField(field, "must be an object");
  return value;
}

export function asList(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw refuseField(field, "must be an array");
  return value;
}

export function asText(value: unknown, field: string): string {
  if (typeof value !== "string") throw refuseField(field, "must be a string");
  return value;
}

/** As `as`, or undefined where there is nothing. */
export function optional<T>(body: Body, key: string, as: (value: unknown, field: string) => T): T | undefined {
  const value = body[key];
  return isAbsent(value) ? undefined : as(value, key);
}

export const asFlag = (value: unknown, field: string): boolean => {
  if (typeof value !== "boolean") throw refuseField(field, "must be true or false");
  return value;
};

/** A reader of numbers between two bounds, both included. */
export const asNumber =
  (least: number, most: number) =>
  (value: unknown, field: string): number => {
    if (typeof value !== "number" || !Number.isFinite(value)) throw refuseField(field, "must be a number");
    if (value < least || value > most) throw refuseField(field, `must be from ${least} to ${most}`);
    return value;
  };

export const asWhole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (value: unknown, field: string): number => {
    const number = asNumber(least, most)(value, field);
    if (!Number.isInteger(number)) throw refuseField(field, "must be a whole number");
    return number;
  };
