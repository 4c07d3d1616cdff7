// Reads generated Swift back: what a compiler would need to find there, and how a struct would decode and encode JSON. It knows the
// forms that models are written in and refuses everything else.

export interface SwiftProperty {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  /** On the wire. */
  readonly key: string;
}

export interface SwiftFile {
  readonly structs: ReadonlyMap<string, readonly SwiftProperty[]>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly enums: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly constants: ReadonlyMap<string, string>;
}

/** @throws for what no Swift compiler would take, as far as these forms go. */
export function readSwift(text: string): SwiftFile {
  checkBrackets(text);
  const structs = new Map<string, readonly SwiftProperty[]>();
  const aliases = new Map<string, string>();
  const enums = new Map<string, ReadonlyMap<string, string>>();
  const constants = new Map<string, string>();
  const declare = <T>(map: Map<string, T>, name: string, value: T) => {
    if (structs.has(name) || aliases.has(name) || enums.has(name)) throw new Error(`${name} is declared twice`);
    map.set(name, value);
  };
  for (const block of text.split(/\n\n(?=public |\/\/)/u)) {
    const [, kind = "", name = "", rest = ""] = /^public (let|typealias|struct|enum) (\w+)(.*)/su.exec(block) ?? [];
    if (kind === "struct") declare(structs, name, readStruct(name, block));
    else if (kind === "typealias") declare(aliases, name, rest.replace(/^ = /u, "").trim());
    else if (kind === "let") constants.set(name, rest.replace(/^ = /u, "").trim());
    else if (kind === "enum") declare(enums, name, readCases(block.split("private enum")[0] ?? ""));
    else if (!/^(?:\/\/.*\s*|import Foundation\s*)+$/u.test(block))
      throw new Error(`not understood: ${block.slice(0, 200)}`);
  }
  return { structs, aliases, enums, constants };
}

function checkBrackets(text: string): void {
  const code = text.replaceAll(/"(?:[^"\\]|\\.)*"/gu, "").replaceAll(/\/\/.*$/gmu, "");
  const open: string[] = [];
  const closing: Readonly<Record<string, string>> = { "}": "{", ")": "(", "]": "[" };
  for (const [sign] of code.matchAll(/[{}()[\]]/gu))
    if (closing[sign] === undefined) open.push(sign);
    else if (open.pop() !== closing[sign]) throw new Error(`unbalanced ${sign}`);
  if (open.length > 0) throw new Error(`never closed: ${open.join(" ")}`);
}

function readCases(text: string): Map<string, string> {
  const cases = [...text.matchAll(/^ +case (\w+)(?: = "((?:[^"\\]|\\.)*)")?/gmu)];
  const found = new Map(cases.map(([, name = "", key]) => [name, key === undefined ? name : unquote(key)]));
  if (found.size !== cases.length) throw new Error(`a case is declared twice: ${text}`);
  return found;
}

const unquote = (text: string) => JSON.parse(`"${text}"`) as string;

function readStruct(name: string, block: string): SwiftProperty[] {
  if (!block.startsWith(`public struct ${name}: Codable, Sendable {\n`)) throw new Error(`${name} does not conform`);
  if (/^public struct \w+: Codable, Sendable \{\n {4}public init\(\) \{\}\n\}\s*$/u.test(block)) return [];
  const [, keyText = ""] = /\n {4}private enum CodingKeys: String, CodingKey \{\n(.*?)\n {4}\}/su.exec(block) ?? [];
  const keys = readCases(keyText);
  const properties = [...block.matchAll(/^ {4}public let (\w+): ([^\n?]+)(\??)$/gmu)].map(
    ([, property = "", type = "", mark]): SwiftProperty => {
      const key = keys.get(property);
      if (key === undefined) throw new Error(`${name}.${property} has no coding key`);
      return { name: property, type, isOptional: mark === "?", key };
    },
  );
  if (keys.size !== properties.length) throw new Error(`${name}: keys without properties`);
  const expected = properties.map((it) => `        ${it.name}: ${it.type}${it.isOptional ? "? = nil" : ""}`);
  const [, parameters] = /\n {4}public init\(\n(.*?)\n {4}\) \{/su.exec(block) ?? [];
  if (parameters !== expected.join(",\n")) throw new Error(`${name}: init does not take its properties`);
  const assigned = [...block.matchAll(/^ {8}self\.(\w+) = (\w+)$/gmu)].map(([, to, from]) =>
    to === from ? to : "other",
  );
  if (assigned.join() !== properties.map((it) => it.name).join()) throw new Error(`${name}: init does not set all`);
  return properties;
}

/** As JSONDecoder and then JSONEncoder would: unknown keys are lost, absent ones stay absent. @throws when it does not decode. */
export function passThrough(file: SwiftFile, type: string, value: unknown): unknown {
  const struct = file.structs.get(type);
  if (struct) return passStruct(file, struct, value, type);
  const alias = file.aliases.get(type);
  if (alias !== undefined) return passThrough(file, alias, value);
  const [, item] = /^\[(?!String: )(.+)\]$/u.exec(type) ?? [];
  if (item !== undefined && Array.isArray(value)) return value.map((entry) => passThrough(file, item, entry));
  if (plainTypes[type]?.(value) !== true) throw new Error(`${JSON.stringify(value)} is no ${type}`);
  return value;
}

const plainTypes: Readonly<Record<string, (value: unknown) => boolean>> = {
  String: (value) => typeof value === "string",
  Int: (value) => Number.isInteger(value),
  Double: (value) => typeof value === "number",
  Bool: (value) => typeof value === "boolean",
  AnyCodable: () => true,
  "[String: AnyCodable]": (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

function passStruct(file: SwiftFile, struct: readonly SwiftProperty[], value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw new Error(`${JSON.stringify(value)} is no ${name}`);
  const record = value as Record<string, unknown>;
  const kept = struct.flatMap(({ key, type, isOptional }) => {
    if (record[key] === undefined || (isOptional && record[key] === null)) {
      if (!isOptional) throw new Error(`${name} without ${key}`);
      return [];
    }
    return [[key, passThrough(file, type, record[key])] as const];
  });
  return Object.fromEntries(kept);
}
