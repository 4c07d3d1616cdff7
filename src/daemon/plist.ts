// The property list of launchd as XML, and the part of such lists that is read back.

import type { ServiceDefinition } from "./definition.ts";

/** Longer than a Gateway takes to let its turns end. */
const stopSeconds = 30;
/** 0077, in decimal. */
const privateMask = 63;

type Value = string | number | boolean | readonly string[] | { readonly [name: string]: string };

export function renderPlist(label: string, definition: ServiceDefinition): string {
  const entries: Record<string, Value> = {
    Label: label,
    Comment: definition.description,
    RunAtLoad: true,
    KeepAlive: true,
    ProgramArguments: definition.program,
    WorkingDirectory: definition.workingDirectory,
    StandardOutPath: definition.output.stdout,
    StandardErrorPath: definition.output.stderr,
    EnvironmentVariables: definition.environment,
    ThrottleInterval: 5,
    ExitTimeOut: stopSeconds,
    Umask: privateMask,
  };
  const body = Object.entries(entries).map(([key, value]) => `    <key>${key}</key>\n${renderValue(value, "    ")}`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
  <dict>
${body.join("\n")}
  </dict>
</plist>
`;
}

function renderValue(value: Value, indent: string): string {
  if (typeof value === "boolean") return `${indent}<${value ? "true" : "false"}/>`;
  if (typeof value === "number") return `${indent}<integer>${value}</integer>`;
  if (typeof value === "string") return `${indent}<string>${escapeXml(value)}</string>`;
  const inner = `${indent}  `;
  if (isList(value))
    return [`${indent}<array>`, ...value.map((item) => renderValue(item, inner)), `${indent}</array>`].join("\n");
  const pairs = Object.entries(value).map(
    ([key, item]) => `${inner}<key>${escapeXml(key)}</key>\n${renderValue(item, inner)}`,
  );
  return [`${indent}<dict>`, ...pairs, `${indent}</dict>`].join("\n");
}

const isList = (value: Value): value is readonly string[] => Array.isArray(value);

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escapeXml = (text: string) => text.replaceAll(/[&<>]/gu, (found) => entities[found] ?? found);

const characters: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#\d+|#x[\da-f]+|\w+);/giu, (entity) => {
    const name = entity.slice(1, -1).toLowerCase();
    if (!name.startsWith("#")) return characters[name] ?? entity;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : entity;
  });
}

export interface ParsedPlist {
  readonly label: string | undefined;
  readonly program: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** Strings, lists of strings and dictionaries of strings at the top; lists in the binary form have none of them. */
export function parsePlist(text: string): ParsedPlist {
  const plain = text.replaceAll(/<!--.*?-->/gsu, "");
  const inner = (tag: string, key: string) =>
    new RegExp(`<key>${key}</key>\\s*<${tag}>(.*?)</${tag}>`, "su").exec(plain)?.[1];
  const one = (key: string) => {
    const found = inner("string", key);
    return found === undefined ? undefined : unescapeXml(found);
  };
  const list = [...(inner("array", "ProgramArguments") ?? "").matchAll(/<string>(.*?)<\/string>/gsu)];
  const pairs = (inner("dict", "EnvironmentVariables") ?? "").matchAll(
    /<key>(.*?)<\/key>\s*<string>(.*?)<\/string>/gsu,
  );
  return {
    label: one("Label"),
    program: list.map(([, item = ""]) => unescapeXml(item)),
    workingDirectory: one("WorkingDirectory"),
    environment: Object.fromEntries(
      [...pairs].map(([, key = "", value = ""]) => [unescapeXml(key), unescapeXml(value)]),
    ),
  };
}
