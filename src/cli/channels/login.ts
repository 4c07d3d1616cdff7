// `channels login`: tries the token that an account has, wherever that is.

import { Fault } from "../../base/fault.ts";
import { defaultAccount } from "../../base/ids.ts";
import { tokenPlaces } from "../../config/accounts.ts";
import type { Run } from "../commands.ts";
import { readConfig } from "../connection.ts";
import { tryIt } from "./add.ts";
import { listConfigured } from "./configured.ts";
import { chooseAccount, requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const channel = requireChannel(invocation);
  const { config, fault } = await readConfig(context);
  const { out, flags, command, env } = context;
  if (fault) out.error(`warning: ${fault.message}`);
  const known = listConfigured(config, context).map(({ account }) => account);
  const account = chooseAccount(invocation, known) ?? defaultAccount;
  const [place] = tokenPlaces(config.channels.telegram, account, env.raw("TELEGRAM_BOT_TOKEN"));
  if (place === undefined) {
    const which = account === defaultAccount ? "" : ` account ${account}`;
    throw new Fault("not_linked", `${channel}${which} has no token`, {
      next: command(`channels add --channel ${channel}${which.replace(" account", " --account")} --token -`),
    });
  }
  const token = place.kind === "token" ? { botToken: place.value } : { tokenFile: place.value };
  const bot = await tryIt(context, { account, ...token }, "bot");
  if (flags.json) out.json({ ok: true, channel, account, bot, tokenSource: place.name });
  else out.line(`${channel} ${account}: ${bot}, token from ${place.name}`);
  return 0;
};
