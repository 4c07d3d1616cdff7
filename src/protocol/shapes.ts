// Shapes that several methods and events use. Build time only.

import { Type } from "typebox";

export const nonEmpty = (description: string) => Type.String({ minLength: 1, description });
export const text = (description: string) => Type.String({ description });
export const count = (description: string) => Type.Integer({ minimum: 0, description });
export const time = (description: string) =>
  Type.Integer({ minimum: 0, description: `${description}, ms since the epoch` });
export const idempotencyKey = Type.String({
  minLength: 1,
  maxLength: 256,
  description: "Names the request: a repetition with the same body has no second effect and the same answer",
});
/** A run is named by the idempotency key of the request that began it. */
export const runId = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });
export const open = { additionalProperties: true } as const;

export const stateVersion = Type.Object(
  {
    presence: count("Rises with every change of the presence list"),
    health: count("Rises with every refresh of the health snapshot"),
  },
  { description: "Versions of the two parts of the snapshot" },
);

export const presenceEntry = Type.Object({
  ts: time("Last update"),
  host: Type.Optional(nonEmpty("Display name or host")),
  ip: Type.Optional(nonEmpty("Address; left out for local peers")),
  version: Type.Optional(nonEmpty("Program version")),
  platform: Type.Optional(nonEmpty("Operating system")),
  deviceFamily: Type.Optional(nonEmpty("Kind of device")),
  modelIdentifier: Type.Optional(nonEmpty("Device model")),
  mode: Type.Optional(nonEmpty("gateway, ui, webchat, cli, backend, node, probe or test")),
  lastInputSeconds: Type.Optional(count("Seconds since the person last used the device")),
  reason: Type.Optional(nonEmpty("self, connect, disconnect, or the client's own word")),
  tags: Type.Optional(Type.Array(nonEmpty("Tag"))),
  text: Type.Optional(text("One line for people")),
  deviceId: Type.Optional(nonEmpty("Device identity")),
  roles: Type.Optional(Type.Array(nonEmpty("Role"))),
  scopes: Type.Optional(Type.Array(nonEmpty("Scope"))),
  instanceId: Type.Optional(nonEmpty("Stable id of the client installation")),
});

export const usage = Type.Object({
  input: count("Input tokens"),
  output: count("Output tokens"),
  cacheRead: count("Input tokens read from the provider's cache"),
  cacheWrite: count("Input tokens written to the provider's cache"),
  totalTokens: count("All tokens"),
});

export const linkChannel = Type.Object(
  {
    id: nonEmpty("Channel id"),
    label: nonEmpty("Name for people"),
    linked: Type.Boolean({ description: "An account is linked or configured" }),
    authAgeMs: Type.Union([Type.Number(), Type.Null()], { description: "Age of the credentials" }),
  },
  { description: "The main messaging channel, once one is configured" },
);

export const chatMessage = Type.Object(
  {
    role: Type.Union([Type.Literal("user"), Type.Literal("assistant"), Type.Literal("toolResult")]),
    content: Type.Array(Type.Object({ type: nonEmpty("text, image, thinking or toolCall") }, open), {
      description: "Content blocks",
    }),
    timestamp: time("When it was said"),
  },
  open,
);

export const sessionSummary = Type.Object({
  key: nonEmpty("Session key"),
  updatedAt: Type.Union([Type.Number(), Type.Null()], { description: "Last activity, ms since the epoch" }),
  age: Type.Union([Type.Number(), Type.Null()], { description: "Ms since the last activity" }),
});
