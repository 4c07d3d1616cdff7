// Masks what looks like a secret, in any text that goes to a log. Patterns err on the side of masking, and none takes more
// than linear time: texts from strangers pass through here.

/** What names of secrets end with. */
const secretNames =
  "(?:api|private|access|signing|encryption)[_-]?key|token|secret|password|passwd|passphrase|authorization|cookie";

/** With these a sentence of ours goes on behind the name of a key that holds a secret. */
const ownWords = "must be|must have|must not|must match|unknown key|this stands for|this key is|nested deeper";

/** Group 1, where there is one, is kept; the rest of the match is masked. */
const patterns: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gu,
  // variables, JSON fields, headers and query parameters; a quoted value goes up to the quote that opened it, also where
  // the JSON is itself inside of a JSON string
  new RegExp(
    String.raw`((?:${secretNames})\\*["']?\s*[:=]\s*(\\*["'])(?:Bearer\s+|Basic\s+)?)(?:(?!(?<!\\)\2)[\s\S])+`,
    "giu",
  ),
  new RegExp(
    String.raw`((?:${secretNames})\\*["']?\s*[:=]\s*(?:Bearer\s+|Basic\s+)?)` +
      String.raw`(?!(?:Bearer|Basic|true|false|null|undefined|none|${ownWords})\b)(?:\\(?!\\*["'])|[^\s"'\\,;&}]){4,}`,
    "giu",
  ),
  /(\b[A-Z][A-Z0-9_]*_KEY\s*=\s*)(?:"[^"]*|'[^']*|[^\s"',;&]+)/gu,
  // what follows the flag, unless it is a word of the sentence that the flag is named in
  /(--(?:[a-z]+-)*(?:token|password|secret|api-key)(?:=| (?!(?:or|and|is|are|was|for|to|in|on|of|with|here|there)\b)))(?:"[^"]*|'[^']*|[^\s"']+)/gu,
  /(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}/giu,
  // user and password in a URL
  /(\/\/[^\s/:@]{0,256}:)[^\s/@]+(?=@)/gu,
  // Telegram bot tokens, also inside URLs
  /(\b(?:bot)?\d{5,}(?::|%3A))[A-Za-z0-9_-]{16,}/giu,
  /\b(?:(?:sk|pk|rk)-|(?:sk|rk|pk)_(?:live|test)_)[A-Za-z0-9_-]{12,}/gu,
  /\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{16,}/gu,
  /\b(?:xox[abprs]|xapp)-[A-Za-z0-9-]{8,}/gu,
  /\b(?:gsk_|pplx-|npm_)[A-Za-z0-9]{16,}/gu,
  /\bAIza[A-Za-z0-9_-]{20,}/gu,
  /\bAKIA[A-Z0-9]{12,}/gu,
  // JSON Web Tokens
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/gu,
];

const secretName = new RegExp(`(?:${secretNames})s?$`, "iu");
const secretFlag = /^--(?:[a-z]+-)*(?:token|password|secret|api-key)$/u;

/** What stands in a secret's place. */
export const mask = "***";

/** The text with secrets masked. `extra` are patterns of the user's, matched whole. */
export function redactText(text: string, extra: readonly RegExp[] = []): string {
  let result = text;
  for (const pattern of patterns)
    result = result.replace(pattern, (_match, kept: unknown) => (typeof kept === "string" ? `${kept}${mask}` : mask));
  for (const pattern of extra) result = result.replace(pattern, mask);
  return result;
}

/** Shorter ones are words that stand in sentences. */
const minKnownLength = 6;

/** One pattern for secrets that are known, in the forms in which they are written; undefined when there are none. */
export function knownSecrets(values: readonly string[]): RegExp | undefined {
  const forms = values
    .filter((value) => value.length >= minKnownLength)
    .flatMap((value) => [
      value,
      encodeURIComponent(value.toWellFormed()),
      JSON.stringify(value).slice(1, -1),
      toBase64(value),
    ]);
  // the longer one first: of two that begin alike, the shorter would leave the rest of the longer one
  const sorted = [...new Set(forms)].toSorted((a, b) => b.length - a.length);
  return sorted.length === 0
    ? undefined
    : new RegExp(sorted.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`)).join("|"), "gu");
}

function toBase64(value: string): string {
  // its last characters depend on what follows
  return Buffer.from(value).toString("base64").replace(/=+$/u, "").slice(0, -1);
}

/** True for names such as `botToken` or `OPENAI_API_KEY`: whatever text is under them is a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name) || name.endsWith("_KEY");
}

/** True for `--token` and its like: the argument after it is a secret. */
export function isSecretFlag(argument: unknown): boolean {
  return typeof argument === "string" && secretFlag.test(argument);
}

/** `/re/flags` or a plain expression; one that does not compile is left out. */
export function parseRedactPatterns(sources: readonly string[]): RegExp[] {
  return sources.flatMap((source) => {
    const literal = /^\/(.*)\/([a-z]*)$/su.exec(source);
    try {
      return [
        literal ? new RegExp(literal[1] ?? "", `${(literal[2] ?? "").replace("g", "")}g`) : new RegExp(source, "gu"),
      ];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
}
