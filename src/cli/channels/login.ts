// `channels login`: tries the token that the channel has, wherever that is.

import { Fault } from "../../base/fault.ts";
import { withoutGaps } from "../../base/json.ts";
import type { Run } from "../commands.ts";
import { readConfig } from "../connection.ts";
import { tryIt } from "./add.ts";
import { listConfigured } from "./configured.ts";
import { requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const channel = requireChannel(invocation);
  const { config, fault } = await readConfig(context);
  const { out, flags, command } = context;
  if (fault) out.error(`warning: ${fault.message}`);
  const source = listConfigured(config, context).find(({ id }) => id === channel)?.tokenSource;
  if (source === undefined)
    throw new Fault("not_linked", `${channel} has no token`, {
      next: command(`channels add --channel ${channel} --token -`),
    });
  const { telegram } = config.channels;
  const bot = await tryIt(context, {
    ...withoutGaps({ botToken: telegram?.botToken?.trim() || undefined, tokenFile: telegram?.tokenFile }),
  });
  if (flags.json) out.json({ ok: true, channel, account: "default", bot, tokenSource: source });
  else out.line(`${channel} default: ${bot}, token from ${source}`);
  return 0;
};
