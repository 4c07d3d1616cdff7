// Protocol definitions -> Swift models. Names and types are those that Swift programs of the published protocol are written
// against: properties in lower case, mapped to their wire names by CodingKeys; anything without a fixed shape is AnyCodable.

import { faultCodes } from "../src/base/fault.ts";
import { expectedProtocol } from "../src/protocol/version.ts";
import type { Definitions } from "./protocol-definitions.ts";
import { createShapeNames, fieldsOf, isText, shapesOf, type Shape } from "./protocol-shapes.ts";

interface Property {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
}

/** Words that name no property. Words with a meaning in some places only (`type`, `open`, `any`) may. */
const keywords: ReadonlySet<string> = new Set(
  (
    "associatedtype class deinit enum extension fileprivate func import init inout internal let operator private precedencegroup " +
    "protocol public rethrows static struct subscript typealias var break case catch continue default defer do else fallthrough " +
    "for guard if in repeat return throw switch where while as false is nil self super throws true try"
  ).split(" "),
);

/** Types of Swift that a definition must not hide. */
const reserved: ReadonlySet<string> = new Set(["String", "Int", "Double", "Bool", "AnyCodable", "ErrorCode", "Type"]);

/** A property's name in Swift: lower case, parts joined in camel case where the key has separators. */
export function swiftName(key: string): string {
  const [first = "", ...rest] = key
    .toLowerCase()
    .split(/[^a-z0-9]+/u)
    .filter(Boolean);
  const name = first + rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
  return name === "" || /^\d/u.test(name) || keywords.has(name) ? `_${name}` : name;
}

