// Nodes that are known and nodes that ask. Tokens are kept as SHA-256 only (S44).

import type { Sql, SqlRow } from "../../platform/database.ts";

/** What a node tells of itself. */
export interface NodeProfile {
  readonly displayName?: string;
  readonly platform?: string;
  readonly version?: string;
  readonly coreVersion?: string;
  readonly uiVersion?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly remoteIp?: string;
  readonly caps?: readonly string[];
  readonly commands?: readonly string[];
}

export interface NodeRequest {
  readonly requestId: string;
  readonly nodeId: string;
  readonly profile: NodeProfile & { readonly silent?: boolean };
  readonly isRepair: boolean;
  readonly createdAt: number;
}

export interface NodeRow {
  readonly nodeId: string;
  readonly profile: NodeProfile;
  /** Given by its owner; goes before what the node calls itself. */
  readonly name: string | undefined;
  readonly tokenHash: string | undefined;
  readonly createdAt: number;
  /** Absent: it has connected, and was never paired here. */
  readonly approvedAt: number | undefined;
  readonly lastConnectedAt: number | undefined;
}

const optionalNumber = (value: unknown) => (value === null ? undefined : Number(value));
const optionalText = (value: unknown) => (value === null ? undefined : String(value));

function toRequest(row: SqlRow): NodeRequest {
  return {
    requestId: String(row["request_id"]),
    nodeId: String(row["node_id"]),
    // written by insertRequest
    profile: JSON.parse(String(row["profile"])) as NodeRequest["profile"],
    isRepair: row["is_repair"] === 1,
    createdAt: Number(row["created_at"]),
  };
}

function toNode(row: SqlRow): NodeRow {
  return {
    nodeId: String(row["node_id"]),
    // written by the functions below
    profile: JSON.parse(String(row["profile"])) as NodeProfile,
    name: optionalText(row["name"]),
    tokenHash: optionalText(row["token_hash"]),
    createdAt: Number(row["created_at"]),
    approvedAt: optionalNumber(row["approved_at"]),
    lastConnectedAt: optionalNumber(row["last_connected_at"]),
  };
}

export function forgetRequestsBefore(sql: Sql, time: number): void {
  sql.run("DELETE FROM node_requests WHERE created_at < ?", time);
}

export function listRequests(sql: Sql): NodeRequest[] {
  return sql.all("SELECT * FROM node_requests ORDER BY created_at, node_id").map(toRequest);
}

export function findRequestOf(sql: Sql, nodeId: string): NodeRequest | undefined {
  const row = sql.get("SELECT * FROM node_requests WHERE node_id = ?", nodeId);
  return row && toRequest(row);
}

export function findRequest(sql: Sql, requestId: string): NodeRequest | undefined {
  const row = sql.get("SELECT * FROM node_requests WHERE request_id = ?", requestId);
  return row && toRequest(row);
}

export function insertRequest(sql: Sql, request: NodeRequest): void {
  sql.run(
    "INSERT INTO node_requests (node_id, request_id, profile, is_repair, created_at) VALUES (?, ?, ?, ?, ?)",
    request.nodeId,
    request.requestId,
    JSON.stringify(request.profile),
    request.isRepair ? 1 : 0,
    request.createdAt,
  );
}

export function deleteRequest(sql: Sql, requestId: string): void {
  sql.run("DELETE FROM node_requests WHERE request_id = ?", requestId);
}

export function listNodes(sql: Sql): NodeRow[] {
  return sql.all("SELECT * FROM nodes ORDER BY node_id").map(toNode);
}

export function findNode(sql: Sql, nodeId: string): NodeRow | undefined {
  const row = sql.get("SELECT * FROM nodes WHERE node_id = ?", nodeId);
  return row && toNode(row);
}

export function approveNode(
  sql: Sql,
  node: { nodeId: string; profile: NodeProfile; tokenHash: string },
  now: number,
): void {
  sql.run(
    `INSERT INTO nodes (node_id, profile, token_hash, created_at, approved_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (node_id) DO UPDATE SET profile = excluded.profile, token_hash = excluded.token_hash,
       approved_at = excluded.approved_at`,
    node.nodeId,
    JSON.stringify(node.profile),
    node.tokenHash,
    now,
    now,
  );
}

/** Notes that a node connected, and what it said of itself. */
export function seeNode(sql: Sql, node: { nodeId: string; profile: NodeProfile }, now: number): void {
  sql.run(
    `INSERT INTO nodes (node_id, profile, created_at, last_connected_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (node_id) DO UPDATE SET profile = excluded.profile, last_connected_at = excluded.last_connected_at`,
    node.nodeId,
    JSON.stringify(node.profile),
    now,
    now,
  );
}

/** Keeps the `keep` that connected last of those that were never paired here. */
export function forgetStrangers(sql: Sql, keep: number): void {
  sql.run(
    `DELETE FROM nodes WHERE approved_at IS NULL AND node_id NOT IN
       (SELECT node_id FROM nodes WHERE approved_at IS NULL ORDER BY last_connected_at DESC LIMIT ?)`,
    keep,
  );
}

/** @returns false when no such node is known. */
export function renameNode(sql: Sql, nodeId: string, name: string): boolean {
  return sql.run("UPDATE nodes SET name = ? WHERE node_id = ?", name, nodeId).changes > 0;
}

/** @returns false when no such node is known. */
export function deleteNode(sql: Sql, nodeId: string): boolean {
  return sql.run("DELETE FROM nodes WHERE node_id = ?", nodeId).changes > 0;
}
