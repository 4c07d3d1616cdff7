// system-presence, system-event, wake. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nonEmpty, presenceEntry, text } from "../shapes.ts";

export const presenceMethods = {
  "system-presence": method({
    summary: "Who is connected: the Gateway itself, its clients and nodes",
    params: Type.Object({}),
    result: Type.Array(presenceEntry),
    scope: "operator.read",
  }),
  "system-event": method({
    summary: "Posts a note about a device or the system; updates presence",
    params: Type.Object({
      text: nonEmpty("The note; `Node: host (ip) · app version · mode m · reason r` is taken apart"),
      deviceId: Type.Optional(text("Device identity")),
      instanceId: Type.Optional(text("Stable id of the installation")),
      host: Type.Optional(text("Host")),
      ip: Type.Optional(text("Address")),
      mode: Type.Optional(text("Client mode")),
      version: Type.Optional(text("Program version")),
      platform: Type.Optional(text("Operating system")),
      deviceFamily: Type.Optional(text("Kind of device")),
      modelIdentifier: Type.Optional(text("Device model")),
      lastInputSeconds: Type.Optional(Type.Number({ minimum: 0, description: "Seconds since the last input" })),
      reason: Type.Optional(text("Why this is posted")),
      roles: Type.Optional(Type.Array(Type.String())),
      scopes: Type.Optional(Type.Array(Type.String())),
      tags: Type.Optional(Type.Array(Type.String())),
    }),
    result: Type.Object({ ok: Type.Literal(true) }),
    scope: "operator.admin",
  }),
  wake: method({
    summary: "Tells the main session of an event, which it sees with its next turn; `now` begins one",
    params: Type.Object({
      mode: Type.Union([Type.Literal("now"), Type.Literal("next-heartbeat")], {
        description: "now, or with whatever turn comes next",
      }),
      text: Type.String({ minLength: 1, maxLength: 20_000, description: "What happened" }),
    }),
    result: Type.Object({ ok: Type.Boolean({ description: "False for a blank text" }) }),
    scope: "operator.write",
  }),
};
