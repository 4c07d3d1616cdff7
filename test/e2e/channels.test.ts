// `channels.*` against a real process and a local Bot API server.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { judge } from "../conformance/published.ts";
import { createGatewayProcess, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let fake: FakeTelegram;
let gateway: GatewayProcess;
let client: RawClient;
let file: string;

before(async () => {
  fake = await startFakeTelegram();
  gateway = await createGatewayProcess();
  file = join(gateway.folder, "state", "openclaw.json");
  const { token, apiRoot } = fake;
  await writeFile(
    file,
    `// mine\n{ gateway: { mode: "local" }, channels: { telegram: { botToken: "${token}", apiRoot: "${apiRoot}" } } }\n`,
  );
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
});
after(async () => {
  client?.close();
  await gateway?.dispose();
  await fake?.close();
});

async function account(params: object = {}): Promise<Record<string, unknown>> {
  const { payload, ok } = await client.request("channels.status", params);
  assert.ok(ok);
  assert.equal(judge("ChannelsStatusResult", payload), undefined);
  assert.doesNotMatch(JSON.stringify(payload), new RegExp(fake.token, "u"));
  const accounts = payload?.["channelAccounts"] as Record<string, Record<string, unknown>[]>;
  return accounts["telegram"]?.[0] ?? {};
}

test("channels.status tells what the account last saw, and with probe what the platform says (OV-51)", async () => {
  const known = await account();
  assert.deepEqual(
    [
      known["accountId"],
      known["configured"],
      known["running"],
      known["tokenSource"],
      known["dmPolicy"],
      "probe" in known,
    ],
    ["default", true, true, "channels.telegram.botToken", "pairing", false],
  );
  const probed = await account({ probe: true, timeoutMs: 2_000, channel: "Telegram" });
  assert.partialDeepStrictEqual(probed, { probe: { ok: true }, connected: true });
});

test("a channel is stopped and started again, and nothing is kept of it", async () => {
  const text = await readFile(file, "utf8");
  const stopped = await client.request("channels.stop", { channel: "telegram" });
  assert.deepEqual(stopped.payload, { channel: "telegram", accountId: "default", stopped: true });
  assert.partialDeepStrictEqual(await account(), { running: false, connected: false });
  const started = await client.request("channels.start", { channel: "telegram", accountId: "default" });
  assert.deepEqual(started.payload, { channel: "telegram", accountId: "default", started: true });
  assert.equal((await account())["running"], true);
  assert.equal(await readFile(file, "utf8"), text);
});

test("a channel or an account that is not there is refused with what there is", async () => {
  for (const method of ["channels.start", "channels.stop", "channels.logout", "channels.status"]) {
    const { error } = await client.request(method, { channel: "carrier-pigeon" });
    assert.deepEqual([error?.code, error?.message], ["INVALID_REQUEST", `invalid ${method} channel`]);
    assert.match(JSON.stringify(error?.details), /use one of: telegram/u);
  }
  const { error } = await client.request("channels.stop", { channel: "telegram", accountId: "second" });
  assert.equal(error?.message, "channel telegram has no such account");
});

test("the command line shows the same, and the config alone when the Gateway is down", async () => {
  const shown = await gateway.cli("channels", "status", "--probe");
  assert.deepEqual([shown.code, shown.stderr], [0, ""]);
  assert.match(shown.stdout, /^Telegram default: connected, .*token from channels\.telegram\.botToken/mu);
  const listed = await gateway.cli("channels", "list", "--json");
  assert.deepEqual(JSON.parse(listed.stdout), {
    chat: { telegram: ["default"] },
    auth: [],
    channels: [
      {
        id: "telegram",
        account: "default",
        enabled: true,
        configured: true,
        tokenSource: "channels.telegram.botToken",
      },
    ],
  });
  const offline = await gateway.cli("channels", "status", "--url", "ws://127.0.0.1:9", "--token", "x");
  assert.equal(offline.code, 1, "another Gateway's config is not known here");
  await gateway.stop();
  const down = await gateway.cli("channels", "status");
  assert.match(down.stdout, /telegram default: configured/u);
  assert.match(down.stderr, /the Gateway cannot be asked/u);
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
});

test("the command line switches a channel, and says no when there is none", async () => {
  assert.equal((await gateway.cli("channels", "stop", "telegram")).stdout, "telegram default: stopped\n");
  assert.match((await gateway.cli("channels", "status")).stdout, /^Telegram default: stopped/mu);
  assert.equal((await gateway.cli("channels", "start", "telegram")).stdout, "telegram default: started\n");
  const refused = await gateway.cli("channels", "stop", "pigeon");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /use one of: telegram/u);
});

test("logout stops the channel and takes the token out of the file, and nothing else", async () => {
  const text = await readFile(file, "utf8");
  const { payload } = await client.request("channels.logout", { channel: "telegram" });
  assert.deepEqual(payload, {
    channel: "telegram",
    accountId: "default",
    cleared: true,
    loggedOut: true,
    envToken: false,
  });
  assert.equal(await readFile(file, "utf8"), text.replace(`botToken: "${fake.token}", `, ""));
  assert.partialDeepStrictEqual(await account(), { running: false, configured: false, lastError: "no bot token" });
  const again = await client.request("channels.logout", { channel: "telegram" });
  assert.partialDeepStrictEqual(again.payload, { cleared: false, loggedOut: true });
});

test("logout stays logged out though the environment has a token, until the channel is started", async (context) => {
  const other = await startGatewayProcess({
    config: { channels: { telegram: { botToken: fake.token, apiRoot: fake.apiRoot } } },
    env: { TELEGRAM_BOT_TOKEN: fake.token },
  });
  context.after(() => other.dispose());
  const owner = await openRawClient(other.port, other.token);
  context.after(() => owner.close());
  await owner.connect();
  const logins = () => fake.calls.filter(({ method }) => method === "getMe").length;
  const earlier = logins();
  const { payload } = await owner.request("channels.logout", { channel: "telegram" });
  assert.partialDeepStrictEqual(payload, { cleared: true, loggedOut: false, envToken: true });
  const shown = async () => {
    const { channelAccounts } = (await owner.request("channels.status", {})).payload as {
      channelAccounts: { telegram: { running: boolean }[] };
    };
    return channelAccounts.telegram[0]?.running;
  };
  assert.equal(await shown(), false);
  assert.equal(logins(), earlier);
  await owner.request("channels.start", { channel: "telegram" });
  assert.equal(await shown(), true);
});
