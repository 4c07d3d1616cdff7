// A session as clients see it. Build time only.

import { Type } from "typebox";

import { count, nonEmpty, open, text, time } from "./shapes.ts";

export const sessionKey = (description: string) => Type.String({ minLength: 1, maxLength: 512, description });

/** What `sessions.patch` sets; each is absent until it is set. */
const settings = {
  thinkingLevel: Type.Optional(nonEmpty("off, minimal, low, medium, high or xhigh")),
  verboseLevel: Type.Optional(nonEmpty("on, off or full")),
  reasoningLevel: Type.Optional(nonEmpty("on, off or stream")),
  responseUsage: Type.Optional(nonEmpty("off, tokens, full or on")),
  elevatedLevel: Type.Optional(nonEmpty("on, off, ask or full")),
  execHost: Type.Optional(nonEmpty("sandbox, gateway or node")),
  execSecurity: Type.Optional(nonEmpty("deny, allowlist or full")),
  execAsk: Type.Optional(nonEmpty("off, on-miss or always")),
  execNode: Type.Optional(nonEmpty("Node that runs commands")),
  sendPolicy: Type.Optional(nonEmpty("allow or deny: may this session be written to and answer")),
  groupActivation: Type.Optional(nonEmpty("mention or always: when the agent answers in a group")),
};

const deliveryContext = Type.Object(
  {
    channel: nonEmpty("Channel"),
    to: nonEmpty("Chat"),
    accountId: nonEmpty("Account"),
    threadId: Type.Optional(nonEmpty("Thread")),
  },
  { description: "Where the session was last heard from" },
);

const place = {
  channel: Type.Optional(nonEmpty("Channel of `deliveryContext`")),
  deliveryContext: Type.Optional(deliveryContext),
  lastChannel: Type.Optional(nonEmpty("Channel of `deliveryContext`")),
  lastTo: Type.Optional(nonEmpty("Chat of `deliveryContext`")),
  lastAccountId: Type.Optional(nonEmpty("Account of `deliveryContext`")),
};

const named = {
  label: Type.Optional(nonEmpty("Name given by a client; no two sessions have the same")),
  displayName: Type.Optional(nonEmpty("Name to show: label, else the chat's or the sender's")),
  spawnedBy: Type.Optional(nonEmpty("Session that began this one")),
};

export const sessionRow = Type.Object(
  {
    key: nonEmpty("Session key"),
    kind: Type.Union([Type.Literal("direct"), Type.Literal("group"), Type.Literal("global"), Type.Literal("unknown")]),
    agentId: nonEmpty("Agent"),
    sessionId: nonEmpty("Id of the transcript; a reset gives another"),
    createdAt: time("Began"),
    updatedAt: Type.Union([Type.Number(), Type.Null()], { description: "Last activity, ms since the epoch" }),
    ...named,
    derivedTitle: Type.Optional(text("Beginning of what was said first")),
    lastMessagePreview: Type.Optional(text("Beginning of what was said last")),
    chatType: Type.Union([Type.Literal("direct"), Type.Literal("group")]),
    subject: Type.Optional(nonEmpty("Title of the group")),
    ...place,
    ...settings,
    abortedLastRun: Type.Optional(Type.Boolean({ description: "The last run was stopped" })),
    modelProvider: Type.Optional(nonEmpty("Provider of `model`")),
    model: Type.Optional(nonEmpty("Model that answers next: the session's own, else the last one, else the default")),
    inputTokens: count("Input tokens since the session began"),
    outputTokens: count("Output tokens since the session began"),
    totalTokens: count("Tokens of the last model call: how full the window is"),
    contextTokens: Type.Optional(count("Window of the model")),
  },
  open,
);

/** What is stored of a session, as `sessions.patch` and `sessions.reset` show it. */
export const sessionEntry = Type.Object(
  {
    sessionId: nonEmpty("Id of the transcript"),
    updatedAt: time("Last activity"),
    ...named,
    ...settings,
    ...place,
    providerOverride: Type.Optional(nonEmpty("Provider chosen for this session")),
    modelOverride: Type.Optional(nonEmpty("Model chosen for this session")),
    inputTokens: count("Input tokens since the session began"),
    outputTokens: count("Output tokens since the session began"),
    totalTokens: count("Tokens of the last model call"),
  },
  open,
);
