// Where people write to the agent: the bot's token, tried before it is taken.

import { defaultAccount } from "../../base/ids.ts";
import { withoutGaps } from "../../base/json.ts";
import { botsOf, settingsOf, tokenPlaces } from "../../config/accounts.ts";
import type { Config } from "../../settings/config.ts";
import type { TelegramAnswer } from "../../setup/answers.ts";
import type { Context } from "../context.ts";
import { askPlace, type Asking } from "./ask-model.ts";
import type { Wishes } from "./flags.ts";
import { needed } from "./prompts.ts";

export interface ChannelPlan {
  readonly telegram?: TelegramAnswer;
  /** The bot's name, once it has said so. */
  readonly bot?: string;
}

const variable = "TELEGRAM_BOT_TOKEN";

/** All that a question about a channel needs to know. */
export type ChannelAsking = Omit<Asking, "wishes"> & {
  /** Absent: the default one. */
  readonly account?: string;
  readonly wishes: Pick<Wishes, "isTried"> & Partial<Pick<Wishes, "telegram">>;
};

export async function askChannel(context: Context, asking: ChannelAsking): Promise<ChannelPlan> {
  const { prompts, wishes, config } = asking;
  if (wishes.telegram) return tryBot(context, asking, wishes.telegram);
  for (;;) {
    const there = countBots(config, asking.account);
    const isThere = there > 0;
    const choice = await prompts.choose({
      message: "Where shall people write to it?",
      options: [
        { value: "telegram", label: "Telegram", hint: hintOf(there) },
        { value: "whatsapp", label: "WhatsApp", hint: "comes with a later version" },
        { value: "later", label: isThere ? "As it is" : "Later", hint: "the command line works without one" },
      ],
      ...(isThere ? { initial: "later" as const } : {}),
    });
    if (choice === "later") return {};
    if (choice === "telegram") return tryBot(context, asking, await askBot(context, asking));
    prompts.note("This version connects Telegram. WhatsApp is on its way.", "WhatsApp");
  }
}

/** Bots that have a token and are switched on; with an account named only that one counts. */
function countBots({ channels: { telegram } }: Config, account: string | undefined): number {
  if (!telegram) return 0;
  const bots = account === undefined ? botsOf(telegram, undefined) : [account];
  const isOn = (id: string) => settingsOf(telegram, id).enabled && tokenPlaces(telegram, id, undefined).length > 0;
  return bots.filter(isOn).length;
}

function hintOf(there: number): string {
  if (there === 0) return "a bot's token from @BotFather";
  return there === 1 ? "set up already" : `${there} bots are set up already`;
}

async function askBot(context: Context, { prompts, account }: ChannelAsking): Promise<TelegramAnswer> {
  const type = () =>
    prompts.secret({ message: "Bot token (kept in the config file, which only you can read)", check: needed });
  const isNamed = account !== undefined && account !== defaultAccount;
  const botToken =
    isNamed || context.env.raw(variable) === undefined
      ? await type()
      : await askPlace(context, variable, { prompts, type });
  return withoutGaps({ account, botToken });
}

async function tryBot(context: Context, asking: ChannelAsking, telegram: TelegramAnswer): Promise<ChannelPlan> {
  const { prompts, trials, wishes } = asking;
  let answer = telegram;
  while (wishes.isTried) {
    prompts.step("Asking Telegram …");
    const tried = await trials.telegram(answer);
    if (tried.isOk) {
      prompts.done(`The bot is ${tried.who}.`);
      return { telegram: answer, bot: tried.who };
    }
    prompts.warn(`${tried.reason}\n${tried.next}`);
    const step = await prompts.choose({
      message: "What now?",
      options: [
        { value: "again", label: "Type the token again" },
        { value: "keep", label: "Keep it as it is" },
        { value: "later", label: "Go on without Telegram" },
      ],
    });
    if (step === "later") return {};
    if (step === "keep") break;
    const { apiRoot } = answer;
    answer = { ...(await askBot(context, asking)), ...(apiRoot === undefined ? {} : { apiRoot }) };
  }
  return { telegram: answer };
}
