// health, status, logs.tail. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { count, linkChannel, nonEmpty, open, sessionSummary, text, time } from "../shapes.ts";

const sessionList = Type.Object({
  path: text("Where the sessions are kept"),
  count: count("How many there are"),
  recent: Type.Array(sessionSummary, { description: "The newest, at most 5" }),
});

const problem = Type.Object({ message: text("What is wrong"), next: Type.Optional(text("What to do")) }, open);

const disk = Type.Object(
  {
    usedBytes: count("What is kept, workspaces not counted"),
    budgetBytes: Type.Union([count("Above it the oldest that can be spared goes"), Type.Null()]),
    freeBytes: Type.Union([count("Room that is left on the disk"), Type.Null()]),
    biggest: Type.Array(
      Type.Object({ name: nonEmpty("Folder, or kind of files"), path: text("Where"), bytes: count("What it takes") }),
      { description: "The largest first, at most 5" },
    ),
  },
  { description: "What the state takes on the disk; looked at every ten minutes" },
);

const configSource = Type.Union(
  [Type.Literal("file"), Type.Literal("last-good"), Type.Literal("defaults"), Type.Literal("safe")],
  { description: "Where the config in use comes from; safe: nothing is served but what mends it" },
);

const channelHealth = Type.Object(
  {
    accountId: Type.Optional(text("Account shown here")),
    configured: Type.Optional(Type.Boolean({ description: "Has what it needs to connect" })),
    linked: Type.Optional(Type.Boolean({ description: "An account is linked" })),
    running: Type.Optional(Type.Boolean({ description: "Receiving is under way" })),
    connected: Type.Optional(Type.Boolean({ description: "The platform answered last time" })),
    state: Type.Optional(text("running, degraded or stopped")),
    reason: Type.Optional(text("Why it is degraded")),
    next: Type.Optional(text("What to do about it")),
    authAgeMs: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    lastProbeAt: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    accounts: Type.Optional(Type.Record(Type.String(), Type.Object({}, open), { description: "The same by account" })),
  },
  open,
);

export const healthSnapshot = Type.Object(
  {
    ok: Type.Boolean({ description: "False when the Gateway itself cannot work; channels report for themselves" }),
    ts: time("When this snapshot was made"),
    durationMs: Type.Number({ minimum: 0, description: "Time it took" }),
    channels: Type.Record(Type.String(), channelHealth, { description: "By channel id" }),
    channelOrder: Type.Array(text("Channel id")),
    channelLabels: Type.Record(Type.String(), Type.String()),
    heartbeatSeconds: count("Interval of the agent's heartbeat; 0 when off"),
    defaultAgentId: nonEmpty("Agent that answers unless a binding says otherwise"),
    agents: Type.Optional(
      Type.Array(
        Type.Object(
          {
            agentId: nonEmpty("Agent id"),
            name: Type.Optional(text("Name for people")),
            isDefault: Type.Boolean(),
            heartbeat: Type.Object(
              { enabled: Type.Boolean(), every: text("Duration"), everyMs: Type.Union([Type.Number(), Type.Null()]) },
              open,
            ),
            sessions: sessionList,
          },
          open,
        ),
        { description: "Only for those who may read" },
      ),
    ),
    sessions: Type.Optional(sessionList),
    linkChannel: Type.Optional(linkChannel),
    configSource: Type.Optional(configSource),
    problems: Type.Optional(Type.Array(problem, { description: "Config errors and services that do not work" })),
    disk: Type.Optional(disk),
    queue: Type.Optional(Type.Object({}, open)),
  },
  open,
);

export const healthMethods = {
  health: method({
    summary: "Full snapshot of the Gateway's state, at most a second old",
    params: Type.Object({ probe: Type.Optional(Type.Boolean({ description: "Ask the platforms now" })) }),
    result: healthSnapshot,
    scope: "any",
    role: "any",
  }),
  status: method({
    summary: "Short summary: link, queue depth, error counts, recent sessions",
    params: Type.Object({ includeChannelSummary: Type.Optional(Type.Boolean({ description: "Default true" })) }),
    result: Type.Object(
      {
        runtimeVersion: Type.Optional(text("Version of the Gateway")),
        linkChannel: Type.Optional(linkChannel),
        heartbeat: Type.Object(
          {
            defaultAgentId: nonEmpty("Agent id"),
            agents: Type.Array(Type.Object({ agentId: nonEmpty("Agent id") }, open)),
          },
          open,
        ),
        channelSummary: Type.Array(text("One line a channel")),
        queuedSystemEvents: Type.Array(text("Notes that wait for the main session's next turn")),
        sessions: Type.Object(
          {
            paths: Type.Array(text("Where sessions are kept")),
            count: count("How many there are"),
            defaults: Type.Object({
              model: Type.Union([Type.String(), Type.Null()]),
              contextTokens: Type.Union([Type.Number(), Type.Null()]),
            }),
            recent: Type.Array(Type.Object({ key: nonEmpty("Session key") }, open)),
            byAgent: Type.Array(Type.Object({ agentId: nonEmpty("Agent id") }, open)),
          },
          open,
        ),
        queue: Type.Object(
          {
            queued: count("Turns that wait"),
            running: count("Turns that run"),
            outboxPending: count("Messages that wait to be sent"),
          },
          { description: "Work under way" },
        ),
        errors: Type.Object(
          {
            failedTurns: count("Turns that failed"),
            failedSends: count("Messages that the platform refused"),
            unknownSends: count("Messages whose delivery could not be confirmed at first"),
            dropped: Type.Record(Type.String(), Type.Integer(), { description: "Messages not let in, by reason" }),
          },
          { description: "Within the last 24 hours" },
        ),
        disk: Type.Optional(disk),
        configSource: Type.Optional(configSource),
        configProblems: Type.Optional(
          Type.Array(
            Type.Object({ message: text("With file, line and column"), next: text("What its owner can do") }, open),
            { description: "What of the config file does not count, and why" },
          ),
        ),
      },
      open,
    ),
    scope: "operator.read",
  }),
  "logs.tail": method({
    summary: "The newest lines of the log file, or those after a cursor",
    params: Type.Object({
      cursor: Type.Optional(count("Byte offset of an earlier answer")),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000, description: "Lines, default 500" })),
      maxBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Bytes, default 250000" })),
    }),
    result: Type.Object({
      file: text("The log file"),
      cursor: count("Pass it to read on"),
      size: count("Bytes in the file"),
      lines: Type.Array(text("One JSON log record")),
      truncated: Type.Optional(Type.Boolean({ description: "Older lines were left out" })),
      reset: Type.Optional(Type.Boolean({ description: "The file was rotated: the cursor began anew" })),
    }),
    scope: "operator.read",
  }),
};
