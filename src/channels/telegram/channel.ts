// Telegram as a channel: one bot, long polling in, sendMessage out. The library and everything that needs it is imported when the
// channel starts.

import type { Api } from "grammy/web";

import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Channel } from "../../ports/channel.ts";
import { toFailure } from "./failure.ts";
import type { Poll, PollTiming } from "./poll.ts";
import type { sendText, sendTyping } from "./send.ts";
import { defaultAccount, defaultApiRoot, resolveToken, type TelegramSettings, type Token } from "./settings.ts";
import { createStatusBoard } from "./status.ts";
import { parseTarget } from "./target.ts";

export interface TelegramDependencies {
  /** Called whenever it matters, so that a changed config counts. */
  readonly settings: () => TelegramSettings | undefined;
  readonly tokenFromEnv: () => string | undefined;
  readonly readFile: (path: string) => Promise<string | undefined>;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatusChange?: () => void;
  /** Absent: the defaults. */
  readonly timing?: PollTiming;
}

/** Telegram takes 4,096 characters; the rest is room for what formatting adds. */
const textLimit = 4_000;
const defaultTimeoutSeconds = 60;

interface Running {
  readonly api: Api;
  readonly token: Token;
  readonly poll: Poll;
  readonly sending: { readonly sendText: typeof sendText; readonly sendTyping: typeof sendTyping };
}

export function createTelegram(dependencies: TelegramDependencies): Channel {
  const { clock, log, settings } = dependencies;
  let running: Running | undefined;
  const status = createStatusBoard({
    clock,
    log,
    isEnabled: () => settings()?.enabled !== false,
    onChange: () => dependencies.onStatusChange?.(),
  });
  const limitSeconds = () => settings()?.timeoutSeconds ?? defaultTimeoutSeconds;

  return {
    id: "telegram",
    label: "Telegram",
    get capabilities() {
      return { textLimit: Math.min(settings()?.textChunkLimit ?? textLimit, textLimit), isLinkable: false };
    },
    allowFromHint: "channels.telegram.allowFrom takes numeric Telegram user ids",

    async start(submit) {
      if (settings()?.enabled === false) return;
      const token = await resolveToken({
        settings: settings(),
        fromEnv: dependencies.tokenFromEnv(),
        readFile: dependencies.readFile,
      });
      status.configured(token?.source);
      if (!token) {
        status.trouble(
          "no bot token",
          "set channels.telegram.botToken or TELEGRAM_BOT_TOKEN to the token from @BotFather",
        );
        return;
      }
      // what sends is loaded now: between the intent to send and the sending there must be no time to spare for it
      const [{ createApi }, { startPoll, defaultTiming }, sending] = await Promise.all([
        import("./api.ts"),
        import("./poll.ts"),
        import("./send.ts"),
      ]);
      const timing = dependencies.timing ?? defaultTiming;
      const api = createApi({
        token: token.value,
        apiRoot: settings()?.apiRoot ?? defaultApiRoot,
        timeoutSeconds: Math.max(limitSeconds(), timing.pollSeconds + timing.graceMs / 1000 + 5),
        fetch: dependencies.fetch,
      });
      const poll = startPoll({
        api,
        account: defaultAccount,
        tokenSource: token.source,
        submit,
        status,
        clock,
        log,
        timing,
      });
      running = { api, token, poll, sending };
    },

    async stop() {
      const stopped = running;
      running = undefined;
      await stopped?.poll.stop();
    },

    async send(outbound) {
      if (!running) return { outcome: "retry", afterMs: 5_000, reason: "Telegram is not running" };
      const outcome = await running.sending.sendText(outbound, {
        api: running.api,
        clock,
        timeoutMs: limitSeconds() * 1000,
        isLinkPreview: settings()?.linkPreview !== false,
        tokenSource: running.token.source,
      });
      if (outcome.outcome === "sent") status.sent();
      return outcome;
    },

    status: () => [status.snapshot()],
    parseTarget,

    async typing(target) {
      if (!running) return;
      await running.sending.sendTyping(target, running.api, clock);
    },

    async probe(account, signal) {
      const startedAt = clock.monotonic();
      const elapsedMs = () => Math.round(clock.monotonic() - startedAt);
      if (!running || account !== defaultAccount) return { isOk: false, error: "not running", elapsedMs: 0 };
      try {
        // grammY asks for an abort signal of its own making; any signal works
        await running.api.getMe(signal as unknown as Parameters<Api["getMe"]>[0]);
        return { isOk: true, elapsedMs: elapsedMs() };
      } catch (error) {
        return { isOk: false, error: toFailure(error).reason, elapsedMs: elapsedMs() };
      }
    },
  };
}
