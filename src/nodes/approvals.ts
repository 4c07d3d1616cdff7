// Asking people whether a command may run. Open approvals are rows: they outlive the connection that asked, and the process.
// Nobody in time means no (R37).

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import type { Database } from "../platform/database.ts";
import type { Publish } from "../ports/publish.ts";
import { bindCommand, renderArgv, type Command } from "./argv.ts";
import * as store from "./store/exec-approvals.ts";

export interface Ask {
  /** Made up when absent. */
  readonly id?: string;
  /** Principal that asks. */
  readonly requester: string;
  readonly command: Command;
  readonly details: Omit<store.ApprovalRequest, "command" | "commandArgv" | "cwd" | "envKeys" | "nodeId">;
  readonly timeoutMs?: number;
}

/** What may be said of an approval to those who run the command; a denial is never said. */
export type Verdict = "allow-once" | "allow-always" | "unanswered";

export interface Approvals {
  /**
   * Asks, and tells those who may decide. Asked again by the same one with the same id and command, it joins the open one.
   * @throws Fault `invalid_params` when the id is taken, `overloaded` when too many are open.
   */
  open(ask: Ask): Promise<store.Approval>;
  /** Resolves when it is decided, its time is up, or `signal` aborts; undefined for the last two. */
  wait(approval: store.Approval, signal: AbortSignal): Promise<store.Decision | undefined>;
  /** @throws Fault `not_found` for one that is not open. */
  resolve(decision: { id: string; decision: store.Decision; by: string }): Promise<void>;
  find(id: string): Promise<store.Approval | undefined>;
  listOpen(): Promise<readonly store.Approval[]>;
  /**
   * Uses an approval up, once, by who asked for it and for exactly that command.
   * @returns undefined when it does not cover this.
   */
  use(claim: { id: string; requester: string; command: Command }): Promise<Verdict | undefined>;
}

export interface ApprovalsDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: Publish;
}

const defaultTimeoutMs = 120_000;
const maxTimeoutMs = 24 * 60 * 60 * 1000;
/** An approval that is given has to be used within this time. */
const useWithinMs = 10 * 60 * 1000;
const keepMs = 7 * 24 * 60 * 60 * 1000;
const maxOpen = 256;

export function createApprovals({ database, clock, ids, publish }: ApprovalsDependencies): Approvals {
  const waiting = new Map<string, Set<(decision: store.Decision) => void>>();

  return {
    async open(ask) {
      const { approval, isNew } = await database.write((sql) => {
        const now = clock.now();
        store.forgetApprovalsBefore(sql, now - keepMs);
        const asked = toApproval(ask, ask.id ?? ids.uuid(), now);
        const known = store.findApproval(sql, asked.id);
        if (known) return { approval: checkSame(known, asked, waiting.has(asked.id)), isNew: false };
        if (store.listOpen(sql, now).length >= maxOpen) throw tooMany();
        store.insertApproval(sql, asked);
        return { approval: { ...asked, ...undecided }, isNew: true };
      });
      if (isNew) publish("exec.approval.requested", describeApproval(approval));
      return approval;
    },

    async wait(approval, signal) {
      const { id, expiresAt } = approval;
      return new Promise((resolve) => {
        const finish = (decision?: store.Decision) => {
          timer.cancel();
          signal.removeEventListener("abort", giveUp);
          const others = waiting.get(id);
          others?.delete(finish);
          if (others?.size === 0) waiting.delete(id);
          resolve(decision);
        };
        const giveUp = () => finish();
        const timer = clock.after(Math.max(0, expiresAt - clock.now()), giveUp);
        waiting.set(id, (waiting.get(id) ?? new Set()).add(finish));
        signal.addEventListener("abort", giveUp, { once: true });
        if (signal.aborted) giveUp();
        // it may have been decided before anybody waited
        database
          .read((sql) => store.findApproval(sql, id)?.decision)
          .then((decision) => decision && finish(decision), giveUp);
      });
    },

    async resolve({ id, decision, by }) {
      const isDecided = await database.write((sql) => store.decideApproval(sql, { id, decision, by }, clock.now()));
      if (!isDecided) throw unknownApproval();
      publish("exec.approval.resolved", { id, decision, resolvedBy: by, ts: clock.now() });
      for (const finish of waiting.get(id) ?? []) finish(decision);
    },

    find: (id) => database.read((sql) => store.findApproval(sql, id)),
    listOpen: () => database.read((sql) => store.listOpen(sql, clock.now())),

    use: ({ id, requester, command }) =>
      database.write((sql) => {
        const now = clock.now();
        const known = store.findApproval(sql, id);
        if (!known || known.requester !== requester || known.binding !== bindCommand(command)) return undefined;
        const verdict = toVerdict(known, now);
        return verdict && store.useApproval(sql, id, now) ? verdict : undefined;
      }),
  };
}

function toVerdict({ decision, resolvedAt, expiresAt }: store.Approval, now: number): Verdict | undefined {
  const since = resolvedAt ?? expiresAt;
  if (decision === "deny" || now < since || now - since > useWithinMs) return undefined;
  return decision ?? "unanswered";
}

const undecided = { decision: undefined, resolvedBy: undefined, resolvedAt: undefined, usedAt: undefined };

function toApproval({ requester, command, details, timeoutMs = defaultTimeoutMs }: Ask, id: string, now: number) {
  const { argv, text, cwd, env, nodeId } = command;
  const envKeys = Object.keys(env).toSorted();
  return {
    id,
    requester,
    binding: bindCommand(command),
    request: {
      // from the argv itself: a text beside it could say something else
      command: argv ? renderArgv(argv) : (text ?? ""),
      ...(argv ? { commandArgv: argv } : {}),
      cwd,
      ...(envKeys.length > 0 ? { envKeys } : {}),
      nodeId,
      ...details,
    },
    createdAt: now,
    expiresAt: now + Math.min(timeoutMs, maxTimeoutMs),
  };
}

type Asked = ReturnType<typeof toApproval>;

/** The same question again, by who lost its connection over it. */
function checkSame(known: store.Approval, asked: Asked, isAwaited: boolean): store.Approval {
  const isSame = known.requester === asked.requester && known.binding === asked.binding;
  if (isSame && !isAwaited && known.usedAt === undefined) return known;
  throw new Fault("invalid_params", "approval id already pending", { field: "id", next: "use a new id" });
}

/** As the wire has it. */
export function describeApproval({ id, request, createdAt, expiresAt }: store.Approval) {
  return { id, request, createdAtMs: createdAt, expiresAtMs: expiresAt };
}

export function unknownApproval(): Fault {
  return new Fault("not_found", "unknown or expired approval id", {
    field: "id",
    next: "look for open ones with exec.approval.list",
    details: { code: "APPROVAL_NOT_FOUND" },
  });
}

function tooMany(): Fault {
  return new Fault("overloaded", `${maxOpen} commands wait for a decision already`, { retryAfterMs: 10_000 });
}
