// Which devices may come in, as what, and how far. A device asks by connecting; the owner approves, or is at this machine and has
// shown the secret. Nobody passes on more than they hold (S6), and what is taken back ends at once (S7).

import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Ids } from "../../base/ids.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { Caller } from "../../ports/method.ts";
import type { Publish } from "../../ports/publish.ts";
import { coversScopes, hasScope } from "../auth/scopes.ts";
import { admit, type Admission, type Knock } from "./admit.ts";
import { approveRequest, maxRequests, requestTtlMs } from "./requests.ts";
import {
  deleteDevice,
  deleteRequest,
  findDevice,
  findRequest,
  findToken,
  listDevices,
  listRequests,
  listTokens,
  pruneRequests,
  saveDevice,
  saveToken,
  type Device,
  type DeviceRequest,
  type DeviceToken,
  type Role,
} from "./store.ts";
import { hashToken, isTokenOf, type TokenKey } from "./token-key.ts";

/** A token that nobody used for so long is worth nothing any more. */
export const tokenLifeMs = 180 * 24 * 3_600_000;

export interface Ended {
  readonly deviceId: string;
  /** Absent: all of the device's. */
  readonly role?: Role;
  readonly reason: string;
}

export interface DevicesDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: Publish;
  readonly key: () => Promise<TokenKey>;
  /** Connections of this device and role must go; but for the one whose request did it. */
  readonly onEnded: (ended: Ended, exceptConnId?: string) => void;
}

export interface IssuedToken {
  readonly deviceId: string;
  readonly role: Role;
  readonly token: string;
  readonly scopes: readonly string[];
  readonly rotatedAtMs: number;
}

export interface Rotation {
  readonly deviceId: string;
  readonly role: Role;
  readonly scopes?: readonly string[] | undefined;
}

export type Approver = Pick<Caller, "scopes" | "deviceId" | "connId">;

export interface Devices {
  /** True when the text is this device's valid token for the role. */
  isToken(deviceId: string, role: Role, presented: string): Promise<boolean>;
  /** True when the device has a valid token for the role, whatever was presented. */
  hasToken(deviceId: string, role: Role): Promise<boolean>;
  admit(knock: Knock): Promise<Admission>;
  list(): Promise<{ pending: DeviceRequest[]; paired: { device: Device; tokens: DeviceToken[] }[] }>;
  /** Ids of the devices that were approved for the role. */
  idsOf(role: Role): Promise<ReadonlySet<string>>;
  /** @throws Fault `not_found`, or `forbidden` for scopes that the approver does not hold. */
  approve(requestId: string, approver: Approver): Promise<{ device: Device; tokens: DeviceToken[] }>;
  /** @throws Fault `not_found`. */
  reject(requestId: string): Promise<DeviceRequest>;
  /** A new token; the old one is worth nothing from now on. `scopes` absent: as before. */
  rotate(asked: Rotation, approver: Approver): Promise<IssuedToken>;
  /** The role is gone with its token: it needs an approval to come back. */
  revoke(deviceId: string, role: Role, approver: Approver): Promise<number>;
  remove(deviceId: string, approver: Approver): Promise<void>;
  rename(deviceId: string, displayName: string): Promise<void>;
}

