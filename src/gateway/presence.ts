// Who is there: the Gateway itself, its clients, and what devices tell of themselves. One row an installation. Rows of clients
// that are gone fade five minutes after the last news; a client that is connected stays, however quiet it is.

import type { Clock } from "../base/clock.ts";
import { ellipsize } from "../base/text.ts";
import type { PresenceEntry } from "../protocol/contract.ts";
import { parsePresenceText, renderNodeText } from "./presence-text.ts";
import type { Caller } from "../ports/method.ts";

const ttlMs = 5 * 60_000;
const maxEntries = 200;
/** Clients are told of a change at once, of more changes after this time: a list goes to everybody, so a crowd costs a square. */
const tellEveryMs = 100;
const maxTextLength = 1_000;
const maxFieldLength = 256;

export interface SystemEvent {
  readonly text: string;
  readonly deviceId?: string;
  readonly instanceId?: string;
  readonly host?: string;
  readonly ip?: string;
  readonly mode?: string;
  readonly version?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly lastInputSeconds?: number;
  readonly reason?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  /** The ones given last count. */
  readonly tags?: readonly string[];
}

export interface ConnectedClient {
  readonly caller: Caller;
  readonly platform: string;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  /** Left out for local peers. */
  readonly ip?: string | undefined;
}

export interface Presence {
  /** Newest first. */
  list(): PresenceEntry[];
  /** Rises with every change; begins at 1. */
  version(): number;
  connected(client: ConnectedClient): void;
  disconnected(client: ConnectedClient): void;
  /**
   * A note of a client about some device. Fields that it gives win over what its text says.
   * @returns what is new in it for people: the text, or of a device's line the parts that changed; empty when nothing did.
   */
  note(event: SystemEvent): string;
}

export interface PresenceDependencies {
  readonly clock: Clock;
  readonly self: {
    readonly host: string;
    readonly ip?: string;
    readonly version: string;
    readonly platform: string;
    readonly deviceFamily: string;
    readonly modelIdentifier: string;
  };
  /** The list is another one now. */
  readonly onChange: () => void;
}

type Change = { readonly [Key in Exclude<keyof PresenceEntry, "ts">]?: PresenceEntry[Key] | undefined };

export function createPresence({ clock, self, onChange }: PresenceDependencies): Presence {
  const rows = createRows(clock);
  const selfKey = "\u0000self";
  rows.pin(selfKey);
  rows.merge(selfKey, {
    ...self,
    mode: "gateway",
    reason: "self",
    text: `Gateway: ${self.host}${self.ip ? ` (${self.ip})` : ""} · app ${self.version} · mode gateway · reason self`,
  });

  let version = 1;
  const tell = createTold(clock, onChange);
  const changed = (key: string, change: Change) => {
    rows.merge(key, change);
    version += 1;
    tell();
  };
  /** Connections by row: two windows of one installation are one row, there until the last is gone. */
  const connections = new Map<string, Set<string>>();

  return {
    list() {
      rows.merge(selfKey, {});
      return rows.list();
    },
    version: () => version,
    connected(client) {
      if (!isTracked(client)) return;
      const key = keyOf(client);
      connections.set(key, (connections.get(key) ?? new Set()).add(client.caller.connId));
      rows.pin(key);
      changed(key, toChange(client, "connect"));
    },
    disconnected(client) {
      if (!isTracked(client)) return;
      const key = keyOf(client);
      const others = connections.get(key);
      others?.delete(client.caller.connId);
      if (others && others.size > 0) return;
      connections.delete(key);
      rows.unpin(key);
      changed(key, toChange(client, "disconnect"));
    },
    note(event) {
      const parsed = parsePresenceText(event.text);
      const named = event.deviceId || event.instanceId || parsed.host || parsed.ip || event.text.slice(0, 64);
      const key = named.toLowerCase().slice(0, maxFieldLength);
      const change = toNoted(event, parsed);
      const news = newsOf(event.text, { old: rows.get(key), change });
      changed(key, change);
      return news;
    },
  };
}

interface Rows {
  get(key: string): PresenceEntry | undefined;
  merge(key: string, change: Change): void;
  /** From now on the row does not fade. */
  pin(key: string): void;
  unpin(key: string): void;
  list(): PresenceEntry[];
}

