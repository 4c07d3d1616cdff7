// What nodes themselves send. Each speaks for itself alone. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { count, open, text } from "../shapes.ts";
import { nodeId } from "./nodes.ts";

const word = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });
const orNull = <Item extends ReturnType<typeof Type.String>>(item: Item) => Type.Union([item, Type.Null()]);
const accepted = Type.Object(
  { ok: Type.Literal(true), ignored: Type.Optional(Type.Boolean({ description: "Nobody waits for it" })) },
  open,
);
const nodeRole = { role: "node", scope: "any" } as const;

export const nodeRoleMethods = {
  "node.invoke.result": method({
    summary: "The answer to `node.invoke.request`, from the connection that was asked",
    params: Type.Object({
      id: word("Id of the request"),
      nodeId,
      ok: Type.Boolean({ description: "It was done" }),
      payload: Type.Optional(Type.Unknown({ description: "What came of it" })),
      payloadJSON: Type.Optional(orNull(Type.String({ description: "The same as JSON text" }))),
      error: Type.Optional(
        Type.Union([
          Type.Object({
            code: Type.Optional(Type.String({ maxLength: 256, description: "For programs" })),
            message: Type.Optional(Type.String({ maxLength: 20_000, description: "For people" })),
          }),
          Type.Null(),
        ]),
      ),
    }),
    result: accepted,
    ...nodeRole,
  }),
  "node.invoke.progress": method({
    summary: "A piece of output of a command under way",
    params: Type.Object({
      invokeId: word("Id of the request"),
      nodeId,
      seq: count("Counts the pieces"),
      chunk: Type.String({ maxLength: 16_384, description: "Output" }),
    }),
    result: accepted,
    ...nodeRole,
  }),
  "node.event": method({
    summary: "Something happened on the node. Kinds that are not known are accepted and have no effect",
    params: Type.Object({
      event: word("Kind"),
      payload: Type.Optional(Type.Unknown({ description: "Depends on the kind" })),
      payloadJSON: Type.Optional(
        orNull(Type.String({ maxLength: 262_144, description: "The same as JSON text; at most 256 KiB" })),
      ),
    }),
    result: Type.Object(
      {
        ok: Type.Literal(true),
        event: text("The kind"),
        handled: Type.Boolean({ description: "It had an effect" }),
        reason: Type.Optional(text("Why it had none")),
      },
      open,
    ),
    ...nodeRole,
  }),
  "node.skills.update": method({
    summary: "The skills that a node brings, all of them",
    params: Type.Object({
      skills: Type.Array(
        Type.Object({
          name: Type.String({ minLength: 1, maxLength: 64, description: "Skill" }),
          description: Type.String({ maxLength: 2_048, description: "What it is for" }),
          content: Type.Optional(Type.String({ maxLength: 65_536, description: "Its text" })),
        }),
        { maxItems: 64 },
      ),
    }),
    result: accepted,
    ...nodeRole,
  }),
  "node.pluginTools.update": method({
    summary: "The tools that a node's plugins bring, all of them",
    params: Type.Object({
      tools: Type.Array(
        Type.Object({
          pluginId: word("Plugin"),
          name: Type.String({ minLength: 1, maxLength: 64, description: "Tool" }),
          description: Type.String({ maxLength: 8_192, description: "What it does" }),
        }),
        { maxItems: 256 },
      ),
    }),
    result: accepted,
    ...nodeRole,
  }),
  "node.runnerInventory.update": method({
    summary: "Which of the newer worker features a node has; kept for its description",
    params: Type.Object({
      protocolFeatures: Type.Optional(Type.Array(word("Feature"), { maxItems: 64 })),
    }),
    result: accepted,
    ...nodeRole,
  }),
};
