// Where people write to the agent: the bot's token, tried before it is taken.

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
  readonly wishes: Pick<Wishes, "isTried"> & Partial<Pick<Wishes, "telegram">>;
};

export async function askChannel(context: Context, asking: ChannelAsking): Promise<ChannelPlan> {
  const { prompts, wishes, config } = asking;
  if (wishes.telegram) return tryBot(context, asking, wishes.telegram);
  for (;;) {
    const { telegram: own } = config.channels;
    const isThere = own?.enabled === true && (own.botToken !== undefined || own.tokenFile !== undefined);
    const choice = await prompts.choose({
      message: "Where shall people write to it?",
      options: [
        { value: "telegram", label: "Telegram", hint: isThere ? "set up already" : "a bot's token from @BotFather" },
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

async function askBot(context: Context, { prompts }: ChannelAsking): Promise<TelegramAnswer> {
  const type = () =>
    prompts.secret({ message: "Bot token (kept in the config file, which only you can read)", check: needed });
  const botToken =
    context.env.raw(variable) === undefined ? await type() : await askPlace(context, variable, { prompts, type });
  return botToken === undefined ? {} : { botToken };
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
