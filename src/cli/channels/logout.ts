// `channels logout`: the running Gateway forgets the token; when none runs, it is taken out of the file.

import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import { editText } from "../../config/edit.ts";
import { unsetAt } from "../../config/path.ts";
import type { Run } from "../commands.ts";
import { openConfigFile, parsedValue } from "../config/file.ts";
import { findGateway, readConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import { logout } from "./switch.ts";
import { requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const { config } = await readConfig(context);
  const target = await findGateway(context, config);
  // one that never ran here has no secret yet
  if (target.port !== undefined && target.secret === undefined) return forget(context, requireChannel(invocation));
  try {
    return await logout(context, invocation);
  } catch (error) {
    const isDown = error instanceof Fault && error.code === "unreachable" && target.port !== undefined;
    if (!isDown) throw error;
    return forget(context, requireChannel(invocation));
  }
};

async function forget(context: Context, channel: "telegram"): Promise<number> {
  const { out, flags, env } = context;
  let isCleared = false;
  const after = await openConfigFile(context).write((source) => {
    const from = parsedValue(source, context);
    const to = unsetAt(from, ["channels", channel, "botToken"]);
    isCleared = isRecord(to);
    return isRecord(to) && source.text !== undefined ? editText(source.text, from, to).text : undefined;
  });
  const envToken = env.raw("TELEGRAM_BOT_TOKEN") !== undefined;
  const loggedOut = !envToken && after.config?.channels.telegram?.tokenFile === undefined;
  if (flags.json) out.json({ channel, accountId: "default", cleared: isCleared, loggedOut, envToken });
  else {
    const left = envToken ? "; the environment still holds one" : "; a token file still holds one";
    const forgotten = isCleared ? "the token was taken out of the config" : "the config held no token";
    out.line(`${channel} default: ${forgotten}${loggedOut ? "" : left} (no Gateway runs)`);
  }
  return loggedOut ? 0 : 1;
}
