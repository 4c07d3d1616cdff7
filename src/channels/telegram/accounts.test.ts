import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { until } from "../../../test/kit/conversation.ts";
import { startFakeTelegram, type FakeTelegram } from "../../../test/kit/telegram-server.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { createEgress } from "../../platform/egress.ts";
import type { Channel, ChannelAccountStatus } from "../../ports/channel.ts";
import type { Inbound } from "../../ports/message.ts";
import { createTelegram } from "./channel.ts";
import type { TelegramSettings } from "./settings.ts";

const timing = {
  pollSeconds: 1,
  graceMs: 150,
  backoff: { initialMs: 10, maxMs: 40, factor: 2, jitter: 0 },
  tokenRetryMs: 60,
  tokenLookMs: 10,
  minEmptyPollMs: 20,
};
const egress = createEgress({ clock: systemClock });

describe("several bots in one channel", () => {
  let one: FakeTelegram;
  let two: FakeTelegram;
  let channel: Channel;
  let settings: TelegramSettings | undefined;
  let fromEnv: string | undefined;
  let heard: Inbound[];
  const submit = async (inbound: Inbound) => {
    heard.push(inbound);
    return { outcome: "dropped", reason: "test" } as const;
  };
  const set = (telegram: object) => {
    settings = { enabled: true, allowFrom: [], ...telegram } as TelegramSettings;
  };
  const work = () => ({ botToken: two.token, apiRoot: two.apiRoot });
  const both = () => set({ botToken: one.token, apiRoot: one.apiRoot, accounts: { work: work() } });
  const statusOf = (id: string): ChannelAccountStatus => {
    const found = channel.status().find(({ accountId }) => accountId === id);
    assert.ok(found, id);
    return found;
  };
  const isConnected = (id: string) => until(() => statusOf(id).isConnected);
  const calls = (fake: FakeTelegram, method: string) => fake.calls.filter((call) => call.method === method).length;

  beforeEach(async () => {
    [one, two] = await Promise.all([startFakeTelegram(), startFakeTelegram("222:BBBBBBBBBBBBBBBB", "work_bot")]);
    heard = [];
    fromEnv = undefined;
    channel = createTelegram({
      settings: () => settings,
      tokenFromEnv: () => fromEnv,
      unsetKeys: async (paths) => {
        const { botToken: _gone, ...rest } = settings ?? {};
        if (paths.some((path) => path.length === 3)) set(rest);
        return true;
      },
      readFile: async (path) => (path === "/work-token" ? two.token : undefined),
      fetch: egress.fetch,
      clock: systemClock,
      log: silentLog,
      timing,
    });
  });
  afterEach(async () => {
    await channel.stop(AbortSignal.timeout(1_000));
    await Promise.all([one.close(), two.close()]);
  });

  test("each hears by its own poll and answers by its own token", async () => {
    both();
    assert.deepEqual(channel.accounts(), ["default", "work"]);
    await channel.start(submit);
    await Promise.all(["default", "work"].map(isConnected));
    one.addMessage({ chatId: 7, text: "to the first" });
    two.addMessage({ chatId: 7, text: "to the second" });
    await until(() => heard.length === 2);
    assert.deepEqual(heard.map(({ account, text }) => `${account}: ${text}`).toSorted(), [
      "default: to the first",
      "work: to the second",
    ]);
    const target = { channel: "telegram", chatId: "7" };
    const send = (account: string) =>
      channel.send({ target: { ...target, account }, text: `from ${account}`, effectKey: account });
    assert.deepEqual(
      (await Promise.all([send("default"), send("work"), send("gone")])).map(({ outcome }) => outcome),
      ["sent", "sent", "retry"],
    );
    const sent = (fake: FakeTelegram) => fake.calls.filter(({ method }) => method === "sendMessage");
    assert.deepEqual(
      [sent(one), sent(two)].map((list) => list.map(({ body, token }) => [body["text"], token])),
      [[["from default", one.token]], [["from work", two.token]]],
    );
    assert.deepEqual(
      channel.status().map(({ accountId, identity, tokenSource }) => [accountId, identity?.username, tokenSource]),
      [
        ["default", "the_bot", "channels.telegram.botToken"],
        ["work", "work_bot", "channels.telegram.accounts.work.botToken"],
      ],
    );
  });

  test("a token that is refused, a poll that hangs and a stop are one account's own (R6)", async () => {
    both();
    two.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
    await channel.start(submit);
    await isConnected("default");
    await until(() => statusOf("work").problem !== undefined);
    assert.match(statusOf("work").problem?.reason ?? "", /refuses the bot token from channels.telegram.accounts.work/u);
    two.react = ({ method }) => (method === "getUpdates" ? { hang: true } : undefined);
    await until(() => /no answer/u.test(statusOf("work").problem?.reason ?? ""));
    one.addMessage({ chatId: 7, text: "still here" });
    await until(() => heard.length === 1);
    assert.deepEqual([statusOf("default").problem, statusOf("default").isConnected], [undefined, true]);
    await channel.stop(AbortSignal.timeout(1_000), "work");
    assert.deepEqual([statusOf("work").isRunning, statusOf("default").isRunning], [false, true]);
    const probe = (id: string) => channel.probe?.(id, AbortSignal.timeout(1_000));
    assert.deepEqual([(await probe("default"))?.isOk, (await probe("work"))?.isOk], [true, false]);
    two.react = () => undefined;
    await channel.start(submit, "work");
    await isConnected("work");
    assert.equal(calls(one, "getMe"), 2, "once at its start, once for the probe");
  });

  test("of two accounts with one token the first runs, the other is told with both keys and begins once the token is its own", async () => {
    const shared = { botToken: one.token, apiRoot: one.apiRoot };
    set({ ...shared, accounts: { work: shared } });
    await channel.start(submit);
    await isConnected("default");
    assert.deepEqual(statusOf("work").problem, {
      reason:
        "channels.telegram.accounts.work.botToken and channels.telegram.botToken are the token of one bot, which account default has",
      next: "give each account a bot of its own (@BotFather makes them), or take one of the two out of the config",
    });
    assert.deepEqual([statusOf("work").isConfigured, statusOf("work").isRunning], [false, false]);
    assert.doesNotMatch(JSON.stringify(channel.status()), /AAAA/u);
    assert.equal(calls(one, "getMe"), 1);

    set({ apiRoot: two.apiRoot, botToken: two.token, accounts: { work: shared } });
    await channel.start(submit, "default");
    await Promise.all(["default", "work"].map(isConnected));
    assert.equal(statusOf("work").problem, undefined);

    // and the other way round: who comes first in the config has it
    set({ ...shared, accounts: { work: shared } });
    await channel.start(submit, "default");
    assert.deepEqual([statusOf("default").isRunning, statusOf("work").isRunning], [true, false]);

    // an account that has gone leaves its token to who waits for it
    set({ accounts: { work: shared } });
    await channel.stop(AbortSignal.timeout(1_000), "default");
    await isConnected("work");
    assert.deepEqual(
      channel.status().map(({ accountId }) => accountId),
      ["work"],
    );
  });

  test("the same token in a file, in the environment or of an account that is switched off", async () => {
    set({ apiRoot: two.apiRoot, accounts: { work: { tokenFile: "/work-token" } } });
    fromEnv = two.token;
    await channel.start(submit);
    await isConnected("default");
    assert.match(
      statusOf("work").problem?.reason ?? "",
      /accounts\.work\.tokenFile and TELEGRAM_BOT_TOKEN are the token/u,
    );
    set({ apiRoot: two.apiRoot, accounts: { default: { enabled: false }, work: { tokenFile: "/work-token" } } });
    await channel.start(submit, "default");
    await isConnected("work");
    assert.deepEqual([statusOf("default").isEnabled, statusOf("default").isRunning], [false, false]);
  });

  test("an account is named by what a person writes, and one that is not there is refused with those that are", () => {
    both();
    const accountOf = (account?: string) => channel.parseTarget("7", account).account;
    assert.deepEqual([accountOf(), accountOf(" Work "), accountOf("")], ["default", "work", "default"]);
    assert.throws(() => accountOf("home"), { code: "not_linked", next: "use one of: default, work" });
    set({ accounts: { work: work() } });
    assert.equal(accountOf(), "work");
  });

  test("each has its own limits, name and switch, or the channel's", () => {
    set({
      textChunkLimit: 100,
      name: "Top",
      accounts: { work: { textChunkLimit: 200, name: "Office", enabled: false }, home: {} },
    });
    assert.deepEqual(["default", "work", "home"].map(channel.textLimit), [100, 200, 100]);
    assert.deepEqual(
      channel.status().map(({ accountId, name, isEnabled }) => [accountId, name, isEnabled]),
      [
        ["work", "Office", false],
        ["home", undefined, true],
      ],
    );
  });

  test("logging one account out leaves the other its token", async () => {
    both();
    await channel.start(submit);
    await Promise.all(["default", "work"].map(isConnected));
    await channel.stop(AbortSignal.timeout(1_000), "default");
    assert.deepEqual(await channel.logout?.("default"), { isCleared: true, isLoggedOut: true, isInEnvironment: false });
    assert.deepEqual(channel.accounts(), ["work"]);
    assert.equal(statusOf("work").isConnected, true);
  });
});
