// Commands that people were asked about (R37). A row is open until somebody decides or its time is up.

import type { Sql, SqlRow } from "../../platform/database.ts";

export type Decision = "allow-once" | "allow-always" | "deny";

/** As people see it. */
export interface ApprovalRequest {
  readonly command: string;
  readonly commandArgv?: readonly string[];
  readonly cwd: string | null;
  readonly envKeys?: readonly string[];
  readonly nodeId?: string | null;
  readonly host: string | null;
  readonly security: string | null;
  readonly ask: string | null;
  readonly agentId: string | null;
  readonly resolvedPath: string | null;
  readonly sessionKey: string | null;
}

export interface Approval {
  readonly id: string;
  /** Principal that asked. */
  readonly requester: string;
  /** Hash of what exactly was asked about. */
  readonly binding: string;
  readonly request: ApprovalRequest;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decision: Decision | undefined;
  readonly resolvedBy: string | undefined;
  readonly resolvedAt: number | undefined;
  readonly usedAt: number | undefined;
}

function toApproval(row: SqlRow): Approval {
  const optionalNumber = (value: unknown) => (value === null ? undefined : Number(value));
  return {
    id: String(row["id"]),
    requester: String(row["requester"]),
    binding: String(row["binding"]),
    // written by insertApproval
    request: JSON.parse(String(row["request"])) as ApprovalRequest,
    createdAt: Number(row["created_at"]),
    expiresAt: Number(row["expires_at"]),
    // the table's CHECK allows nothing else
    decision: row["decision"] === null ? undefined : (row["decision"] as Decision),
    resolvedBy: row["resolved_by"] === null ? undefined : String(row["resolved_by"]),
    resolvedAt: optionalNumber(row["resolved_at"]),
    usedAt: optionalNumber(row["used_at"]),
  };
}

export function findApproval(sql: Sql, id: string): Approval | undefined {
  const row = sql.get("SELECT * FROM exec_approvals WHERE id = ?", id);
  return row && toApproval(row);
}

export function listOpen(sql: Sql, now: number): Approval[] {
  return sql
    .all("SELECT * FROM exec_approvals WHERE decision IS NULL AND expires_at > ? ORDER BY created_at, id", now)
    .map(toApproval);
}

export function insertApproval(
  sql: Sql,
  approval: Pick<Approval, "id" | "requester" | "binding" | "request" | "createdAt" | "expiresAt">,
): void {
  sql.run(
    `INSERT INTO exec_approvals (id, requester, binding, request, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
    approval.id,
    approval.requester,
    approval.binding,
    JSON.stringify(approval.request),
    approval.createdAt,
    approval.expiresAt,
  );
}

/** @returns false when it is not open: unknown, decided, or too late. */
export function decideApproval(
  sql: Sql,
  { id, decision, by }: { id: string; decision: Decision; by: string },
  now: number,
): boolean {
  const { changes } = sql.run(
    `UPDATE exec_approvals SET decision = ?, resolved_by = ?, resolved_at = ?
     WHERE id = ? AND decision IS NULL AND expires_at > ?`,
    decision,
    by,
    now,
    id,
    now,
  );
  return changes > 0;
}

/** @returns false when it was used before. */
export function useApproval(sql: Sql, id: string, now: number): boolean {
  return sql.run("UPDATE exec_approvals SET used_at = ? WHERE id = ? AND used_at IS NULL", now, id).changes > 0;
}

export function forgetApprovalsBefore(sql: Sql, time: number): void {
  sql.run("DELETE FROM exec_approvals WHERE expires_at < ?", time);
}
