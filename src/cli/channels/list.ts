// `channels list`: what the config sets up. Nobody is asked.

import type { Config } from "../../settings/config.ts";
import { readConfig } from "../connection.ts";
import type { Run } from "../commands.ts";
import { listConfigured, renderConfigured, type ConfiguredAccount } from "./configured.ts";

export const run: Run = async (context, _invocation) => {
  const { config, fault } = await readConfig(context);
  const { out, flags } = context;
  if (fault) out.error(`warning: ${fault.message}`);
  const channels = listConfigured(config, context);
  if (flags.json) out.json({ chat: toChat(channels), auth: listKeys(config), channels });
  else if (channels.length === 0) {
    out.line("No channel is set up.");
    out.line(`next: ${context.command("channels add")}`);
  } else for (const channel of channels) out.line(renderConfigured(channel));
  return 0;
};

/** The form of older versions: accounts by channel, and which providers have a key in the config. */
const toChat = (all: readonly ConfiguredAccount[]) => {
  const byChannel = Map.groupBy(
    all.filter(({ configured }) => configured),
    ({ id }) => id,
  );
  return Object.fromEntries([...byChannel].map(([id, accounts]) => [id, accounts.map(({ account }) => account)]));
};

const listKeys = ({ models }: Config) =>
  Object.entries(models.providers)
    .filter(([, { apiKey }]) => apiKey !== undefined)
    .map(([provider]) => ({ id: `${provider}:default`, provider, type: "api_key", isExternal: false }));
