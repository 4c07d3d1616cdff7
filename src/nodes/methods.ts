// `node.*` for operators: list, describe, invoke, rename, pairing.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { parseRunId } from "../base/ids.ts";
import type { Database } from "../platform/database.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import type { Extras } from "./extras.ts";
import type { Invoker } from "./invoke.ts";
import { describeRequest, unknownNode, type NodePairing } from "./pairing.ts";
import type { CommandPolicy } from "./policy.ts";
import type { NodeRegistry } from "./registry.ts";
import { listNodes as listRows, type NodeRow } from "./store/nodes.ts";
import { listNodes, type NodeView } from "./view.ts";

export interface NodeMethodDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly pairing: NodePairing;
  readonly registry: NodeRegistry;
  readonly extras: Extras;
  readonly invoker: Invoker;
  readonly policy: () => CommandPolicy;
  /** Devices that are paired as nodes. */
  readonly pairedDevices: () => Promise<ReadonlySet<string>>;
  /** A device is a node no longer. @throws Fault when the caller may not say so. */
  readonly revokeDevice: (deviceId: string, caller: Caller) => Promise<void>;
}

type Names =
  | "node.list"
  | "node.describe"
  | "node.invoke"
  | "node.rename"
  | "node.pair.request"
  | "node.pair.list"
  | "node.pair.approve"
  | "node.pair.reject"
  | "node.pair.verify"
  | "node.pair.remove";

export function createNodeHandlers(dependencies: NodeMethodDependencies): HandlersOf<Names> {
  const { clock, pairing, registry, extras, invoker } = dependencies;
  return {
    "node.list": async () => ({ ts: clock.now(), nodes: await listKnown(dependencies) }),

    async "node.describe"({ params }) {
      const node = (await listKnown(dependencies)).find((candidate) => candidate.nodeId === params.nodeId);
      if (!node) throw unknownNode();
      return { ts: clock.now(), ...node, ...extras.of(params.nodeId) };
    },

    async "node.invoke"({ params, caller }) {
      const { nodeId, timeoutMs, idempotencyKey } = params;
      const command = params.command.trim();
      // who may run commands may not say which commands may run (S11): that is for administrators, by methods of their own
      if (command.startsWith("system.execApprovals.")) throw notByInvoke();
      const { payload, payloadJson } = await invoker.invoke({
        scope: { principal: caller.principal, method: "node.invoke", key: parseRunId(idempotencyKey) },
        nodeId,
        command,
        params: params.params,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      return { ok: true, nodeId, command, payload, payloadJSON: payloadJson };
    },

    async "node.rename"({ params: { nodeId, displayName } }) {
      const name = displayName.trim();
      await pairing.rename(nodeId, name);
      return { nodeId, displayName: name };
    },

    async "node.pair.request"({ params: { nodeId, ...profile } }) {
      const { request, isNew } = await pairing.request({ nodeId, profile: toProfile(profile) });
      return { status: "pending", request: describeRequest(request), created: isNew };
    },

    async "node.pair.list"() {
      const { pending, paired } = await pairing.list();
      return { pending: pending.map(describeRequest), paired: paired.map(describePaired) };
    },

    async "node.pair.approve"({ params: { requestId } }) {
      const { node, token } = await pairing.approve(requestId);
      return { requestId, node: { ...describePaired(node), token } };
    },

    async "node.pair.reject"({ params: { requestId } }) {
      const { nodeId } = await pairing.reject(requestId);
      return { requestId, nodeId };
    },

    async "node.pair.verify"({ params: { nodeId, token }, caller }) {
      const node = await pairing.verify({ nodeId, token, source: `node:${caller.principal}` });
      return node ? { ok: true, node: describePaired(node) } : { ok: false };
    },

    async "node.pair.remove"({ params: { nodeId }, caller }) {
      const isDevice = (await dependencies.pairedDevices()).has(nodeId);
      // else it would come back at once, with the token of its device
      if (isDevice) await dependencies.revokeDevice(nodeId, caller);
      const isKnown = await pairing.remove(nodeId);
      if (!isDevice && !isKnown) throw unknownNode();
      registry.find(nodeId)?.link.close(1008, "this node's pairing was removed");
      return { nodeId };
    },
  };
}

function notByInvoke(): Fault {
  return new Fault("invalid_params", "node.invoke does not change exec approvals", {
    field: "command",
    next: "use exec.approvals.node.get and exec.approvals.node.set",
  });
}

/** All that `node.list` shows. */
export async function listKnown(
  dependencies: Pick<NodeMethodDependencies, "database" | "registry" | "policy" | "pairedDevices">,
): Promise<readonly NodeView[]> {
  const { database, registry, policy, pairedDevices } = dependencies;
  const [rows, devices] = await Promise.all([database.read(listRows), pairedDevices()]);
  return listNodes({ rows, connected: registry.list(), pairedDevices: devices, policy: policy() });
}

function describePaired({ nodeId, profile, name, createdAt, approvedAt, lastConnectedAt }: NodeRow) {
  return {
    nodeId,
    ...profile,
    ...(name === undefined ? {} : { displayName: name }),
    createdAtMs: createdAt,
    approvedAtMs: approvedAt ?? createdAt,
    ...(lastConnectedAt === undefined ? {} : { lastConnectedAtMs: lastConnectedAt }),
  };
}

const profileKeys = [
  "displayName",
  "platform",
  "version",
  "coreVersion",
  "uiVersion",
  "deviceFamily",
  "modelIdentifier",
  "remoteIp",
  "caps",
  "commands",
  "silent",
] as const;

/** The keys that are known: params may carry others, which nobody has checked. */
function toProfile<Profile extends object>(params: Profile): Profile {
  // a subset of the same object
  return Object.fromEntries(
    Object.entries(params).filter(([key]) => profileKeys.some((known) => known === key)),
  ) as Profile;
}