export function createDevices(dependencies: DevicesDependencies): Devices {
  const { database, clock, ids, publish, onEnded } = dependencies;
  const isValid = (token: DeviceToken | undefined): token is DeviceToken =>
    token !== undefined &&
    token.revokedAtMs === undefined &&
    clock.now() - (token.lastUsedAtMs ?? token.rotatedAtMs ?? token.createdAtMs) <= tokenLifeMs;
  const tokenOf = (deviceId: string, role: Role) => database.read((sql) => findToken(sql, deviceId, role));
  const resolved = (request: DeviceRequest, decision: "approved" | "rejected") =>
    publish("device.pair.resolved", {
      requestId: request.requestId,
      deviceId: request.deviceId,
      decision,
      ts: clock.now(),
    });

  return {
    async isToken(deviceId, role, presented) {
      const token = await tokenOf(deviceId, role);
      return isValid(token) && isTokenOf(token.hash, presented);
    },
    hasToken: async (deviceId, role) => isValid(await tokenOf(deviceId, role)),

    async admit(knock) {
      const key = await dependencies.key();
      return admit(knock, { ...dependencies, key, isValid });
    },

    list: () =>
      database.read((sql) => {
        const tokens = Map.groupBy(listTokens(sql), ({ deviceId }) => deviceId);
        return {
          pending: listRequests(sql).filter(({ createdAtMs }) => clock.now() - createdAtMs <= requestTtlMs),
          paired: listDevices(sql).map((device) => ({ device, tokens: tokens.get(device.deviceId) ?? [] })),
        };
      }),

    idsOf: (role) =>
      database.read((sql) => {
        const devices = listDevices(sql).filter(({ roles }) => roles.includes(role));
        return new Set(devices.map(({ deviceId }) => deviceId));
      }),

    async approve(requestId, approver) {
      const approved = await database.write((sql) => {
        const request = takeRequest(sql, requestId, clock.now());
        requireScopes(approver, request.scopes);
        const device = approveRequest(sql, request, clock.now());
        const tokens = listTokens(sql).filter(({ deviceId }) => deviceId === device.deviceId);
        return { request, device, tokens };
      });
      resolved(approved.request, "approved");
      return approved;
    },

    async reject(requestId) {
      const request = await database.write((sql) => {
        const found = takeRequest(sql, requestId, clock.now());
        deleteRequest(sql, requestId);
        return found;
      });
      resolved(request, "rejected");
      return request;
    },

    async rotate({ deviceId, role, scopes }, approver) {
      const key = await dependencies.key();
      const issued = await database.write((sql) => {
        const { device, token: old } = requireToken(sql, deviceId, role);
        const granted = scopes ?? old.scopes;
        if (!coversScopes(device.scopes, granted)) throw beyondDevice();
        requireScopes(approver, granted);
        const now = clock.now();
        const salt = ids.secret(16);
        const token = key.derive(deviceId, role, salt);
        saveToken(sql, {
          ...old,
          hash: hashToken(token),
          salt,
          scopes: granted,
          rotatedAtMs: now,
          lastUsedAtMs: undefined,
        });
        return { deviceId, role, token, scopes: granted, rotatedAtMs: now };
      });
      onEnded({ deviceId, role, reason: "device token rotated" }, approver.connId);
      return issued;
    },

    async revoke(deviceId, role, approver) {
      const now = clock.now();
      await database.write((sql) => {
        const { device, token } = requireToken(sql, deviceId, role);
        requireScopes(approver, token.scopes);
        saveToken(sql, { ...token, revokedAtMs: now });
        const roles = device.roles.filter((other) => other !== role);
        saveDevice(sql, { ...device, roles, scopes: role === "operator" ? [] : device.scopes });
      });
      onEnded({ deviceId, role, reason: "device token revoked" });
      return now;
    },

    async remove(deviceId, approver) {
      await database.write((sql) => {
        const device = findDevice(sql, deviceId);
        if (!device) throw unknownDevice();
        requireScopes(approver, device.scopes);
        deleteDevice(sql, deviceId);
      });
      onEnded({ deviceId, reason: "device removed" });
    },

    rename: (deviceId, displayName) =>
      database.write((sql) => {
        const device = findDevice(sql, deviceId);
        if (!device) throw unknownDevice();
        saveDevice(sql, { ...device, details: { ...device.details, displayName } });
      }),
  };
}

function takeRequest(sql: Sql, requestId: string, now: number): DeviceRequest {
  pruneRequests(sql, now - requestTtlMs, maxRequests);
  const request = findRequest(sql, requestId);
  if (!request) throw unknownRequest();
  return request;
}

function requireToken(sql: Sql, deviceId: string, role: Role): { device: Device; token: DeviceToken } {
  const device = findDevice(sql, deviceId);
  const token = findToken(sql, deviceId, role);
  if (!device || !token || token.revokedAtMs !== undefined) throw unknownDevice();
  return { device, token };
}

/** Who passes scopes on, or takes them away, must hold them now. */
function requireScopes(approver: Approver, scopes: readonly string[]): void {
  if (coversScopes(approver.scopes, scopes)) return;
  const missing = scopes.find((scope) => !hasScope(approver.scopes, scope)) ?? "operator.admin";
  throw new Fault("forbidden", `missing scope: ${missing}`, {
    next: "ask somebody who holds that scope",
    details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: scopes },
  });
}

const unknownRequest = () =>
  new Fault("not_found", "unknown requestId", {
    field: "requestId",
    next: "list the devices: requests fade after 5 minutes",
  });
const unknownDevice = () =>
  new Fault("not_found", "unknown deviceId/role", {
    field: "deviceId",
    next: "list the devices to see what is paired",
  });
const beyondDevice = () =>
  new Fault("invalid_params", "the device was not approved for these scopes", {
    field: "scopes",
    next: "ask for scopes that it has, or let it connect with more and approve that",
  });
