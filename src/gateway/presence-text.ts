// The one-line form of a presence row: `Node: host (ip) · app version · last input 5s ago · mode ui · reason periodic`.

export interface PresenceFacts {
  readonly host?: string;
  readonly ip?: string;
  readonly version?: string;
  readonly mode?: string;
  readonly reason?: string;
  readonly lastInputSeconds?: number;
}

export function renderNodeText(facts: {
  host: string;
  ip?: string | undefined;
  version?: string;
  mode?: string;
  reason?: string;
}): string {
  const parts = [
    `Node: ${facts.host}${facts.ip ? ` (${facts.ip})` : ""}`,
    ...(facts.version ? [`app ${facts.version}`] : []),
    ...(facts.mode ? [`mode ${facts.mode}`] : []),
    ...(facts.reason ? [`reason ${facts.reason}`] : []),
  ];
  return parts.join(" · ");
}

/** Longer texts are no such line; reading only their beginning keeps the patterns below quick. */
const maxLineLength = 1_000;

/** What can be read from the line; texts of another form give nothing. */
export function parsePresenceText(text: string): PresenceFacts {
  const [head = "", ...rest] = text
    .slice(0, maxLineLength)
    .split("·")
    .map((part) => part.trim());
  const name = /^Node:\s*([^\s(][^(]*)(?:\(([^()]+)\))?$/u.exec(head);
  const host = name?.[1]?.trim();
  if (!host) return {};
  const fields = rest
    .map((part) => /^(app|mode|reason|last input)\s+(\S.*)$/u.exec(part))
    .filter((match) => match !== null);
  const value = (key: string) => fields.find((match) => match[1] === key)?.[2];
  const seconds = /^(\d{1,9})s ago$/u.exec(value("last input") ?? "")?.[1];
  const facts = {
    host,
    ip: name?.[2]?.trim(),
    version: value("app"),
    mode: value("mode"),
    reason: value("reason"),
    ...(seconds === undefined ? {} : { lastInputSeconds: Number(seconds) }),
  };
  // the same without what the line did not say
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) as PresenceFacts;
}
