// `channels add`: the token is tried, then kept in its one place. With or without a running Gateway, which takes it up by itself.

import { Fault } from "../../base/fault.ts";
import { defaultAccount } from "../../base/ids.ts";
import { isRecord, withoutGaps } from "../../base/json.ts";
import { placeOf } from "../../config/accounts.ts";
import { applyMergePatch } from "../../config/merge.ts";
import { changeText } from "../../config/edit.ts";
import { readAt } from "../../config/path.ts";
import { expandHome } from "../../platform/paths.ts";
import { telegramKeys, type TelegramAnswer } from "../../setup/answers.ts";
import type { Invocation, Run } from "../commands.ts";
import { explainRefusal, openConfigFile, parsedValue, warn } from "../config/file.ts";
import { readConfig } from "../connection.ts";
import type { Context } from "../context.ts";
import { textOf } from "../setup/open.ts";
import { hasPerson, isCancelled, openPrompts } from "../setup/prompts.ts";
import { readSecret } from "../setup/secret-input.ts";
import { openTrials } from "../setup/trials.ts";
import { readAccount, readChannel, requireChannel } from "./which.ts";

export const run: Run = async (context, invocation) => {
  const channel = readChannel(invocation);
  const account = readAccount(invocation);
  const isAsked = hasPerson() && context.flags.json !== true && !isSaid(invocation);
  if (isAsked) return ask(context, invocation, account);
  if (channel === undefined) requireChannel(invocation);
  const answer = { ...withoutGaps({ account }), ...(await readAnswer(context, invocation)) };
  const bot = invocation.options["check"] === false ? undefined : await tryIt(context, answer, "telegram");
  return keep(context, answer, bot);
};

const sources = ["token", "botToken", "tokenFile", "useEnv"] as const;
const isSaid = ({ options }: Invocation) => sources.some((name) => options[name] !== undefined);

/** @throws Fault `usage` unless there is exactly one place for the token. */
async function readAnswer({ env, paths }: Context, invocation: Invocation): Promise<TelegramAnswer> {
  const given = sources.filter((name) => invocation.options[name] !== undefined);
  const flags = "--token, --token-file or --use-env";
  if (given.length !== 1)
    throw new Fault("usage", given.length === 0 ? "which token?" : "more than one place for the token", {
      field: "--token",
      next: `pass one of ${flags}`,
    });
  const account = readAccount(invocation) ?? defaultAccount;
  if (given[0] === "useEnv" && account !== defaultAccount)
    throw new Fault("usage", "TELEGRAM_BOT_TOKEN is the default account's", {
      field: "--use-env",
      next: "pass --token - or --token-file for this one",
    });
  if (given[0] === "useEnv" && env.raw("TELEGRAM_BOT_TOKEN") === undefined)
    throw new Fault("usage", "TELEGRAM_BOT_TOKEN is not set", {
      field: "--use-env",
      next: "set it, or pass --token -",
    });
  const file = textOf(invocation, "tokenFile");
  const token = textOf(invocation, "token") ?? textOf(invocation, "botToken");
  return withoutGaps({
    name: textOf(invocation, "name"),
    apiRoot: textOf(invocation, "apiRoot"),
    botToken: await readSecret(token, "--token"),
    tokenFile: file === undefined ? undefined : expandHome(file, paths.home),
  });
}

/** `telegram`: no other account may have the bot. @returns the bot's name. @throws Fault when it does not work. */
export async function tryIt(context: Context, answer: TelegramAnswer, how: "telegram" | "bot"): Promise<string> {
  const { config } = await readConfig(context);
  const trials = openTrials(context, () => config);
  try {
    const tried = await trials[how](answer);
    if (tried.isOk) return tried.who;
    throw new Fault("channel_unavailable", tried.reason, { next: tried.next });
  } finally {
    trials.close();
  }
}

async function ask(context: Context, invocation: Invocation, account: string | undefined): Promise<number> {
  const { askChannel } = await import("../setup/ask-channel.ts");
  const { config } = await readConfig(context);
  const trials = openTrials(context, () => config);
  try {
    const prompts = await openPrompts();
    prompts.begin("A channel");
    const isTried = invocation.options["check"] !== false;
    const { telegram, bot } = await askChannel(context, {
      prompts,
      config,
      trials,
      wishes: { isTried },
      ...withoutGaps({ account }),
    });
    prompts.end(telegram === undefined ? "Nothing was changed." : "Writing it down.");
    return telegram === undefined ? 0 : await keep(context, telegram, bot);
  } catch (error) {
    if (!isCancelled(error)) throw error;
    context.out.error(error.message);
    return 1;
  } finally {
    trials.close();
  }
}

const newPlace = (account: string) => placeOf("telegram", {}, account);

async function keep(context: Context, answer: TelegramAnswer, bot: string | undefined): Promise<number> {
  const { out, flags, command } = context;
  const { account = defaultAccount } = answer;
  let tokenSource = "TELEGRAM_BOT_TOKEN";
  try {
    const after = await openConfigFile(context).write((source) => {
      const from = parsedValue(source, context);
      const section = readAt(from, ["channels", "telegram"]);
      const place = isRecord(section) ? placeOf("telegram", section, account) : newPlace(account);
      const key = answer.botToken ? "botToken" : answer.tokenFile ? "tokenFile" : undefined;
      if (key) tokenSource = [...place, key].join(".");
      const patch = { channels: { telegram: telegramKeys(answer, section) } };
      return changeText(source.text, from, applyMergePatch(from, patch));
    });
    warn(after, context);
    if (after.config?.channels.telegram?.enabled === false)
      out.error("warning: channels.telegram.enabled is false: no bot of it connects until that is taken out");
  } catch (error) {
    explainRefusal(error, context);
    throw error;
  }
  if (flags.json) out.json({ ok: true, channel: "telegram", account, ...withoutGaps({ bot }), tokenSource });
  else {
    out.line(
      `Telegram ${account}${bot === undefined ? "" : ` (${bot})`}: set up, token from ${tokenSource}. A running Gateway takes it up by itself.`,
    );
    if (tokenSource === "TELEGRAM_BOT_TOKEN")
      out.error("warning: a service does not get the variables of this terminal");
    out.line(`next: write to it, then ${command("pairing list")}`);
  }
  return 0;
}
