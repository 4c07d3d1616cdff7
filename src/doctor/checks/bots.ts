// Each Telegram account: has it a token of its own that can be read, and does it let in whom it should.

import { access, constants } from "node:fs/promises";

import { defaultAccount } from "../../base/ids.ts";
import {
  botsOf,
  keyOf,
  settingsOf,
  tokenPlaces,
  type BotSettings,
  type TelegramSection,
  type TokenPlace,
} from "../../config/accounts.ts";
import { readTextIfExists } from "../../platform/files.ts";
import type { Config } from "../../settings/config.ts";
import type { DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

interface Bot {
  readonly id: string;
  readonly settings: BotSettings;
  readonly places: readonly TokenPlace[];
  /** The key that says it for this account: its own, or the channel's. */
  readonly key: (name: string) => string;
}

/** Of those that are switched on. */
export async function checkBots(scene: Scene, config: Config): Promise<DoctorFinding[]> {
  const { telegram } = config.channels;
  const fromEnv = scene.env.raw("TELEGRAM_BOT_TOKEN");
  if (!telegram) return [];
  const bots = botsOf(telegram, fromEnv)
    .map((id) => toBot(telegram, id, fromEnv))
    .filter(({ settings }) => settings.enabled !== false);
  const tokens = await Promise.all(bots.map((bot) => checkToken(scene, bot)));
  const rules = bots.flatMap((bot) => [...checkDirect(bot), ...checkGroups(bot, config)]);
  // what the channel says for several accounts is told once
  const once = new Map(rules.map((finding) => [finding.message, finding]));
  return [...tokens.flat(), ...(await checkTwins(bots)), ...once.values()];
}

function toBot(section: TelegramSection, id: string, fromEnv: string | undefined): Bot {
  const own = keyOf(section, id);
  const said: Readonly<Record<string, unknown>> = (own === undefined ? undefined : section.accounts?.[own]) ?? {};
  const top = "channels.telegram";
  return {
    id,
    settings: settingsOf(section, id),
    places: tokenPlaces(section, id, fromEnv),
    key: (name) => (said[name] === undefined ? `${top}.${name}` : `${top}.accounts.${own}.${name}`),
  };
}

async function checkToken({ command }: Scene, { id, places }: Bot): Promise<DoctorFinding[]> {
  const found: DoctorFinding[] = [];
  if (places.length === 0)
    found.push({
      id: "channels.no-token",
      severity: "error",
      message:
        id === defaultAccount ? "Telegram is set up and has no bot token" : `Telegram account ${id} has no bot token`,
      next:
        id === defaultAccount
          ? command("config set channels.telegram.botToken <token of @BotFather>")
          : command(`channels add --channel telegram --account ${id} --token -`),
    });
  for (const { name, kind, value } of places) {
    if (kind !== "file" || (await isReadable(value))) continue;
    found.push({
      id: "channels.token-file",
      severity: "error",
      message: `${name} cannot be read: ${value}`,
      next: "check the path, and who may read it",
    });
  }
  return found;
}

const isReadable = (path: string) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

/** Two accounts with one bot would take each other's messages: the second does not run. */
async function checkTwins(bots: readonly Bot[]): Promise<DoctorFinding[]> {
  const first = new Map<string, { readonly id: string; readonly name: string }>();
  const found: DoctorFinding[] = [];
  for (const { id, places } of bots) {
    const [place] = places;
    const token = place && (await tokenAt(place));
    if (!place || !token) continue;
    const other = first.get(token);
    if (other)
      found.push({
        id: "channels.same-bot",
        severity: "error",
        message: `${place.name} and ${other.name} are the token of one bot: account ${id} does not run`,
        next: "give each account a bot of its own (@BotFather makes them), or take one of the two out of the config",
      });
    else first.set(token, { id, name: place.name });
  }
  return found;
}

async function tokenAt({ kind, value }: TokenPlace): Promise<string | undefined> {
  return kind === "token" ? value : (await readTextIfExists(value).catch(() => undefined))?.trim();
}

function checkDirect({ settings, key }: Bot): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  if (settings.dmPolicy === "open")
    found.push({
      id: "channels.open",
      severity: "warning",
      message: `${key("dmPolicy")} is open: everybody who finds the bot talks to your agent`,
      next: "use pairing, or a list of ids in allowFrom",
    });
  const names = settings.allowFrom.filter((entry) => String(entry).startsWith("@"));
  if (names.length > 0)
    found.push({
      id: "channels.names",
      severity: "warning",
      message: `${key("allowFrom")} has ${names.length === 1 ? "a name" : "names"} that let nobody in: ${names.join(", ")}`,
      next: "write numeric ids: names can change hands",
    });
  return found;
}

function checkGroups({ settings, key }: Bot, { channels }: Config): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const groupPolicy = settings.groupPolicy ?? channels.defaults?.groupPolicy ?? "allowlist";
  const senders = settings.groupAllowFrom ?? settings.allowFrom;
  if (groupPolicy === "open")
    found.push({
      id: "channels.open-groups",
      severity: "warning",
      message: `${key("groupPolicy")} is open: everybody in a group with the bot may use it`,
      next: "use allowlist with groupAllowFrom",
    });
  if (settings.groups && groupPolicy === "allowlist" && senders.length === 0)
    found.push({
      id: "channels.silent-groups",
      severity: "info",
      message: `${key("groups")} are set up, and nobody in them may write`,
      next: `set ${key("groups").replace(/groups$/u, "groupAllowFrom")} to ids of people`,
    });
  return found;
}
