// Who is there: the Gateway itself, its clients, and what devices tell of themselves. One row an installation; rows fade after
// five minutes without news.

import type { Clock } from "../base/clock.ts";
import type { PresenceEntry } from "../protocol/contract.ts";
import { parsePresenceText, renderNodeText } from "./presence-text.ts";
import type { Caller } from "../ports/method.ts";

const ttlMs = 5 * 60_000;
const maxEntries = 200;

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
  note(event: SystemEvent): void;
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
  readonly onChange: () => void;
}

export function createPresence({ clock, self, onChange }: PresenceDependencies): Presence {
  const entries = new Map<string, PresenceEntry>();
  let version = 1;
  const selfKey = "\u0000self";
  entries.set(selfKey, {
    ...self,
    mode: "gateway",
    reason: "self",
    text: `Gateway: ${self.host}${self.ip ? ` (${self.ip})` : ""} · app ${self.version} · mode gateway · reason self`,
    ts: clock.now(),
  });

  const prune = () => {
    const limit = clock.now() - ttlMs;
    for (const [key, entry] of entries) if (key !== selfKey && entry.ts < limit) entries.delete(key);
    const byAge = [...entries].filter(([key]) => key !== selfKey).sort(([, a], [, b]) => a.ts - b.ts);
    for (const [key] of byAge.slice(0, Math.max(0, entries.size - maxEntries))) entries.delete(key);
  };
  const upsert = (key: string, entry: Omit<PresenceEntry, "ts">) => {
    const old = entries.get(key.toLowerCase());
    const union = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
      a || b ? [...new Set([...(a ?? []), ...(b ?? [])])] : undefined;
    const roles = union(old?.roles, entry.roles);
    const scopes = union(old?.scopes, entry.scopes);
    entries.set(key.toLowerCase(), {
      ...old,
      ...dropUndefined(entry),
      ...(roles ? { roles } : {}),
      ...(scopes ? { scopes } : {}),
      ts: clock.now(),
    });
    prune();
    version += 1;
    onChange();
  };
  const clientEntry = ({ caller, ...client }: ConnectedClient, reason: string) => {
    const host = caller.client.displayName ?? caller.client.id;
    const { mode } = caller.client;
    return {
      host,
      ip: client.ip,
      version: caller.client.version,
      platform: client.platform,
      deviceFamily: client.deviceFamily,
      modelIdentifier: client.modelIdentifier,
      mode,
      roles: [caller.role],
      scopes: [...caller.scopes],
      instanceId: caller.client.instanceId ?? caller.connId,
      reason,
      text: renderNodeText({ host, ip: client.ip, version: caller.client.version, mode, reason }),
    };
  };
  // one-shot command line calls would only make noise
  const isTracked = ({ caller }: ConnectedClient) => !["cli", "probe"].includes(caller.client.mode);
  const keyOf = ({ caller }: ConnectedClient) => caller.client.instanceId ?? caller.connId;

  return {
    list() {
      prune();
      const own = entries.get(selfKey);
      if (own) entries.set(selfKey, { ...own, ts: clock.now() });
      return [...entries.values()].sort((a, b) => b.ts - a.ts);
    },
    version: () => version,
    connected(client) {
      if (isTracked(client)) upsert(keyOf(client), clientEntry(client, "connect"));
    },
    disconnected(client) {
      if (isTracked(client)) upsert(keyOf(client), clientEntry(client, "disconnect"));
    },
    note(event) {
      const parsed = parsePresenceText(event.text);
      const key = event.deviceId ?? event.instanceId ?? parsed.host ?? parsed.ip ?? event.text.slice(0, 64);
      const { roles, scopes, lastInputSeconds, ...rest } = event;
      upsert(key, {
        ...parsed,
        ...dropUndefined(rest),
        ...(lastInputSeconds === undefined ? {} : { lastInputSeconds: Math.round(lastInputSeconds) }),
        ...(roles ? { roles: [...roles] } : {}),
        ...(scopes ? { scopes: [...scopes] } : {}),
      });
    },
  };
}

/** An absent or empty field never erases what is known. */
function dropUndefined<T extends object>(value: T): T {
  // the same object with fewer keys, all of them optional
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== "")) as T;
}
