// One bot: its poll, its sends, how it is. The library and everything that needs it is imported when it starts.

import type { Api } from "grammy/web";

import { abortable } from "../../base/abortable.ts";
import type { Clock } from "../../base/clock.ts";
import { createDeadline } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import type { EgressFetch } from "../../platform/egress.ts";
import type { ChannelAccountStatus, ChannelProbe } from "../../ports/channel.ts";
import type { DeliveryTarget, Outbound, SendOutcome, Submit } from "../../ports/message.ts";
import { toFailure } from "./failure.ts";
import type { Poll } from "./poll.ts";
import type { sendText, sendTyping } from "./send.ts";
import { defaultApiRoot, defaultTimeoutSeconds, type BotSettings } from "./settings.ts";
import { createStatusBoard, type StatusBoard } from "./status.ts";
import type { PollTiming } from "./timing.ts";
import type { NoToken, Token } from "./token.ts";

export interface AccountDependencies {
  readonly id: string;
  /** Called whenever it matters, so that a changed config counts; undefined: it is not set up. */
  readonly settings: () => BotSettings | undefined;
  /** Never throws. */
  readonly findToken: () => Promise<Token | NoToken>;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatusChange: () => void;
  readonly timing: PollTiming;
}

export interface Account {
  /** Begins anew. Resolves once the poll is under way, or when there is nothing to poll with. */
  start(submit: Submit): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
  /** Ends where another account has its token now; else it goes on undisturbed. */
  giveWay(): Promise<void>;
  /** Begins where it waited for a token that another account has given up. */
  takeOver(): Promise<void>;
  /** Looks for its token and says so in its status. */
  findToken(): Promise<Token | undefined>;
  send(outbound: Outbound): Promise<SendOutcome>;
  typing(target: DeliveryTarget): Promise<void>;
  probe(signal: AbortSignal): Promise<ChannelProbe>;
  status(): ChannelAccountStatus;
}

/** For what it holds to be stored. */
const giveWayMs = 5_000;

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

export function createAccount(dependencies: AccountDependencies): Account {
  const { id, clock, log, settings, timing } = dependencies;
  let running: Running | undefined;
  /** Who takes its messages, from its start to its stop. */
  let receiver: Submit | undefined;
  /** Counts starts and stops: a start that was overtaken must not leave a second poll behind. */
  let turn = 0;
  let beginning: Promise<void> = Promise.resolve();
  const status = createStatusBoard({
    accountId: id,
    clock,
    log,
    settings,
    pollDeadlineMs: timing.pollSeconds * 1000 + timing.graceMs,
    onChange: dependencies.onStatusChange,
  });

  const end = async (deadline: AbortSignal) => {
    turn += 1;
    const stopped = running;
    running = undefined;
    if (!stopped) return;
    await abortable(stopped.poll.stop(), deadline).catch(() =>
      log.warn("stopped before the last message was stored; Telegram keeps it"),
    );
  };
  const tell = (found: Token | NoToken): Token | undefined => {
    if ("value" in found) {
      status.configured(found.source);
      return found;
    }
    status.configured(undefined);
    status.trouble(found.reason, found.next);
    return undefined;
  };
  const findToken = async () => tell(await dependencies.findToken());
  const begin = (submit: Submit) => (beginning = beginNow(submit));
  const beginNow = async (submit: Submit) => {
    await end(AbortSignal.abort());
    turn += 1;
    const mine = turn;
    const config = settings();
    if (!config || config.enabled === false) return;
    const token = await findToken();
    if (!token) return;
    const isWanted = () => mine === turn;
    const started = await startRunning({ ...dependencies, status, submit, token, findToken }, isWanted);
    if (started) running = started;
  };

  return {
    findToken,
    async start(submit) {
      receiver = submit;
      await begin(submit);
    },
    async stop(deadline) {
      receiver = undefined;
      await end(deadline);
    },
    async giveWay() {
      const mine = turn;
      const found = await dependencies.findToken();
      if (mine !== turn || !running || "value" in found || !found.isTaken) return;
      const deadline = createDeadline(clock, giveWayMs);
      await end(deadline.signal);
      deadline.clear();
      tell(found);
    },
    async takeOver() {
      // one that is under way may have looked before there was anything to be had
      await beginning;
      const mine = turn;
      if (running || !receiver) return;
      const found = await dependencies.findToken();
      if (mine === turn && "value" in found) await begin(receiver);
    },

    async send(outbound) {
      if (!running) return { outcome: "retry", afterMs: 1_000, reason: "Telegram is not running" };
      const { api, token } = running.connection();
      const { timeoutSeconds = defaultTimeoutSeconds, linkPreview } = settings() ?? {};
      const outcome = await running.sending.sendText(outbound, {
        api,
        clock,
        timeoutMs: timeoutSeconds * 1000,
        isLinkPreview: linkPreview !== false,
        tokenSource: token.source,
      });
      if (outcome.outcome === "sent") status.sent();
      return outcome;
    },
    async typing(target) {
      if (!running) return;
      await running.sending.sendTyping(target, running.connection().api, clock);
    },
    async probe(signal) {
      const startedAt = clock.monotonic();
      const elapsedMs = () => Math.round(clock.monotonic() - startedAt);
      if (!running) return { isOk: false, error: "not running", elapsedMs: 0 };
      try {
        // grammY asks for an abort signal of its own making; any signal works
        await running.connection().api.getMe(signal as unknown as Parameters<Api["getMe"]>[0]);
        return { isOk: true, elapsedMs: elapsedMs() };
      } catch (error) {
        return { isOk: false, error: toFailure(error).reason, elapsedMs: elapsedMs() };
      }
    },
    status: status.snapshot,
  };
}

interface Beginning extends Omit<AccountDependencies, "findToken"> {
  readonly status: StatusBoard;
  readonly submit: Submit;
  readonly token: Token;
  readonly findToken: () => Promise<Token | undefined>;
}

async function startRunning(beginning: Beginning, isWanted: () => boolean): Promise<Running | undefined> {
  const { id, status, submit, clock, log, settings, timing, findToken } = beginning;
  // what sends is loaded now: between the intent to send and the sending there must be no time to spare for it
  const [{ createApi }, { startPoll }, sending] = await Promise.all([
    import("./api.ts"),
    import("./poll.ts"),
    import("./send.ts"),
  ]);
  if (!isWanted()) return undefined;

  const connect = (token: Token): Connection => {
    const { apiRoot = defaultApiRoot, timeoutSeconds = defaultTimeoutSeconds } = settings() ?? {};
    const leastSeconds = timing.pollSeconds + timing.graceMs / 1000 + 5;
    return {
      token,
      api: createApi({
        token: token.value,
        apiRoot,
        timeoutSeconds: Math.max(timeoutSeconds, leastSeconds),
        fetch: beginning.fetch,
      }),
    };
  };
  let connection = connect(beginning.token);
  const poll = startPoll({
    connection: () => ({ api: connection.api, tokenSource: connection.token.source }),
    async renewToken() {
      const token = await findToken();
      if (!token || token.value === connection.token.value) return false;
      connection = connect(token);
      return true;
    },
    account: id,
    submit,
    status,
    clock,
    log,
    timing,
  });
  return { poll, sending, connection: () => connection };
}
