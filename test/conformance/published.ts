// The protocol's published JSON Schema as a judge of what we send. Where we knowingly differ, the exception stands here with its
// reason; everything around an exception is still checked.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Ajv, type ValidateFunction } from "ajv";

import type { Frame } from "../kit/raw-client.ts";

interface Exception {
  /** Definition in the published schema. */
  readonly definition: string;
  /** Property that is taken out before the check. */
  readonly path: readonly string[];
  readonly reason: string;
}

export const exceptions: readonly Exception[] = [
  {
    definition: "HelloOk",
    path: ["server", "host"],
    reason:
      "clients of the older generation show the host; both generations ignore keys of hello-ok that they do not know",
  },
  {
    definition: "HelloOk",
    path: ["snapshot", "policy"],
    reason: "one runbook reads the policy inside the snapshot; it also stands where the schema wants it",
  },
  {
    definition: "HelloOk",
    path: ["snapshot", "health", "linkChannel"],
    reason: "the runbooks look for the linked channel in health; the published one has it in status alone",
  },
  {
    definition: "HelloOk",
    path: ["snapshot", "health", "problems"],
    reason: "an addition of ours: config errors and services that do not work, each with the next step",
  },
  {
    definition: "HelloOk",
    path: ["snapshot", "health", "configSource"],
    reason: "an addition of ours: whether the config file counts, or what stands in for it",
  },
  {
    definition: "HelloOk",
    path: ["snapshot", "health", "queue"],
    reason: "an addition of ours: the runbooks ask for queue depth and error counts",
  },
  {
    definition: "AgentEvent",
    path: ["sessionKey"],
    reason:
      "the real servers of both generations send it and their clients filter by it; only the schema leaves it out",
  },
];

const definitionOfEvent: Readonly<Record<string, string>> = {
  agent: "AgentEvent",
  chat: "ChatEvent",
  tick: "TickEvent",
  shutdown: "ShutdownEvent",
};
const definitionOfResult: Readonly<Record<string, string>> = {
  connect: "HelloOk",
  "logs.tail": "LogsTailResult",
  "config.schema": "ConfigSchemaResponse",
  "agent.identity.get": "AgentIdentityResult",
  "sessions.resolve": "SessionsResolveResult",
  "sessions.delete": "SessionsDeleteResult",
  "channels.status": "ChannelsStatusResult",
  "agents.list": "AgentsListResult",
  "agents.create": "AgentsCreateResult",
  "agents.update": "AgentsUpdateResult",
  "agents.delete": "AgentsDeleteResult",
  "models.list": "ModelsListResult",
  "tools.catalog": "ToolsCatalogResult",
  "commands.list": "CommandsListResult",
};

// the package ships the file without naming it in its exports
const root = join(import.meta.dirname, "..", "..", "node_modules", "@openclaw", "gateway-protocol");
const schema = JSON.parse(readFileSync(join(root, "protocol.schema.json"), "utf8")) as {
  definitions: Record<string, object>;
};
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: "published", definitions: schema.definitions });
const validators = new Map<string, ValidateFunction>();

/** @returns what the published definition does not like, or undefined. */
export function judge(definition: string, value: unknown): string | undefined {
  const known = validators.get(definition) ?? ajv.compile({ $ref: `published#/definitions/${definition}` });
  validators.set(definition, known);
  const copy = structuredClone(value);
  for (const exception of exceptions) if (exception.definition === definition) remove(copy, exception.path);
  return known(copy) ? undefined : `${definition}: ${ajv.errorsText(known.errors)}`;
}

function remove(value: unknown, [first = "", ...rest]: readonly string[]): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Record<string, unknown>;
  if (rest.length === 0) delete record[first];
  else remove(record[first], rest);
}

/** Every complaint about a frame that we sent; `methods` tells which request an answer belongs to. */
export function judgeFrame(frame: Frame, methods: ReadonlyMap<string, string>): string[] {
  const complaints = frame.type === "event" ? judgeEvent(frame) : judgeResponse(frame, methods);
  return complaints.filter((complaint) => complaint !== undefined);
}

function judgeEvent(frame: Frame): (string | undefined)[] {
  const definition = definitionOfEvent[frame.event ?? ""];
  const entries = frame.event === "presence" ? (frame.payload?.["presence"] as unknown[]) : [];
  return [
    judge("EventFrame", frame),
    ...(definition ? [judge(definition, frame.payload)] : []),
    ...entries.map((entry) => judge("PresenceEntry", entry)),
    ...sessionsIn(frame.payload).map((session) => judge("SessionRow", session)),
  ];
}

function judgeResponse(frame: Frame, methods: ReadonlyMap<string, string>): (string | undefined)[] {
  const definition = frame.ok ? definitionOfResult[methods.get(frame.id ?? "") ?? ""] : undefined;
  return [
    judge("ResponseFrame", frame),
    ...(frame.error ? [judge("ErrorShape", frame.error)] : []),
    ...(definition ? [judge(definition, frame.payload)] : []),
    ...sessionsIn(frame.payload).map((session) => judge("SessionRow", session)),
  ];
}

/** Rows of sessions.list, sessions.describe and sessions.changed. */
function sessionsIn(payload: Frame["payload"]): unknown[] {
  const { sessions, session } = payload ?? {};
  const rows: unknown[] = Array.isArray(sessions) ? sessions : [];
  return [...rows, session].filter((row) => typeof row === "object" && row !== null && "kind" in row);
}
