// `channels list`: what the config sets up. Nobody is asked.

import { readConfig } from "../connection.ts";
import type { Run } from "../commands.ts";
import { listConfigured, renderConfigured } from "./configured.ts";

export const run: Run = async (context, _invocation) => {
  const { config, fault } = await readConfig(context);
  const { out, flags } = context;
  if (fault) out.error(`warning: ${fault.message}`);
  const channels = listConfigured(config, context);
  if (flags.json) out.json({ channels });
  else if (channels.length === 0) {
    out.line("No channel is set up.");
    out.line(`next: ${context.command("config set channels.telegram.botToken <token>")}`);
  } else for (const channel of channels) out.line(renderConfigured(channel));
  return 0;
};
