// Several Telegram accounts in one Gateway: a real process, local Bot API servers, real messages.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { startBot, startEcho, type Bot } from "../kit/bots.ts";
import { until } from "../kit/conversation.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

const fileOf = (gateway: GatewayProcess) => join(gateway.folder, "state", "openclaw.json");

async function connect(gateway: GatewayProcess): Promise<RawClient> {
  const client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  return client;
}

type Account = Record<string, unknown>;

async function accountsOf(client: RawClient): Promise<Record<string, Account>> {
  const { payload } = await client.request("channels.status", {});
  const channels = payload?.["channelAccounts"] as { telegram?: (Account & { accountId: string })[] } | undefined;
  const telegram = channels?.telegram ?? [];
  return Object.fromEntries(telegram.map((account) => [account.accountId, account]));
}

async function isConnected(client: RawClient, account: string): Promise<void> {
  await until(async () => (await accountsOf(client))[account]?.["connected"] === true, 15_000);
}

describe("two bots in one Gateway", () => {
  let home: Bot;
  let work: Bot;
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let gateway: GatewayProcess;
  before(async () => {
    [home, work, echo] = await Promise.all([startBot("home_bot"), startBot("work_bot"), startEcho()]);
    const agents = { ...echo.config.agents, list: [{ id: "main", default: true }, { id: "office" }] };
    gateway = await startGatewayProcess({
      config: {
        ...echo.config,
        agents,
        bindings: [{ agentId: "office", match: { channel: "telegram", accountId: "work" } }],
        channels: {
          telegram: {
            botToken: home.token,
            apiRoot: home.apiRoot,
            allowFrom: [1001, 1002],
            accounts: {
              work: { botToken: work.token, apiRoot: work.apiRoot, name: "Office", allowFrom: [1001, 2002] },
            },
          },
        },
      },
    });
    const client = await connect(gateway);
    await Promise.all(["default", "work"].map((account) => isConnected(client, account)));
    client.close();
  });
  after(async () => {
    await gateway?.dispose();
    await Promise.all([home?.close(), work?.close(), echo?.close()]);
  });
  const texts = (bot: Bot) => bot.sent.map(({ chat, text }) => `${chat} ${text}`).toSorted();

  test("people who write to both at once are each answered by the bot that they wrote to, from the agent that it is bound to (OV-51)", async () => {
    const numbers = [1, 2, 3, 4, 5];
    await Promise.all(
      numbers.flatMap((number) => [
        home.say(1001, `home ${number}`),
        work.say(1001, `work ${number}`),
        home.say(1002, `other ${number}`),
        work.say(2002, `more ${number}`),
      ]),
    );
    await until(() => home.sent.length === 10 && work.sent.length === 10, 30_000);
    const expected = (lines: [number, string][]) =>
      lines.flatMap(([chat, word]) => numbers.map((number) => `${chat} re ${word} ${number}`)).toSorted();
    assert.deepEqual(
      texts(home),
      expected([
        [1001, "home"],
        [1002, "other"],
      ]),
    );
    assert.deepEqual(
      texts(work),
      expected([
        [1001, "work"],
        [2002, "more"],
      ]),
    );
    const { stdout } = await gateway.cli("sessions", "--json");
    for (const key of ["agent:main:telegram:dm:1001", "agent:office:telegram:dm:1001", "agent:office:telegram:dm:2002"])
      assert.ok(stdout.includes(`"${key}"`), stdout);
  });

  test("who may write to one is a stranger to the other, and is let in there by its own code", async () => {
    const [before_, atHome] = [work.sent.length, home.sent.length];
    await work.say(1002, "hello");
    await until(() => work.sent.length === before_ + 1, 15_000);
    const { stdout } = await gateway.cli("pairing", "list", "telegram", "--json");
    const { requests } = JSON.parse(stdout) as { requests: { code: string; account: string; senderId: string }[] };
    assert.deepEqual(
      requests.map(({ account, senderId }) => [account, senderId]),
      [["work", "1002"]],
    );
    const approved = await gateway.cli("pairing", "approve", "telegram", requests[0]?.code ?? "", "--notify");
    assert.match(approved.stdout, /may now write on telegram, account work\.$/mu);
    await until(() => work.sent.length === before_ + 2, 15_000);
    await work.say(1002, "hello again");
    await until(() => work.sent.at(-1)?.text === "re hello again", 15_000);
    assert.equal(home.sent.length, atHome, "the other bot says nothing of it");
  });

  test("message send, agent and the state of things go by account at the command line (OV-51)", async () => {
    const send = (...args: string[]) => gateway.cli("message", "send", "--target", "1001", "--message", ...args);
    assert.equal((await send("by the second", "--account", "work")).code, 0);
    assert.equal((await send("by the first")).code, 0);
    assert.deepEqual([work.sent.at(-1)?.text, home.sent.at(-1)?.text], ["by the second", "by the first"]);
    const wrong = await send("by nobody", "--account", "play");
    assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
    assert.match(wrong.stderr, /Telegram has no account "play"\nnext: use one of: default, work/u);

    const ask = [
      "agent",
      "--message",
      "good morning",
      "--deliver",
      "--reply-channel",
      "telegram",
      "--reply-to",
      "1001",
    ];
    const answered = await gateway.cli(...ask, "--reply-account", "work");
    assert.deepEqual([answered.code, answered.stdout.trim()], [0, "re good morning"]);
    await until(() => work.sent.at(-1)?.text === "re good morning", 15_000);
    assert.equal(home.sent.at(-1)?.text, "by the first");

    const status = await gateway.cli("channels", "status", "--probe");
    assert.match(
      status.stdout,
      /^Telegram default: connected, @home_bot, token from channels\.telegram\.botToken.*probe ok.*\nTelegram work \(Office\): connected, @work_bot, token from channels\.telegram\.accounts\.work\.botToken.*probe ok/mu,
    );
    const one = await gateway.cli("channels", "status", "--account", "work");
    assert.match(one.stdout, /^Telegram work \(Office\): connected[^\n]*\n$/u);
    assert.match((await gateway.cli("channels", "status", "--account", "play")).stderr, /use one of: default, work/u);
    assert.match((await gateway.cli("health")).stdout, /^Telegram default: connected\nTelegram work: connected$/mu);
    assert.match((await gateway.cli("status")).stdout, /^Telegram work: connected \(@work_bot\)$/mu);
    const ready = await fetch(`http://127.0.0.1:${gateway.port}/readyz`);
    assert.equal(ready.status, 200, await ready.text());
  });

  test("one is stopped, started and logged out; the other's poll goes on, and its token stays", async () => {
    const run = async (verb: string) =>
      (await gateway.cli("channels", verb, "telegram", "--account", "work")).stdout.trim();
    assert.equal(await run("stop"), "telegram work: stopped");
    const client = await connect(gateway);
    const running = async () => Object.values(await accountsOf(client)).map((account) => account["running"]);
    assert.deepEqual(await running(), [true, false]);
    await home.say(1001, "while it rests");
    await until(() => home.sent.at(-1)?.text === "re while it rests", 15_000);
    await work.say(1001, "kept for later");
    assert.equal(await run("start"), "telegram work: started");
    await until(() => work.sent.at(-1)?.text === "re kept for later", 15_000);
    const text = await readFile(fileOf(gateway), "utf8");
    assert.match(await run("logout"), /^telegram work: stopped; the token was taken out of the config$/u);
    assert.equal(await readFile(fileOf(gateway), "utf8"), text.replace(`"botToken":"${work.token}",`, ""));
    assert.deepEqual(await running(), [true, false]);
    await home.say(1001, "still there");
    await until(() => home.sent.at(-1)?.text === "re still there", 15_000);
    client.close();
  });
});

