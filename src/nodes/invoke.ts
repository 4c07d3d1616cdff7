// `node.invoke`: policy, then once to the node, and the same answer for everybody who asks with the same key (T10).

import { createHash } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { canonicalJson, parseJson } from "../base/json.ts";
import { findAnswer, keepAnswer, openAnswer, type KeyScope } from "../conversation/store/idempotency.ts";
import type { Database } from "../platform/database.ts";
import type { Invocations, InvokeOutcome } from "./invocations.ts";
import { decideCommand, type CommandPolicy } from "./policy.ts";
import type { ConnectedNode, NodeRegistry } from "./registry.ts";

export interface InvokeRequest {
  /** Who asks, and by which name. */
  readonly scope: KeyScope;
  readonly nodeId: string;
  readonly command: string;
  readonly params: unknown;
  readonly timeoutMs?: number;
}

export interface InvokeResult {
  readonly payload: unknown;
  readonly payloadJson: string | null;
}

export interface Invoker {
  /**
   * @throws Fault `unreachable` (not connected) and `invalid_params` (not allowed): nothing was sent, and the key is free.
   * Fault `node_failed`: it was sent, and the same key gets the same answer. Fault `key_reused`, `overloaded`.
   */
  invoke(request: InvokeRequest): Promise<InvokeResult>;
}

export interface InvokerDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly registry: Pick<NodeRegistry, "find">;
  readonly invocations: Pick<Invocations, "send">;
  readonly policy: () => CommandPolicy;
  /** What is really sent: claims that only the Gateway may make are taken out or filled in. @throws Fault */
  readonly prepareParams: (request: InvokeRequest) => Promise<unknown>;
}

const defaultTimeoutMs = 30_000;
const maxTimeoutMs = 60 * 60 * 1000;
/** Answers larger than this, in characters of JSON, are not kept for repeated requests. */
const maxKeptLength = 256 * 1024;

/** As it is kept. */
type Answer =
  | { readonly ok: { readonly payload: unknown; readonly payloadJson: string | null } }
  | { readonly error: { readonly message: string; readonly nodeError?: Record<string, string> | null } };

export function createInvoker(dependencies: InvokerDependencies): Invoker {
  const { database } = dependencies;
  const underWay = new Map<string, { bodyHash: string; answer: Promise<Answer> }>();

  const begin = async (request: InvokeRequest, bodyHash: string): Promise<Answer> => {
    const kept = await database.read((sql) => findAnswer(sql, request.scope));
    if (kept) return keptAnswer(kept, bodyHash);
    checkInvokable(request, dependencies);
    const params = await dependencies.prepareParams(request);
    await database.write((sql) => openAnswer(sql, request.scope, bodyHash, dependencies.clock.now()));
    const answer = await perform(request, params, dependencies);
    await database.write((sql) => keepAnswer(sql, request.scope, toKept(answer)));
    return answer;
  };

  return {
    async invoke(request) {
      const name = JSON.stringify([request.scope.principal, request.scope.key]);
      const { nodeId, command, params } = request;
      const body = canonicalJson({ nodeId, command, params: params ?? null });
      const bodyHash = createHash("sha256").update(body).digest("base64url");
      const known = underWay.get(name);
      if (known && known.bodyHash !== bodyHash) throw keyReused();
      const answer = known?.answer ?? begin(request, bodyHash).finally(() => underWay.delete(name));
      if (!known) underWay.set(name, { bodyHash, answer });
      return settled(await answer);
    },
  };
}

/** @throws Fault when the node is not there, or may not be asked for this. */
function checkInvokable({ nodeId, command }: InvokeRequest, { registry, policy }: InvokerDependencies): ConnectedNode {
  const node = registry.find(nodeId);
  if (!node) {
    throw new Fault("unreachable", "node not connected", {
      field: "nodeId",
      next: "look for connected nodes with node.list",
      details: { code: "NOT_CONNECTED" },
    });
  }
  const declaration = node.link.caller.node;
  const denial = decideCommand(command, { ...declaration, commands: declaration?.commands ?? [] }, policy());
  if (denial) {
    throw new Fault("invalid_params", "node command not allowed", {
      field: "command",
      next: nextSteps[denial] ?? "use a command that node.describe lists",
      details: { reason: denial, command },
    });
  }
  return node;
}

const nextSteps: Readonly<Record<string, string>> = {
  "command not allowlisted": "add it to gateway.nodes.allowCommands, if the node should do this",
};

async function perform(request: InvokeRequest, params: unknown, dependencies: InvokerDependencies): Promise<Answer> {
  const { command, scope, timeoutMs = 0 } = request;
  try {
    // it may have gone while the row was written
    const { link } = checkInvokable(request, dependencies);
    const outcome = await dependencies.invocations.send(link, {
      command,
      params,
      timeoutMs: timeoutMs === 0 ? defaultTimeoutMs : Math.min(timeoutMs, maxTimeoutMs),
      idempotencyKey: scope.key,
    });
    return toAnswer(outcome, command);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { error: { message: error.message } };
  }
}

function toAnswer(outcome: InvokeOutcome, command: string): Answer {
  if (outcome.isOk) return { ok: { payload: outcome.payload, payloadJson: outcome.payloadJson } };
  if ("isGone" in outcome) return { error: { message: `node disconnected (${command})` } };
  const { code, message } = outcome.error ?? {};
  const nodeError = outcome.error === null ? null : { ...(code ? { code } : {}), ...(message ? { message } : {}) };
  return { error: { message: message || "node invoke failed", nodeError } };
}

function settled(answer: Answer): InvokeResult {
  if ("ok" in answer) return answer.ok;
  const { message, nodeError } = answer.error;
  throw new Fault("node_failed", message, { details: nodeError === undefined ? {} : { nodeError } });
}

function toKept(answer: Answer): Answer {
  if ("error" in answer || JSON.stringify(answer).length <= maxKeptLength) return answer;
  return { error: { message: "it was done, and its answer was too large to be kept for a second request" } };
}

function keptAnswer(kept: { bodyHash: string; response: unknown }, bodyHash: string): Answer {
  if (kept.bodyHash !== bodyHash) throw keyReused();
  // written by keepAnswer above; absent when the Gateway ended in between
  const answer = kept.response as Answer | undefined;
  return answer ?? { error: { message: "the Gateway ended while the node was at work: it may have been done" } };
}

function keyReused(): Fault {
  return new Fault("key_reused", "this idempotencyKey was used before for another request", {
    field: "idempotencyKey",
    next: "use a new key for a new request",
  });
}

/** What a node sent as `payload` or as text of it. Text that is no JSON is handed on as it is. */
export function readPayload(params: { payload?: unknown; payloadJSON?: string | null }): InvokeResult {
  const text = params.payloadJSON ?? null;
  if (text === null) return { payload: params.payload ?? null, payloadJson: null };
  return { payload: parseJson(text) ?? null, payloadJson: text };
}
