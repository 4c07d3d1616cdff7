// The config file over the wire. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { count, nonEmpty, open, text } from "../shapes.ts";

/** Longest text of a config that is taken. */
const maxRaw = 1_000_000;

const issue = Type.Object(
  { path: text("Dotted key; empty for the whole file"), message: text("What is wrong, and what to do") },
  open,
);

const raw = (description: string) => Type.String({ minLength: 1, maxLength: maxRaw, description });
const baseHash = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 128,
    description: "`hash` of the config.get that this change was made from; required once there is a file",
  }),
);

const config = Type.Record(Type.String(), Type.Unknown(), {
  description:
    "What the file says with defaults filled in; secrets are replaced by `__OPENCLAW_REDACTED__`, variables are left as written",
});

const changed = {
  ok: Type.Literal(true),
  path: nonEmpty("The config file"),
  config,
  hash: Type.Optional(nonEmpty("Of the file as it is now: the next baseHash")),
  changedPaths: Type.Array(text("Dotted key"), { description: "Keys that are different now" }),
  restartPaths: Type.Array(text("Dotted key"), {
    description: "Keys that do not count before the Gateway has started again; all others count at once",
  }),
  applied: Type.Enum(["none", "hot", "channel", "listener", "restart"], {
    description:
      "The most that was done: a channel started again, clients have to connect anew, or the Gateway starts again",
  }),
};

const restart = Type.Object(
  {
    ok: Type.Boolean({ description: "The Gateway starts again by itself" }),
    pid: count("Process"),
    delayMs: count("When, from now; 0 when it does not"),
    reason: Type.Optional(text("Why it does not, or why it does")),
  },
  open,
);

const changing = {
  sessionKey: Type.Optional(
    Type.String({
      maxLength: 512,
      description: "Session that asks: its reply goes out before a restart, and it is told after one",
    }),
  ),
  note: Type.Optional(Type.String({ maxLength: 2_000, description: "Why, for the log and for the session" })),
  restartDelayMs: Type.Optional(count("Time before the restart, default 2000, at most 60000")),
};

const changeAnswer = {
  ...changed,
  noop: Type.Optional(Type.Boolean({ description: "The file said so already; nothing was written" })),
  restart: Type.Optional(restart),
  sentinel: Type.Union(
    [
      Type.Null(),
      Type.Object(
        {
          path: Type.Union([Type.Null(), Type.String()], { description: "null: it is kept in the database" }),
          payload: Type.Record(Type.String(), Type.Unknown(), {
            description: "kind, status, ts, sessionKey, message, stats",
          }),
        },
        open,
      ),
    ],
    { description: "What the session is told once the Gateway is back; null without a restart or a session" },
  ),
};
const changeResult = Type.Object(changeAnswer, open);

const rollbackResult = Type.Object(
  {
    ...changeAnswer,
    id: nonEmpty("The version that was taken"),
    at: nonEmpty("ISO time of that version"),
    dryRun: Type.Boolean({ description: "Nothing was written" }),
    changes: Type.Union(
      [
        Type.Null(),
        Type.Array(
          Type.Object(
            {
              path: text("Dotted key"),
              from: Type.Optional(Type.Unknown({ description: "Before; absent: it was not there. Secrets replaced" })),
              to: Type.Optional(Type.Unknown({ description: "After; absent: it is not there. Secrets replaced" })),
              secret: Type.Boolean({ description: "The values stay hidden; both may look the same" }),
            },
            open,
          ),
        ),
      ],
      { description: "What is different in the version; null when the file could not be parsed" },
    ),
  },
  open,
);

