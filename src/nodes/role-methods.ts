// What nodes send. A node acts as itself: the connection says which one it is, and a claim to be another is refused (S13).

import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import type { NodeLink } from "../ports/node-link.ts";
import type { Extras } from "./extras.ts";
import { readEventPayload, type TakeNodeEvent } from "./incoming.ts";
import type { InvokeOutcome, Invocations } from "./invocations.ts";
import { readPayload } from "./invoke.ts";
import type { NodeRegistry } from "./registry.ts";

export interface RoleMethodDependencies {
  readonly registry: Pick<NodeRegistry, "list">;
  readonly invocations: Pick<Invocations, "settle">;
  readonly extras: Extras;
  readonly takeEvent: TakeNodeEvent;
  readonly log: Log;
}

type Names =
  | "node.invoke.result"
  | "node.invoke.progress"
  | "node.event"
  | "node.skills.update"
  | "node.pluginTools.update"
  | "node.runnerInventory.update";

export function createNodeRoleHandlers(dependencies: RoleMethodDependencies): HandlersOf<Names> {
  const { invocations, extras, takeEvent, log } = dependencies;
  const linkOf = (caller: Caller): NodeLink => {
    const found = dependencies.registry.list().find(({ link }) => link.connId === caller.connId);
    if (found) return found.link;
    throw new Fault("unreachable", "this connection was replaced by a newer one of the same node");
  };
  const ownLink = (caller: Caller, nodeId: string): NodeLink => {
    const link = linkOf(caller);
    if (link.nodeId === nodeId) return link;
    throw new Fault("invalid_params", "nodeId mismatch", {
      field: "nodeId",
      next: `send your own nodeId: ${link.nodeId}`,
    });
  };

  return {
    async "node.invoke.result"({ params, caller }) {
      const { connId } = ownLink(caller, params.nodeId);
      const outcome: InvokeOutcome = params.ok
        ? { isOk: true, ...readPayload(params) }
        : { isOk: false, error: toError(params.error) };
      const isAwaited = invocations.settle(connId, { id: params.id, outcome });
      return isAwaited ? { ok: true } : { ok: true, ignored: true };
    },

    async "node.invoke.progress"({ params, caller }) {
      ownLink(caller, params.nodeId);
      // the answer carries all of the output: nobody waits for the pieces
      return { ok: true, ignored: true };
    },

    async "node.event"({ params, caller }) {
      const { event: kind } = params;
      const reason = await takeEvent({ caller, link: linkOf(caller), kind, payload: readEventPayload(params) });
      if (reason === "unknown event") log.debug("a node sent an event that means nothing here", { kind });
      return { ok: true, event: kind, handled: reason === undefined, ...(reason === undefined ? {} : { reason }) };
    },

    async "node.skills.update"({ params, caller }) {
      extras.setSkills(linkOf(caller).nodeId, params.skills);
      return { ok: true };
    },

    async "node.pluginTools.update"({ params, caller }) {
      extras.setPluginTools(linkOf(caller).nodeId, params.tools);
      return { ok: true };
    },

    async "node.runnerInventory.update"({ params, caller }) {
      extras.setFeatures(linkOf(caller).nodeId, params.protocolFeatures ?? []);
      return { ok: true };
    },
  };
}

function toError(error: { code?: string; message?: string } | null | undefined) {
  if (!error) return null;
  const { code, message } = error;
  return { ...(code ? { code } : {}), ...(message ? { message } : {}) };
}
