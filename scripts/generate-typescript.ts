// Protocol definitions -> TypeScript types, for programs that do not have our sources. No imports: one file to copy.

import { contract, events } from "../src/protocol/contract.ts";
import { definitionName, type Definitions } from "./protocol-definitions.ts";
import { createShapeNames, shapesOf, type Shape } from "./protocol-shapes.ts";

export function renderTypes(definitions: Definitions, note: string): string {
  const nameOf = createShapeNames(definitions);
  const types = shapesOf(definitions).map(([name, shape]) => {
    const named = nameOf(shape);
    const body = named && named !== name ? named : renderBody(shape, { nameOf, indent: "" });
    return `export type ${name} = ${body};`;
  });
  const methodRows = Object.entries(contract).map(([method, row]) => {
    const accepted = "accepted" in row && row.accepted ? ` accepted: ${definitionName(method, "Accepted")};` : "";
    const [params, result] = [definitionName(method, "Params"), definitionName(method, "Result")];
    return `  ${JSON.stringify(method)}: { params: ${params};${accepted} result: ${result} };`;
  });
  const eventRows = Object.keys(events).map(
    (event) => `  ${JSON.stringify(event)}: ${definitionName(event, "Event")};`,
  );
  return `// ${note}

${types.join("\n\n")}

/** Params and result of each method; \`accepted\` is the first of two answers. */
export interface GatewayMethods {
${methodRows.join("\n")}
}

/** Payload of each event. */
export interface GatewayEvents {
${eventRows.join("\n")}
}
`;
}

interface Rendering {
  readonly nameOf: (shape: Shape) => string | undefined;
  readonly indent: string;
}

const plainTypes: Readonly<Record<string, string>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
  array: "unknown[]",
};

const renderType = (shape: Shape, rendering: Rendering): string =>
  rendering.nameOf(shape) ?? renderBody(shape, rendering);

function renderBody(shape: Shape, rendering: Rendering): string {
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (shape.anyOf) return [...new Set(shape.anyOf.map((variant) => renderType(variant, rendering)))].join(" | ");
  if (shape.items) return `Array<${renderType(shape.items, rendering)}>`;
  if (shape.type === "object") return renderObject(shape, rendering);
  return plainTypes[shape.type ?? ""] ?? "unknown";
}

function renderObject(shape: Shape, rendering: Rendering): string {
  const [value] = Object.values(shape.patternProperties ?? {});
  const fields = Object.entries(shape.properties ?? {});
  if (fields.length === 0) return `Record<string, ${value ? renderType(value, rendering) : "unknown"}>`;
  const indent = `${rendering.indent}  `;
  const lines = fields.flatMap(([key, field]) => {
    const mark = shape.required?.includes(key) ? "" : "?";
    const type = renderType(field, { ...rendering, indent });
    const comment = field.description?.replaceAll("*/", "* /");
    return [...(comment ? [`${indent}/** ${comment} */`] : []), `${indent}${JSON.stringify(key)}${mark}: ${type};`];
  });
  return `{\n${lines.join("\n")}\n${rendering.indent}}`;
}
