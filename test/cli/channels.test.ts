// `channels add|remove|login|logout|list`, with the Gateway down and up, as their own processes.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { createCliHome, type CliHome } from "../kit/cli-process.ts";
import { createGatewayProcess, launcher } from "../kit/gateway-process.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";
import { keys, noTerminal, openTerminal } from "../kit/terminal.ts";

let telegram: FakeTelegram;
before(async () => {
  telegram = await startFakeTelegram();
});
after(() => telegram.close());

let home: CliHome;
beforeEach(async () => {
  telegram.react = () => undefined;
  home = await createCliHome();
});
afterEach(() => home.dispose());

const file = () => join(home.folder, ".openclaw", "openclaw.json");
const section = async (path = file()): Promise<unknown> =>
  (JSON.parse(await readFile(path, "utf8")) as { channels?: Record<string, unknown> }).channels?.["telegram"];
const add = () => ["channels", "add", "--channel", "telegram", "--api-root", telegram.apiRoot];

async function json(args: readonly string[], options: Parameters<CliHome["run"]>[1] = {}) {
  const { code, stdout, stderr } = await home.run([...args, "--json"], options);
  assert.equal(code, 0, stderr + stdout);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("add, login, list, remove and logout work with no Gateway about (OV-51)", async () => {
  assert.deepEqual(await json(["channels", "list"]), { chat: {}, auth: [], channels: [] });
  const added = await json([...add(), "--name", "Bot", "--token", "-"], { stdin: telegram.token });
  assert.deepEqual(added, {
    ok: true,
    channel: "telegram",
    account: "default",
    bot: "@the_bot",
    tokenSource: "channels.telegram.botToken",
  });
  const { token: botToken, apiRoot } = telegram;
  assert.deepEqual(await section(), { enabled: true, name: "Bot", apiRoot, botToken });
  assert.partialDeepStrictEqual(await json(["channels", "login", "telegram"]), { ok: true, bot: "@the_bot" });
  assert.partialDeepStrictEqual(await json(["channels", "list"]), { chat: { telegram: ["default"] } });

  await json(["channels", "remove", "--channel", "telegram"]);
  assert.deepEqual(await section(), { enabled: false, name: "Bot", apiRoot, botToken });
  assert.partialDeepStrictEqual(await json(["channels", "logout", "telegram"]), { cleared: true, loggedOut: true });
  assert.deepEqual(await section(), { enabled: false, name: "Bot", apiRoot });
  const bare = await home.run(["channels", "login", "telegram"]);
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /^error: telegram has no token\nnext: openclaw channels add/u);
  await json(["channels", "remove", "telegram", "--delete"]);
  assert.equal(await section(), undefined);
  assert.equal((await home.run(["channels", "remove", "telegram", "--delete"])).code, 1);
});

test("the token has one place: flag, file or environment, the last one given", async () => {
  const own = join(home.folder, "bot-token");
  await writeFile(own, `${telegram.token}\n`);
  const env = { TELEGRAM_BOT_TOKEN: telegram.token };
  await json([...add(), "--token", telegram.token]);
  assert.partialDeepStrictEqual(await json([...add(), "--token-file", "~/bot-token"]), {
    tokenSource: "channels.telegram.tokenFile",
  });
  assert.deepEqual(await section(), { enabled: true, apiRoot: telegram.apiRoot, tokenFile: own });
  assert.partialDeepStrictEqual(await json([...add(), "--use-env"], { env }), { tokenSource: "TELEGRAM_BOT_TOKEN" });
  assert.deepEqual(await section(), { enabled: true, apiRoot: telegram.apiRoot });
  assert.partialDeepStrictEqual(await json(["channels", "login", "telegram"], { env }), { bot: "@the_bot" });
});

test("a refused token is told and not kept; the token is never shown (S41)", async () => {
  telegram.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
  const args = [...add(), "--bot-token", telegram.token];
  const refused = await home.run(args);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: Telegram refuses the token \(Unauthorized\)\nnext: get it anew/u);
  assert.doesNotMatch(refused.stderr, /AAAA/u);
  await assert.rejects(readFile(file()));
  assert.equal((await home.run([...args, "--no-check"])).code, 0);
});

