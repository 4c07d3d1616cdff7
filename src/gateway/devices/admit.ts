// A device with a good signature and good credentials stands at the door: in, or on the list for approval.

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids } from "../../base/ids.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { Publish } from "../../ports/publish.ts";
import { coversScopes } from "../auth/scopes.ts";
import { approveRequest, maxRequests, requestTtlMs } from "./requests.ts";
import {
  findDevice,
  findRequestOf,
  findToken,
  pruneRequests,
  saveDevice,
  saveRequest,
  saveToken,
  type Device,
  type DeviceDetails,
  type DeviceRequest,
  type DeviceToken,
  type PairingReason,
  type Role,
} from "./store.ts";
import { hashToken, type TokenKey } from "./token-key.ts";

/** News about a known device that are not worth a write to the disk each time. */
const seenEveryMs = 10 * 60_000;

export interface Knock {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly details: DeviceDetails;
  readonly role: Role;
  readonly scopes: readonly string[];
  /** The owner's secret was shown on this machine: no approval is waited for. */
  readonly isOwnerPresent: boolean;
}

export type Admission =
  | { readonly outcome: "admitted"; readonly token: string; readonly issuedAtMs: number }
  | { readonly outcome: "pending"; readonly request: DeviceRequest; readonly device: Device | undefined };

interface AdmitDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: Publish;
  readonly key: TokenKey;
  readonly isValid: (token: DeviceToken | undefined) => token is DeviceToken;
}

/** @throws Fault `storage` when a device that is not known well enough cannot be noted. */
export async function admit(knock: Knock, dependencies: AdmitDependencies): Promise<Admission> {
  const known = await dependencies.database.read((sql) => look(sql, knock, dependencies));
  // most connects change nothing: they cost no write
  if (known.admission && known.isFresh) return known.admission;
  try {
    return await note(knock, dependencies);
  } catch (error) {
    // on a full disk its owner must still be able to ask what is wrong: only when it was seen last is not noted then
    if (known.admission && error instanceof Fault && error.code === "storage") return known.admission;
    throw error;
  }
}

async function note(knock: Knock, dependencies: AdmitDependencies): Promise<Admission> {
  const { database, clock, publish } = dependencies;

  const events: (() => void)[] = [];
  const admission = await database.write((sql): Admission => {
    pruneRequests(sql, clock.now() - requestTtlMs, maxRequests);
    const { device, reason } = look(sql, knock, dependencies);
    if (reason === undefined && device) return issue(sql, { knock, device }, dependencies);
    const { request, isNew } = ask(sql, { knock, reason: reason ?? "not-paired" }, dependencies);
    if (!knock.isOwnerPresent) {
      if (isNew) events.push(() => publish("device.pair.requested", renderRequest(request, device)));
      return { outcome: "pending", request, device };
    }
    const approved = approveRequest(sql, request, clock.now());
    const { requestId, deviceId } = request;
    events.push(() => publish("device.pair.resolved", { requestId, deviceId, decision: "approved", ts: clock.now() }));
    return issue(sql, { knock, device: approved }, dependencies);
  });
  for (const tell of events) tell();
  return admission;
}

interface Known {
  readonly device: Device | undefined;
  /** Why it needs an approval; undefined when it needs none. */
  readonly reason: PairingReason | undefined;
  /** When what is stored is enough. */
  readonly admission?: Admission;
  /** There is nothing new to note either. */
  readonly isFresh?: boolean;
}

function look(sql: Sql, knock: Knock, { clock, key, isValid }: AdmitDependencies): Known {
  const device = findDevice(sql, knock.deviceId);
  const reason = decideReason(device, knock);
  if (reason !== undefined || !device) return { device, reason };
  const token = findToken(sql, knock.deviceId, knock.role);
  if (!isValid(token) || !coversScopes(token.scopes, knock.scopes)) return { device, reason };
  const text = key.derive(token.deviceId, token.role, token.salt);
  if (hashToken(text) !== token.hash) return { device, reason };
  const isFresh = clock.now() - device.lastSeenAtMs < seenEveryMs && isSame(device.details, knock.details);
  return { device, reason, admission: { outcome: "admitted", token: text, issuedAtMs: issuedAt(token) }, isFresh };
}

function decideReason(
  device: Device | undefined,
  knock: Pick<Knock, "publicKey" | "role" | "scopes">,
): PairingReason | undefined {
  if (!device || device.publicKey !== knock.publicKey) return "not-paired";
  if (!device.roles.includes(knock.role)) return "role-upgrade";
  return coversScopes(device.scopes, knock.scopes) ? undefined : "scope-upgrade";
}

/** The token that it has, or a new one when that is gone, revoked, too old or of a lost key. */
function issue(
  sql: Sql,
  { knock, device }: { knock: Knock; device: Device },
  { clock, ids, key, isValid }: AdmitDependencies,
): Admission {
  const { deviceId, role, scopes } = knock;
  const now = clock.now();
  saveDevice(sql, { ...device, details: { ...device.details, ...knock.details }, lastSeenAtMs: now });
  const old = findToken(sql, deviceId, role);
  const kept = isValid(old) ? key.derive(deviceId, role, old.salt) : undefined;
  const isKept = kept !== undefined && old !== undefined && hashToken(kept) === old.hash;
  const salt = isKept ? old.salt : ids.secret(16);
  const text = isKept ? kept : key.derive(deviceId, role, salt);
  const token: DeviceToken = {
    deviceId,
    role,
    hash: hashToken(text),
    salt,
    scopes: isKept ? [...new Set([...old.scopes, ...scopes])] : scopes,
    createdAtMs: isKept ? old.createdAtMs : now,
    rotatedAtMs: isKept ? old.rotatedAtMs : undefined,
    revokedAtMs: undefined,
    lastUsedAtMs: now,
  };
  saveToken(sql, token);
  return { outcome: "admitted", token: text, issuedAtMs: issuedAt(token) };
}

const issuedAt = (token: DeviceToken) => token.rotatedAtMs ?? token.createdAtMs;

/** One request a device: asking again for the same, or for less, is the same request. */
function ask(
  sql: Sql,
  { knock, reason }: { knock: Knock; reason: PairingReason },
  { clock, ids }: AdmitDependencies,
): { request: DeviceRequest; isNew: boolean } {
  const old = findRequestOf(sql, knock.deviceId);
  if (old && old.role === knock.role && coversScopes(old.scopes, knock.scopes)) return { request: old, isNew: false };
  const request: DeviceRequest = {
    requestId: ids.uuid(),
    deviceId: knock.deviceId,
    publicKey: knock.publicKey,
    details: knock.details,
    role: knock.role,
    scopes: knock.scopes,
    reason,
    createdAtMs: clock.now(),
  };
  saveRequest(sql, request);
  return { request, isNew: true };
}

function isSame(known: DeviceDetails, given: DeviceDetails): boolean {
  return Object.entries(given).every(([name, value]) => known[name as keyof DeviceDetails] === value); // keys of DeviceDetails
}

/** As clients see it. */
export function renderRequest(request: DeviceRequest, device: Device | undefined) {
  const { requestId, deviceId, publicKey, details, role, scopes, reason, createdAtMs } = request;
  return {
    requestId,
    deviceId,
    publicKey,
    ...details,
    role,
    roles: [role],
    scopes: [...scopes],
    reason,
    isRepair: device !== undefined,
    silent: false,
    ts: createdAtMs,
  };
}
