// Where a bot's token comes from, and which bot may use it: of two accounts with one token the first runs, for the other would take its
// messages from it.

import { codeOf } from "../../base/error-code.ts";
import { botsOf, settingsOf, tokenPlaces, type TelegramSection, type TokenPlace } from "../../config/accounts.ts";

export interface Token {
  readonly value: string;
  /** For texts: never the token itself. */
  readonly source: string;
}

/** No token to go on with: why, and the next step. */
export interface NoToken {
  readonly reason: string;
  readonly next: string;
  /** There is one, and another account has it. */
  readonly isTaken: boolean;
}

export interface TokenSources {
  readonly settings: () => TelegramSection | undefined;
  readonly tokenFromEnv: () => string | undefined;
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** Never throws. */
export async function findToken(account: string, sources: TokenSources): Promise<Token | NoToken> {
  const found = await readToken(account, sources);
  if (!("value" in found)) return found;
  const rival = await findRival(account, found, sources);
  if (!rival) return found;
  return {
    reason: `${found.source} and ${rival.source} are the token of one bot, which account ${rival.account} has`,
    next: "give each account a bot of its own (@BotFather makes them), or take one of the two out of the config",
    isTaken: true,
  };
}

/** The account before this one that has the same token and is switched on. */
async function findRival(account: string, { value }: Token, sources: TokenSources) {
  const section = sources.settings();
  const all = botsOf(section, sources.tokenFromEnv());
  for (const other of all.slice(0, Math.max(0, all.indexOf(account)))) {
    if (section && settingsOf(section, other).enabled === false) continue;
    const token = await readToken(other, sources);
    if ("value" in token && token.value === value) return { account: other, source: token.source };
  }
  return undefined;
}

/** The first place that holds one. */
async function readToken(account: string, sources: TokenSources): Promise<Token | NoToken> {
  const places = tokenPlaces(sources.settings(), account, sources.tokenFromEnv());
  let empty: TokenPlace | undefined;
  for (const place of places) {
    const { name, kind, value } = place;
    if (kind === "token") return { value, source: name };
    const read = await readFrom(place, sources);
    if (typeof read === "object") return read;
    if (read !== "") return { value: read, source: name };
    empty ??= place;
  }
  const isDefault = account === "default";
  const key = isDefault ? "channels.telegram.botToken" : `channels.telegram.accounts.${account}.botToken`;
  return {
    reason: empty ? `no bot token: ${empty.value}, which ${empty.name} names, is not there or empty` : "no bot token",
    next: empty
      ? "write the token from @BotFather into it, then restart"
      : `set ${key}${isDefault ? " or TELEGRAM_BOT_TOKEN" : ""} to the token from @BotFather`,
    isTaken: false,
  };
}

/** Empty where there is no such file: the next place may hold one. */
async function readFrom({ name, value: path }: TokenPlace, { readFile }: TokenSources): Promise<string | NoToken> {
  try {
    return (await readFile(path))?.trim() ?? "";
  } catch (error) {
    const code = codeOf(error);
    return {
      reason: `the file that ${name} names cannot be read${code === undefined ? "" : ` (${code})`}`,
      next: "give the user that runs the Gateway the right to read it",
      isTaken: false,
    };
  }
}