test("a second bot is added, listed, tried, switched off, logged out and removed, and the first stays as it is (OV-51)", async () => {
  const second = await startFakeTelegram("222:BBBBBBBBBBBBBBBB", "work_bot");
  try {
    await json([...add(), "--token", telegram.token]);
    const first = { enabled: true, apiRoot: telegram.apiRoot, botToken: telegram.token };
    const more = ["channels", "add", "telegram", "--account", "Work", "--api-root", second.apiRoot];
    assert.deepEqual(await json([...more, "--name", "Office", "--token", "-"], { stdin: second.token }), {
      ok: true,
      channel: "telegram",
      account: "work",
      bot: "@work_bot",
      tokenSource: "channels.telegram.accounts.work.botToken",
    });
    const kept = { enabled: true, name: "Office", apiRoot: second.apiRoot };
    const work = { ...kept, botToken: second.token };
    assert.deepEqual(await section(), { ...first, accounts: { work } });
    const listed = await home.run(["channels", "list"]);
    assert.equal(
      listed.stdout,
      [
        "telegram default: configured (token from channels.telegram.botToken)",
        "telegram work (Office): configured (token from channels.telegram.accounts.work.botToken)",
        "",
      ].join("\n"),
    );
    assert.partialDeepStrictEqual(await json(["channels", "list"]), { chat: { telegram: ["default", "work"] } });
    assert.partialDeepStrictEqual(await json(["channels", "login", "telegram", "--account", "work"]), {
      account: "work",
      bot: "@work_bot",
    });
    assert.partialDeepStrictEqual(await json(["channels", "login", "telegram"]), { bot: "@the_bot" });
    const one = await home.run(["channels", "status", "--account", "work"]);
    assert.deepEqual(
      [one.code, one.stdout],
      [1, "telegram work (Office): configured (token from channels.telegram.accounts.work.botToken)\n"],
    );
    assert.match((await home.run(["channels", "status", "--account", "play"])).stderr, /use one of: default, work/u);

    for (const args of [
      ["channels", "remove", "telegram"],
      ["channels", "remove", "telegram", "--delete"],
    ]) {
      const { code, stderr } = await home.run(args);
      assert.deepEqual(
        [code, /which account\?.*\nnext: pass --account with one of: default, work/u.test(stderr)],
        [2, true],
      );
    }
    await json(["channels", "remove", "telegram", "--account", "work"]);
    assert.deepEqual(await section(), { ...first, accounts: { work: { ...work, enabled: false } } });
    assert.partialDeepStrictEqual(await json(["channels", "logout", "telegram", "--account", "work"]), {
      accountId: "work",
      cleared: true,
      loggedOut: true,
      envToken: false,
    });
    assert.deepEqual(await section(), { ...first, accounts: { work: { ...kept, enabled: false } } });
    await json([...more, "--token", second.token]);
    assert.deepEqual(await section(), { ...first, accounts: { work } });

    // what the second shares with the first stays
    await json(["channels", "remove", "telegram", "--account", "default", "--delete"]);
    assert.deepEqual(await section(), { enabled: true, apiRoot: telegram.apiRoot, accounts: { work } });
    assert.partialDeepStrictEqual(await json(["channels", "login", "telegram"]), { account: "work" });
    await json(["channels", "remove", "telegram", "--account", "work", "--delete"]);
    assert.deepEqual(await section(), { enabled: true, apiRoot: telegram.apiRoot });
  } finally {
    await second.close();
  }
});

test("a bot that another account has is refused, wherever its token is; the default account's own section is where its token goes", async () => {
  await json([...add(), "--token", telegram.token]);
  const own = join(home.folder, "bot-token");
  await writeFile(own, `${telegram.token}\n`);
  for (const token of [
    ["--token", telegram.token],
    ["--token-file", own],
  ]) {
    const { code, stderr } = await home.run([...add(), "--account", "work", ...token]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: account default has this bot already \(channels\.telegram\.botToken\)\nnext: make another/u,
    );
    assert.doesNotMatch(stderr, /AAAA/u);
  }
  const { token: botToken, apiRoot } = telegram;
  assert.deepEqual(await section(), { enabled: true, apiRoot, botToken });
  await writeFile(
    file(),
    JSON.stringify({ channels: { telegram: { apiRoot, accounts: { Default: { name: "Own" } } } } }),
  );
  assert.partialDeepStrictEqual(await json([...add(), "--token", botToken]), {
    tokenSource: "channels.telegram.accounts.Default.botToken",
  });
  assert.deepEqual(await section(), {
    apiRoot,
    accounts: { Default: { name: "Own", enabled: true, apiRoot, botToken } },
  });
});

test("an account is told that its channel is switched off", async () => {
  await mkdir(join(home.folder, ".openclaw"));
  await writeFile(file(), JSON.stringify({ channels: { telegram: { enabled: false } } }));
  const ran = await home.run([...add(), "--account", "work", "--token", telegram.token]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /^warning: channels\.telegram\.enabled is false: no bot of it connects/mu);
});

test("comments stay, and a file with another error can still be given a channel", async () => {
  await mkdir(join(home.folder, ".openclaw"));
  await writeFile(file(), "// mine\n{ gateway: { port: 'many' } }\n");
  const ran = await home.run([...add(), "--token", telegram.token]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /^warning: .*gateway\.port/mu);
  assert.match(await readFile(file(), "utf8"), /^\/\/ mine\n[^]*botToken/u);
});

