// Puts the room together: pairing, who is connected, invoking, and what nodes themselves send.

import type { Clock } from "../base/clock.ts";
import type { Ids, SessionKey } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Intake } from "../conversation/intake.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { Sending } from "../conversation/send.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { createExecApprovalsStore } from "../config/exec-approvals.ts";
import type { Caller, HandlersOf } from "../ports/method.ts";
import type { NodeCommands } from "../ports/node-commands.ts";
import type { NodeLinks } from "../ports/node-link.ts";
import type { MethodName } from "../protocol/contract.ts";
import { createApprovalHandlers } from "./approval-methods.ts";
import { createApprovals } from "./approvals.ts";
import { createNodeCommands } from "./commands.ts";
import { createExtras } from "./extras.ts";
import { createIncoming } from "./incoming.ts";
import { createInvocations } from "./invocations.ts";
import { createInvoker } from "./invoke.ts";
import { createNodeHandlers, listKnown } from "./methods.ts";
import { createNodePairing, type Attempts } from "./pairing.ts";
import type { CommandPolicy } from "./policy.ts";
import { createNodeRegistry } from "./registry.ts";
import { createNodeRoleHandlers } from "./role-methods.ts";
import { forgetStrangers, seeNode } from "./store/nodes.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { prepareParams } from "./system-run.ts";
import { toProfile } from "./view.ts";

export interface NodesDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly bus: Bus;
  readonly attempts: Attempts;
  readonly intake: Intake;
  readonly sending: Pick<Sending, "resolveChannel">;
  /** The agent sees it with the session's next turn. */
  readonly noteEvent: (sessionKey: SessionKey, text: string) => Promise<void>;
  readonly routePolicy: () => RoutePolicy;
  readonly policy: () => CommandPolicy;
  readonly pairedDevices: () => Promise<ReadonlySet<string>>;
  readonly revokeDevice: (deviceId: string, caller: Caller) => Promise<void>;
  /** File of this machine's commands that may run without asking. */
  readonly execApprovalsPath: string;
}

export interface Nodes {
  readonly links: NodeLinks;
  /** For rooms that ask nodes for something. */
  readonly commands: NodeCommands;
  readonly handlers: HandlersOf<Extract<MethodName, `node.${string}` | `exec.${string}`>>;
}

/** Nodes that connected once and were never paired here, of which something is remembered. */
const maxStrangers = 500;

export function createNodes(dependencies: NodesDependencies): Nodes {
  const { database, clock, ids, log, bus } = dependencies;
  const extras = createExtras();
  const subscriptions = createSubscriptions();
  const invocations = createInvocations({ clock, ids });
  const registry = createNodeRegistry({
    clock,
    log,
    invocations,
    onAttach({ nodeId, caller }) {
      database
        .write((sql) => {
          seeNode(sql, { nodeId, profile: toProfile(caller.node) }, clock.now());
          forgetStrangers(sql, maxStrangers);
        })
        .catch((error: unknown) => log.error("cannot note that a node connected", { node: nodeId, error }));
    },
    onDetach({ nodeId, connId }) {
      subscriptions.drop(connId);
      extras.drop(nodeId);
    },
  });
  subscriptions.start(bus);
  const approvals = createApprovals({ database, clock, ids, publish: bus.publish });
  const invoker = createInvoker({
    ...dependencies,
    registry,
    invocations,
    prepareParams: (request) => prepareParams(request, approvals),
  });

  return {
    links: registry,
    commands: createNodeCommands({ invoker, list: () => listKnown({ ...dependencies, registry }) }),
    handlers: {
      ...createNodeHandlers({
        ...dependencies,
        registry,
        extras,
        pairing: createNodePairing({ database, clock, ids, publish: bus.publish, attempts: dependencies.attempts }),
        invoker,
      }),
      ...createNodeRoleHandlers({
        registry,
        invocations,
        extras,
        log,
        takeEvent: createIncoming({ ...dependencies, subscriptions, invocations }),
      }),
      ...createApprovalHandlers({
        clock,
        ids,
        approvals,
        invoker,
        file: createExecApprovalsStore(dependencies.execApprovalsPath),
      }),
    },
  };
}