export function renderSwift(definitions: Definitions, note: string): string {
  const typeName = createTypeNames(definitions);
  const models = shapesOf(definitions).filter(([name]) => name !== "GatewayFrame");
  return `${[
    `// ${note}`,
    "import Foundation",
    `public let GATEWAY_PROTOCOL_VERSION = ${expectedProtocol}`,
    renderErrorCodes(),
    ...models.map(([name, shape]) => renderModel(name, shape, typeName)),
    gatewayFrame,
  ].join("\n\n")}\n`;
}

/** @returns the Swift type of a shape. */
function createTypeNames(definitions: Definitions): (shape: Shape) => string {
  const nameOf = createShapeNames(definitions);
  const typeName = (shape: Shape): string => {
    const named = nameOf(shape);
    if (named) return named;
    if (shape.anyOf) return "AnyCodable";
    if (isText(shape)) return "String";
    if (shape.const !== undefined || shape.enum) return "AnyCodable";
    if (shape.type === "array") return `[${shape.items ? typeName(shape.items) : "AnyCodable"}]`;
    return plainTypes[shape.type ?? ""] ?? "AnyCodable";
  };
  return typeName;
}

const plainTypes: Readonly<Record<string, string>> = {
  integer: "Int",
  number: "Double",
  boolean: "Bool",
  object: "[String: AnyCodable]",
};

function renderModel(name: string, shape: Shape, typeName: (shape: Shape) => string): string {
  if (reserved.has(name)) throw new Error(`a definition is called ${name}, as a type of Swift is`);
  const fields = fieldsOf(shape);
  if (!fields) return `public typealias ${name} = ${typeName(shape)}`;
  const used = new Set<string>();
  const properties = Object.entries(fields.properties).map(([key, field]): Property => {
    let swift = swiftName(key);
    while (used.has(swift)) swift += "_";
    used.add(swift);
    return { key, name: swift, type: typeName(field), isOptional: !fields.required.includes(key) };
  });
  return renderStruct(name, properties);
}

function renderStruct(name: string, properties: readonly Property[]): string {
  const opening = `public struct ${name}: Codable, Sendable {`;
  if (properties.length === 0) return `${opening}\n    public init() {}\n}`;
  const declared = ({ type, isOptional }: Property) => `${type}${isOptional ? "?" : ""}`;
  const parameters = properties.map(
    (property) => `        ${property.name}: ${declared(property)}${property.isOptional ? " = nil" : ""}`,
  );
  return [
    opening,
    ...properties.map((property) => `    public let ${property.name}: ${declared(property)}`),
    "",
    "    public init(",
    parameters.join(",\n"),
    "    ) {",
    ...properties.map((property) => `        self.${property.name} = ${property.name}`),
    "    }",
    "",
    "    private enum CodingKeys: String, CodingKey {",
    ...properties.map(({ name: swift, key }) =>
      swift === key ? `        case ${swift}` : `        case ${swift} = ${JSON.stringify(key)}`,
    ),
    "    }",
    "}",
  ].join("\n");
}

function renderErrorCodes(): string {
  const codes = [...new Set(Object.values(faultCodes).map(({ wire }) => wire as string))].toSorted();
  const camel = (code: string) =>
    code.toLowerCase().replaceAll(/_([a-z])/gu, (_match, letter: string) => letter.toUpperCase());
  return [
    "public enum ErrorCode: String, Codable, Sendable {",
    ...codes.map((code) => `    case ${camel(code)} = ${JSON.stringify(code)}`),
    "}",
  ].join("\n");
}

const gatewayFrame = `public enum GatewayFrame: Codable, Sendable {
    case req(RequestFrame)
    case res(ResponseFrame)
    case event(EventFrame)
    /// A frame of a newer protocol, as it came.
    case unknown(type: String, raw: [String: AnyCodable])

    private enum CodingKeys: String, CodingKey {
        case type
    }

    public init(from decoder: Decoder) throws {
        let keyed = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try keyed.decode(String.self, forKey: .type)
        switch kind {
        case "req":
            self = .req(try RequestFrame(from: decoder))
        case "res":
            self = .res(try ResponseFrame(from: decoder))
        case "event":
            self = .event(try EventFrame(from: decoder))
        default:
            self = .unknown(type: kind, raw: try [String: AnyCodable](from: decoder))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .req(let frame):
            try frame.encode(to: encoder)
        case .res(let frame):
            try frame.encode(to: encoder)
        case .event(let frame):
            try frame.encode(to: encoder)
        case .unknown(_, let raw):
            try raw.encode(to: encoder)
        }
    }
}`;

/** JSON of any shape, for programs that do not bring their own. */
export function renderAnyCodable(note: string): string {
  return `// ${note}

import Foundation

/// Any JSON value: NSNull, Bool, Int, Double, String, [Any] or [String: Any].
public struct AnyCodable: Codable, @unchecked Sendable {
    public let value: Any

    public init(_ value: Any) {
        self.value = value
    }

    public init(from decoder: Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self.value = NSNull()
        } else if let flag = try? single.decode(Bool.self) {
            self.value = flag
        } else if let whole = try? single.decode(Int.self) {
            self.value = whole
        } else if let number = try? single.decode(Double.self) {
            self.value = number
        } else if let text = try? single.decode(String.self) {
            self.value = text
        } else if let items = try? single.decode([AnyCodable].self) {
            self.value = items.map { $0.value }
        } else {
            self.value = try single.decode([String: AnyCodable].self).mapValues { $0.value }
        }
    }

    public func encode(to encoder: Encoder) throws {
        var single = encoder.singleValueContainer()
        switch value {
        case is NSNull:
            try single.encodeNil()
        case let inner as AnyCodable:
            try inner.encode(to: encoder)
        case let flag as Bool:
            try single.encode(flag)
        case let whole as Int:
            try single.encode(whole)
        case let number as Double:
            try single.encode(number)
        case let text as String:
            try single.encode(text)
        case let items as [Any]:
            try single.encode(items.map { AnyCodable($0) })
        case let fields as [String: Any]:
            try single.encode(fields.mapValues { AnyCodable($0) })
        default:
            throw EncodingError.invalidValue(
                value,
                EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "no JSON value")
            )
        }
    }
}
`;
}
