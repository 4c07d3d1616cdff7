// A base port for a Gateway beside others: far enough from theirs that the ports that follow from it do not meet.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { isRecord } from "../base/json.ts";
import type { Brand } from "../base/brand.ts";
import { readAt } from "../config/path.ts";
import { parseSource } from "../config/parse.ts";
import { readTextIfExists } from "../platform/files.ts";
import { defaultPort, devPort } from "../platform/paths.ts";

/** At least this many ports between two base ports (docs/operating.md). */
export const portSpacing = 20;
/** Between suggestions: more than the range of the browser profiles. */
const step = 1_000;
const lastBase = 60_000;

/** `taken`: base ports of others. @returns undefined where every suggestion is too near to one of them. */
export function suggestPort(taken: readonly number[]): number | undefined {
  for (let port = defaultPort + step; port <= lastBase; port += step) {
    if (isApart(port, taken)) return port;
  }
  return undefined;
}

/** No other base port is nearer than the spacing. */
export function isApart(port: number, taken: readonly number[]): boolean {
  return taken.every((other) => Math.abs(other - port) >= portSpacing);
}

/** Base ports of the configs in this home but for `own`, whichever name and profile they are of. Never throws. */
export async function listKnownPorts(home: string, brand: Brand, own: string): Promise<readonly number[]> {
  const folders = [brand.stateFolder, ...brand.fallbackStateFolders];
  const names = [brand.configFile, ...brand.fallbackConfigFiles];
  const entries = await readdir(home).catch(() => []);
  const places = entries
    .filter((entry) => folders.some((folder) => entry === folder || entry.startsWith(`${folder}-`)))
    .flatMap((entry) => names.map((name) => join(home, entry, name)))
    .filter((path) => path !== own);
  const configured = await Promise.all(places.map(readPort));
  // the two that nobody has to write down
  return [...new Set([defaultPort, devPort, ...configured.filter((port) => port !== undefined)])];
}

async function readPort(path: string): Promise<number | undefined> {
  const text = await readTextIfExists(path).catch(() => undefined);
  const source = text === undefined ? undefined : parseSource(text);
  const port =
    source !== undefined && "value" in source && isRecord(source.value)
      ? readAt(source.value, ["gateway", "port"])
      : undefined;
  return typeof port === "number" ? port : undefined;
}
