// `channels logout`: the running Gateway forgets the token; when none runs, it is taken out of the file.

import { Fault } from "../../base/fault.ts";
import { defaultAccount } from "../../base/ids.ts";
import { isRecord } from "../../base/json.ts";
import { placeOf, tokenPlaces } from "../../config/accounts.ts";
import { editText } from "../../config/edit.ts";
import { readAt, unsetAt } from "../../config/path.ts";
import type { Invocation, Run } from "../commands.ts";
import { openConfigFile, parsedValue } from "../config/file.ts";
import { findGateway, readConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import { listConfigured } from "./configured.ts";
import { logout } from "./switch.ts";
import { chooseAccount, requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const { config } = await readConfig(context);
  const target = await findGateway(context, config);
  // one that never ran here has no secret yet
  if (target.port !== undefined && target.secret === undefined) return forget(context, invocation);
  try {
    return await logout(context, invocation);
  } catch (error) {
    const isDown = error instanceof Fault && error.code === "unreachable" && target.port !== undefined;
    if (!isDown) throw error;
    return forget(context, invocation);
  }
};

async function forget(context: Context, invocation: Invocation): Promise<number> {
  const { out, flags, env } = context;
  const channel = requireChannel(invocation);
  const { config } = await readConfig(context);
  const known = listConfigured(config, context).map(({ account }) => account);
  const accountId = chooseAccount(invocation, known) ?? defaultAccount;
  const isDefault = accountId === defaultAccount;
  let isCleared = false;
  const after = await openConfigFile(context).write((source) => {
    const from = parsedValue(source, context);
    const section = readAt(from, ["channels", channel]);
    const own = isRecord(section) ? [placeOf(channel, section, accountId)] : [];
    const places = isDefault ? [["channels", channel], ...own] : own;
    const to = places.reduce<unknown>((value, place) => unsetAt(value, [...place, "botToken"]) ?? value, from);
    isCleared = to !== from;
    return isCleared && isRecord(to) && source.text !== undefined ? editText(source.text, from, to).text : undefined;
  });
  const envToken = isDefault && env.raw("TELEGRAM_BOT_TOKEN") !== undefined;
  const rest = tokenPlaces(after.config?.channels.telegram, accountId, env.raw("TELEGRAM_BOT_TOKEN"));
  const loggedOut = rest.length === 0;
  if (flags.json) out.json({ channel, accountId, cleared: isCleared, loggedOut, envToken });
  else {
    const left = envToken ? "; the environment still holds one" : "; a token file still holds one";
    const forgotten = isCleared ? "the token was taken out of the config" : "the config held no token";
    out.line(`${channel} ${accountId}: ${forgotten}${loggedOut ? "" : left} (no Gateway runs)`);
  }
  return loggedOut ? 0 : 1;
}
