// A connected node without a socket: keeps what it was sent, and can be made unwritable.

import type { Caller, NodeDeclaration } from "../../src/ports/method.ts";
import type { NodeLink } from "../../src/ports/node-link.ts";

export interface FakeNode extends NodeLink {
  readonly sent: { event: string; payload: Record<string, unknown> }[];
  readonly closed: { code: number; reason: string }[];
  setWritable(isWritable: boolean): void;
}

export function nodeCaller(nodeId: string, connId: string, declaration: Partial<NodeDeclaration> = {}): Caller {
  return {
    connId,
    principal: `device:${nodeId}`,
    role: "node",
    scopes: [],
    client: { id: "node-host", mode: "node", version: "1" },
    protocol: 4,
    isLocal: true,
    auth: "device-token",
    deviceId: nodeId,
    node: {
      caps: ["system"],
      commands: ["system.run", "system.which"],
      permissions: {},
      platform: "linux",
      version: "1",
      ...declaration,
    },
  };
}

export function createFakeNode(
  nodeId: string,
  connId = `conn-${nodeId}`,
  declaration: Partial<NodeDeclaration> = {},
): FakeNode {
  const sent: { event: string; payload: Record<string, unknown> }[] = [];
  const closed: { code: number; reason: string }[] = [];
  let isWritable = true;
  return {
    nodeId,
    connId,
    caller: nodeCaller(nodeId, connId, declaration),
    sent,
    closed,
    setWritable(value) {
      isWritable = value;
    },
    notify(event, payload) {
      if (isWritable) sent.push({ event, payload });
      return isWritable;
    },
    close: (code, reason) => closed.push({ code, reason }),
  };
}
