// node.*: what operators ask about nodes and of them. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { count, idempotencyKey, open, text, time } from "../shapes.ts";

const word = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });
const optionalWord = (description: string) => Type.Optional(Type.String({ maxLength: 256, description }));
const words = (description: string) => Type.Array(word("Word"), { maxItems: 256, description });

export const nodeId = word("Id of the node: its device's id, else its client's");
const requestId = word("Id of the request");

/** What a node tells of itself. */
const profile = {
  displayName: optionalWord("Name for people"),
  platform: optionalWord("Operating system"),
  version: optionalWord("Program version"),
  coreVersion: optionalWord("Version of the part that runs commands"),
  uiVersion: optionalWord("Version of the app around it"),
  deviceFamily: optionalWord("Kind of device"),
  modelIdentifier: optionalWord("Device model"),
  remoteIp: optionalWord("Address; left out for local peers"),
};

export const nodePairRequest = Type.Object(
  {
    requestId,
    nodeId,
    ...profile,
    caps: Type.Optional(words("Capabilities")),
    commands: Type.Optional(words("Commands")),
    silent: Type.Optional(Type.Boolean({ description: "The node's app approves by itself: do not ask a person" })),
    isRepair: Type.Boolean({ description: "The node was paired before" }),
    ts: time("When it asked"),
  },
  open,
);

const pairedNode = {
  nodeId,
  ...profile,
  caps: Type.Optional(words("Capabilities")),
  commands: Type.Optional(words("Commands")),
  createdAtMs: time("First approved"),
  approvedAtMs: time("Last approved"),
  lastConnectedAtMs: Type.Optional(time("Last connected")),
};

const node = {
  nodeId,
  ...profile,
  caps: words("Capabilities"),
  commands: words("Commands that can be invoked: what it declared, as far as its platform and the config allow"),
  pathEnv: Type.Optional(text("Its search path")),
  permissions: Type.Optional(Type.Record(Type.String(), Type.Boolean(), { description: "Granted on the device" })),
  connectedAtMs: Type.Optional(time("Connected since")),
  lastSeenAtMs: Type.Optional(time("Last connected")),
  clientId: Type.Optional(text("Client id of the connection")),
  clientMode: Type.Optional(text("Client mode of the connection")),
  paired: Type.Boolean({ description: "Approved" }),
  connected: Type.Boolean({ description: "Connected now" }),
};

export const nodeMethods = {
  "node.list": method({
    summary: "Nodes that are paired or connected: connected ones first, then by name",
    params: Type.Object({}),
    result: Type.Object({ ts: time("Now"), nodes: Type.Array(Type.Object(node, open)) }, open),
    scope: "operator.read",
  }),
  "node.describe": method({
    summary: "One node: what it can do, paired or just connected",
    params: Type.Object({ nodeId }),
    result: Type.Object(
      {
        ts: time("Now"),
        ...node,
        skills: Type.Optional(Type.Array(Type.Object({ name: text("Skill"), description: text("What it is for") }))),
        pluginTools: Type.Optional(
          Type.Array(Type.Object({ pluginId: text("Plugin"), name: text("Tool"), description: text("What it does") })),
        ),
      },
      open,
    ),
    scope: "operator.read",
  }),
  "node.invoke": method({
    summary: "Invokes a command of a connected node and waits for its answer",
    params: Type.Object({
      nodeId,
      command: Type.String({ maxLength: 256, description: "Command, such as `system.which`" }),
      params: Type.Optional(Type.Unknown({ description: "The command's own params" })),
      timeoutMs: Type.Optional(count("Time limit; 0 or absent means 30,000, more than an hour counts as one")),
      idempotencyKey,
    }),
    result: Type.Object(
      {
        ok: Type.Literal(true),
        nodeId,
        command: text("The command"),
        payload: Type.Unknown({ description: "What the node answered" }),
        payloadJSON: Type.Union([Type.String(), Type.Null()], {
          description: "The same as the node wrote it, if it wrote text",
        }),
      },
      open,
    ),
    scope: "operator.write",
    isIdempotent: true,
  }),
  "node.rename": method({
    summary: "Gives a node another name",
    params: Type.Object({ nodeId, displayName: word("Name for people") }),
    result: Type.Object({ nodeId, displayName: text("The name") }),
    scope: "operator.pairing",
  }),
  "node.pair.request": method({
    summary: "Asks for a node to be paired; one open request a node, forgotten after five minutes",
    params: Type.Object({
      nodeId,
      ...profile,
      caps: Type.Optional(words("Capabilities")),
      commands: Type.Optional(words("Commands")),
      silent: Type.Optional(Type.Boolean({ description: "Handed on to those who approve" })),
    }),
    result: Type.Object({
      status: Type.Literal("pending"),
      request: nodePairRequest,
      created: Type.Boolean({ description: "False when a request of this node was open already" }),
    }),
    scope: "operator.pairing",
  }),
  "node.pair.list": method({
    summary: "Open requests and paired nodes; tokens are never shown again",
    params: Type.Object({}),
    result: Type.Object({
      pending: Type.Array(nodePairRequest),
      paired: Type.Array(Type.Object(pairedNode, open)),
    }),
    scope: "operator.pairing",
  }),
  "node.pair.approve": method({
    summary: "Approves a request. The answer is the only place that ever shows the node's token; an older one ends",
    params: Type.Object({ requestId }),
    result: Type.Object({
      requestId,
      node: Type.Object({ ...pairedNode, token: text("32 hex digits; kept here as a hash only") }, open),
    }),
    scope: "operator.pairing",
  }),
  "node.pair.reject": method({
    summary: "Rejects a request",
    params: Type.Object({ requestId }),
    result: Type.Object({ requestId, nodeId }),
    scope: "operator.pairing",
  }),
  "node.pair.verify": method({
    summary: "Is this the token of that node? After too many wrong ones the answer has to wait",
    params: Type.Object({ nodeId, token: Type.String({ minLength: 1, maxLength: 512, description: "Token" }) }),
    result: Type.Object({
      ok: Type.Boolean({ description: "It is" }),
      node: Type.Optional(Type.Object(pairedNode, open)),
    }),
    scope: "operator.pairing",
  }),
  "node.pair.remove": method({
    summary:
      "Ends a node's pairing: its token is worth nothing from now on, its device is a node no longer, its connection is closed",
    params: Type.Object({ nodeId }),
    result: Type.Object({ nodeId }),
    scope: "operator.pairing",
  }),
};
