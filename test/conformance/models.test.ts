// The generated models for programs, read back and held against docs/protocol.schema.json: Swift with a reader of our own, for its
// compiler is not on every machine; TypeScript with its compiler.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { renderSwift, swiftName } from "../../scripts/generate-swift.ts";
import type { Definitions } from "../../scripts/protocol-definitions.ts";
import { bin, root, run } from "../../scripts/run.ts";
import { faultCodes } from "../../src/base/fault.ts";
import { sample, type JsonSchema } from "../kit/schema-samples.ts";
import { passThrough, readSwift, type SwiftFile } from "../kit/swift-reader.ts";

const read = (path: string) => readFile(join(root, "docs", path), "utf8");
const { definitions } = JSON.parse(await read("protocol.schema.json")) as { definitions: Record<string, JsonSchema> };
const swift = readSwift(await read("clients/swift/GatewayModels.swift"));

/** Reserved words of the Swift book that cannot stand as a property's name without backticks. */
const reservedWords = new Set(
  (
    "associatedtype class deinit enum extension fileprivate func import init inout internal let operator private protocol public " +
    "rethrows static struct subscript typealias var break case continue default defer do else fallthrough for guard if in repeat " +
    "return switch where while as catch false is nil super self throw throws true try"
  ).split(" "),
);

/** The keys of an object, or of all objects of a union; undefined when it is neither. */
function keysOf(schema: JsonSchema): { all: string[]; required: string[] } | undefined {
  if (schema.anyOf) {
    const parts = schema.anyOf.map(keysOf);
    if (parts.includes(undefined)) return undefined;
    const all = [...new Set(parts.flatMap((part) => part?.all ?? []))];
    return { all, required: all.filter((key) => parts.every((part) => part?.required.includes(key))) };
  }
  if (schema.type !== "object") return undefined;
  const isFree = schema.patternProperties !== undefined || schema.additionalProperties === true;
  const all = Object.keys(schema.properties ?? {});
  return isFree && all.length === 0 ? undefined : { all, required: [...(schema.required ?? [])] };
}

function checkTypesExist(file: SwiftFile): void {
  const known = new Set([
    "String",
    "Int",
    "Double",
    "Bool",
    "AnyCodable",
    ...file.structs.keys(),
    ...file.aliases.keys(),
  ]);
  const types = [...file.structs.values()].flatMap((properties) => properties.map(({ type }) => type));
  for (const type of [...types, ...file.aliases.values()])
    for (const [word] of type.matchAll(/\w+/gu)) assert.ok(known.has(word), `${type} is declared nowhere`);
}

test("Swift: every definition has its model, with every key mapped back to the wire", () => {
  for (const [name, schema] of Object.entries(definitions)) {
    if (name === "GatewayFrame") continue;
    const keys = keysOf(schema);
    const struct = swift.structs.get(name);
    assert.equal(struct !== undefined, keys !== undefined, `${name}: a struct for what has fields`);
    if (!keys || !struct) {
      assert.ok(swift.aliases.has(name), name);
      continue;
    }
    assert.deepEqual(struct.map(({ key }) => key).toSorted(), keys.all.toSorted(), name);
    const needed = struct.filter(({ isOptional }) => !isOptional).map(({ key }) => key);
    assert.deepEqual(needed.toSorted(), keys.required.toSorted(), name);
  }
  const declared = [...swift.structs.keys(), ...swift.aliases.keys()];
  assert.deepEqual(
    declared.filter((name) => !definitions[name]),
    [],
  );
});

test("Swift: names are ones that a compiler takes, and types exist", () => {
  for (const [name, properties] of swift.structs) {
    assert.match(name, /^[A-Z]\w*$/u);
    const names = properties.map((property) => property.name);
    assert.equal(new Set(names).size, names.length, name);
    for (const property of names) {
      assert.match(property, /^[a-z_]\w*$/u);
      assert.ok(!reservedWords.has(property), `${name}.${property}`);
    }
  }
  checkTypesExist(swift);
});

test("Swift: frames are told apart, codes and the version are there", () => {
  assert.deepEqual([...(swift.enums.get("GatewayFrame")?.keys() ?? [])], ["req", "res", "event", "unknown"]);
  const codes = new Set<string>(Object.values(faultCodes).map(({ wire }) => wire));
  assert.deepEqual(new Set(swift.enums.get("ErrorCode")?.values()), codes);
  for (const name of ["notLinked", "notPaired", "agentTimeout", "invalidRequest", "unavailable"])
    assert.ok(swift.enums.get("ErrorCode")?.has(name), name);
  assert.match(swift.constants.get("GATEWAY_PROTOCOL_VERSION") ?? "", /^[3-7]$/u);
});

