// `channels remove`: switched off, or with --delete out of the config. A running Gateway follows by itself.

import { Fault } from "../../base/fault.ts";
import { isRecord } from "../../base/json.ts";
import { editText } from "../../config/edit.ts";
import { readAt, setAt, unsetAt } from "../../config/path.ts";
import type { Run } from "../commands.ts";
import { explainRefusal, openConfigFile, parsedValue, warn } from "../config/file.ts";
import { requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const channel = requireChannel(invocation);
  const isDeleted = invocation.options["delete"] === true;
  const { out, flags, env } = context;
  try {
    const after = await openConfigFile(context).write((source) => {
      const from = parsedValue(source, context);
      const path = ["channels", channel];
      if (source.text === undefined || readAt(from, path) === undefined) throw notSetUp(channel);
      const to = isDeleted ? unsetAt(from, path) : setAt(from, [...path, "enabled"], false);
      return isRecord(to) ? editText(source.text, from, to).text : undefined;
    });
    warn(after, context);
  } catch (error) {
    explainRefusal(error, context);
    throw error;
  }
  if (flags.json) out.json({ ok: true, channel, account: "default", deleted: isDeleted });
  else out.line(isDeleted ? `${channel}: taken out of the config.` : `${channel}: switched off; its settings stay.`);
  if (isDeleted && env.raw("TELEGRAM_BOT_TOKEN") !== undefined)
    out.error("warning: TELEGRAM_BOT_TOKEN still sets it up: unset it");
  return 0;
};

const notSetUp = (channel: string) =>
  new Fault("not_found", `the config sets up no ${channel}`, { field: `channels.${channel}` });
