// `cron`, `hooks`. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, group, later, optionalGroup, secret, text, texts, whole } from "./key.ts";

export const cron = later(
  {
    enabled: flag("Run scheduled tasks"),
    store: text("Accepted for older files; tasks are kept in the database"),
    maxConcurrentRuns: whole("Tasks at the same time", { minimum: 1 }),
  },
  "Scheduled tasks",
  { reload: "hot" },
);

const mapping = group({
  id: text("Name of the rule"),
  match: optionalGroup(
    { path: text("Last part of the path"), source: text("Field `source` of the body") },
    "Which calls it takes; without it all",
  ),
  action: choice(["wake", "agent"], "Wake the agent, or run a turn"),
  wakeMode: choice(["now", "next-heartbeat"], "When it wakes"),
  name: text("Name for people"),
  sessionKey: text("Session of the turn"),
  messageTemplate: text("Message of the turn"),
  textTemplate: text("Text of the wake"),
  deliver: flag("Send the reply to a chat"),
  allowUnsafeExternalContent: flag("Do not mark the content as foreign"),
  channel: text("Channel of the reply; `last` is the one used last"),
  to: text("Recipient of the reply"),
  model: text("Model of the turn"),
  thinking: text("Thinking level of the turn"),
  timeoutSeconds: whole("Time limit of the turn", { minimum: 1 }),
  agentId: text("Agent of the turn"),
  transform: anything("Accepted in older files, and refused: code is not run for strangers"),
});

export const hooks = later(
  {
    enabled: flag("Take webhooks"),
    path: text("Path below which they arrive", { pattern: "^/?[^/]" }),
    token: secret("Secret of the callers"),
    maxBodyBytes: whole("Largest body", { minimum: 1 }),
    presets: texts("Built-in rules"),
    transformsDir: text("Accepted in older files; has no effect"),
    allowedSessionKeyPrefixes: texts("Beginnings of session keys that a request may name (default hook:)"),
    mappings: Type.Optional(Type.Array(mapping, { description: "Rules" })),
    gmail: later(
      {
        account: text("Gmail account"),
        label: text("Label watched"),
        topic: text("Pub/Sub topic"),
        subscription: text("Pub/Sub subscription"),
        pushToken: secret("Secret of the push endpoint"),
        hookUrl: text("Where events are handed on to"),
        includeBody: flag("Hand on the text of the mail"),
        maxBytes: whole("Longest text", { minimum: 1 }),
        renewEveryMinutes: whole("Interval of renewal", { minimum: 1 }),
        serve: anything("Listener of the push endpoint"),
        tailscale: anything("Its exposure"),
        model: text("Model of the turn"),
        thinking: text("Thinking level of the turn"),
      },
      "Gmail",
    ),
    internal: anything("Code that runs at events"),
  },
  "Webhooks",
  { reload: "none" },
);
