// Which bot is this token's? Telegram is asked (getMe) before anything is written.

import { createApi } from "../channels/telegram/api.ts";
import { toFailure } from "../channels/telegram/failure.ts";
import { defaultApiRoot } from "../channels/telegram/settings.ts";
import type { Clock } from "../base/clock.ts";
import { createDeadline } from "../base/deadline.ts";
import type { EgressFetch } from "../platform/egress.ts";
import type { CheckResult } from "./model-check.ts";

export interface TelegramCheckMeans {
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  /** Absent: Telegram's own server. */
  readonly apiRoot: string | undefined;
}

const timeoutSeconds = 15;
const tokenForm = /^\d+:[\w-]+$/u;

/** `who` is the bot's name. Never throws for what the other side does; the token is in no text. */
export async function checkTelegram(
  token: string,
  { fetch, clock, apiRoot = defaultApiRoot }: TelegramCheckMeans,
): Promise<CheckResult> {
  if (!tokenForm.test(token))
    return {
      isOk: false,
      reason: "this is no bot token",
      next: "copy it from @BotFather; it looks like 123456:ABC-def",
    };
  const deadline = createDeadline(clock, timeoutSeconds * 1000);
  try {
    const api = createApi({ token, apiRoot, timeoutSeconds, fetch });
    // grammY asks for an abort signal of its own making; any signal works
    const me = await api.getMe(deadline.signal as unknown as Parameters<typeof api.getMe>[0]);
    return { isOk: true, who: `@${me.username}` };
  } catch (error) {
    const { kind, reason } = toFailure(error);
    if (kind === "token")
      return { isOk: false, reason: `Telegram refuses the token (${reason})`, next: "get it anew from @BotFather" };
    return { isOk: false, reason: `Telegram cannot be asked (${reason})`, next: "check the network, or try again" };
  } finally {
    deadline.clear();
  }
}
