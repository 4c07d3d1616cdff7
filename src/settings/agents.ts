// `agents`, `session`, `messages`, `models`, `bindings`. Build time only.

import { Type } from "typebox";

import { anything, choice, flag, group, map, numeric, optionalGroup, secret, text, texts, whole } from "./key.ts";

const modelChoice = Type.Union(
  [
    Type.String({ minLength: 1 }),
    group({
      primary: text("provider/model asked first", { minLength: 1 }),
      fallbacks: texts("Asked in turn when it fails"),
    }),
  ],
  { description: "`provider/model`, or primary and fallbacks", reload: "none" },
);
const level = ["off", "minimal", "low", "medium", "high", "xhigh"] as const;

export const agents = group(
  {
    defaults: group(
      {
        workspace: text("Folder that the agent works in"),
        model: Type.Optional(modelChoice),
        imageModel: Type.Optional(modelChoice),
        models: map(
          Type.Object({ alias: text("Short name"), params: anything("Sent with each call") }),
          "Models by `provider/model`",
        ),
        repoRoot: text("Repository shown to the agent"),
        skipBootstrap: flag("Do not create the workspace files"),
        bootstrapMaxChars: whole("Characters of a workspace file in the prompt", { minimum: 1 }),
        userTimezone: text("IANA time zone of the owner"),
        timeFormat: choice(["auto", "12", "24"], "Clock"),
        envelopeTimezone: text("Zone of time stamps"),
        envelopeTimestamp: choice(["on", "off"], "Time stamps on messages"),
        envelopeElapsed: choice(["on", "off"], "Elapsed time on messages"),
        contextTokens: whole("Window assumed for models that do not say", { minimum: 1 }),
        thinkingDefault: choice(level, "Thinking level"),
        verboseDefault: choice(["off", "on", "full"], "Show tool calls"),
        elevatedDefault: choice(["off", "on", "ask", "full"], "Elevated commands"),
        blockStreamingDefault: choice(["on", "off"], "Send long replies in blocks"),
        blockStreamingBreak: choice(["text_end", "message_end"], "When a block ends"),
        blockStreamingChunk: anything("Block sizes"),
        blockStreamingCoalesce: anything("Block joining"),
        humanDelay: anything("Pauses between blocks"),
        timeoutSeconds: whole("Time limit of a turn", { minimum: 1, default: 600 }),
        mediaMaxMb: numeric("Largest media sent", { minimum: 0 }),
        typingIntervalSeconds: whole("Interval of the typing sign", { minimum: 1 }),
        typingMode: choice(["never", "instant", "thinking", "message"], "When typing shows"),
        maxConcurrent: whole("Turns at the same time", { minimum: 1, default: 4 }),
        subagents: anything("Sub-agents"),
        heartbeat: optionalGroup(
          {
            every: text("Interval, such as 30m; 0 turns it off"),
            activeHours: anything("When it beats"),
            model: text("Model"),
            session: text("Session"),
            includeReasoning: flag("Show reasoning"),
            target: text("Where alerts go"),
            to: text("Recipient"),
            prompt: text("What is asked"),
            ackMaxChars: whole("Longest silent answer", { minimum: 0 }),
          },
          "Regular turns without a message",
          { reload: "hot" },
        ),
        contextPruning: anything("Pruning of tool results"),
        compaction: anything("Compaction of long sessions"),
        sandbox: anything("Sandbox"),
        memorySearch: anything("Memory search"),
        cliBackends: anything("Command-line model backends"),
      },
      "For every agent",
      { default: {} },
    ),
    list: Type.Array(
      group({
        id: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description: "Agent id" }),
        default: flag("Answers unless a binding says otherwise"),
        name: text("Name for people"),
        workspace: text("Its own workspace"),
        agentDir: text("Its own state folder"),
        model: Type.Optional(modelChoice),
        memorySearch: anything("Memory search"),
        humanDelay: anything("Pauses between blocks"),
        heartbeat: anything("Heartbeat"),
        identity: optionalGroup({
          name: text("Name"),
          theme: text("Manner"),
          emoji: text("Sign"),
          avatar: text("Picture"),
        }),
        groupChat: anything("Group chats"),
        subagents: anything("Sub-agents"),
        sandbox: anything("Sandbox"),
        tools: anything("Tools"),
      }),
      { default: [], description: "Agents; one called main when empty" },
    ),
  },
  "Agents",
  { default: {}, reload: "none" },
);

