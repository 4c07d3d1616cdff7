// Keys and tokens are tried before they are written: with the config as it is, and the answer over it.

import type { ModelAnswer, TelegramAnswer } from "../../setup/answers.ts";
import type { CheckResult } from "../../setup/model-check.ts";
import { createEgress } from "../../platform/egress.ts";
import { readTextIfExists } from "../../platform/files.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";

export interface Trials {
  model(answer: ModelAnswer): Promise<CheckResult>;
  /** The token of the answer, of its file, or of the environment. */
  telegram(answer: TelegramAnswer): Promise<CheckResult>;
  close(): void;
}

/** Nothing of it is loaded before the first try. */
export function openTrials({ clock, env }: Context, config: () => Config): Trials {
  const egress = createEgress({ clock });
  return {
    async model(answer) {
      const { checkModel } = await import("../../setup/model-check.ts");
      const { providers } = config().models;
      return checkModel(answer, { fetch: egress.fetch, clock, providers, env: (name) => env.raw(name) });
    },
    async telegram({ botToken, tokenFile, apiRoot }) {
      const { checkTelegram } = await import("../../setup/telegram-check.ts");
      const read = tokenFile === undefined ? undefined : await readTextIfExists(tokenFile).catch(() => undefined);
      if (tokenFile !== undefined && !read?.trim())
        return { isOk: false, reason: `${tokenFile} cannot be read or is empty`, next: "put the bot's token into it" };
      const token = botToken ?? read?.trim() ?? env.raw("TELEGRAM_BOT_TOKEN") ?? "";
      const { telegram } = config().channels;
      return checkTelegram(token, { fetch: egress.fetch, clock, apiRoot: apiRoot ?? telegram?.apiRoot });
    },
    close: () => egress.close(),
  };
}
