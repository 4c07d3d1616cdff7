// Events to nodes and about them. Build time only.

import { Type } from "typebox";

import { event } from "./method.ts";
import { approvalDecision, approvalRequest } from "./methods/exec-approvals.ts";
import { nodePairRequest } from "./methods/nodes.ts";
import { count, nonEmpty, text, time } from "./shapes.ts";

export const nodeEvents = {
  "node.pair.requested": event({
    summary: "A node asks to be paired",
    payload: nodePairRequest,
    scope: "operator.pairing",
    isDroppable: false,
  }),
  "node.pair.resolved": event({
    summary: "A request of a node was decided",
    payload: Type.Object({
      requestId: nonEmpty("The request"),
      nodeId: nonEmpty("The node"),
      decision: Type.Union([Type.Literal("approved"), Type.Literal("rejected")]),
      ts: time("When"),
    }),
    scope: "operator.pairing",
    isDroppable: false,
  }),
  "node.invoke.request": event({
    summary: "A command for this node; it answers with `node.invoke.result`",
    payload: Type.Object({
      id: nonEmpty("Goes into the answer"),
      nodeId: nonEmpty("The node that is meant"),
      command: nonEmpty("Command"),
      paramsJSON: Type.Optional(text("The command's params as JSON text; absent when it has none")),
      timeoutMs: Type.Optional(count("How long the Gateway waits")),
      idempotencyKey: Type.Optional(nonEmpty("The caller's key: the same key means the same command")),
    }),
    scope: "direct",
    isDroppable: false,
  }),
  "exec.approval.requested": event({
    summary: "A command waits for a person's decision",
    payload: Type.Object({
      id: nonEmpty("Approval"),
      request: approvalRequest,
      createdAtMs: time("When it was asked"),
      expiresAtMs: time("When it counts as unanswered"),
    }),
    scope: "operator.approvals",
    isDroppable: false,
  }),
  "exec.approval.resolved": event({
    summary: "Somebody decided",
    payload: Type.Object({
      id: nonEmpty("Approval"),
      decision: approvalDecision,
      resolvedBy: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: "Who" })),
      ts: time("When"),
    }),
    scope: "operator.approvals",
    isDroppable: false,
  }),
};
