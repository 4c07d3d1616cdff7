// Masks what looks like a secret, in any text that goes to a log. Patterns err on the side of masking.

/** Group 1, where there is one, is kept; the rest of the match is masked. */
const patterns: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gu,
  // names that end like a secret, as variables, JSON fields, headers, flags and query parameters
  /([\w-]*(?:api[_-]?key|token|secret|password|passwd|authorization)\\*["']?\s*[:=]\s*\\*["']?(?:Bearer\s+|Basic\s+)?)(?!Bearer\b|Basic\b)[^\s"'\\,;&}]{4,}/giu,
  /(--(?:token|password|secret|api-key)[= ])[^\s"']+/giu,
  /(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}/giu,
  // Telegram bot tokens, also inside URLs
  /(\b(?:bot)?\d{5,}:)[A-Za-z0-9_-]{16,}/gu,
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}/gu,
  /\b(?:ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{16,}/gu,
  /\b(?:xox[abprs]|xapp)-[A-Za-z0-9-]{8,}/gu,
  /\b(?:gsk_|pplx-|npm_)[A-Za-z0-9]{16,}/gu,
  /\bAIza[A-Za-z0-9_-]{20,}/gu,
];

const mask = "***";

/** The text with secrets masked. `extra` are patterns of the user's, matched whole. */
export function redactText(text: string, extra: readonly RegExp[] = []): string {
  let result = text;
  for (const pattern of patterns)
    result = result.replace(pattern, (_match, kept: unknown) => (typeof kept === "string" ? `${kept}${mask}` : mask));
  for (const pattern of extra) result = result.replace(pattern, mask);
  return result;
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
