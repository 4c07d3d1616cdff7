// Commands that nodes are working on. An answer counts only from the very connection that was asked (S13).

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type { NodeLink } from "../ports/node-link.ts";

export interface Invocation {
  readonly command: string;
  readonly params: unknown;
  readonly timeoutMs: number;
  readonly idempotencyKey?: string;
}

/** What a node made of a command; `error` as it was told. */
export type InvokeOutcome =
  | { readonly isOk: true; readonly payload: unknown; readonly payloadJson: string | null }
  | { readonly isOk: false; readonly error: { readonly code?: string; readonly message?: string } | null }
  | { readonly isOk: false; readonly isGone: true };

export interface InvokeAnswer {
  readonly id: string;
  readonly outcome: InvokeOutcome;
}

export interface Invocations {
  /** @throws Fault `overloaded` when this node has too many commands open; nothing was sent then. */
  send(link: NodeLink, invocation: Invocation): Promise<InvokeOutcome>;
  /** @returns whether somebody waited for it. @throws Fault `invalid_params` for the answer to another node's command. */
  settle(connId: string, answer: InvokeAnswer): boolean;
  /** The connection is gone: who waits for it waits no more. */
  drop(connId: string): void;
  /** Was this connection asked, not long ago, to run something for that session (as its asker wrote it)? */
  wasAskedFor(connId: string, sessionKey: string): boolean;
}

/** Open commands of one connection. */
const maxOpen = 64;
/** What a node says about a command counts that long after it was asked; the command itself may take an hour. */
const rememberMs = 2 * 60 * 60 * 1000;
const maxRemembered = 1_000;

interface Open {
  readonly connId: string;
  finish(outcome: InvokeOutcome): void;
}

export function createInvocations({ clock, ids }: { clock: Clock; ids: Ids }): Invocations {
  const open = new Map<string, Open>();
  /** By connection and session: when it was asked last. */
  const asked = new Map<string, number>();
  const remember = (connId: string, sessionKey: string) => {
    const name = JSON.stringify([connId, sessionKey]);
    asked.delete(name);
    asked.set(name, clock.monotonic());
    for (const oldest of asked.keys()) {
      if (asked.size <= maxRemembered) break;
      asked.delete(oldest);
    }
  };

  return {
    wasAskedFor(connId, sessionKey) {
      const at = asked.get(JSON.stringify([connId, sessionKey]));
      return at !== undefined && clock.monotonic() - at <= rememberMs;
    },
    send(link, { command, params, timeoutMs, idempotencyKey }) {
      const { connId, nodeId } = link;
      const sessionKey = isRecord(params) ? params["sessionKey"] : undefined;
      if (typeof sessionKey === "string") remember(connId, sessionKey);
      if ([...open.values()].filter((entry) => entry.connId === connId).length >= maxOpen) {
        throw new Fault("overloaded", `the node has ${maxOpen} commands to answer already`, { retryAfterMs: 1_000 });
      }
      return new Promise((resolve) => {
        const id = ids.uuid();
        const timer = clock.after(timeoutMs, () =>
          finish({ isOk: false, error: { code: "TIMEOUT", message: "node invoke timed out" } }),
        );
        const finish = (outcome: InvokeOutcome) => {
          timer.cancel();
          open.delete(id);
          resolve(outcome);
        };
        open.set(id, { connId, finish });
        const isSent = link.notify("node.invoke.request", {
          id,
          nodeId,
          command,
          ...(params === undefined ? {} : { paramsJSON: JSON.stringify(params) }),
          timeoutMs,
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        });
        if (!isSent) finish({ isOk: false, error: { code: "UNAVAILABLE", message: "could not write to the node" } });
      });
    },
    settle(connId, { id, outcome }) {
      const entry = open.get(id);
      if (!entry) return false;
      if (entry.connId !== connId) {
        throw new Fault("invalid_params", "nodeId mismatch", { field: "id", next: "answer your own commands only" });
      }
      entry.finish(outcome);
      return true;
    },
    drop(connId) {
      for (const entry of open.values()) if (entry.connId === connId) entry.finish({ isOk: false, isGone: true });
    },
  };
}
