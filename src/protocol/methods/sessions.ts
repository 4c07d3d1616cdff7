// sessions.*: what was said where, and how each conversation is set. Build time only.

import { Type, type TProperties } from "typebox";

import { method } from "../method.ts";
import { sessionEntry, sessionKey, sessionRow } from "../session-shapes.ts";
import { chatMessage, count, nonEmpty, open, text, time } from "../shapes.ts";

const agentId = Type.Optional(
  Type.String({ minLength: 1, maxLength: 128, description: "Only sessions of this agent" }),
);
const spawnedBy = Type.Optional(sessionKey("Only sessions begun by this one"));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const label = (description: string) => Type.String({ minLength: 1, maxLength: 64, description });
const path = text("Where sessions are kept");
const key = sessionKey("Session; `main` is the default agent's main one");

/** A setting: a word, or null to clear it. Which words are known is said by the refusal. */
const setting = (description: string) =>
  Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()], { description }));

const keyed = <Fields extends TProperties>(fields: Fields) => Type.Object({ key, ...fields });

const ok = Type.Literal(true);

export const sessionMethods = {
  "sessions.list": method({
    summary: "Sessions, the one used last first",
    params: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, description: "Rows; default 100, no more than 1000 are given" })),
      offset: Type.Optional(count("Rows to skip")),
      activeMinutes: Type.Optional(Type.Integer({ minimum: 1, description: "Only those used within this time" })),
      includeGlobal: flag("Also the session that all share"),
      includeUnknown: flag("Also the session of messages from nowhere"),
      includeDerivedTitles: flag("Give `derivedTitle`, for the first 200 rows"),
      includeLastMessage: flag("Give `lastMessagePreview`, for the first 200 rows"),
      label: Type.Optional(label("Only the one with this label")),
      spawnedBy,
      agentId,
      search: Type.Optional(
        Type.String({ maxLength: 200, description: "Only those with this in key, label, name or session id" }),
      ),
    }),
    result: Type.Object({
      ts: time("When this was read"),
      path,
      count: count("Rows given"),
      totalCount: count("Rows there are"),
      limitApplied: count("Rows that were asked for at most"),
      hasMore: Type.Boolean({ description: "There are more rows" }),
      nextOffset: Type.Optional(count("`offset` of the next rows")),
      defaults: Type.Object({
        modelProvider: Type.Union([Type.String(), Type.Null()], { description: "Provider of the default model" }),
        model: Type.Union([Type.String(), Type.Null()], { description: "Default model" }),
        contextTokens: Type.Union([Type.Number(), Type.Null()], { description: "Window of the default model" }),
      }),
      sessions: Type.Array(sessionRow),
    }),
    scope: "operator.read",
  }),
  "sessions.describe": method({
    summary: "One session, or null",
    params: keyed({
      includeDerivedTitles: flag("Give `derivedTitle`"),
      includeLastMessage: flag("Give `lastMessagePreview`"),
    }),
    result: Type.Object({ session: Type.Union([sessionRow, Type.Null()]) }),
    scope: "operator.read",
  }),
  "sessions.preview": method({
    summary: "The last words of several sessions",
    params: Type.Object({
      keys: Type.Array(sessionKey("Session"), { minItems: 1, maxItems: 1024, description: "The first 64 are read" }),
      limit: Type.Optional(Type.Integer({ minimum: 1, description: "Messages of each; default 12, at most 50" })),
      maxChars: Type.Optional(
        Type.Integer({ minimum: 20, description: "Characters of each message; default 240, at most 1000" }),
      ),
    }),
    result: Type.Object({
      ts: time("When this was read"),
      previews: Type.Array(
        Type.Object({
          key: nonEmpty("As it was asked for"),
          status: Type.Union([
            Type.Literal("ok"),
            Type.Literal("empty"),
            Type.Literal("missing"),
            Type.Literal("error"),
          ]),
          items: Type.Array(
            Type.Object({
              role: Type.Union([
                Type.Literal("user"),
                Type.Literal("assistant"),
                Type.Literal("tool"),
                Type.Literal("system"),
                Type.Literal("other"),
              ]),
              text: text("Beginning of the message"),
            }),
          ),
        }),
      ),
    }),
    scope: "operator.read",
  }),
  "sessions.resolve": method({
    summary: "The canonical key of a session that is named by key, session id or label: exactly one of them",
    params: Type.Object({
      key: Type.Optional(Type.String({ maxLength: 512, description: "Session key" })),
      sessionId: Type.Optional(Type.String({ maxLength: 256, description: "Session id" })),
      label: Type.Optional(Type.String({ maxLength: 64, description: "Label" })),
      agentId,
      spawnedBy,
      includeGlobal: flag("The session that all share counts too"),
      includeUnknown: flag("The session of messages from nowhere counts too"),
      allowMissing: flag("Answer `ok: false` instead of an error"),
    }),
    result: Type.Union([
      Type.Object({ ok, key: nonEmpty("Session key"), agentId: nonEmpty("Agent") }),
      Type.Object({ ok: Type.Literal(false) }),
    ]),
    scope: "operator.read",
  }),
  "sessions.get": method({
    summary: "The newest messages of a session, oldest first",
    params: keyed({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 200" })),
    }),
    result: Type.Object(
      {
        key: nonEmpty("Session key"),
        sessionId: Type.Optional(nonEmpty("Session id; absent when there is no such session")),
        messages: Type.Array(chatMessage),
      },
      open,
    ),
    scope: "operator.read",
  }),
  "sessions.patch": method({
    summary: "Changes how a session is set; null clears a setting. A session that does not exist yet is made",
    params: keyed({
      label: Type.Optional(Type.Union([label("Name, unlike that of any other session"), Type.Null()])),
      thinkingLevel: setting("off, minimal, low, medium, high or xhigh"),
      verboseLevel: setting("on, off or full"),
      reasoningLevel: setting("on, off or stream"),
      responseUsage: setting("off, tokens, full or on"),
      elevatedLevel: setting("on, off, ask or full"),
      execHost: setting("sandbox, gateway or node"),
      execSecurity: setting("deny, allowlist or full"),
      execAsk: setting("off, on-miss or always"),
      execNode: setting("Node that runs commands"),
      model: setting("`provider/model`, or an alias of agents.defaults.models"),
      spawnedBy: setting("Session that began this one: only for sub-agents, and only once"),
      sendPolicy: setting("allow or deny"),
      groupActivation: setting("mention or always"),
    }),
    result: Type.Object({
      ok,
      path,
      key: nonEmpty("Session key"),
      entry: sessionEntry,
      resolved: Type.Object({
        modelProvider: Type.Optional(nonEmpty("Provider that answers next")),
        model: Type.Optional(nonEmpty("Model that answers next")),
      }),
    }),
    scope: "operator.admin",
  }),
  "sessions.reset": method({
    summary: "Begins the session anew: settings and label stay, what was said is archived. A run under way is stopped",
    params: keyed({}),
    result: Type.Object({ ok, key: nonEmpty("Session key"), entry: sessionEntry }),
    scope: "operator.admin",
  }),
  "sessions.delete": method({
    summary:
      "Removes a session, but for the main one; its runs are stopped. What was said is archived, and removed for good after 30 days",
    params: keyed({
      deleteTranscript: flag("Default true; false keeps what was said for ever"),
    }),
    result: Type.Object({
      ok,
      key: nonEmpty("Session key"),
      deleted: Type.Boolean({ description: "False: there was none" }),
      archived: Type.Array(nonEmpty("Archive that was made")),
    }),
    scope: "operator.admin",
  }),
  "sessions.compact": method({
    summary: "Keeps the newest messages of a session; older ones are archived, and removed for good after 30 days",
    params: keyed({
      maxLines: Type.Optional(Type.Integer({ minimum: 1, description: "Messages to keep; default 400" })),
    }),
    result: Type.Object({
      ok,
      key: nonEmpty("Session key"),
      compacted: Type.Boolean({ description: "Something was archived" }),
      kept: Type.Optional(count("Messages kept")),
      archived: Type.Optional(nonEmpty("Archive that was made")),
      reason: Type.Optional(text("Why there was nothing to do")),
    }),
    scope: "operator.admin",
  }),
  "sessions.prune": method({
    summary:
      "Removes sessions that were not used for long, or are too many, and what was archived long ago, for good. Main sessions and those with work under way stay",
    params: Type.Object({
      dryRun: flag("Only say what would go"),
      olderThanDays: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 36_500,
          description:
            "Not used, or archived, for longer; with neither this nor `keep`: as `session.maintenance` says, else 30",
        }),
      ),
      keep: Type.Optional(count("Sessions to keep of each agent, those used last")),
      agentId,
      plan: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description: "`plan` of a dry run: nothing is removed when it would be something else by now",
        }),
      ),
    }),
    result: Type.Object({
      ok,
      dryRun: Type.Boolean({ description: "Nothing was removed" }),
      plan: nonEmpty("The same while the same would go"),
      sessions: Type.Array(
        Type.Object({
          key: nonEmpty("Session key"),
          agentId: nonEmpty("Agent"),
          updatedAt: time("When it was used last"),
          reason: Type.Union([Type.Literal("age"), Type.Literal("count")]),
          messages: count("Messages of it"),
          bytes: count("What they take"),
        }),
        { description: "The one used longest ago first, at most 1000" },
      ),
      sessionCount: count("Sessions that went, or would go"),
      archives: count("Archived parts of transcripts that went, or would go"),
      messages: count("Messages of both"),
      bytes: count("What they take"),
      kept: count("Sessions that stay"),
      skipped: count("Sessions that were used meanwhile, and stay"),
    }),
    scope: "operator.admin",
  }),
  "sessions.subscribe": method({
    summary: "From now on this connection gets `sessions.changed`",
    params: Type.Object({}),
    result: Type.Object({ subscribed: Type.Boolean({ description: "True" }) }),
    scope: "operator.read",
  }),
  "sessions.unsubscribe": method({
    summary: "No more `sessions.changed` for this connection",
    params: Type.Object({}),
    result: Type.Object({ subscribed: Type.Boolean({ description: "False" }) }),
    scope: "operator.read",
  }),
  "sessions.messages.subscribe": method({
    summary: "From now on this connection gets `session.message` of the session, at most 256 sessions a connection",
    params: keyed({}),
    result: Type.Object({
      subscribed: Type.Boolean({ description: "True" }),
      key: nonEmpty("Session key"),
    }),
    scope: "operator.read",
  }),
  "sessions.messages.unsubscribe": method({
    summary: "No more `session.message` of the session for this connection",
    params: keyed({}),
    result: Type.Object({
      subscribed: Type.Boolean({ description: "False" }),
      key: nonEmpty("Session key"),
    }),
    scope: "operator.read",
  }),
};