describe("trouble of one bot", () => {
  let home: Bot;
  let ill: FakeTelegram;
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let gateway: GatewayProcess;
  let client: RawClient;
  const config = (telegram: object) => ({ gateway: { mode: "local" }, ...echo.config, channels: { telegram } });
  const both = () => ({
    botToken: home.token,
    apiRoot: home.apiRoot,
    dmPolicy: "open",
    allowFrom: ["*"],
    accounts: { ill: { botToken: ill.token, apiRoot: ill.apiRoot, timeoutSeconds: 2 } },
  });
  before(async () => {
    [home, ill, echo] = await Promise.all([startBot("home_bot"), startFakeTelegram(), startEcho()]);
    gateway = await startGatewayProcess({ config: config(both()) });
    client = await connect(gateway);
    await Promise.all(["default", "ill"].map((account) => isConnected(client, account)));
  });
  after(async () => {
    client?.close();
    await gateway?.dispose();
    await Promise.all([home?.close(), ill?.close(), echo?.close()]);
  });
  const answers = async (text: string) => {
    const at = Date.now();
    await home.say(1, text);
    await until(() => home.sent.at(-1)?.text === `re ${text}`, 15_000);
    return Date.now() - at;
  };

  test("a token that is revoked, and a server that hangs on sends and polls, are felt by that bot alone (R6)", async () => {
    ill.addMessage({ chatId: 5, text: "before" });
    await until(() => ill.calls.some(({ body }) => body["text"] === "re before"), 15_000);
    // what it has to say waits, and waits
    ill.react = ({ method }) => (method === "getUpdates" ? undefined : { hang: true });
    for (let chat = 10; chat < 40; chat += 1) ill.addMessage({ chatId: chat, text: "while it hangs" });
    await until(() => ill.calls.filter(({ method }) => method === "sendMessage").length >= 8, 15_000);
    assert.ok((await answers("one")) < 3_000);
    ill.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
    await until(
      async () => /refuses the bot token/u.test(String((await accountsOf(client))["ill"]?.["lastError"])),
      40_000,
    );
    assert.ok((await answers("two")) < 3_000);
    assert.partialDeepStrictEqual((await accountsOf(client))["default"], { connected: true, lastError: null });
    const { problems = [] } = JSON.parse((await gateway.cli("health", "--json")).stdout) as { problems?: unknown[] };
    assert.deepEqual(problems, [], "an account's trouble is its own, not the Gateway's");
    ill.react = () => undefined;
  });

  test("two accounts with one token are told with both keys, the first runs, and a new token is taken up by that account alone", async () => {
    const sharing = { ...both(), accounts: { ill: { botToken: home.token } } };
    await writeFile(fileOf(gateway), JSON.stringify(config(sharing)));
    await until(
      async () => /are the token of one bot/u.test(String((await accountsOf(client))["ill"]?.["lastError"])),
      10_000,
    );
    const { ill: row } = await accountsOf(client);
    assert.partialDeepStrictEqual(row, {
      running: false,
      lastError:
        "channels.telegram.accounts.ill.botToken and channels.telegram.botToken are the token of one bot, which account default has",
    });
    // a snapshot may be a second old
    await until(
      async () =>
        /^Telegram ill: not configured \(channels\.telegram\.accounts\.ill/mu.test(
          (await gateway.cli("health")).stdout,
        ),
      10_000,
    );
    assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/readyz`)).status, 200, "all that can be received is");
    await answers("three");
    await writeFile(fileOf(gateway), JSON.stringify(config(both())));
    await isConnected(client, "ill");
    assert.doesNotMatch(gateway.output(), new RegExp(`${home.token}|${ill.token}`, "u"));
  });
});

describe("a change of one account", () => {
  let one: FakeTelegram;
  let two: FakeTelegram;
  let gateway: GatewayProcess;
  let client: RawClient;
  const config = (accounts: object, more: object = {}) => ({
    gateway: { mode: "local", reload: { debounceMs: 50 } },
    channels: { telegram: { botToken: one.token, apiRoot: one.apiRoot, ...more, accounts } },
  });
  const save = async (document: object) => {
    const seen = gateway.output().length;
    await writeFile(fileOf(gateway), JSON.stringify(document));
    await until(() => /the config has changed/u.test(gateway.output().slice(seen)), 10_000);
    return gateway.output().slice(seen);
  };
  const logins = (fake: FakeTelegram) => fake.calls.filter(({ method }) => method === "getMe").length;
  before(async () => {
    [one, two] = await Promise.all([startFakeTelegram(), startFakeTelegram("222:BBBBBBBBBBBBBBBB", "work_bot")]);
    gateway = await startGatewayProcess({ config: config({ work: { botToken: two.token, apiRoot: two.apiRoot } }) });
    client = await connect(gateway);
    await Promise.all(["default", "work"].map((account) => isConnected(client, account)));
  });
  after(async () => {
    client?.close();
    await gateway?.dispose();
    await Promise.all([one?.close(), two?.close()]);
  });

  test("is felt by that account alone: another token, another one beside it, one that goes (R7)", async () => {
    const [here, there] = [logins(one), logins(two)];
    const startedAt = (await accountsOf(client))["default"]?.["lastStartAt"];
    const renewed = { botToken: "222:CCCCCCCCCCCCCCCC", apiRoot: two.apiRoot };
    assert.match(await save(config({ work: renewed })), /restarted=\["telegram:work"\]/u);
    await until(
      () => two.calls.some(({ token, method }) => token === renewed.botToken && method === "getUpdates"),
      10_000,
    );
    assert.equal(logins(two), there + 1);

    const more = { botToken: "333:DDDDDDDDDDDDDDDD", apiRoot: two.apiRoot };
    assert.match(await save(config({ work: renewed, "Side Job": more })), /restarted=\["telegram:side-job"\]/u);
    await isConnected(client, "side-job");
    assert.match(await save(config({ "Side Job": more })), /restarted=\["telegram:work"\]/u);
    assert.deepEqual(Object.keys(await accountsOf(client)), ["default", "side-job"]);
    await until(() => !/"work"/u.test(JSON.stringify(two.calls.at(-1))), 1_000);
    const stillPolls = () => two.calls.filter(({ token }) => token === renewed.botToken).length;
    const polls = stillPolls();
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(stillPolls(), polls, "what has gone does not poll");

    // who may write is read when it is used
    assert.doesNotMatch(await save(config({ "Side Job": { ...more, allowFrom: [1] } })), /restarted/u);
    assert.equal(logins(one), here, "the first goes on with the poll it had");
    assert.equal((await accountsOf(client))["default"]?.["lastStartAt"], startedAt);

    assert.match(await save(config({ "Side Job": more }, { timeoutSeconds: 30 })), /restarted=\["telegram"\]/u);
    await until(() => logins(one) === here + 1, 10_000);
  });
});
