// Forms that give away what a piece of text is, whatever its words: addresses, paths, ids, numbers of people.

/** The same for the same thing in one bundle, and another in the next: nobody can try ids out. */
export type Alias = (kind: string, text: string) => string;

/** In this order: what an earlier one takes, a later one does not see. */
const forms: readonly (readonly [pattern: RegExp, kind: Kind])[] = [
  [/(?<!\d)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)(?!\d)/gu, "time"],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>()]+/giu, "url"],
  [/(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu, "mail"],
  [/(?<![\p{L}\p{N}_])@[\p{L}_][\p{L}\p{N}_]{2,}/gu, "name"],
  [/(?:(?<![\p{L}\p{N}])[A-Za-z]:|~)?(?<![\p{L}\p{N}])[\\/][^\s"',;:()]*[\p{L}\p{N}][^\s"',;:()]*/gu, "path"],
  [/(?<![\p{L}\p{N}.])(?:\d{1,3}\.){3}\d{1,3}(?![\p{N}.])/gu, "ip"],
  [/(?<![\p{L}\p{N}:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\p{L}\p{N}:])/giu, "ip6"],
  [/(?<![\p{L}\p{N}-])(?:[\p{L}\p{N}-]+\.)+(?:com|net|org|io|lan|local|home|internal)(?![\p{L}\p{N}-])/giu, "host"],
  // keys, hashes, ids of machines
  [/(?<![A-Za-z0-9_+/=-])(?=[A-Za-z_+/=-]*\d)(?=[\d_+/=-]*[A-Za-z])[A-Za-z0-9_+/=-]{16,}/gu, "run"],
  // telephone numbers and ids of chats, however they are grouped
  [/\+?\(?\d[\d\s().,\-–/]{4,}\d/gu, "number"],
  [/\d{4,}/gu, "digits"],
];

type Kind = "time" | "url" | "mail" | "name" | "path" | "ip" | "ip6" | "host" | "run" | "number" | "digits";

/** Every service has its own way of asking them; they name nobody. */
const knownHosts =
  /^(?:localhost|api\.telegram\.org|api\.openai\.com|api\.anthropic\.com|generativelanguage\.googleapis\.com)$/u;
const loopback = /^(?:127\.[\d.]+|0\.0\.0\.0|\[?::1?\]?)$/u;
const date = /^(?:19|20)\d\d-\d\d-\d\d(?:[ T]\d\d)?$/u;
const clockTime = /^\d\d:\d\d:\d\d$/u;
/** Releases are called by their month, too. */
const version = /^20[23]\d\.(?:[1-9]|1[0-2])\.\d{1,2}$/u;

export interface FormRules {
  readonly alias: Alias;
  readonly isFamiliar: (word: string, isFirst: boolean) => boolean;
  /** Short ones that are known as somebody's. */
  readonly ids: ReadonlySet<string>;
}

export function createForms(rules: FormRules): (text: string) => string {
  const replacers = createReplacers(rules);
  return (text) => {
    let result = text;
    for (const [pattern, kind] of forms) result = outsideMarks(result, pattern, replacers[kind]);
    return result;
  };
}

/** Applies to what does not stand between our own marks. `at`: the text before it. */
export function outsideMarks(
  text: string,
  pattern: RegExp,
  replace: (found: string, before: string) => string,
): string {
  return text
    .split(/(<[^<>]*>)/u)
    .map((part) =>
      part.startsWith("<")
        ? part
        : part.replace(pattern, (found, at: unknown) => replace(found, part.slice(0, Number(at)))),
    )
    .join("");
}

function createReplacers(rules: FormRules): Record<Kind, (found: string) => string> {
  const { alias, ids } = rules;
  return {
    time: (found) => `<${found}>`,
    url: (found) => replaceUrl(found, alias),
    mail: (found) => alias("mail", found.toLowerCase()),
    name: (found) => alias("name", found.toLowerCase()),
    path: (found) => `<${renderPath(found, rules)}>`,
    ip: (found) => (loopback.test(found) ? `<${found}>` : alias("ip", found)),
    // a time of day has the same form
    ip6: (found) => (loopback.test(found) || clockTime.test(found) ? found : alias("ip", found)),
    host: (found) => (knownHosts.test(found) ? found : alias("host", found.toLowerCase())),
    run: (found) => (isWording(found, rules) ? found : alias("id", found)),
    number: (found) => replaceNumber(found, alias),
    digits: (found) => (found.length > 5 || ids.has(found) ? alias("number", found) : found),
  };
}

function replaceNumber(found: string, alias: Alias): string {
  const digits = found.replaceAll(/\D/gu, "");
  if (digits.length < 6 || date.test(found) || version.test(found)) return found;
  return alias("number", digits);
}

/** Names of models and files: words of ours, and numbers that are too short to be somebody's. */
function isWording(found: string, { isFamiliar, ids }: FormRules): boolean {
  return found
    .split(/[^A-Za-z0-9]+/u)
    .every(
      (piece) => piece === "" || (/^\d+$/u.test(piece) ? piece.length < 5 && !ids.has(piece) : isFamiliar(piece, true)),
    );
}

/** The host where everybody has it; never what follows it. */
function replaceUrl(found: string, alias: Alias): string {
  const [, scheme = "", authority = ""] = /^([^:]+):\/\/([^/?#\\]*)/u.exec(found) ?? [];
  const port = /:\d{1,5}$/u.exec(authority)?.[0] ?? "";
  const host = authority.replace(/^.*@/u, "").slice(0, port === "" ? undefined : -port.length);
  const shown = loopback.test(host) || knownHosts.test(host) ? host : alias("host", host.toLowerCase()).slice(1, -1);
  return `<${/^(?:https?|wss?|file)$/iu.test(scheme) ? scheme.toLowerCase() : "url"}://${shown}${port}/>`;
}

/** Its parts that are words of ours; never whose home it is in. */
export function renderPath(path: string, { alias, isFamiliar, ids }: FormRules): string {
  let isOwner = false;
  const parts = path.split(/([\\/]+)/u).map((part) => {
    if (part === "" || /^[\\/]/u.test(part)) return part;
    const isKept = !isOwner && isWordingPath(part, { alias, isFamiliar, ids });
    isOwner = /^(?:home|Users)$/u.test(part);
    return isKept ? part : alias("part", part).slice(1, -1);
  });
  return parts.join("");
}

function isWordingPath(part: string, rules: FormRules): boolean {
  return (
    !/[^\w.@:~ -]/u.test(part) &&
    !/\d{6,}/u.test(part.replaceAll(/(?:19|20)\d\d-\d\d-\d\d/gu, "")) &&
    isWording(part, rules)
  );
}
