// Messaging channels: how they are, and switching them. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nonEmpty, open, text, time } from "../shapes.ts";

const moment = (description: string) => Type.Optional(Type.Union([time(description), Type.Null()]));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

const account = Type.Object(
  {
    accountId: nonEmpty("Account"),
    name: Type.Optional(text("As the owner calls it")),
    enabled: flag("Switched on in the config"),
    configured: flag("Has what it needs to connect"),
    linked: flag("An account is linked, or the platform has told who it is"),
    running: flag("Receiving is under way"),
    connected: flag("The platform answered last time"),
    reconnectAttempts: Type.Optional(Type.Integer({ minimum: 0, description: "Since it worked last" })),
    lastConnectedAt: moment("Last time that it began to work"),
    lastError: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: "What is wrong now" })),
    lastStartAt: moment("Last start"),
    lastStopAt: moment("Last stop"),
    lastInboundAt: moment("Last message from the platform"),
    lastOutboundAt: moment("Last message to it"),
    lastTransportActivityAt: moment("Last answer of the platform to anything"),
    lastProbeAt: moment("When the platform was asked for `probe`"),
    dmPolicy: Type.Optional(text("Who may write directly")),
    tokenSource: Type.Optional(text("Where the token comes from; never the token")),
    healthState: Type.Optional(text("running, degraded or stopped")),
    next: Type.Optional(text("What to do about lastError")),
    username: Type.Optional(text("The account's name on the platform")),
    probe: Type.Optional(
      Type.Object(
        { ok: Type.Boolean(), elapsedMs: Type.Number({ minimum: 0 }), error: Type.Optional(text("Why not")) },
        { ...open, description: "What the platform says now" },
      ),
    ),
  },
  open,
);

const named = {
  channel: Type.String({ minLength: 1, maxLength: 64, description: "Channel id, such as telegram" }),
  accountId: Type.Optional(Type.String({ maxLength: 128, description: "Account; the channel's first when left out" })),
};
const answered = { channel: nonEmpty("Channel id"), accountId: nonEmpty("Account") };

export const channelMethods = {
  "channels.status": method({
    summary: "Every channel with its accounts; with `probe` the platforms are asked",
    params: Type.Object({
      probe: Type.Optional(Type.Boolean({ description: "Ask the platforms now" })),
      timeoutMs: Type.Optional(
        Type.Integer({ minimum: 0, description: "Longest wait for the platforms, 1000 to 60000; default 10000" }),
      ),
      channel: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "This one only" })),
    }),
    result: Type.Object({
      ts: time("When"),
      channelOrder: Type.Array(nonEmpty("Channel id")),
      channelLabels: Type.Record(Type.String(), nonEmpty("Name for people")),
      channelDetailLabels: Type.Record(Type.String(), nonEmpty("Longer name for people")),
      channelSystemImages: Type.Record(Type.String(), nonEmpty("Name of a picture")),
      channelMeta: Type.Array(
        Type.Object({ id: nonEmpty("Channel id"), label: nonEmpty("Name"), detailLabel: nonEmpty("Longer name") }),
      ),
      channels: Type.Record(Type.String(), account, { description: "The first account of each channel" }),
      channelAccounts: Type.Record(Type.String(), Type.Array(account)),
      channelDefaultAccountId: Type.Record(Type.String(), nonEmpty("Account")),
    }),
    scope: "operator.read",
  }),
  "channels.start": method({
    summary: "Starts an account of a channel that was stopped; nothing is kept of it",
    params: Type.Object(named),
    result: Type.Object({ ...answered, started: Type.Boolean({ description: "It runs now" }) }),
    scope: "operator.admin",
  }),
  "channels.stop": method({
    summary: "Stops an account of a channel until it is started, or the Gateway is; nothing is kept of it",
    params: Type.Object(named),
    result: Type.Object({ ...answered, stopped: Type.Boolean({ description: "It no longer runs" }) }),
    scope: "operator.admin",
  }),
  "channels.logout": method({
    summary: "Stops an account of a channel and forgets its credentials in the config file",
    params: Type.Object(named),
    result: Type.Object({
      ...answered,
      cleared: Type.Boolean({ description: "There was something to forget" }),
      loggedOut: Type.Boolean({
        description: "Nothing is left to connect with; false when a token comes from elsewhere",
      }),
      envToken: Type.Boolean({ description: "The environment still holds a token" }),
    }),
    scope: "operator.admin",
  }),
};