function createRows(clock: Clock): Rows {
  const entries = new Map<string, PresenceEntry>();
  const pinned = new Set<string>();

  const prune = () => {
    const limit = clock.now() - ttlMs;
    for (const [key, entry] of entries) if (!pinned.has(key) && entry.ts < limit) entries.delete(key);
    if (entries.size <= maxEntries) return;
    // the Gateway's own row was the first and stays; of the others those go first who are not there any more
    const [, ...others] = entries;
    const byAge = others.toSorted(
      ([a, one], [b, other]) => Number(pinned.has(a)) - Number(pinned.has(b)) || one.ts - other.ts,
    );
    for (const [key] of byAge.slice(0, entries.size - maxEntries)) entries.delete(key);
  };
  const merge = (key: string, change: Change) => {
    const old = entries.get(key);
    const roles = union(old?.roles, change.roles);
    const scopes = union(old?.scopes, change.scopes);
    const entry = {
      ...old,
      ...dropEmpty(change),
      ...(roles ? { roles } : {}),
      ...(scopes ? { scopes } : {}),
      ts: clock.now(),
    };
    entries.set(key, entry);
    prune();
  };
  return {
    get: (key) => entries.get(key),
    merge,
    pin: (key) => void pinned.add(key),
    unpin: (key) => void pinned.delete(key),
    list() {
      prune();
      return [...entries.values()].toSorted((a, b) => b.ts - a.ts);
    },
  };
}

/** Calls `tell` at once, and then at most once each `tellEveryMs`, until all is told. */
function createTold(clock: Clock, tell: () => void): () => void {
  let isWaiting = false;
  let isMore = false;
  const next = () => {
    isWaiting = isMore;
    if (!isMore) return;
    isMore = false;
    clock.after(tellEveryMs, next);
    tell();
  };
  return () => {
    isMore = true;
    if (!isWaiting) next();
  };
}

/** Signs of life of a device are no news, nor is what it said before. */
function newsOf(text: string, { old, change }: { old: PresenceEntry | undefined; change: Change }): string {
  if (!text.startsWith("Node:")) return text;
  const isSignOfLife = /^(?:periodic|heartbeat$)/u.test(change.reason ?? "");
  const fields = ["host", "ip", "version", "mode", ...(isSignOfLife ? [] : (["reason"] as const))] as const;
  const parts = fields.filter((field) => change[field] && change[field] !== old?.[field]);
  if (parts.length === 0) return "";
  const name = change.host ?? old?.host ?? "unknown";
  return `Node ${name}: ${parts.map((field) => `${field} ${change[field]}`).join(", ")}`;
}

/** Calls of the command line come and go within a second: they would only make noise. */
function isTracked({ caller }: ConnectedClient): boolean {
  return !["cli", "probe"].includes(caller.client.mode);
}

/** A node is its device; programs of one person may share a device, and are told apart by their installation. */
function keyOf({ caller }: ConnectedClient): string {
  const device = caller.role === "node" ? caller.deviceId : undefined;
  return (device ?? caller.client.instanceId ?? caller.connId).toLowerCase();
}

function toChange({ caller, ...client }: ConnectedClient, reason: string): Change {
  const { mode, version, displayName, id } = caller.client;
  const host = displayName ?? id;
  return {
    host,
    ip: client.ip,
    version,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    modelIdentifier: client.modelIdentifier,
    mode,
    deviceId: caller.deviceId,
    roles: [caller.role],
    scopes: [...caller.scopes],
    instanceId: caller.client.instanceId ?? caller.connId,
    reason,
    text: renderNodeText({ host, ip: client.ip, version, mode, reason }),
  };
}

function toNoted(event: SystemEvent, parsed: ReturnType<typeof parsePresenceText>): Change {
  const cut = (text: string | undefined) => (text ? ellipsize(text, maxFieldLength) : undefined);
  const list = (items: readonly string[] | undefined) => items?.slice(0, 32).map((item) => item.slice(0, 64));
  const seconds = event.lastInputSeconds ?? parsed.lastInputSeconds;
  return {
    text: ellipsize(event.text, maxTextLength),
    deviceId: cut(event.deviceId),
    instanceId: cut(event.instanceId),
    host: cut(event.host || parsed.host),
    ip: cut(event.ip || parsed.ip),
    mode: cut(event.mode || parsed.mode),
    version: cut(event.version || parsed.version),
    platform: cut(event.platform),
    deviceFamily: cut(event.deviceFamily),
    modelIdentifier: cut(event.modelIdentifier),
    reason: cut(event.reason || parsed.reason),
    lastInputSeconds: seconds === undefined ? undefined : Math.round(seconds),
    roles: list(event.roles),
    scopes: list(event.scopes),
    tags: list(event.tags?.filter((tag) => tag !== "")),
  };
}

function union(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  return a || b ? [...new Set([...(a ?? []), ...(b ?? [])])].filter((item) => item !== "").slice(0, 64) : undefined;
}

/** An absent or empty field never erases what is known. */
function dropEmpty(change: Change): Partial<PresenceEntry> {
  // the same object with fewer keys, none of them undefined
  return Object.fromEntries(
    Object.entries(change).filter(([, value]) => value !== undefined && value !== ""),
  ) as Partial<PresenceEntry>;
}
