// Every named schema of the protocol, under the names that programs which read the published schema already know. JSON Schema, Swift
// and TypeScript are written from this one list.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { Type, type TSchema } from "typebox";

import { brandOf } from "../src/base/brand.ts";
import { connectParams, helloOk } from "../src/protocol/connect.ts";
import { contract, events } from "../src/protocol/contract.ts";
import { frames } from "../src/protocol/frame.ts";
import type { EventContract, MethodContract } from "../src/protocol/method.ts";
import { root } from "./run.ts";

export type Definitions = Readonly<Record<string, TSchema>>;

const methods: [string, MethodContract][] = Object.entries(contract);
const eventList: [string, EventContract][] = Object.entries(events);

/** Where the names in use do not follow from the method's. */
const irregular: Readonly<Record<string, string>> = {
  AgentIdentityGetParams: "AgentIdentityParams",
  AgentIdentityGetResult: "AgentIdentityResult",
  ConfigSchemaResult: "ConfigSchemaResponse",
  ExecApprovalsGetResult: "ExecApprovalsSnapshot",
};

/** Parts of results that have a name of their own: method, then the way to the part. */
const wellKnownParts: readonly (readonly [name: string, method: string, field: string])[] = [
  ["AgentSummary", "agents.list", "agents"],
  ["ModelChoice", "models.list", "models"],
  ["CronJob", "cron.list", "jobs"],
  ["CronRunLogEntry", "cron.runs", "entries"],
  ["WizardStep", "wizard.next", "step"],
];

export function pascal(name: string): string {
  return name
    .split(/[^a-zA-Z0-9]+/u)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}

/** Name of a method's `Params`, `Accepted` or `Result`, or of an `Event`. */
export function definitionName(name: string, part: "Params" | "Accepted" | "Result" | "Event"): string {
  const regular = `${pascal(name)}${part}`;
  return irregular[regular] ?? regular;
}

/** @throws when two different schemas would get one name. */
export async function collectDefinitions(): Promise<Definitions> {
  const found = new Map<string, TSchema>();
  const add = (name: string, schema: TSchema) => {
    const other = found.get(name);
    if (other && JSON.stringify(other) !== JSON.stringify(schema))
      throw new Error(`two schemas are called ${name}: rename the one that src/protocol exports`);
    if (!other) found.set(name, schema);
  };
  add("ConnectParams", connectParams);
  add("HelloOk", helloOk);
  const { RequestFrame, ResponseFrame, EventFrame, ErrorShape } = frames;
  for (const [name, schema] of Object.entries({ RequestFrame, ResponseFrame, EventFrame })) add(name, schema);
  add("GatewayFrame", Type.Union([RequestFrame, ResponseFrame, EventFrame]));
  add("ErrorShape", ErrorShape);
  add("Snapshot", helloOk.properties.snapshot);
  for (const [name, { params, accepted, result }] of methods) {
    add(definitionName(name, "Params"), params);
    if (accepted) add(definitionName(name, "Accepted"), accepted);
    add(definitionName(name, "Result"), result);
  }
  for (const [name, { payload }] of eventList) add(definitionName(name, "Event"), payload);
  for (const [name, schema] of await exportedShapes()) add(name, schema);
  for (const [name, method, field] of wellKnownParts) {
    const part = found.has(name) ? undefined : partOf(found.get(definitionName(method, "Result")), field);
    if (part) add(name, part);
  }
  return Object.fromEntries(found);
}

/** Schemas of objects that the contracts share: what a module of the protocol exports has a name, its variable's. */
async function exportedShapes(): Promise<[string, TSchema][]> {
  const folder = join(root, "src", "protocol");
  const nested = (await readdir(join(folder, "methods"))).filter((file) => file.endsWith(".ts")).toSorted();
  const files = ["shapes.ts", ...nested.filter((file) => !file.endsWith(".test.ts")).map((file) => `methods/${file}`)];
  const shapes: [string, TSchema][] = [];
  for (const file of files) {
    const exported = (await import(join(folder, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported))
      if (isShape(value)) shapes.push([name.charAt(0).toUpperCase() + name.slice(1), value]);
  }
  return shapes;
}

function isShape(value: unknown): value is TSchema {
  if (typeof value !== "object" || value === null || !("~kind" in value)) return false;
  return "properties" in value || "anyOf" in value;
}

function partOf(schema: TSchema | undefined, field: string): TSchema | undefined {
  // a TypeBox schema is a JSON Schema
  const { properties } = (schema ?? {}) as { properties?: Record<string, TSchema & { items?: TSchema }> };
  const part = properties?.[field];
  return part?.items ?? part;
}

/** The whole file: one document that describes each frame, and every definition by name. */
export function renderJsonSchema(definitions: Definitions): string {
  const refs = { req: "RequestFrame", res: "ResponseFrame", event: "EventFrame" };
  const ref = (name: string) => `#/definitions/${name}`;
  const { name, product } = brandOf("openclaw");
  const document = {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `https://${name}.ai/protocol.schema.json`,
    title: `${product} Gateway Protocol`,
    description:
      "Frames of the Gateway's WebSocket protocol: the handshake, requests with their responses, and events.",
    oneOf: Object.values(refs).map((frame) => ({ $ref: ref(frame) })),
    discriminator: {
      propertyName: "type",
      mapping: Object.fromEntries(Object.entries(refs).map(([type, frame]) => [type, ref(frame)])),
    },
    methods: Object.fromEntries(
      methods.map(([method, { scope, role, accepted }]) => [
        method,
        {
          scope,
          role,
          params: ref(definitionName(method, "Params")),
          ...(accepted ? { accepted: ref(definitionName(method, "Accepted")) } : {}),
          result: ref(definitionName(method, "Result")),
        },
      ]),
    ),
    events: Object.fromEntries(
      eventList.map(([event, { scope }]) => [event, { scope, payload: ref(definitionName(event, "Event")) }]),
    ),
    definitions,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
