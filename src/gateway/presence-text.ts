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

/** What can be read from the line; texts of another form give nothing. */
export function parsePresenceText(text: string): PresenceFacts {
  const [head = "", ...rest] = text.trim().split(/\s+·\s+/u);
  const name = /^Node:\s*([^(]+?)(?:\s*\(([^)]+)\))?$/u.exec(head);
  if (!name) return {};
  const fields = rest
    .map((part) => /^(app|mode|reason|last input)\s+(.+)$/u.exec(part))
    .filter((match) => match !== null);
  const value = (key: string) => fields.find((match) => match[1] === key)?.[2];
  const seconds = /^(\d+)s ago$/u.exec(value("last input") ?? "")?.[1];
  return {
    ...(name[1] ? { host: name[1] } : {}),
    ...(name[2] ? { ip: name[2] } : {}),
    ...(value("app") ? { version: value("app") } : {}),
    ...(value("mode") ? { mode: value("mode") } : {}),
    ...(value("reason") ? { reason: value("reason") } : {}),
    ...(seconds === undefined ? {} : { lastInputSeconds: Number(seconds) }),
  } as PresenceFacts;
}
