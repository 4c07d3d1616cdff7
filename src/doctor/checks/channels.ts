// The channels: can they work with this config, does it let in whom it should, and what does the running Gateway say of them.

import { access, constants } from "node:fs/promises";

import type { Config } from "../../settings/config.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

export function createChannelsCheck(scene: Scene): DoctorCheck {
  return {
    id: "channels",
    group: "channels",
    label: "channels",
    async run() {
      const config = await scene.config();
      if (config.gateway.mode === "remote") return [];
      const { telegram } = config.channels;
      return [
        ...(telegram && telegram.enabled !== false ? await checkTelegram(scene, config, telegram) : []),
        ...checkSharing(config),
        ...(await askGateway(scene)),
      ];
    },
  };
}

type Telegram = NonNullable<Config["channels"]["telegram"]>;

async function checkTelegram(scene: Scene, config: Config, telegram: Telegram): Promise<DoctorFinding[]> {
  const accounts = Object.values(telegram.accounts ?? {}).filter(({ enabled }) => enabled !== false);
  const found: DoctorFinding[] = [];
  const fromEnv = scene.env.raw("TELEGRAM_BOT_TOKEN") !== undefined;
  const hasToken = [telegram, ...accounts].some(({ botToken, tokenFile }) => (botToken ?? tokenFile) !== undefined);
  if (!hasToken && !fromEnv)
    found.push({
      id: "channels.no-token",
      severity: "error",
      message: "Telegram is set up and has no bot token",
      next: scene.command("config set channels.telegram.botToken <token of @BotFather>"),
    });
  for (const { tokenFile } of [telegram, ...accounts]) {
    if (tokenFile === undefined || (await isReadable(tokenFile))) continue;
    found.push({
      id: "channels.token-file",
      severity: "error",
      message: `channels.telegram.tokenFile cannot be read: ${tokenFile}`,
      next: "check the path, and who may read it",
    });
  }
  return [...found, ...checkOpen(telegram, config)];
}

const isReadable = (path: string) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

function checkOpen(telegram: Telegram, config: Config): DoctorFinding[] {
  return [...checkDirect(telegram), ...checkGroups(telegram, config)];
}

function checkDirect(telegram: Telegram): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  if (telegram.dmPolicy === "open")
    found.push({
      id: "channels.open",
      severity: "warning",
      message: "channels.telegram.dmPolicy is open: everybody who finds the bot talks to your agent",
      next: "use pairing, or a list of ids in allowFrom",
    });
  const names = (telegram.allowFrom ?? []).filter((entry) => String(entry).startsWith("@"));
  if (names.length > 0)
    found.push({
      id: "channels.names",
      severity: "warning",
      message: `channels.telegram.allowFrom has ${names.length === 1 ? "a name" : "names"} that let nobody in: ${names.join(", ")}`,
      next: "write numeric ids: names can change hands",
    });
  return found;
}

function checkGroups(telegram: Telegram, { channels }: Config): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const groupPolicy = telegram.groupPolicy ?? channels.defaults?.groupPolicy ?? "allowlist";
  const senders = telegram.groupAllowFrom ?? telegram.allowFrom ?? [];
  if (groupPolicy === "open")
    found.push({
      id: "channels.open-groups",
      severity: "warning",
      message: "channels.telegram.groupPolicy is open: everybody in a group with the bot may use it",
      next: "use allowlist with groupAllowFrom",
    });
  if (telegram.groups && groupPolicy === "allowlist" && senders.length === 0)
    found.push({
      id: "channels.silent-groups",
      severity: "info",
      message: "channels.telegram.groups are set up, and nobody in them may write",
      next: "set channels.telegram.groupAllowFrom to ids of people",
    });
  return found;
}

/** Direct chats of several people in one session read each other's words. */
function checkSharing({ session, channels }: Config): DoctorFinding[] {
  if (session.dmScope !== "main") return [];
  const people = new Set((channels.telegram?.allowFrom ?? []).map(String));
  const isMany = people.size > 1 || people.has("*") || channels.telegram?.dmPolicy === "open";
  if (!isMany) return [];
  return [
    {
      id: "channels.shared-session",
      severity: "warning",
      message: "session.dmScope is main and more than one person may write: they share one conversation",
      next: "set session.dmScope to per-channel-peer",
    },
  ];
}

async function askGateway(scene: Scene): Promise<DoctorFinding[]> {
  const gateway = await scene.gateway();
  if ("reason" in gateway) return [];
  return gateway.problems.map(({ message, next }) => ({
    id: "channels.reported",
    severity: "warning",
    message: `the running Gateway says: ${message}`,
    ...(next === undefined ? {} : { next }),
  }));
}
