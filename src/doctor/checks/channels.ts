// The channels: can they work with this config, does it let in whom it should, and what does the running Gateway say of them.

import { botsOf, settingsOf } from "../../config/accounts.ts";
import type { Config } from "../../settings/config.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";
import { checkBots } from "./bots.ts";

export function createChannelsCheck(scene: Scene): DoctorCheck {
  return {
    id: "channels",
    group: "channels",
    label: "channels",
    async run() {
      const config = await scene.config();
      if (config.gateway.mode === "remote") return [];
      return [...(await checkBots(scene, config)), ...checkSharing(config), ...(await askGateway(scene))];
    },
  };
}

/** Direct chats of several people in one session read each other's words. */
function checkSharing({ session, channels }: Config): DoctorFinding[] {
  if (session.dmScope !== "main") return [];
  const { telegram } = channels;
  const bots = telegram ? botsOf(telegram, undefined).map((id) => settingsOf(telegram, id)) : [];
  const people = new Set(bots.flatMap(({ allowFrom }) => allowFrom.map(String)));
  const isMany = people.size > 1 || people.has("*") || bots.some(({ dmPolicy }) => dmPolicy === "open");
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
