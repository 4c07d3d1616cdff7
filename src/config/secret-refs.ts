// Secrets that stand elsewhere: `{source: "env", id: "NAME"}` or `{source: "file", path: "~/token"}` in the place of a secret key.
// They are looked up before the config is checked, and written back as they are.

import { open } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";

import { reasonOf } from "../base/error-code.ts";
import { isRecord } from "../base/json.ts";
import { readWithoutWaiting } from "../platform/files.ts";
import { readConfigKeys, type ConfigKey } from "../settings/key-table.ts";
import type { ConfigProblem, Place } from "./explain.ts";
import { findKey, isSecretReference } from "./secret-paths.ts";

export interface FoundSecrets {
  /** A copy with the secrets in their places; those of the environment as `${NAME}`. */
  readonly value: Record<string, unknown>;
  readonly problems: readonly ConfigProblem[];
  /** What counts all the same, and should not be so. */
  readonly warnings: readonly ConfigProblem[];
  /** Files that were looked for: a change of one is a change of the config. */
  readonly files: readonly string[];
  /** Changes when the text of one does; empty without any. */
  readonly hash: string;
}

export interface SecretContext {
  /** Of the config file: paths are relative to its folder. */
  readonly path: string;
  readonly home: string | undefined;
  readonly at: Place;
}

/** A token is a line; a key file some lines. */
const maxBytes = 64 * 1024;

interface Finding extends SecretContext {
  readonly keys: ReadonlyMap<string, ConfigKey>;
  readonly problems: ConfigProblem[];
  readonly warnings: ConfigProblem[];
  readonly texts: Map<string, string>;
}

/** Recursive: the caller has made sure that the value is not nested deeper than `maxJsonDepth`. */
export async function findSecrets(value: Record<string, unknown>, context: SecretContext): Promise<FoundSecrets> {
  if (!hasReference(value)) return { value, problems: [], warnings: [], files: [], hash: "" };
  const finding: Finding = { ...context, keys: readConfigKeys(), problems: [], warnings: [], texts: new Map() };
  const filled = await fill(value, [], finding);
  const hash = createHash("sha256");
  for (const [path, text] of finding.texts) hash.update(`${path}\n${text}\n`);
  return {
    value: isRecord(filled) ? filled : value,
    problems: finding.problems,
    warnings: finding.warnings,
    files: [...finding.texts.keys()],
    hash: finding.texts.size > 0 ? hash.digest("hex") : "",
  };
}

/** Most configs have none, and cost nothing. */
function hasReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasReference);
  return isRecord(value) && (isSecretReference(value) || Object.values(value).some(hasReference));
}

async function fill(value: unknown, path: readonly string[], finding: Finding): Promise<unknown> {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) items.push(await fill(item, [...path, String(index)], finding));
    return items;
  }
  if (!isRecord(value)) return value;
  if (isSecretReference(value) && findKey(finding.keys, path)?.isSecret === true) return lookUp(value, path, finding);
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) copy[key] = await fill(inner, [...path, key], finding);
  return copy;
}

async function lookUp(reference: Record<string, unknown>, path: readonly string[], finding: Finding): Promise<unknown> {
  const { source, id, name = id, path: file = id } = reference;
  if (source === "env") {
    if (typeof name === "string" && /^[A-Z_][A-Z0-9_]*$/u.test(name)) return `\${${name}}`;
    finding.problems.push(
      finding.at(path, "id must name an environment variable", "write it in capitals, such as MY_TOKEN"),
    );
    return "";
  }
  if (source === "file" && typeof file === "string" && file !== "") return readSecret(file, path, finding);
  const next = 'write {source: "env", id: "NAME"} or {source: "file", path: "/path/to/it"}';
  finding.problems.push(finding.at(path, `a secret cannot come from ${JSON.stringify(source)}`, next));
  return "";
}

async function readSecret(name: string, path: readonly string[], finding: Finding): Promise<string> {
  const file = toPath(name, finding);
  finding.texts.set(file, "");
  try {
    const handle = await open(file, readWithoutWaiting);
    try {
      const { size, mode } = await handle.stat();
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      const text = (await handle.readFile("utf8")).trim();
      if (text === "") throw new Error("it is empty");
      finding.texts.set(file, text);
      if (process.platform !== "win32" && (mode & 0o077) !== 0)
        finding.warnings.push(
          finding.at(path, `its file can be read by others on this machine: ${file}`, `chmod 600 ${file}`),
        );
      // what stands in a file is the secret itself, and names no variable
      return text.replaceAll(/\$(?=\{[A-Z_][A-Z0-9_]*\})/gu, "$$$$");
    } finally {
      await handle.close();
    }
  } catch (error) {
    const reason = reasonOf(error);
    finding.problems.push(
      finding.at(path, `the secret's file ${file} cannot be used (${reason})`, "put the secret into it"),
    );
    return "";
  }
}

function toPath(name: string, { path, home }: SecretContext): string {
  if (home !== undefined && /^~(?:[/\\]|$)/u.test(name)) return join(home, name.slice(1));
  return resolve(dirname(path), name);
}
