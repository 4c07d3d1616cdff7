// `channels`. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, group, map, numeric, optionalGroup, secret, text, texts, whole } from "./key.ts";

const id = Type.Union([Type.String(), Type.Integer()]);
const ids = Type.Array(id);
const dmPolicies = ["pairing", "allowlist", "open", "disabled"] as const;
const allowFrom = {
  description: "Ids of people who may write; `*` is everybody. Names are not accepted: their owners can change them",
  reload: "none",
};

/** What a channel itself has as a default; an account without the key takes the channel's. */
const channelDefaults = {
  enabled: flag("Connect", { default: true }),
  dmPolicy: choice(dmPolicies, "Who may write directly", { default: "pairing", reload: "none" }),
  allowFrom: Type.Array(id, { ...allowFrom, default: [] }),
};

/** Keys that every chat platform has. No defaults here: in an account they would hide what the channel says. */
const common = {
  name: text("Name for people"),
  enabled: flag("Connect; on when unset"),
  dmPolicy: choice(dmPolicies, "Who may write directly", { reload: "none" }),
  allowFrom: Type.Optional(Type.Array(id, allowFrom)),
  groupPolicy: choice(
    ["open", "disabled", "allowlist"],
    "Who may write in groups; channels.defaults.groupPolicy when unset, else allowlist",
    { reload: "none" },
  ),
  groupAllowFrom: Type.Optional({
    ...ids,
    reload: "none",
    description: "Ids of people who may write in groups; allowFrom when unset",
  }),
  historyLimit: whole("Group messages shown to the agent", { minimum: 0 }),
  dmHistoryLimit: whole("Direct messages shown to the agent", { minimum: 0 }),
  dms: anything("By direct chat"),
  textChunkLimit: whole("Longest message sent", { minimum: 64, reload: "none" }),
  chunkMode: choice(["length", "newline"], "How long texts are cut"),
  mediaMaxMb: numeric("Largest media taken", { minimum: 0 }),
  blockStreaming: flag("Send long replies in blocks"),
  blockStreamingCoalesce: anything("Block joining"),
  capabilities: anything("Platform features"),
  markdown: anything("Tables"),
  configWrites: flag("Let the channel mend the config"),
  heartbeat: anything("What heartbeats show"),
  actions: anything("What the message tool may do"),
};

const telegramAccount = {
  ...common,
  botToken: secret("Bot token from @BotFather"),
  tokenFile: text("File that holds the bot token"),
  apiRoot: text("Bot API server, instead of Telegram's own", { pattern: "^https?://" }),
  timeoutSeconds: whole("Time limit of an API call", { minimum: 1 }),
  groups: map(
    group({
      requireMention: flag("Answer only when addressed"),
      enabled: flag("Answer at all"),
      allowFrom: Type.Optional({ ...ids, description: "Ids of people who may write in it" }),
      skills: texts("Skills"),
      systemPrompt: text("Added to the instructions"),
      tools: anything("Tools"),
      topics: anything("By topic"),
    }),
    "Groups; `*` is any",
    { reload: "none" },
  ),
  replyToMode: choice(["off", "first", "all"], "Which messages quote what they answer"),
  linkPreview: flag("Show link previews", { reload: "none" }),
  streamMode: choice(["off", "partial", "block"], "Drafts while a turn runs"),
  draftChunk: anything("Draft sizes"),
  reactionNotifications: choice(["off", "own", "all"], "Reactions told to the agent"),
  reactionLevel: choice(["off", "ack", "minimal", "extensive"], "Reactions of the agent"),
  retry: anything("Retries"),
  network: anything("Network"),
  proxy: text("Proxy"),
  webhookUrl: text("Public URL of the webhook"),
  webhookSecret: secret("Secret of the webhook"),
  webhookPath: text("Path of the webhook"),
  commands: anything("Command menu"),
  customCommands: anything("Command menu"),
};

const whatsappAccount = {
  ...common,
  authDir: text("Folder of the login"),
  groups: map(
    group({
      requireMention: flag("Answer only when addressed"),
      tools: anything("Tools"),
      toolsBySender: anything("Tools"),
    }),
    "Groups; `*` is any",
    { reload: "none" },
  ),
  messagePrefix: text("Put before messages from the chat"),
  selfChatMode: flag("The bot is the owner's own number"),
  sendReadReceipts: flag("Send read receipts"),
  debounceMs: whole("Quiet time before messages are taken up", { minimum: 0 }),
  ackReaction: anything("Reaction to a message that was taken up"),
};

export const channels = Type.Object(
  {
    defaults: optionalGroup(
      {
        groupPolicy: choice(["open", "disabled", "allowlist"], "Who may write in groups"),
        heartbeat: anything("Heartbeats"),
      },
      "For every channel",
      { reload: "none" },
    ),
    telegram: Type.Optional(
      group(
        {
          ...telegramAccount,
          ...channelDefaults,
          accounts: map(
            group(telegramAccount),
            "More bots by id, with the keys of the channel; what one does not say the channel says",
          ),
        },
        "Telegram",
        {
          reload: "channel",
        },
      ),
    ),
    whatsapp: Type.Optional(
      group(
        { ...whatsappAccount, ...channelDefaults, accounts: map(group(whatsappAccount), "Accounts by id") },
        "WhatsApp",
        {
          reload: "channel",
        },
      ),
    ),
  },
  {
    additionalProperties: true,
    default: {},
    reload: "channel",
    description: "Channels; sections of channels that are not built in are left alone",
  },
);
