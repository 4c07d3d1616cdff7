// device.pair.* and device.token.*. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nonEmpty, open, text, time } from "../shapes.ts";

const id = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });
const role = Type.Union([Type.Literal("operator"), Type.Literal("node")], { description: "operator or node" });
const scopes = Type.Array(text("Scope"), { description: "Scopes" });

const details = {
  displayName: Type.Optional(nonEmpty("Name for people")),
  platform: Type.Optional(nonEmpty("Operating system")),
  deviceFamily: Type.Optional(nonEmpty("Kind of device")),
  modelIdentifier: Type.Optional(nonEmpty("Device model")),
  clientId: Type.Optional(nonEmpty("Program")),
  clientMode: Type.Optional(nonEmpty("Its mode")),
  remoteIp: Type.Optional(nonEmpty("Address; left out for this machine")),
};

export const deviceRequest = Type.Object(
  {
    requestId: nonEmpty("Names the request in approve and reject"),
    deviceId: nonEmpty("Device"),
    publicKey: nonEmpty("Its Ed25519 key, base64url"),
    ...details,
    role,
    roles: Type.Array(role),
    scopes,
    reason: nonEmpty("not-paired, role-upgrade or scope-upgrade"),
    isRepair: Type.Boolean({ description: "The device was approved before, for something else" }),
    silent: Type.Boolean({ description: "Approved without asking; false while it waits" }),
    ts: time("When it asked"),
  },
  open,
);

const token = Type.Object(
  {
    role,
    scopes,
    createdAtMs: time("Made"),
    rotatedAtMs: Type.Optional(time("Replaced")),
    revokedAtMs: Type.Optional(time("Revoked")),
    lastUsedAtMs: Type.Optional(time("Last used")),
  },
  open,
);

const device = Type.Object(
  {
    deviceId: nonEmpty("Device"),
    publicKey: nonEmpty("Its Ed25519 key, base64url"),
    ...details,
    role: Type.Optional(role),
    roles: Type.Array(role),
    scopes,
    tokens: Type.Array(token, { description: "Without the tokens themselves" }),
    createdAtMs: time("First approved"),
    approvedAtMs: time("Last approved"),
    lastSeenAtMs: time("Last connected, to some minutes"),
  },
  open,
);

export const deviceMethods = {
  "device.pair.list": method({
    summary: "Devices that are paired, and those that wait for approval",
    params: Type.Object({}),
    result: Type.Object({ pending: Type.Array(deviceRequest), paired: Type.Array(device) }, open),
    scope: "operator.pairing",
  }),
  "device.pair.approve": method({
    summary: "Lets a device in, with what it asked for; the caller must hold those scopes",
    params: Type.Object({ requestId: id("The request") }),
    result: Type.Object({ requestId: nonEmpty("The request"), device }, open),
    scope: "operator.pairing",
  }),
  "device.pair.reject": method({
    summary: "Turns a request down",
    params: Type.Object({ requestId: id("The request") }),
    result: Type.Object({ requestId: nonEmpty("The request"), deviceId: nonEmpty("Device") }, open),
    scope: "operator.pairing",
  }),
  "device.pair.remove": method({
    summary: "Forgets a device: its tokens end, its connections close",
    params: Type.Object({ deviceId: id("Device") }),
    result: Type.Object({ deviceId: nonEmpty("Device") }, open),
    scope: "operator.pairing",
  }),
  "device.pair.rename": method({
    summary: "Gives a device another name, until it next names itself",
    params: Type.Object({ deviceId: id("Device"), displayName: id("Name for people") }),
    result: Type.Object({ deviceId: nonEmpty("Device"), displayName: nonEmpty("Name") }, open),
    scope: "operator.pairing",
  }),
  "device.token.rotate": method({
    summary: "Makes a new token for a device and role; the old one ends at once, and its connections close",
    params: Type.Object({
      deviceId: id("Device"),
      role,
      scopes: Type.Optional(Type.Array(id("Scope"), { maxItems: 64, description: "Absent: as before" })),
    }),
    result: Type.Object(
      {
        deviceId: nonEmpty("Device"),
        role,
        token: Type.Optional(nonEmpty("For the device itself and for admins; others rotate without learning it")),
        scopes,
        rotatedAtMs: time("When"),
      },
      open,
    ),
    scope: "operator.pairing",
  }),
  "device.token.revoke": method({
    summary: "Ends a device's token for a role and closes its connections; the role needs an approval to come back",
    params: Type.Object({ deviceId: id("Device"), role }),
    result: Type.Object({ deviceId: nonEmpty("Device"), role, revokedAtMs: time("When") }, open),
    scope: "operator.pairing",
  }),
};
