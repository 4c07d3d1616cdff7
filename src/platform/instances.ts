// Which Gateways run on this machine for this user, of whatever name and profile: a small file for each, in a folder that all of
// them share. A file whose process is gone, or is another one by now, counts for nothing and is removed (R40).

import { lstat, readdir, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { isRecord, parseJson } from "../base/json.ts";
import { ensureFolder, readTextIfExists, writeFileAtomic } from "./files.ts";
import type { PortPlan } from "./port-plan.ts";
import type { ProcessTable } from "./process-table.ts";

export interface Instance {
  readonly pid: number;
  readonly brand: string;
  readonly version: string;
  readonly profile?: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
  readonly ports: PortPlan;
  readonly state: string;
  readonly config: string;
  readonly workspace: string;
  /** Folder and beginning of the name, or the one file. */
  readonly log: string;
  /** Digests of the addresses of browsers that the config names: they may hold secrets. */
  readonly browsers?: readonly string[];
  /** Its service starts it again when it ends. */
  readonly isService: boolean;
}

export interface Instances {
  /** Those that live now; files of dead ones are removed. Never throws. */
  list(): Promise<readonly Instance[]>;
  /** @returns what takes the file away again; it never throws. @throws whatever keeps the file from being written. */
  register(instance: Instance): Promise<() => Promise<void>>;
}

export interface InstancesDependencies {
  readonly folder: string;
  readonly processes: Pick<ProcessTable, "isAlive" | "stampOf">;
  /** Two Gateways never share a file: who removes a dead one's must not hit one that is written at that moment. */
  readonly newId: () => string;
}

interface Stored {
  readonly instance: Instance;
  /** Tells a process from a later one with its id; absent where the system knows none. */
  readonly stamp: string | undefined;
  /** A home folder may be on several machines at once. */
  readonly host: string | undefined;
}

const ending = ".json";
const maxBytes = 20_000;

export function createInstances({ folder, processes, newId }: InstancesDependencies): Instances {
  const isAlive = async ({ instance, stamp }: Stored) => {
    if (!(await processes.isAlive(instance.pid))) return false;
    return stamp === undefined || stamp === (await processes.stampOf(instance.pid));
  };
  const look = async (name: string): Promise<Instance[]> => {
    const path = join(folder, name);
    const text = await readTextIfExists(path).catch(() => undefined);
    const stored = text === undefined || text.length > maxBytes ? undefined : parseStored(text);
    if (!stored) return [];
    if (await isAlive(stored)) return [stored.instance];
    // what another machine wrote cannot be judged here
    if (stored.host === hostname()) await unlink(path).catch(() => undefined);
    return [];
  };
  return {
    async list() {
      if (!(await isPrivate(folder))) return [];
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ending));
      const found = (await Promise.all(names.map(look))).flat();
      return found.toSorted((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
    },
    async register(instance) {
      await ensureFolder(folder);
      if (!(await isPrivate(folder))) throw new Error(`${folder} is not a folder that only this user may write to`);
      const path = join(folder, `${instance.pid}-${newId()}${ending}`);
      const stamp = await processes.stampOf(instance.pid);
      const host = hostname();
      await writeFileAtomic(path, `${JSON.stringify({ version: 1, instance, stamp, host })}\n`);
      return () => unlink(path).catch(() => undefined);
    },
  };
}

/** What stands in there is believed: nobody else may write to it. */
async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return process.platform === "win32" || (found.uid === process.getuid?.() && (found.mode & 0o022) === 0);
}

/** undefined for anything that this version cannot read: a newer one's, or half a file of a broken disk. */
export function parseStored(text: string): Stored | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || !isInstance(value["instance"])) return undefined;
  const { stamp, host } = value;
  return {
    instance: value["instance"],
    stamp: typeof stamp === "string" ? stamp : undefined,
    host: typeof host === "string" ? host : undefined,
  };
}

function isInstance(value: unknown): value is Instance {
  if (!isRecord(value) || !isRecord(value["ports"])) return false;
  const { pid, startedAt, ports, profile, browsers = [], isService } = value;
  const texts = ["brand", "version", "state", "config", "workspace", "log"].map((name) => value[name]);
  return (
    Number.isInteger(pid) &&
    Number(pid) > 0 &&
    Number.isFinite(startedAt) &&
    isTexts(texts) &&
    (profile === undefined || typeof profile === "string") &&
    isTexts(browsers) &&
    typeof isService === "boolean" &&
    isPlan(ports)
  );
}

const isTexts = (value: unknown) => Array.isArray(value) && value.every((text) => typeof text === "string");
const isPort = (port: unknown) => Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;

function isPlan({ gateway, cdp, cdpProfiles, ...others }: Record<string, unknown>): boolean {
  const named = ["browserControl", "extensionRelay", "canvas"].map((name) => others[name]);
  return (
    isPort(gateway) &&
    named.every((port) => port === undefined || isPort(port)) &&
    (cdp === undefined || (isRecord(cdp) && isPort(cdp["first"]) && isPort(cdp["last"]))) &&
    (cdpProfiles === undefined || (isRecord(cdpProfiles) && Object.values(cdpProfiles).every(isPort)))
  );
}
