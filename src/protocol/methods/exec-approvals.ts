// exec.*: asking people whether a command may run, and the file that says which may without asking. Build time only.

import { Type } from "typebox";

import { method } from "../method.ts";
import { nodeId } from "./nodes.ts";
import { open, text, time } from "../shapes.ts";

const word = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });
const level = (description: string) => Type.Optional(Type.String({ maxLength: 32, description }));
/** Clients of both generations write null for what they do not have. */
const maybe = (description: string, maxLength = 4_096) =>
  Type.Optional(Type.Union([Type.String({ maxLength }), Type.Null()], { description }));

const argv = Type.Array(Type.String({ maxLength: 131_072 }), {
  minItems: 1,
  maxItems: 1_024,
  description: "The program and its arguments",
});

const settings = {
  security: level("deny, allowlist or full"),
  ask: level("off, on-miss or always"),
  askFallback: level("What counts when nobody answers: deny, allowlist or full"),
  autoAllowSkills: Type.Optional(Type.Boolean({ description: "Accepted for older files; has no effect" })),
};

const allowed = Type.Object(
  {
    id: Type.Optional(word("Id of the entry")),
    pattern: Type.String({ maxLength: 4_096, description: "Path of the program; `*` and `**` stand for parts of it" }),
    args: Type.Optional(
      Type.Array(Type.String({ maxLength: 131_072 }), {
        maxItems: 1_024,
        description: "Only with exactly these arguments",
      }),
    ),
    lastUsedAt: Type.Optional(Type.Number({ minimum: 0, description: "Last time it let a command through" })),
    lastUsedCommand: Type.Optional(text("That command")),
    lastResolvedPath: Type.Optional(text("Its program")),
  },
  open,
);

export const execApprovalsFile = Type.Object(
  {
    version: Type.Literal(1),
    socket: Type.Optional(
      Type.Object(
        { path: Type.Optional(Type.String({ maxLength: 4_096 })), token: Type.Optional(Type.String()) },
        open,
      ),
    ),
    defaults: Type.Optional(Type.Object(settings, open)),
    agents: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ ...settings, allowlist: Type.Optional(Type.Array(allowed, { maxItems: 1_024 })) }, open),
        { description: "By agent; `*` for all of them" },
      ),
    ),
  },
  { ...open, description: "Which commands run without asking, and when people are asked" },
);

const snapshot = {
  path: text("The file"),
  exists: Type.Boolean(),
  hash: text("Goes into the next change as `baseHash`"),
  file: execApprovalsFile,
};

/** What an approval is about. */
export const approvalRequest = Type.Object(
  {
    command: text("The whole command, from its argv where that is known"),
    commandArgv: Type.Optional(Type.Array(Type.String())),
    cwd: Type.Union([Type.String(), Type.Null()], { description: "Folder it runs in" }),
    envKeys: Type.Optional(Type.Array(Type.String(), { description: "Variables it is given beside its usual ones" })),
    nodeId: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: "Node it runs on" })),
    host: Type.Union([Type.String(), Type.Null()], { description: "gateway, node or sandbox" }),
    security: Type.Union([Type.String(), Type.Null()]),
    ask: Type.Union([Type.String(), Type.Null()]),
    agentId: Type.Union([Type.String(), Type.Null()]),
    resolvedPath: Type.Union([Type.String(), Type.Null()], { description: "The program's file" }),
    sessionKey: Type.Union([Type.String(), Type.Null()]),
  },
  open,
);

export const approvalDecision = Type.Union([
  Type.Literal("allow-once"),
  Type.Literal("allow-always"),
  Type.Literal("deny"),
]);

const pending = {
  id: word("Approval"),
  request: approvalRequest,
  createdAtMs: time("When it was asked"),
  expiresAtMs: time("When it counts as unanswered"),
};

