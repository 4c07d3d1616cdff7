// What leaves a machine for the eyes of strangers: secrets, names, ids, addresses and paths are taken out of every text and every value.
// Not a list of what is forbidden but one of what is allowed: words that the program itself has, short numbers, times and sizes.

import { createHmac, randomBytes } from "node:crypto";

import { isRecord } from "../base/json.ts";
import { isSecretName, mask, redactText } from "../platform/redact.ts";
import { createForms, outsideMarks, renderPath, type Alias, type FormRules } from "./forms.ts";
import { wordsIn, type Words } from "./words.ts";

export interface Scrub {
  /** A text that may hold anything. */
  text(text: string): string;
  /** JSON, its keys as well. */
  value(value: unknown): unknown;
  /** A key of the config, by its parts. */
  path(path: readonly string[]): string;
}

export interface ScrubOptions {
  readonly words: Words;
  /** Patterns of secrets that are known here. */
  readonly secrets: readonly RegExp[];
  /** What people and things of theirs are called here, ids among them; taken out although a word is one of ours. */
  readonly names: readonly string[];
  /** What people wrote here: none of it stays, although its words are ours. */
  readonly messages: readonly string[];
  /** Places that may be told, by what stands for them: `state`. */
  readonly places: readonly (readonly [path: string, name: string])[];
}

const maxText = 4_000;
const maxItems = 5_000;

