// Whatever a caller hands to the log -> plain values that are safe to write: bounded, without cycles and secrets, errors as data.
// Masking happens here, value by value, so that the line stays JSON whatever is masked in it.

import type { LogFields } from "../base/log.ts";
import { isSecretFlag, isSecretName, mask, redactText } from "./redact.ts";

const maxDepth = 6;
/** Values in one line, all levels together. */
const maxValues = 500;
const maxTextLength = 8_000;
/** Keys of the line itself; a field of that name gets an underscore behind it. */
const reserved: ReadonlySet<string> = new Set(["time", "level", "subsystem", "message"]);

interface Walk {
  readonly extra: readonly RegExp[];
  valuesLeft: number;
}

interface Place {
  readonly depth: number;
  /** Below a name that says secret. */
  readonly isSecret: boolean;
}

/** The fields as plain JSON values. `extra`: the user's redaction patterns. Never throws. */
export function toPlainFields(fields: LogFields, extra: readonly RegExp[] = []): Record<string, unknown> {
  const walk: Walk = { extra, valuesLeft: maxValues };
  try {
    const plain = plainEntries(Object.entries(fields), { depth: 0, isSecret: false }, walk);
    return Object.fromEntries(plain.map(([key, value]) => [reserved.has(key) ? `${key}_` : key, value]));
  } catch (error) {
    // a getter or a proxy that throws: the line is worth more than its fields
    return { unreadable: error instanceof Error ? redactText(error.message, extra) : "fields" };
  }
}

/** A text as it may be written: secrets masked, at most 8,000 characters. */
export function toPlainText(text: string, extra: readonly RegExp[] = []): string {
  // cut after masking, with a margin: half a secret at the end would not be recognised
  const masked = redactText(text.slice(0, maxTextLength * 2), extra);
  if (masked.length <= maxTextLength && text.length <= maxTextLength * 2) return masked;
  return `${masked.slice(0, maxTextLength)}… (${text.length} characters)`;
}

function toPlain(value: unknown, place: Place, walk: Walk): unknown {
  walk.valuesLeft -= 1;
  if (walk.valuesLeft < 0) return "…";
  switch (typeof value) {
    case "string":
      return place.isSecret && value !== "" ? mask : toPlainText(value, walk.extra);
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return place.isSecret ? mask : value.toString();
    case "object":
      return value === null ? null : toPlainObject(value, place, walk);
    default:
      return value === undefined ? undefined : `[${typeof value}]`;
  }
}

function toPlainObject(value: object, place: Place, walk: Walk): unknown {
  if (place.depth > maxDepth) return "…";
  const inner: Place = { ...place, depth: place.depth + 1 };
  if (value instanceof Error) return toPlainError(value, inner, walk);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof URL) return toPlainText(value.href, walk.extra);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return Object.fromEntries(plainEntries([...value], inner, walk));
  if (Array.isArray(value) || value instanceof Set) return toPlainList([...value], inner, walk);
  return Object.fromEntries(plainEntries(Object.entries(value), inner, walk));
}

function toPlainList(list: readonly unknown[], place: Place, walk: Walk): unknown[] {
  const shown = list
    .slice(0, 100)
    .map((item, index) => toPlain(item, isSecretFlag(list[index - 1]) ? { ...place, isSecret: true } : place, walk));
  return list.length > shown.length ? [...shown, `… (${list.length})`] : shown;
}

function plainEntries(
  entries: readonly (readonly [unknown, unknown])[],
  place: Place,
  walk: Walk,
): [string, unknown][] {
  return entries
    .slice(0, 100)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const name = String(key);
      const isSecret = place.isSecret || isSecretName(name);
      // a count of tokens is no token, yet a password may be a number
      const plain =
        typeof value === "number" && /(?:secret|password|passwd|passphrase)$/iu.test(name)
          ? mask
          : toPlain(value, { ...place, isSecret }, walk);
      return [toPlainText(name, walk.extra), plain];
    });
}

/** Message, code and cause; where it was thrown only for the error that was logged itself. */
function toPlainError(error: Error, place: Place, walk: Walk): Record<string, unknown> {
  const isOutermost = place.depth === 1;
  const text = (value: string) => toPlainText(value, walk.extra);
  return {
    name: error.name,
    message: text(error.message),
    ...("code" in error && typeof error.code === "string" ? { code: text(error.code) } : {}),
    ...(error.cause === undefined ? {} : { cause: toPlain(error.cause, place, walk) }),
    ...(error instanceof AggregateError ? { errors: toPlainList(error.errors.slice(0, 5), place, walk) } : {}),
    ...(isOutermost && error.stack ? { stack: text(stackLines(error)) } : {}),
  };
}

/** The five innermost places; the message, which may have several lines, is left out. */
function stackLines(error: Error): string {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /u.test(line))
    .slice(0, 5)
    .join("\n");
}
