// `channels remove`: an account is switched off, or with --delete taken out of the config. A running Gateway follows by itself.

import { Fault } from "../../base/fault.ts";
import { defaultAccount } from "../../base/ids.ts";
import { isRecord } from "../../base/json.ts";
import { botsOf, isOwnKey, placeOf, type TelegramSection } from "../../config/accounts.ts";
import { editText } from "../../config/edit.ts";
import { readAt, setAt, unsetAt } from "../../config/path.ts";
import type { Invocation, Run } from "../commands.ts";
import { explainRefusal, openConfigFile, parsedValue, warn } from "../config/file.ts";
import { chooseAccount, requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const channel = requireChannel(invocation);
  const isDeleted = invocation.options["delete"] === true;
  const { out, flags, env } = context;
  let account = defaultAccount;
  let isLast = true;
  try {
    const after = await openConfigFile(context).write((source) => {
      const from = parsedValue(source, context);
      const section = readAt(from, ["channels", channel]);
      if (source.text === undefined || !isRecord(section)) throw notSetUp(channel);
      // what is looked at here is whether it is there: its values may still be wrong
      const known = botsOf(section as unknown as TelegramSection, undefined);
      account = choose(invocation, known);
      isLast = known.length === 1 && section["accounts"] === undefined;
      const to = isLast ? withoutChannel(from, channel, isDeleted) : without(from, { channel, account, isDeleted });
      return isRecord(to) ? editText(source.text, from, to).text : undefined;
    });
    warn(after, context);
  } catch (error) {
    explainRefusal(error, context);
    throw error;
  }
  const which = isLast ? channel : `${channel} ${account}`;
  if (flags.json) out.json({ ok: true, channel, account, deleted: isDeleted });
  else out.line(isDeleted ? `${which}: taken out of the config.` : `${which}: switched off; its settings stay.`);
  if (isDeleted && account === defaultAccount && env.raw("TELEGRAM_BOT_TOKEN") !== undefined)
    out.error("warning: TELEGRAM_BOT_TOKEN still sets it up: unset it");
  return 0;
};

/** Which of several bots is to go has to be said. */
function choose(invocation: Invocation, known: readonly string[]): string {
  const account = chooseAccount(invocation, known) ?? defaultAccount;
  if (invocation.options["account"] !== undefined || known.length < 2) return account;
  throw new Fault("usage", "which account? several are set up", {
    field: "--account",
    next: `pass --account with one of: ${known.join(", ")}`,
  });
}

function withoutChannel(from: unknown, channel: string, isDeleted: boolean): unknown {
  const path = ["channels", channel];
  return isDeleted ? unsetAt(from, path) : setAt(from, [...path, "enabled"], false);
}

interface Removal {
  readonly channel: string;
  readonly account: string;
  readonly isDeleted: boolean;
}

/** The others keep what they share: of the default account only what it has alone is taken from the top of the channel. */
function without(from: unknown, { channel, account, isDeleted }: Removal): unknown {
  const top = ["channels", channel];
  const section = readAt(from, top);
  if (!isRecord(section)) return undefined;
  const place = placeOf(channel, section, account);
  const own = place.length > top.length ? place : [...top, "accounts", account];
  if (!isDeleted) return setAt(from, [...own, "enabled"], false);
  const keys = account === defaultAccount ? Object.keys(section).filter(isOwnKey) : [];
  const rest = [own, ...keys.map((key) => [...top, key])].reduce<unknown>(
    (all, path) => unsetAt(all, path) ?? all,
    from,
  );
  const accounts = [...top, "accounts"];
  const left = readAt(rest, accounts);
  return isRecord(left) && Object.keys(left).length === 0 ? unsetAt(rest, accounts) : rest;
}

const notSetUp = (channel: string) =>
  new Fault("not_found", `the config sets up no ${channel}`, { field: `channels.${channel}` });
