// Keys and tokens are tried before they are written: with the config as it is, and the answer over it.

import { defaultAccount } from "../../base/ids.ts";
import { botsOf, settingsOf, tokenPlaces, type TokenPlace } from "../../config/accounts.ts";
import type { ModelAnswer, TelegramAnswer } from "../../setup/answers.ts";
import type { CheckResult } from "../../setup/model-check.ts";
import { createEgress } from "../../platform/egress.ts";
import { readTextIfExists } from "../../platform/files.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

export interface Trials {
  model(answer: ModelAnswer): Promise<CheckResult>;
  /** The token of the answer, of its file, or of the environment; no other account may have it. */
  telegram(answer: TelegramAnswer): Promise<CheckResult>;
  /** The same, whoever else has it. */
  bot(answer: TelegramAnswer): Promise<CheckResult>;
  close(): void;
}

/** Nothing of it is loaded before the first try. */
export function openTrials({ clock, env }: Context, config: () => Config): Trials {
  const egress = createEgress({ clock });
  const fromEnv = () => env.raw("TELEGRAM_BOT_TOKEN");
  const readToken = async ({ account, botToken, tokenFile }: TelegramAnswer) => {
    if (botToken !== undefined) return botToken;
    if (tokenFile !== undefined) return (await readTextIfExists(tokenFile).catch(() => undefined))?.trim() ?? "";
    return (account ?? defaultAccount) === defaultAccount ? (fromEnv()?.trim() ?? "") : "";
  };
  const bot = async (answer: TelegramAnswer): Promise<CheckResult> => {
    const { checkTelegram } = await import("../../setup/telegram-check.ts");
    const token = await readToken(answer);
    const { account = defaultAccount, tokenFile } = answer;
    if (tokenFile !== undefined && token === "")
      return { isOk: false, reason: `${tokenFile} cannot be read or is empty`, next: "put the bot's token into it" };
    const { telegram } = config().channels;
    const apiRoot = answer.apiRoot ?? (telegram && settingsOf(telegram, account).apiRoot);
    return checkTelegram(token, { fetch: egress.fetch, clock, apiRoot });
  };
  return {
    async model(answer) {
      const { checkModel } = await import("../../setup/model-check.ts");
      const { providers } = config().models;
      return checkModel(answer, { fetch: egress.fetch, clock, providers, env: (name) => env.raw(name) });
    },
    bot,
    async telegram(answer) {
      const token = await readToken(answer);
      const { telegram } = config().channels;
      const others = botsOf(telegram, fromEnv()).filter((id) => id !== (answer.account ?? defaultAccount));
      for (const account of others) {
        const place = tokenPlaces(telegram, account, fromEnv())[0];
        if (place === undefined || token === "" || (await tokenAt(place)) !== token) continue;
        return {
          isOk: false,
          reason: `account ${account} has this bot already (${place.name})`,
          next: "make another one with @BotFather: each account needs a bot of its own",
        };
      }
      return bot(answer);
    },
    close: () => egress.close(),
  };
}

async function tokenAt({ kind, value }: TokenPlace): Promise<string | undefined> {
  return kind === "token" ? value : (await readTextIfExists(value).catch(() => undefined))?.trim();
}
