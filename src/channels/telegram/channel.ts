// Telegram as a channel: one bot, long polling in, sendMessage out. The library and everything that needs it is imported when the
// channel starts.

import type { Api } from "grammy/web";

import { abortable } from "../../base/abortable.ts";
import type { Clock } from "../../base/clock.ts";
import { codeOf } from "../../base/error-code.ts";
import type { Log } from "../../base/log.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { Channel } from "../../ports/channel.ts";
import type { Submit } from "../../ports/message.ts";
import { toFailure } from "./failure.ts";
import type { Poll } from "./poll.ts";
import type { sendText, sendTyping } from "./send.ts";
import { defaultAccount, defaultApiRoot, resolveToken, type TelegramSettings, type Token } from "./settings.ts";
import { createStatusBoard, type StatusBoard } from "./status.ts";
import { parseTarget } from "./target.ts";
import { defaultTiming, type PollTiming } from "./timing.ts";

export interface TelegramDependencies {
  /** Called whenever it matters, so that a changed config counts. */
  readonly settings: () => TelegramSettings | undefined;
  readonly tokenFromEnv: () => string | undefined;
  readonly readFile: (path: string) => Promise<string | undefined>;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatusChange?: () => void;
  /** Takes keys out of the config file; tells whether it had any of them. */
  readonly unsetKeys: (paths: readonly (readonly string[])[]) => Promise<boolean>;
  /** Absent: the defaults. */
  readonly timing?: PollTiming;
}

/** The config has a section for it, or the environment a token. */
export const isSetUp = ({ settings, tokenFromEnv }: Pick<TelegramDependencies, "settings" | "tokenFromEnv">): boolean =>
  settings() !== undefined || Boolean(tokenFromEnv()?.trim());

/** Telegram takes 4,096 characters; the rest is room for what formatting adds. */
const textLimit = 4_000;
const defaultTimeoutSeconds = 60;

interface Connection {
  readonly api: Api;
  readonly token: Token;
}

interface Running {
  readonly poll: Poll;
  readonly sending: { readonly sendText: typeof sendText; readonly sendTyping: typeof sendTyping };
  /** Changes when a refused token was replaced. */
  readonly connection: () => Connection;
}

export function createTelegram(dependencies: TelegramDependencies): Channel {
  const { clock, log, settings, timing = defaultTiming } = dependencies;
  let running: Running | undefined;
  /** Counts starts and stops: a start that was overtaken must not leave a second poll behind. */
  let turn = 0;
  let isLoggingOut = false;
  const status = createStatusBoard({
    clock,
    log,
    isEnabled: () => settings()?.enabled !== false,
    pollDeadlineMs: timing.pollSeconds * 1000 + timing.graceMs,
    onChange: () => dependencies.onStatusChange?.(),
  });
  const limitSeconds = () => settings()?.timeoutSeconds ?? defaultTimeoutSeconds;

  const stop = async (deadline: AbortSignal) => {
    turn += 1;
    const stopped = running;
    running = undefined;
    if (!stopped) return;
    await abortable(stopped.poll.stop(), deadline).catch(() =>
      log.warn("stopped before the last message was stored; Telegram keeps it"),
    );
  };

  return {
    id: "telegram",
    label: "Telegram",
    get capabilities() {
      return { textLimit: Math.min(settings()?.textChunkLimit ?? textLimit, textLimit), isLinkable: false };
    },
    allowFromHint: "channels.telegram.allowFrom takes numeric Telegram user ids",

    async start(submit) {
      // the config without the token is taken up: a token elsewhere is none to go on with now
      if (isLoggingOut) return;
      await stop(AbortSignal.abort());
      turn += 1;
      const mine = turn;
      if (settings()?.enabled === false || !isSetUp(dependencies)) return;
      const token = await findToken(dependencies, status);
      if (!token) return;
      const started = await startRunning({ dependencies, status, submit, token }, () => mine === turn);
      if (started) running = started;
    },

    stop,

    async send(outbound) {
      if (!running) return { outcome: "retry", afterMs: 1_000, reason: "Telegram is not running" };
      const { api, token } = running.connection();
      const outcome = await running.sending.sendText(outbound, {
        api,
        clock,
        timeoutMs: limitSeconds() * 1000,
        isLinkPreview: settings()?.linkPreview !== false,
        tokenSource: token.source,
      });
      if (outcome.outcome === "sent") status.sent();
      return outcome;
    },

    status: () => [status.snapshot()],
    parseTarget,

    async typing(target) {
      if (!running) return;
      await running.sending.sendTyping(target, running.connection().api, clock);
    },

    async logout() {
      isLoggingOut = true;
      const isCleared = await dependencies.unsetKeys([["channels", "telegram", "botToken"]]).finally(() => {
        isLoggingOut = false;
      });
      const token = await findToken(dependencies, status);
      return { isCleared, isLoggedOut: !token, isInEnvironment: Boolean(dependencies.tokenFromEnv()?.trim()) };
    },

    async probe(account, signal) {
      const startedAt = clock.monotonic();
      const elapsedMs = () => Math.round(clock.monotonic() - startedAt);
      if (!running || account !== defaultAccount) return { isOk: false, error: "not running", elapsedMs: 0 };
      try {
        // grammY asks for an abort signal of its own making; any signal works
        await running.connection().api.getMe(signal as unknown as Parameters<Api["getMe"]>[0]);
        return { isOk: true, elapsedMs: elapsedMs() };
      } catch (error) {
        return { isOk: false, error: toFailure(error).reason, elapsedMs: elapsedMs() };
      }
    },
  };
}