export const execApprovalMethods = {
  "exec.approval.request": method({
    summary:
      "Asks people with `operator.approvals` whether a command may run; answers when one has decided, or nobody in time",
    params: Type.Object({
      id: Type.Optional(word("Name of the approval; made up when absent")),
      command: Type.Optional(Type.String({ minLength: 1, maxLength: 262_144, description: "Command as text" })),
      commandArgv: Type.Optional(argv),
      systemRunPlan: Type.Optional(
        Type.Object({ argv: Type.Optional(argv) }, { ...open, description: "Where newer clients put the argv" }),
      ),
      env: Type.Optional(
        Type.Record(Type.String(), Type.String({ maxLength: 131_072 }), { description: "Variables it is given" }),
      ),
      cwd: maybe("Folder it runs in"),
      nodeId: maybe("Node it runs on", 256),
      host: maybe("gateway, node or sandbox", 64),
      security: maybe("The rule that led here", 64),
      ask: maybe("The rule that led here", 64),
      agentId: maybe("Agent that wants it", 256),
      resolvedPath: maybe("The program's file"),
      sessionKey: maybe("Session that wants it", 512),
      timeoutMs: Type.Optional(
        Type.Integer({ minimum: 1, description: "How long to wait; 120,000 when absent, at most a day" }),
      ),
      twoPhase: Type.Optional(Type.Boolean({ description: "Answer at once that people are being asked, then again" })),
    }),
    accepted: Type.Object(
      {
        status: Type.Literal("accepted"),
        id: word("Approval"),
        createdAtMs: time("When it was asked"),
        expiresAtMs: time("When it counts as unanswered"),
      },
      open,
    ),
    result: Type.Object(
      {
        id: word("Approval"),
        decision: Type.Union([approvalDecision, Type.Null()], { description: "null: nobody answered in time" }),
        createdAtMs: time("When it was asked"),
        expiresAtMs: time("When it counts as unanswered"),
      },
      open,
    ),
    scope: "operator.approvals",
    answers: "twice",
  }),
  "exec.approval.resolve": method({
    summary: "Decides an open approval",
    params: Type.Object({
      id: word("Approval"),
      decision: Type.String({ maxLength: 32, description: "allow-once, allow-always or deny" }),
    }),
    result: Type.Object({ ok: Type.Literal(true) }, open),
    scope: "operator.approvals",
  }),
  "exec.approval.get": method({
    summary: "One approval, open or decided",
    params: Type.Object({ id: word("Approval") }),
    result: Type.Object(
      {
        ...pending,
        status: Type.Union([Type.Literal("pending"), Type.Literal("resolved"), Type.Literal("expired")]),
        decision: Type.Union([approvalDecision, Type.Null()]),
        resolvedBy: Type.Optional(text("Who decided")),
        resolvedAtMs: Type.Optional(time("When")),
      },
      open,
    ),
    scope: "operator.approvals",
  }),
  "exec.approval.list": method({
    summary: "Open approvals, oldest first",
    params: Type.Object({}),
    result: Type.Array(Type.Object(pending, open)),
    scope: "operator.approvals",
  }),
  "exec.approvals.get": method({
    summary: "This machine's file of commands that may run without asking; secrets in it are left out",
    params: Type.Object({}),
    result: Type.Object(snapshot, open),
    scope: "operator.admin",
  }),
  "exec.approvals.set": method({
    summary: "Replaces that file, unless it changed since it was read",
    params: Type.Object({
      file: execApprovalsFile,
      baseHash: Type.Optional(Type.String({ maxLength: 128, description: "Hash that was read" })),
    }),
    result: Type.Object(snapshot, open),
    scope: "operator.admin",
  }),
  "exec.approvals.node.get": method({
    summary: "The same file of a connected node",
    params: Type.Object({ nodeId }),
    result: Type.Unknown({ description: "What the node answers, in the form of `exec.approvals.get`" }),
    scope: "operator.admin",
  }),
  "exec.approvals.node.set": method({
    summary: "Replaces the file of a connected node, unless it changed since it was read",
    params: Type.Object({
      nodeId,
      file: execApprovalsFile,
      baseHash: Type.Optional(Type.String({ maxLength: 128, description: "Hash that was read" })),
    }),
    result: Type.Unknown({ description: "What the node answers" }),
    scope: "operator.admin",
  }),
};