test("Swift: what a schema accepts comes through a model unchanged (RB-82)", () => {
  for (const [name, schema] of Object.entries(definitions)) {
    if (name === "GatewayFrame") continue;
    for (const extent of ["least", "full"] as const) {
      const value = sample(schema, extent);
      assert.deepEqual(withoutNull(passThrough(swift, name, value)), withoutNull(value), `${name} (${extent})`);
    }
  }
  assert.throws(() => passThrough(swift, "RequestFrame", { type: "req", id: "1" }), /without method/u);
});

/** An optional that is null and one that is absent are one thing in Swift. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutNull(field)]));
}

test("Swift: awkward keys are escaped, kept apart and mapped back", () => {
  const keys = [
    "protocol",
    "default",
    "camelCase",
    "with-dash",
    "snake_case",
    "42",
    "ünïcode",
    "a.b",
    "a-b",
    "aB",
    "ab",
    "$ref",
    'q"t',
  ];
  const awkward = {
    Awkward: { type: "object", properties: Object.fromEntries(keys.map((key) => [key, { type: "string" }])) },
  };
  const file = readSwift(renderSwift(awkward as unknown as Definitions, "note"));
  const struct = file.structs.get("Awkward") ?? [];
  assert.deepEqual(struct.map(({ key }) => key).toSorted(), keys.toSorted());
  for (const { name } of struct) assert.ok(/^[a-z_]\w*$/u.test(name) && !reservedWords.has(name), name);
  assert.equal(new Set(struct.map(({ name }) => name)).size, keys.length);
  assert.equal(swiftName("minProtocol"), "minprotocol");
  assert.equal(swiftName("protocol"), "_protocol");
  assert.equal(swiftName("rate-limit"), "rateLimit");
});

test("Swift: the reader refuses what does not fit together", () => {
  const good = renderSwift(
    { A: { type: "object", properties: { oneKey: { type: "string" } } } } as unknown as Definitions,
    "n",
  );
  readSwift(good);
  for (const [from, to] of [
    ['case onekey = "oneKey"', 'case other = "oneKey"'],
    ["self.onekey = onekey", "self.onekey = other"],
    ["onekey: String? = nil", "onekey: Int? = nil"],
    ["public struct A: Codable, Sendable", "public struct A: Codable"],
    ["public struct A: Codable, Sendable {", "public struct A: Codable, Sendable"],
  ] as const) {
    assert.ok(good.includes(from), from);
    assert.throws(() => readSwift(good.replace(from, to)), Error, to);
  }
});

test("TypeScript: the types compile under the strictest rules and know methods and events (RB-82)", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "types-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "protocol.d.ts"), await read("clients/typescript/protocol.d.ts"));
  await writeFile(
    join(folder, "use.ts"),
    `import type { ChatEvent, ConnectParams, GatewayEvents, GatewayMethods, RequestFrame } from "./protocol.d.ts";
declare function call<M extends keyof GatewayMethods>(method: M, params: GatewayMethods[M]["params"]): Promise<GatewayMethods[M]["result"]>;
export const connect: ConnectParams = { minProtocol: 4, maxProtocol: 4, client: { id: "x", version: "1", platform: "p", mode: "test" } };
export const frame: RequestFrame = { type: "req", id: "1", method: "connect", params: connect };
export const seen = (event: GatewayEvents["tick"]): number => event.ts;
export const last = (event: ChatEvent): string => (event.state === "error" ? event.errorMessage : event.state);
export const ok: Promise<boolean> = call("health", { probe: true }).then((health) => health.ok);
// @ts-expect-error a type that the schema does not allow
void call("health", { probe: "yes" });
// @ts-expect-error no such method
void call("no.such.method", {});
`,
  );
  const flags = [
    "--strict",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
    "--noEmit",
    "--target",
    "es2024",
  ];
  const options = [
    ...flags,
    "--module",
    "nodenext",
    "--moduleResolution",
    "nodenext",
    "--allowImportingTsExtensions",
    "--ignoreConfig",
  ];
  const ran = await run([bin("tsc"), ...options, "--types", "", join(folder, "use.ts")]);
  assert.equal(ran.code, 0, ran.output);
});