export function createScrub(options: ScrubOptions): Scrub {
  const alias = createAlias();
  const isFamiliar = createFamiliar(options);
  const ids = new Set(options.names.map((name) => name.replaceAll(/\D/gu, "")).filter((id) => /^\d{4,5}$/u.test(id)));
  const rules: FormRules = { alias, isFamiliar, ids };
  const replaceForms = createForms(rules);
  const replacePlaces = createPlaces(options.places, rules);
  const isQuoted = createQuoted(options.messages);

  const text = (given: string): string => {
    if (isQuoted(given)) return `<text of a message, ${given.length} characters>`;
    let result = redactText(given.slice(0, maxText * 2), options.secrets).normalize("NFKC");
    // our own marks cannot be forged, nor hidden in
    result = result.replaceAll(/[<>]/gu, " ").replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ");
    result = replaceForms(replacePlaces(result));
    result = outsideMarks(result, /\p{L}[\p{L}\p{M}\p{N}]*(?:['’]\p{L}+)?/gu, (found, before) =>
      isFamiliar(found, /(?:^|[.!?:;("'[{=,]\s*)$/u.test(before)) ? found : "…",
    );
    // signs, and digits of other scripts
    result = outsideMarks(result, /[^\p{L}\p{P}\p{Z}\p{Sm}0-9$^`|]+/gu, () => "…");
    result = result.replaceAll(/…(?:[\s.,'’_-]*…)+/gu, "…");
    return result.length > maxText ? `${result.slice(0, maxText).replace(/<[^>]*$/u, "")}…` : result;
  };
  /** What somebody chose has an alias, so that two of them stay two. */
  const key = (name: string): string => {
    if (/^[A-Za-z]\w*$/u.test(name) && options.words.has(name)) return name;
    const shown = text(name);
    return shown.includes("…") ? alias("key", name) : shown;
  };
  const value = (given: unknown, name: string): unknown => {
    if (isHidden(name, given)) return mask;
    if (typeof given === "string") return toText(given, name);
    if (typeof given === "number" || typeof given === "bigint") return toNumber(given, name, alias);
    if (Array.isArray(given)) return given.slice(0, maxItems).map((item) => value(item, name));
    if (!isRecord(given)) return given ?? null;
    return Object.fromEntries(Object.entries(given).map(([inner, it]) => [key(inner), value(it, inner)]));
  };
  const toText = (given: string, name: string) => {
    if (written.test(name)) return given === "" ? "" : `<text, ${given.length} characters>`;
    if (isoTime.test(given)) return given;
    return idNames.test(name) && /^-?\d{4,}$/u.test(given)
      ? alias("number", given.replaceAll(/\D/gu, ""))
      : text(given);
  };
  return {
    text,
    value: (given) => value(given, ""),
    path: (path) => path.map(key).join("."),
  };
}

function createAlias(): Alias {
  const salt = randomBytes(32);
  // digits would look like a part of what they stand for
  const letters = "bcdfghjkmnpqrstv";
  return (kind, text) => {
    const digest = createHmac("sha256", salt).update(text).digest();
    return `<${kind}:${[...digest.subarray(0, 4)].map((byte) => `${letters[byte >> 4]}${letters[byte & 15]}`).join("")}>`;
  };
}

function createPlaces(places: ScrubOptions["places"], rules: FormRules): (text: string) => string {
  const patterns = places
    .filter(([path]) => path.length > 1)
    .toSorted(([a], [b]) => b.length - a.length)
    .map(([path, name]) => {
      const literal = path.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
      return { path, name, pattern: new RegExp(`${literal}(?![\\p{L}\\p{N}_-])(?:[\\\\/][^\\s"',;:()<>]*)?`, "gu") };
    });
  return (text) =>
    patterns.reduce(
      (result, { path, name, pattern }) =>
        outsideMarks(result, pattern, (found) => `<${name}${renderPath(found.slice(path.length), rules)}>`),
      text,
    );
}

/** Of short words with a capital letter only these are no names. */
const shortCapitals: readonly string[] =
  "A All An And Any API Are As At Bad Be But By Can CLI CPU Do DNS EOF For GET Get Go GMT Has If In IP IPC Is It Its JS Let MB KB GB New No Not Now Of OK Ok On One Or Out PID POST PUT RPC RSS Run Set SSL TCP The TLS To Too Try TTY UDP Up URL Use UTC Was We WS You".split(
    " ",
  );
/** They are in too many texts to be given up for a chat that is called so. */
const brands =
  /^(?:gateway|openclaw|moltbot|clawdbot|telegram|node|linux|darwin|config|default|main|error|the|and|of|in)$/iu;

/** `isFirst`: it begins a sentence, where every word has a capital letter. */
function createFamiliar({ words, names }: ScrubOptions): (word: string, isFirst: boolean) => boolean {
  const own = new Set(names.flatMap(wordsIn).map((word) => word.toLowerCase()));
  const short = new Set(shortCapitals);
  const endings = new Set(["s", "t", "re", "ll", "ve", "d", "m"]);
  const isKnown = (word: string, isFirst: boolean): boolean => {
    if (own.has(word.toLowerCase()) && !brands.test(word)) return false;
    // first names are often that short, and words of ours seldom
    if (/^\p{Lu}\p{Ll}{0,2}$/u.test(word) && !short.has(word)) return false;
    if (words.has(word) || /^v\d{1,2}$/u.test(word)) return true;
    return (isFirst || /^[A-Z]+$/u.test(word)) && /^[A-Z]/u.test(word) && words.has(word.toLowerCase());
  };
  return (word, isFirst) =>
    word
      .split(/['’]/u)
      .every((part, index) => (index > 0 && endings.has(part)) || isKnown(part, isFirst && index === 0));
}

/** So many words in a row of what was written here give it away; of less than these the whole. */
const quotedRun = 4;
const leastQuoted = 3;

function createQuoted(messages: readonly string[]): (text: string) => boolean {
  const runsOf = (text: string, length: number) => {
    const list = wordsIn(text.normalize("NFKC").toLowerCase());
    return list.slice(length - 1).map((_, index) => list.slice(index, index + length).join(" "));
  };
  const runs = new Set<string>();
  for (const message of messages) {
    const length = Math.min(quotedRun, Math.max(leastQuoted, wordsIn(message).length));
    for (const run of runsOf(message, length)) runs.add(run);
  }
  return (text) =>
    runs.size > 0 && [leastQuoted, quotedRun].some((length) => runsOf(text, length).some((run) => runs.has(run)));
}

/** Whatever is called a secret stays here, also as a number or a list. Tokens are counted, too. */
function isHidden(name: string, given: unknown): boolean {
  if (!isSecretName(name) || given === null || typeof given === "boolean" || isRecord(given)) return false;
  return typeof given !== "number" || !/tokens$/iu.test(name) || given > 1e10;
}

const isoTime = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/u;
/** Names of what somebody wrote or is called. */
const written =
  /^(?:text|body|content|contents|caption|prompt|input|output|args|arguments|params|reply|preview|note|subject|query|payload|raw|data|first_?name|last_?name|username|sender_?name|nickname)$/iu;
const idNames =
  /(?:id|ids|chat|user|sender|peer|from|to|phone|number|account|thread|topic|target|group|owner|member)$/iu;
const measures =
  /(?:at|ts|time|ms|bytes|size|total|used|free|rss|external|heap\w*|uptime|count|limit|pid|age|cpu|memory|cursor|lines|space|room|span|jump|tokens|seconds?)$/iu;

/** Small ones say nothing of anybody, and large ones only where their name says what they measure. */
function toNumber(given: number | bigint, name: string, alias: Alias): unknown {
  const number = Number(given);
  if (!Number.isInteger(number)) return number;
  const size = Math.abs(number);
  if (idNames.test(name) && !/^p?pid$/u.test(name)) return size < 1_000 ? number : alias("number", String(size));
  if (size < 100_000 || measures.test(name)) return number;
  // ms since the epoch, these decades
  return number > 1.6e12 && number < 2.2e12 ? number : alias("number", String(size));
}
