// What is known here as a secret, as a name or as somebody's words, so that it can be kept out of a bundle: from the config as it is,
// however broken, its versions, the environment, the credentials and the database.

import { readdir, readFile, stat } from "node:fs/promises";
import { homedir, hostname, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";

import { isRecord, parseJson } from "../../base/json.ts";
import { collectSecrets, createSecretPaths } from "../../config/secret-paths.ts";
import { listPeople } from "../../conversation/store/people.ts";
import { wordsIn, type Words } from "../../diagnostics/words.ts";
import { lookIntoDatabase } from "../../platform/database-check.ts";
import { secretVariables } from "../../platform/env.ts";
import { readTextIfExists } from "../../platform/files.ts";
import { knownSecrets, parseRedactPatterns } from "../../platform/redact.ts";
import type { Config } from "../../settings/config.ts";
import { configFiles } from "../config-files.ts";
import type { Context } from "../context.ts";

export interface Known {
  readonly secrets: readonly RegExp[];
  /** Those of them that are no words of ours: where one of these turns up, it is one. */
  readonly certain: RegExp | undefined;
  readonly names: readonly string[];
  readonly messages: readonly string[];
  /** What could not be looked up. */
  readonly missing: readonly string[];
}

/** More would make each text take too long; what looks like a secret is masked all the same. */
const maxSecrets = 150;
const maxRows = 3_000;
const maxFileBytes = 64 * 1024;

export async function findKnown(context: Context, config: Config, words: Words): Promise<Known> {
  const { env, paths, flags } = context;
  const texts = await readConfigTexts(context);
  const values = [
    ...collectSecrets(config, createSecretPaths()),
    ...secretVariables(),
    ...[flags.token, flags.password, env.raw("TELEGRAM_BOT_TOKEN")].filter((value) => value !== undefined),
    ...(await readCredentials([paths.credentials, dirname(paths.deviceIdentity), config.channels.telegram?.tokenFile])),
    // of a file with errors nobody knows which values are secrets
    ...texts.flatMap((text) => foreignStrings(text, words)),
  ];
  const distinct = [...new Set(values)].slice(0, maxSecrets);
  const secrets = knownSecrets(distinct);
  const people = await readPeople(paths.database);
  return {
    secrets: [...(secrets ? [secrets] : []), ...parseRedactPatterns(config.logging.redactPatterns ?? [])],
    certain: knownSecrets(
      distinct.filter((value) => /\d/u.test(value) || wordsIn(value).some((word) => !words.has(word))),
    ),
    names: [
      ...machineNames(),
      ...configNames({ ...config, models: undefined }),
      ...texts.flatMap(namesInText),
      ...people.names,
    ],
    messages: people.messages,
    missing: people.missing,
  };
}

/** The file as it is, then its versions, newest first. */
async function readConfigTexts(context: Context): Promise<readonly string[]> {
  const { history, path } = configFiles(context);
  const own = await readTextIfExists(path).catch(() => undefined);
  const versions = await history.list().catch(() => []);
  const kept = await Promise.all(versions.slice(0, 10).map((version) => history.read(version).catch(() => undefined)));
  const older = kept.flatMap((content) => (content ? [content.text, ...content.parts.map(({ text }) => text)] : []));
  return [...(own === undefined ? [] : [own]), ...older].map((text) => text.slice(0, 1024 * 1024));
}

/** Quoted texts that say more than words of ours do. */
function foreignStrings(text: string, words: Words): string[] {
  const quoted = [...text.matchAll(/"((?:[^"\\\n]|\\.){8,400})"|'((?:[^'\\\n]|\\.){8,400})'/gu)];
  return quoted
    .map(([, double, single]) => double ?? single ?? "")
    .filter((value) => /\d/u.test(value) && !/^[\w.-]+\/[\w.:-]+$/u.test(value) && !/^(?:[~/]|\w+:\/\/)/u.test(value))
    .filter((value) => wordsIn(value).some((word) => !words.has(word)));
}

async function readCredentials(places: readonly (string | undefined)[]): Promise<string[]> {
  const texts = await Promise.all(places.map((place) => (place === undefined ? [] : readBelow(place))));
  return texts.flat().flatMap((text) => {
    const value = parseJson(text);
    return isRecord(value) || Array.isArray(value) ? stringsIn(value) : [text.trim()];
  });
}

async function readBelow(path: string): Promise<string[]> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size <= maxFileBytes ? [await readFile(path, "utf8")] : [];
    const names = await readdir(path);
    return (await Promise.all(names.slice(0, 100).map((name) => readBelow(join(path, name))))).flat();
  } catch {
    // not there, or closed to us: then it can have come from nowhere here either
    return [];
  }
}

/** Of JSON; short ones are kinds and names of fields. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return value.length >= 16 ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  return isRecord(value) ? Object.values(value).flatMap(stringsIn) : [];
}

/** Everybody's. */
const commonUsers =
  /^(?:root|user|admin|administrator|ubuntu|debian|pi|node|app|home|runner|test|openclaw|moltbot|clawdbot|gateway|daemon|localhost)$/iu;

function machineNames(): string[] {
  let user = "";
  try {
    user = userInfo().username;
  } catch {
    // a user that the system has no entry for
  }
  const names = [user, basename(homedir()), hostname(), ...hostname().split(".")];
  return names.filter((name) => name.length > 1 && !commonUsers.test(name) && !/^[0-9a-f]{8,}$/u.test(name));
}

const personal =
  /^(?:name|nickname|displayName|title|label|email|username|alias|owner|ownerAllowFrom|allowFrom|groupAllowFrom|users|accounts|groups|dms|chats|peers|mentionPatterns|to|chatId|peer|phone|id)$/iu;

/** What stands under such keys, and the keys below them. */
function configNames(value: unknown, isPersonal = false): string[] {
  if (typeof value === "string" || typeof value === "number") return isPersonal ? [String(value)] : [];
  if (Array.isArray(value)) return value.flatMap((item) => configNames(item, isPersonal));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = isPersonal && isRecord(inner) ? [key] : [];
    return [...own, ...configNames(inner, personal.test(key))];
  });
}

/** The same in a text that may not parse. */
function namesInText(text: string): string[] {
  const found = text.matchAll(
    /["']?(?:name|nickname|displayName|title|label|username|email)["']?\s*:\s*["']([^"'\n]{2,80})["']/giu,
  );
  const lists = [...text.matchAll(/["']?(?:groupAllowFrom|allowFrom)["']?\s*:\s*\[([^\]]{0,4000})/giu)];
  return [
    ...[...found].map(([, name = ""]) => name),
    ...lists.flatMap(([, list = ""]) => list.match(/[\w@+-]{2,}/gu) ?? []),
  ];
}

async function readPeople(
  path: string,
): Promise<{ names: readonly string[]; messages: readonly string[]; missing: readonly string[] }> {
  const nothing = { names: [], messages: [] };
  if (!(await stat(path).catch(() => undefined))) return { ...nothing, missing: [] };
  const missing =
    "names and messages of the database could not be read to be kept out by themselves: look at the logs with more care";
  try {
    const database = lookIntoDatabase(path);
    try {
      const { failed, ...people } = await database.read((sql) => listPeople(sql, maxRows));
      return { ...people, missing: failed > 0 ? [missing] : [] };
    } finally {
      await database.close();
    }
  } catch {
    return { ...nothing, missing: [missing] };
  }
}
