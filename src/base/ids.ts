// Identifiers. Branded strings keep one kind of id from being passed where another is meant; each is made only by the
// function here that checks it.

import { Fault } from "./fault.ts";

declare const kind: unique symbol;
type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** Canonical address of a conversation: `agent:<agentId>:<rest>`, or one of the reserved `global` and `unknown`. */
export type SessionKey = Id<"SessionKey">;
/** One agent turn. Equals the caller's idempotency key where it gave one. */
export type RunId = Id<"RunId">;

export interface Ids {
  uuid(): string;
  /** `bytes` random bytes as lower-case hex. */
  secret(bytes: number): string;
}

/** Takes milliseconds to load, which commands that make no id do not pay. */
const crypto = () => process.getBuiltinModule("node:crypto");

export const systemIds: Ids = {
  uuid: () => crypto().randomUUID(),
  secret: (bytes) => crypto().randomBytes(bytes).toString("hex"),
};

/** Ids that repeat for the same seed (tests only: not secret). */
export function createSeededIds(seed: number): Ids {
  let state = seed >>> 0;
  const byte = () => {
    // mulberry32: small, and good enough to keep ids apart
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) & 0xff;
  };
  const hex = (bytes: number) => Array.from({ length: bytes }, () => byte().toString(16).padStart(2, "0")).join("");
  return {
    uuid: () => `${hex(4)}-${hex(2)}-4${hex(2).slice(1)}-8${hex(2).slice(1)}-${hex(6)}`,
    secret: hex,
  };
}

/** Longest run id (and idempotency key) accepted, in UTF-16 units. */
export const maxRunIdLength = 256;

/** @throws Fault `invalid_params` for an empty or overlong id. */
export function parseRunId(text: string): RunId {
  if (text.length === 0 || text.length > maxRunIdLength) {
    throw new Fault("invalid_params", `a run id has 1 to ${maxRunIdLength} characters`, { field: "idempotencyKey" });
  }
  // the length is all there is to check: a run id is a caller's own opaque word
  return text as RunId;
}

const sessionKeyPattern = /^(?:global|unknown|agent:[a-z0-9][a-z0-9_-]{0,63}:.+)$/su;

/** @throws Fault `invalid_params` unless the key is canonical; `conversation/route` widens shorthand first. */
export function parseSessionKey(text: string): SessionKey {
  if (text.length > 512 || !sessionKeyPattern.test(text)) {
    throw new Fault("invalid_params", `not a session key: ${JSON.stringify(text.slice(0, 80))}`, {
      field: "sessionKey",
      next: "use main, or agent:<agentId>:<name>",
    });
  }
  // checked just above
  return text as SessionKey;
}

/** The account that is meant where none is named. */
export const defaultAccount = "default";

const maxAccountId = 64;

/** `Work Bot` -> `work-bot`: never fails; where nothing is left it is the default account. */
export function toAccountId(text: string): string {
  const id = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/gu, "-")
    .replace(/^[-_]+/u, "")
    .slice(0, maxAccountId)
    .replace(/-+$/u, "");
  return id === "" ? defaultAccount : id;
}