/** @returns undefined where there is none; the status says so then. Never throws. */
async function findToken(dependencies: TelegramDependencies, status: StatusBoard): Promise<Token | undefined> {
  try {
    const token = await resolveToken({
      settings: dependencies.settings(),
      fromEnv: dependencies.tokenFromEnv(),
      readFile: dependencies.readFile,
    });
    status.configured(token?.source);
    if (token) return token;
    status.trouble("no bot token", "set channels.telegram.botToken or TELEGRAM_BOT_TOKEN to the token from @BotFather");
  } catch (error) {
    const code = codeOf(error);
    status.configured(undefined);
    status.trouble(
      `the file that channels.telegram.tokenFile names cannot be read${code === undefined ? "" : ` (${code})`}`,
      "give the user that runs the Gateway the right to read it",
    );
  }
  return undefined;
}

interface Beginning {
  readonly dependencies: TelegramDependencies;
  readonly status: StatusBoard;
  readonly submit: Submit;
  readonly token: Token;
}

async function startRunning(beginning: Beginning, isWanted: () => boolean): Promise<Running | undefined> {
  const { dependencies, status, submit } = beginning;
  const { clock, log, settings } = dependencies;
  // what sends is loaded now: between the intent to send and the sending there must be no time to spare for it
  const [{ createApi }, { startPoll }, sending] = await Promise.all([
    import("./api.ts"),
    import("./poll.ts"),
    import("./send.ts"),
  ]);
  if (!isWanted()) return undefined;

  const timing = dependencies.timing ?? defaultTiming;
  const connect = (token: Token): Connection => ({
    token,
    api: createApi({
      token: token.value,
      apiRoot: settings()?.apiRoot ?? defaultApiRoot,
      timeoutSeconds: Math.max(
        settings()?.timeoutSeconds ?? defaultTimeoutSeconds,
        timing.pollSeconds + timing.graceMs / 1000 + 5,
      ),
      fetch: dependencies.fetch,
    }),
  });
  let connection = connect(beginning.token);
  const poll = startPoll({
    connection: () => ({ api: connection.api, tokenSource: connection.token.source }),
    async renewToken() {
      const token = await findToken(dependencies, status);
      if (!token || token.value === connection.token.value) return false;
      connection = connect(token);
      return true;
    },
    account: defaultAccount,
    submit,
    status,
    clock,
    log,
    timing,
  });
  return { poll, sending, connection: () => connection };
}
