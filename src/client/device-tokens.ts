// The tokens that Gateways gave this device, in Node: one file for all of them. Processes that write at once may lose each
// other's last token; the Gateway gives it again at the next connection with the shared secret.

import { isRecord } from "../base/json.ts";
import type { PrivateFiles } from "../ports/files.ts";
import type { DeviceToken, DeviceTokenKey, DeviceTokens } from "./device.ts";

export interface TokenFileOptions {
  readonly path: string;
  readonly files: PrivateFiles;
  /** True for an error that means: this disk takes no writes. A token is not kept then, and the connection works. */
  readonly isNotWritable: (error: unknown) => boolean;
}

interface Entry extends DeviceTokenKey, DeviceToken {}

/** The same list back: nothing to write. */
type Edit = (entries: readonly Entry[]) => readonly Entry[];

/** The oldest go first. */
const maxEntries = 100;

export function createDeviceTokens({ path, files, isNotWritable }: TokenFileOptions): DeviceTokens {
  let last: Promise<void> = Promise.resolve();
  const apply = async (edit: Edit) => {
    const file = parseFile(await files.read(path));
    const entries = edit(file.entries);
    if (entries === file.entries) return;
    try {
      await files.write(path, renderFile({ ...file, entries }));
    } catch (error) {
      if (!isNotWritable(error)) throw error;
    }
  };
  const change = async (edit: Edit) => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    await before;
    try {
      await apply(edit);
    } finally {
      resolve();
    }
  };

  return {
    async load(key) {
      return parseFile(await files.read(path)).entries.find((entry) => isOf(entry, key));
    },
    save: (key, { token, scopes }) =>
      change((entries) => {
        const entry = { gateway: key.gateway, deviceId: key.deviceId, role: key.role, token, scopes };
        const known = entries.find((other) => isOf(other, key));
        if (known && JSON.stringify(known) === JSON.stringify(entry)) return entries;
        return [...entries.filter((other) => other !== known), entry].slice(-maxEntries);
      }),
    remove: (key, token) =>
      change((entries) => {
        const known = entries.find((entry) => isOf(entry, key) && entry.token === token);
        return known ? entries.filter((entry) => entry !== known) : entries;
      }),
  };
}

function isOf(entry: Entry, { gateway, deviceId, role }: DeviceTokenKey): boolean {
  return entry.gateway === gateway && entry.deviceId === deviceId && entry.role === role;
}

interface TokenFile {
  readonly entries: readonly Entry[];
  /** What another program keeps in the same file. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** A file that cannot be read is an empty one: tokens are given again. */
function parseFile(text: string | undefined): TokenFile {
  const file = parseObject(text ?? "");
  const { gatewayTokens, ...rest } = file;
  return { entries: Array.isArray(gatewayTokens) ? gatewayTokens.flatMap(parseEntry) : [], rest };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function parseEntry(value: unknown): Entry[] {
  if (!isRecord(value)) return [];
  const { gateway, deviceId, role, token, scopes } = value;
  if (![gateway, deviceId, role, token].every((text) => typeof text === "string" && text !== "")) return [];
  const words = Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [];
  // checked above
  return [{ gateway, deviceId, role, token, scopes: words } as Entry];
}

function renderFile({ entries, rest }: TokenFile): string {
  return `${JSON.stringify({ version: 1, ...rest, gatewayTokens: entries }, undefined, 2)}\n`;
}