const span = (help: string) =>
  Type.String({
    pattern: "^[1-9][0-9]{0,5}(h|d|w)?$",
    description: `${help}: a number of hours (12h), days (30d, or 30) or weeks (4w)`,
  });
const days = (help: string) => Type.Integer({ minimum: 1, maximum: 36_500, description: `${help}, days` });
const never = Type.Literal(false, { description: "Never" });
const size = (help: string) =>
  Type.String({
    pattern: "^[1-9][0-9]{0,5}(\\.[0-9]{1,3})?(kb|mb|gb|tb)$",
    description: `${help}, such as 500mb or 10gb`,
  });
const bytes = (help: string) => Type.Integer({ minimum: 0, description: `${help}, bytes` });

const maintenance = optionalGroup(
  {
    mode: choice(
      ["enforce", "warn"],
      "`enforce`: what is too old or too much goes; `warn`: it is told, and only rows of finished work go",
      { default: "enforce" },
    ),
    pruneAfter: Type.Optional(
      Type.Union([span("Age"), days("Age"), never], {
        description: "Sessions that were not used for so long go; unset: none goes by itself. Main sessions stay",
      }),
    ),
    pruneDays: whole("Older form of pruneAfter", { minimum: 1 }),
    maxEntries: whole("Sessions to keep of each agent, those used last; unset: all of them", { minimum: 1 }),
    resetArchiveRetention: Type.Optional(
      Type.Union([span("Age"), days("Age"), never], {
        default: "30d",
        description: "What was said before a reset, a deletion or a compaction goes after so long; false: never",
      }),
    ),
    finishedRetention: Type.Optional(
      Type.Union([span("Age"), days("Age")], {
        default: "7d",
        description:
          "Rows of finished work (messages taken in, turns, sends, answers kept against repeats) go after so long; a day at least",
      }),
    ),
    maxDiskBytes: Type.Optional(
      Type.Union([size("Size"), bytes("Size"), never], {
        default: "10gb",
        description:
          "Room for database, logs, archives, restore points and all else in the state folder but workspaces; above it the oldest that can be spared goes, never a conversation; false or 0: no limit",
      }),
    ),
    highWaterBytes: Type.Optional(
      Type.Union([size("Size"), bytes("Size")], { description: "What is left then; 80% of maxDiskBytes when unset" }),
    ),
    rotateBytes: anything("Accepted for older files; has no effect"),
    archiveDashboardAfter: anything("Accepted for newer files; has no effect"),
  },
  "How much is kept, and for how long",
);

