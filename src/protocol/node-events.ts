// Events to nodes and about them. Build time only.

import { Type } from "typebox";

import { event } from "./method.ts";
import { count, nonEmpty } from "./shapes.ts";

export const nodeEvents = {
  "node.invoke.request": event({
    summary: "A command for this node; it answers with `node.invoke.result`",
    payload: Type.Object({
      id: nonEmpty("Goes into the answer"),
      nodeId: nonEmpty("The node that is meant"),
      command: nonEmpty("Command"),
      paramsJSON: Type.Union([Type.String(), Type.Null()], { description: "The command's params as JSON text" }),
      timeoutMs: Type.Optional(count("How long the Gateway waits")),
      idempotencyKey: Type.Optional(nonEmpty("The caller's key: the same key means the same command")),
    }),
    scope: "direct",
    isDroppable: false,
  }),
};
