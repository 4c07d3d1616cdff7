// SQL of the device tables. Rows in, rows out; what they mean is decided in devices.ts.

import type { Sql, SqlRow } from "../../platform/database.ts";

export type Role = "operator" | "node";
export type PairingReason = "not-paired" | "role-upgrade" | "scope-upgrade";

/** What a device says of itself; shown to people, trusted by nobody. */
export interface DeviceDetails {
  readonly displayName?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly clientId?: string;
  readonly clientMode?: string;
  readonly remoteIp?: string;
}

export interface Device {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly details: DeviceDetails;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
  readonly lastSeenAtMs: number;
}

/** One for each role of a device. The token itself is not here: only its SHA-256 is. */
export interface DeviceToken {
  readonly deviceId: string;
  readonly role: Role;
  readonly hash: string;
  /** Random, new with every token: what was taken back never comes again. */
  readonly salt: string;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly rotatedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  readonly lastUsedAtMs: number | undefined;
}

export interface DeviceRequest {
  readonly requestId: string;
  readonly deviceId: string;
  readonly publicKey: string;
  readonly details: DeviceDetails;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly reason: PairingReason;
  readonly createdAtMs: number;
}

// the JSON columns hold what the functions below wrote
const parse = <T>(row: SqlRow, column: string) => JSON.parse(String(row[column])) as T;
const optional = (row: SqlRow, column: string) => (row[column] === null ? undefined : Number(row[column]));

function toDevice(row: SqlRow): Device {
  return {
    deviceId: String(row["device_id"]),
    publicKey: String(row["public_key"]),
    details: parse(row, "details"),
    roles: parse(row, "roles"),
    scopes: parse(row, "scopes"),
    createdAtMs: Number(row["created_at"]),
    approvedAtMs: Number(row["approved_at"]),
    lastSeenAtMs: Number(row["last_seen_at"]),
  };
}

function toToken(row: SqlRow): DeviceToken {
  return {
    deviceId: String(row["device_id"]),
    role: row["role"] as Role, // written by saveToken
    hash: String(row["token_hash"]),
    salt: String(row["salt"]),
    scopes: parse(row, "scopes"),
    createdAtMs: Number(row["created_at"]),
    rotatedAtMs: optional(row, "rotated_at"),
    revokedAtMs: optional(row, "revoked_at"),
    lastUsedAtMs: optional(row, "last_used_at"),
  };
}

function toRequest(row: SqlRow): DeviceRequest {
  return {
    requestId: String(row["request_id"]),
    deviceId: String(row["device_id"]),
    publicKey: String(row["public_key"]),
    details: parse(row, "details"),
    role: row["role"] as Role, // written by insertRequest
    scopes: parse(row, "scopes"),
    reason: row["reason"] as PairingReason, // the column has a CHECK
    createdAtMs: Number(row["created_at"]),
  };
}

export function findDevice(sql: Sql, deviceId: string): Device | undefined {
  const row = sql.get("SELECT * FROM devices WHERE device_id = ?", deviceId);
  return row && toDevice(row);
}

export function listDevices(sql: Sql): Device[] {
  return sql.all("SELECT * FROM devices ORDER BY approved_at DESC, device_id").map(toDevice);
}

export function saveDevice(sql: Sql, device: Device): void {
  sql.run(
    `INSERT INTO devices (device_id, public_key, details, roles, scopes, created_at, approved_at, last_seen_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (device_id) DO UPDATE SET details = excluded.details, roles = excluded.roles, scopes = excluded.scopes,
       approved_at = excluded.approved_at, last_seen_at = excluded.last_seen_at`,
    device.deviceId,
    device.publicKey,
    JSON.stringify(device.details),
    JSON.stringify(device.roles),
    JSON.stringify(device.scopes),
    device.createdAtMs,
    device.approvedAtMs,
    device.lastSeenAtMs,
  );
}

/** With its tokens and its request. @returns false when there is no such device. */
export function deleteDevice(sql: Sql, deviceId: string): boolean {
  sql.run("DELETE FROM device_tokens WHERE device_id = ?", deviceId);
  sql.run("DELETE FROM device_requests WHERE device_id = ?", deviceId);
  return sql.run("DELETE FROM devices WHERE device_id = ?", deviceId).changes === 1;
}

export function findToken(sql: Sql, deviceId: string, role: Role): DeviceToken | undefined {
  const row = sql.get("SELECT * FROM device_tokens WHERE device_id = ? AND role = ?", deviceId, role);
  return row && toToken(row);
}

export function listTokens(sql: Sql): DeviceToken[] {
  return sql.all("SELECT * FROM device_tokens ORDER BY device_id, role").map(toToken);
}

export function saveToken(sql: Sql, token: DeviceToken): void {
  sql.run(
    `INSERT OR REPLACE INTO device_tokens
       (device_id, role, token_hash, salt, scopes, created_at, rotated_at, revoked_at, last_used_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    token.deviceId,
    token.role,
    token.hash,
    token.salt,
    JSON.stringify(token.scopes),
    token.createdAtMs,
    token.rotatedAtMs ?? null,
    token.revokedAtMs ?? null,
    token.lastUsedAtMs ?? null,
  );
}

export function findRequest(sql: Sql, requestId: string): DeviceRequest | undefined {
  const row = sql.get("SELECT * FROM device_requests WHERE request_id = ?", requestId);
  return row && toRequest(row);
}

export function findRequestOf(sql: Sql, deviceId: string): DeviceRequest | undefined {
  const row = sql.get("SELECT * FROM device_requests WHERE device_id = ?", deviceId);
  return row && toRequest(row);
}

/** Newest first. */
export function listRequests(sql: Sql): DeviceRequest[] {
  return sql.all("SELECT * FROM device_requests ORDER BY created_at DESC, request_id").map(toRequest);
}

/** Replaces the request that the device may have. */
export function saveRequest(sql: Sql, request: DeviceRequest): void {
  sql.run("DELETE FROM device_requests WHERE device_id = ?", request.deviceId);
  sql.run(
    `INSERT INTO device_requests (request_id, device_id, public_key, details, role, scopes, reason, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    request.requestId,
    request.deviceId,
    request.publicKey,
    JSON.stringify(request.details),
    request.role,
    JSON.stringify(request.scopes),
    request.reason,
    request.createdAtMs,
  );
}

export function deleteRequest(sql: Sql, requestId: string): void {
  sql.run("DELETE FROM device_requests WHERE request_id = ?", requestId);
}

/** Requests from before `sinceMs`, and the oldest beyond `max`, are gone afterwards. */
export function pruneRequests(sql: Sql, sinceMs: number, max: number): void {
  sql.run("DELETE FROM device_requests WHERE created_at < ?", sinceMs);
  sql.run(
    `DELETE FROM device_requests WHERE request_id NOT IN
       (SELECT request_id FROM device_requests ORDER BY created_at DESC, request_id LIMIT ?)`,
    max,
  );
}