export const session = group(
  {
    scope: choice(["per-sender", "global"], "One session a sender, or one for all", { default: "per-sender" }),
    dmScope: choice(
      ["main", "per-peer", "per-channel-peer", "per-account-channel-peer"],
      "Which direct chats share a session. `main` joins all of them with the owner's own chat: only for a bot that nobody else may write to",
      { default: "per-channel-peer" },
    ),
    identityLinks: map(Type.Array(Type.String()), "Ids that are one person"),
    reset: anything("When a session begins anew"),
    resetByType: anything("The same by kind of chat"),
    resetByChannel: anything("The same by channel"),
    idleMinutes: whole("Older form of reset", { minimum: 1 }),
    resetTriggers: texts("Words that begin a session anew"),
    store: text("Accepted for older files; sessions are kept in the database"),
    mainKey: text("Always main"),
    sendPolicy: optionalGroup(
      {
        default: choice(["allow", "deny"], "When no rule fits", { default: "allow" }),
        rules: Type.Optional(
          Type.Array(
            group({
              action: Type.Enum(["allow", "deny"], { description: "A fitting denial goes before all that allows" }),
              match: optionalGroup(
                {
                  channel: text("Channel id"),
                  chatType: choice(["direct", "group", "channel"], "Kind of chat"),
                  keyPrefix: text("Beginning of the session's key, with or without the agent"),
                },
                "Sessions it is for; all of them when empty",
              ),
            }),
            { description: "Rules; what is set for a session itself counts before them" },
          ),
        ),
      },
      "Which sessions clients may write to, and which answer in their chat",
    ),
    maintenance,
    agentToAgent: anything("Agents talking to agents"),
    typingIntervalSeconds: whole("Older place of the key in agents.defaults", { minimum: 1 }),
    typingMode: text("Older place of the key in agents.defaults"),
  },
  "Sessions",
  { default: {}, reload: "none" },
);

export const messages = group(
  {
    messagePrefix: text("Put before messages from the chat"),
    responsePrefix: text("Put before replies"),
    groupChat: anything("Group chats"),
    queue: anything("What happens to messages that come while a turn runs"),
    inbound: anything("Debounce"),
    ackReaction: text("Reaction to a message that was taken up"),
    ackReactionScope: choice(["group-mentions", "group-all", "direct", "all"], "Where"),
    removeAckAfterReply: flag("Take the reaction away after the reply"),
    tts: anything("Speech"),
  },
  "Messages",
  { default: {}, reload: "none" },
);

export const models = group(
  {
    mode: choice(["merge", "replace"], "Add to the built-in providers, or replace them"),
    providers: Type.Record(
      Type.String(),
      group({
        baseUrl: text("Base URL of the API, such as http://127.0.0.1:11434/v1", { minLength: 1 }),
        apiKey: secret("API key"),
        auth: choice(["api-key", "aws-sdk", "oauth", "token"], "How the key is presented"),
        api: choice(
          [
            "openai-completions",
            "openai-responses",
            "anthropic-messages",
            "google-generative-ai",
            "github-copilot",
            "bedrock-converse-stream",
          ],
          "Wire form; openai-completions when a base URL is given",
        ),
        headers: map(Type.String({ secret: true }), "Sent with each request"),
        authHeader: flag("Send the key as a bearer token"),
        models: Type.Optional(
          Type.Array(
            group({
              id: Type.String({ minLength: 1, description: "Model id" }),
              name: text("Name for people"),
              api: text("Wire form of this model"),
              reasoning: flag("The model can think"),
              input: texts("text, image"),
              cost: anything("Prices"),
              contextWindow: whole("Tokens of input and output together", { minimum: 1 }),
              maxTokens: whole("Tokens of output", { minimum: 1 }),
              headers: map(Type.String({ secret: true }), "Sent with each request"),
              compat: anything("Deviations of the server"),
            }),
            { description: "Models with their limits" },
          ),
        ),
      }),
      { default: {}, description: "Model providers by id" },
    ),
    bedrockDiscovery: anything("Bedrock"),
  },
  "Models",
  { default: {}, reload: "none" },
);

export const bindings = Type.Array(
  group({
    agentId: Type.String({ minLength: 1, description: "Agent" }),
    match: group({
      channel: Type.String({ minLength: 1, description: "Channel id" }),
      accountId: text("Account; `*` is any"),
      peer: optionalGroup({
        kind: Type.Enum(["dm", "group", "channel"], { description: "Kind of chat" }),
        id: Type.String({ minLength: 1, description: "Chat" }),
      }),
      guildId: text("Guild"),
      teamId: text("Team"),
    }),
  }),
  { default: [], description: "Which agent answers where", reload: "none" },
);
