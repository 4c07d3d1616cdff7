// A place in the config as a person writes it: `agents.list[0].id`, `channels.telegram.groups["-100"].enabled`. Pure.

import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";

export type ConfigPath = readonly [string, ...string[]];

const part = /\.?(?:\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]|\[(\d{1,6})\]|([^.[\]\s]+))/uy;
const forbidden: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/** @throws Fault `usage` for what is no path. */
export function parseConfigPath(text: string): ConfigPath {
  const refuse = () =>
    new Fault("usage", `not a path in the config: ${text}`, {
      field: "path",
      next: 'write it as gateway.port, agents.list[0].id or channels.telegram.groups["-100"]',
    });
  const parts: string[] = [];
  part.lastIndex = 0;
  for (let at = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(text);
    // the first part has no dot before it, a bare name always has one
    const isBare = match?.[4] !== undefined;
    if (!match || match[0].startsWith(".") === (at === 0 || !isBare)) throw refuse();
    const quoted = match[1] ?? match[2];
    const name = quoted === undefined ? (match[3] ?? match[4] ?? "") : quoted.replaceAll(/\\(.)/gu, "$1");
    if (forbidden.has(name)) throw refuse();
    parts.push(name);
  }
  const [first, ...rest] = parts;
  if (first === undefined) throw refuse();
  return [first, ...rest];
}

/** undefined: there is nothing at this place. */
export function readAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found)) found = isIndex(key) ? (found as unknown[])[Number(key)] : undefined;
    else found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

/**
 * A copy with the value at this place; what stands in its way and is not an object or a list is replaced. A list takes an
 * item that it has, or the next one.
 * @throws Fault `usage` for an item further on, or a name within a list.
 */
export function setAt(value: unknown, [key, ...rest]: readonly string[], item: unknown): unknown {
  if (key === undefined) return item;
  if (Array.isArray(value)) {
    const index = Number(key);
    if (!isIndex(key) || index > value.length) throw outside(key, value.length);
    return value.toSpliced(index, 1, setAt(value[index], rest, item));
  }
  const members = new Map(isRecord(value) ? Object.entries(value) : []);
  members.set(key, setAt(members.get(key), rest, item));
  return Object.fromEntries(members);
}

/** A copy without what is at this place; undefined when there is nothing. */
export function unsetAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || readAt(value, [key, ...rest]) === undefined) return undefined;
  if (Array.isArray(value)) {
    const index = Number(key);
    return rest.length === 0 ? value.toSpliced(index, 1) : value.toSpliced(index, 1, unsetAt(value[index], rest));
  }
  if (!isRecord(value)) return undefined;
  const members = new Map(Object.entries(value));
  if (rest.length === 0) members.delete(key);
  else members.set(key, unsetAt(members.get(key), rest));
  return Object.fromEntries(members);
}

const isIndex = (key: string) => /^\d{1,6}$/u.test(key);

function outside(key: string, length: number): Fault {
  return new Fault("usage", `the list has no item ${key}`, {
    field: "path",
    next: length === 0 ? "begin with [0]" : `use [0] to [${length - 1}], or [${length}] for a new one`,
  });
}