export const configMethods = {
  "config.get": method({
    summary: "The config file as it is now, with its hash and what is wrong with it",
    params: Type.Object({}),
    result: Type.Object({
      path: nonEmpty("The config file"),
      exists: Type.Boolean(),
      raw: Type.Union([Type.String(), Type.Null()], {
        description: "Its text with secrets replaced; null when that cannot be done safely",
      }),
      parsed: Type.Unknown({ description: "What it says, secrets replaced; null when it cannot be parsed" }),
      valid: Type.Boolean(),
      config,
      hash: Type.Optional(nonEmpty("SHA-256 of its text, hex; absent when there is no file")),
      issues: Type.Array(issue),
      warnings: Type.Array(issue),
      legacyIssues: Type.Array(issue),
    }),
    scope: "operator.read",
  }),
  "config.schema": method({
    summary: "JSON Schema of the config and hints for forms, by key",
    params: Type.Object({}),
    result: Type.Object({
      schema: Type.Unknown({ description: "JSON Schema" }),
      uiHints: Type.Record(
        Type.String(),
        Type.Object({
          label: Type.Optional(text("Name for people")),
          help: Type.Optional(text("What it is for")),
          group: Type.Optional(text("Section")),
          order: Type.Optional(Type.Integer({ description: "Place of the section" })),
          advanced: Type.Optional(Type.Boolean({ description: "Rarely touched" })),
          sensitive: Type.Optional(Type.Boolean({ description: "A secret" })),
        }),
        { description: "By dotted key; `*` stands for a name of the user's choosing, `[]` for items of a list" },
      ),
      version: nonEmpty("Of the Gateway"),
      generatedAt: nonEmpty("ISO time of this answer"),
    }),
    scope: "operator.read",
  }),
  "config.history": method({
    summary:
      "The versions of the config file that are kept, newest first: those that worked, and those that were replaced",
    params: Type.Object({}),
    result: Type.Object({
      path: nonEmpty("The config file"),
      versions: Type.Array(
        Type.Object(
          {
            id: nonEmpty("Names it for config.rollback"),
            at: nonEmpty("ISO time at which it was taken up or replaced last"),
            bytes: count("Its size"),
            good: Type.Boolean({ description: "A Gateway has worked with it" }),
            current: Type.Boolean({ description: "It is what the file says now" }),
            valid: Type.Boolean({ description: "This version of the program finds nothing wrong with it" }),
            changedPaths: Type.Union([Type.Null(), Type.Array(text("Dotted key"))], {
              description: "Keys in which it differs from the file; null when one of the two cannot be parsed",
            }),
          },
          open,
        ),
      ),
    }),
    scope: "operator.read",
  }),
  "config.rollback": method({
    summary:
      "Puts a version back into the file, with what it includes, also over a file that is broken or gone; then restarts the Gateway when a changed key needs it",
    // a slip in a name must not become another rollback than was meant: nobody sends extras here
    params: Type.Object(
      {
        id: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 64,
            description: "Of config.history, or its beginning; absent: the last good one that differs from the file",
          }),
        ),
        baseHash: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 128,
            description: "`hash` of config.get; refused when the file has another",
          }),
        ),
        dryRun: Type.Optional(Type.Boolean({ description: "Nothing is written; the answer says what would change" })),
        ...changing,
      },
      { additionalProperties: false },
    ),
    result: rollbackResult,
    scope: "operator.admin",
  }),
  "config.set": method({
    summary: "Writes the whole file; the Gateway is not restarted",
    params: Type.Object({ raw: raw("The whole file, JSON5"), baseHash }),
    result: Type.Object(changed, open),
    scope: "operator.admin",
  }),
  "config.patch": method({
    summary:
      "Changes keys of the file by a merge patch (RFC 7396), then restarts the Gateway when a changed key needs it",
    params: Type.Object({ raw: raw("JSON5 object: null deletes, lists replace"), baseHash, ...changing }),
    result: changeResult,
    scope: "operator.admin",
  }),
  "config.apply": method({
    summary: "Writes the whole file, then restarts the Gateway when a changed key needs it",
    params: Type.Object({ raw: raw("The whole file, JSON5"), baseHash, ...changing }),
    result: changeResult,
    scope: "operator.admin",
  }),
};