test("what cannot be had is told with what can: WhatsApp, no token, two places for it", async () => {
  for (const [args, told, code] of [
    [["channels", "login", "whatsapp"], /^error: WhatsApp is not in this version yet\nnext: use telegram\n/u, 1],
    [["channels", "add", "--channel", "whatsapp"], /WhatsApp is not in this version yet/u, 1],
    [["channels", "add", "fax", "--token", "1:a"], /no such channel: fax/u, 1],
    [
      ["channels", "login", "telegram", "--account", "second"],
      /^error: no account second is set up\nnext: channels add/u,
      1,
    ],
    [
      ["channels", "add", "telegram", "--account", "a b", "--token", "1:a"],
      /not an account: "a b"\nnext: use letters/u,
      2,
    ],
    [["channels", "add", "telegram", "--account", "second", "--use-env"], /is the default account's/u, 2],
    [["channels", "add"], /which channel\?/u, 2],
    [["channels", "add", "telegram"], /which token\?\nnext: pass one of --token, --token-file or --use-env/u, 2],
    [["channels", "add", "telegram", "--token", "1:a", "--use-env"], /more than one place/u, 2],
    [["channels", "add", "telegram", "--use-env"], /TELEGRAM_BOT_TOKEN is not set/u, 2],
    [["channels", "add", "telegram", "--token", "nonsense"], /this is no bot token\nnext: copy it from @BotFather/u, 1],
  ] as const) {
    const ran = await home.run(args);
    assert.deepEqual([ran.code, ran.stdout], [code, ""], args.join(" "));
    assert.match(ran.stderr, told);
  }
});

test("a running Gateway connects the bot that is added, and parts from it when it is removed", async () => {
  const gateway = await createGatewayProcess();
  const status = async () => {
    const { stdout } = await gateway.cli("channels", "status", "--json");
    const { channelAccounts } = JSON.parse(stdout) as {
      channelAccounts: Record<string, { connected?: boolean; running?: boolean; enabled?: boolean }[]>;
    };
    return channelAccounts["telegram"]?.[0];
  };
  const until = async (isSo: (found: Awaited<ReturnType<typeof status>>) => boolean) => {
    for (let tries = 0; ; tries += 1) {
      const found = await status();
      if (isSo(found)) return;
      assert.ok(tries < 60, JSON.stringify(found));
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
    }
  };
  try {
    await gateway.start();
    const added = await gateway.cli(...add(), "--token", telegram.token);
    assert.equal(added.code, 0, added.stderr);
    await until((found) => found?.connected === true);
    assert.equal((await gateway.cli("channels", "remove", "telegram")).code, 0);
    await until((found) => found?.running === false);
    assert.equal((await gateway.cli("channels", "logout", "telegram")).code, 0);
    const config = join(gateway.env["OPENCLAW_STATE_DIR"] ?? "", "openclaw.json");
    assert.deepEqual(await section(config), { enabled: false, apiRoot: telegram.apiRoot });
  } finally {
    await gateway.dispose();
  }
});

test("at a terminal channels add asks", { skip: noTerminal }, async () => {
  await mkdir(join(home.folder, ".openclaw"));
  await writeFile(file(), JSON.stringify({ channels: { telegram: { apiRoot: telegram.apiRoot } } }));
  const argv = [process.execPath, launcher, "channels", "add"];
  const terminal = openTerminal(argv, { env: home.env, cwd: home.folder });
  try {
    await terminal.answer("Where shall people write to it?", keys.enter);
    await terminal.answer("Bot token", telegram.token, keys.enter);
    await terminal.expect("The bot is @the_bot.");
    assert.equal(await terminal.ended, 0);
    assert.partialDeepStrictEqual(await section(), { enabled: true, botToken: telegram.token });
    assert.doesNotMatch(terminal.shown(), /AAAA/u);
  } finally {
    terminal.kill();
  }
});

test(
  "at a terminal channels add --account asks for one more bot, and not for one that another account has",
  { skip: noTerminal },
  async () => {
    const second = await startFakeTelegram("222:BBBBBBBBBBBBBBBB", "work_bot");
    const { apiRoot, token: botToken } = telegram;
    await mkdir(join(home.folder, ".openclaw"));
    await writeFile(
      file(),
      JSON.stringify({
        channels: { telegram: { apiRoot, botToken, accounts: { work: { apiRoot: second.apiRoot } } } },
      }),
    );
    const argv = [process.execPath, launcher, "channels", "add", "--account", "work"];
    const terminal = openTerminal(argv, { env: home.env, cwd: home.folder });
    try {
      await terminal.answer("Where shall people write to it?", keys.enter);
      await terminal.answer("Bot token", botToken, keys.enter);
      await terminal.expect("account default has this bot already");
      await terminal.answer("What now?", keys.enter);
      await terminal.answer("Bot token", second.token, keys.enter);
      await terminal.expect("The bot is @work_bot.");
      assert.equal(await terminal.ended, 0);
      const work = { enabled: true, apiRoot: second.apiRoot, botToken: second.token };
      assert.deepEqual(await section(), { apiRoot, botToken, accounts: { work } });
    } finally {
      terminal.kill();
      await second.close();
    }
  },
);
