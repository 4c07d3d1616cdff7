// `{{path.to[0].field}}` in texts of mappings: values of the request, and nothing that runs. Pure.

import { isRecord } from "../base/json.ts";

export interface TemplateValues {
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, string>>;
  /** Below the hooks' own path. */
  readonly path: string;
}

/** Headers that tell who sent it are nobody's business. */
const hiddenHeaders = /^(?:authorization|cookie|proxy-authorization|x-.+-token)$/u;

/** Names begin with `payload.`, `headers.` or `query.`, are `path`, or belong to the payload. What is not there is empty. */
export function renderTemplate(template: string, values: TemplateValues): string {
  return template.replaceAll(/\{\{\s*(?<name>[^{}]+?)\s*\}\}/gu, (_whole, name: string) => toText(find(name, values)));
}

function find(name: string, { payload, headers, query, path }: TemplateValues): unknown {
  if (name === "path") return path;
  const parts = [...name.matchAll(/[^.[\]]+/gu)].map(([part]) => part);
  const [first = "", ...rest] = parts;
  if (first === "headers") return hiddenHeaders.test(rest[0] ?? "") ? undefined : walk(headers, rest);
  if (first === "query") return walk(query, rest);
  return walk(payload, first === "payload" ? rest : parts);
}

function walk(value: unknown, parts: readonly string[]): unknown {
  let current = value;
  for (const part of parts) {
    if (Array.isArray(current)) current = /^\d+$/u.test(part) ? (current as unknown[])[Number(part)] : undefined;
    else if (isRecord(current) && Object.hasOwn(current, part)) current = current[part];
    else return undefined;
  }
  return current;
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
