// A disk of a few megabytes that fills up while messages come in: the Gateway stays up, says why it takes in nothing, loses nothing
// that it took in, and goes on by itself once there is room again.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, mockProvider } from "../kit/gateway-process.ts";
import { startModelServer } from "../kit/model-server.ts";
import { connectParams, openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { mountSmallDisk, type SmallDisk } from "../kit/small-disk.ts";
import { startFakeTelegram } from "../kit/telegram-server.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const textOf = (content: unknown): string =>
  typeof content === "string" ? content : JSON.stringify(content).replaceAll(/.*"text":"([^"]*)".*/gu, "$1");

/** A Gateway whose state is on a disk of its own; undefined where there are no namespaces. */
async function openRig(t: TestContext) {
  let disk: SmallDisk | undefined;
  const telegram = await startFakeTelegram();
  const models = await startModelServer(({ messages }) => `answer to ${textOf(messages.at(-1)?.content)}`);
  const gateway = await createGatewayProcess({
    async enter(state) {
      disk = await mountSmallDisk(state, 8);
      return disk?.enter ?? [];
    },
  });
  t.after(async () => {
    await gateway.dispose();
    await disk?.stop();
    await telegram.close();
    await models.close();
  });
  if (!disk) return undefined;
  const config = {
    agents: { defaults: { model: "mock/first" } },
    models: { providers: mockProvider(models.baseUrl) },
    channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1001] } },
    gateway: { mode: "local" },
  };
  await writeFile(join(disk.path, "openclaw.json"), JSON.stringify(config));
  await gateway.start();
  const given: string[] = [];
  return {
    gateway,
    telegram,
    disk,
    given,
    write(text: string) {
      given.push(text);
      telegram.addMessage({ chatId: 1001, text });
    },
    answered: () =>
      telegram.calls.flatMap(({ method, body }) =>
        method === "sendMessage" ? [String(body["text"]).replace("answer to ", "")] : [],
      ),
    async ready() {
      const headers = { authorization: `Bearer ${gateway.token}` };
      const response = await fetch(`http://127.0.0.1:${gateway.port}/readyz`, { headers });
      const answer = (await response.json()) as { ready: boolean; reasons?: Record<string, string> };
      return { status: response.status, reason: answer.reasons?.["database"] };
    },
    async connect() {
      const client = await openRawClient(gateway.port, gateway.token);
      assert.equal((await client.connect(connectParams(gateway.token))).ok, true);
      return client;
    },
  };
}

const say = (client: RawClient, key: string) =>
  client.request("chat.send", { sessionKey: "main", message: `client ${key}`, idempotencyKey: key });

/** Who said what in the main session, in order. */
async function said(client: RawClient): Promise<string[]> {
  const { payload } = await client.request("chat.history", { sessionKey: "main", limit: 1000 });
  const messages = (payload?.["messages"] ?? []) as { content: unknown }[];
  return messages.map(({ content }) => textOf(content));
}

function checkRefusal({ error }: Frame): void {
  const { retryable } = error as { retryable?: boolean };
  assert.deepEqual([error?.code, error?.details?.["reason"], retryable], ["UNAVAILABLE", "storage", true]);
  assert.match(error?.message ?? "", /disk is full/u);
  assert.match(String(error?.details?.["next"]), /free disk space/u);
}

test("a disk that fills up under load: why is said, nothing accepted is lost, and it goes on by itself (R32, T6)", async (t) => {
  const rig = await openRig(t);
  if (!rig) return t.skip("no namespaces here");
  const { gateway, telegram, disk, given, write, answered, ready } = rig;
  const client = await rig.connect();
  write("before");
  await until(() => answered().length === 1, 15_000);

  const accepted: string[] = [];
  const refused: { readonly frame: Frame; readonly ms: number }[] = [];
  const load = (async () => {
    for (let index = 0; index < 60; index += 1) {
      if (index % 3 === 0) write(`telegram ${index}`);
      const startedAt = performance.now();
      const frame = await say(client, `load-${index}`);
      if (frame.ok === true) accepted.push(`client load-${index}`);
      else refused.push({ frame, ms: performance.now() - startedAt });
      await pause(30);
    }
  })();
  await pause(300);
  await disk.fill();
  await load;
  assert.ok(accepted.length > 0 && refused.length > 10, `${accepted.length} accepted, ${refused.length} refused`);
  for (const { frame, ms } of refused) {
    checkRefusal(frame);
    assert.ok(ms < 500, `refused after ${ms} ms`);
  }

  // what Telegram has given and nobody could store stays with Telegram
  const waiting = telegram.updates.length;
  assert.ok(waiting > 5, `${waiting} updates are not confirmed`);
  const full = await ready();
  assert.equal(full.status, 503);
  assert.match(full.reason ?? "", /disk is full/u);
  // a device that was never here before still gets its answer
  const health = await gateway.cli("health");
  assert.equal(health.code, 1, health.stderr);
  assert.match(health.stdout, /problem: nothing can be stored: the database cannot be written: .*disk is full/u);
  assert.match(health.stdout, /next: make room on the disk of .*gateway\.sqlite/u);
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status, 200);

  const freedAt = performance.now();
  await disk.free();
  await until(async () => (await ready()).status === 200, 5_000);
  assert.ok(performance.now() - freedAt < 5_000);
  await until(() => answered().length >= given.length, 30_000);
  assert.deepEqual(answered(), given, "each message of Telegram is answered once, in order");
  await until(() => telegram.updates.length === 0, 10_000);
  const expected = accepted.flatMap((text) => [text, `answer to ${text}`]);
  await until(async () => (await said(client)).length >= expected.length, 20_000);
  assert.deepEqual((await said(client)).toSorted(), expected.toSorted());
  assert.equal((await say(client, "after")).ok, true);
  await until(async () => (await gateway.cli("health")).code === 0, 10_000);
  client.close();
});

test("killed on a full disk, it has all that it took in once there is room (R32, T6)", async (t) => {
  const rig = await openRig(t);
  if (!rig) return t.skip("no namespaces here");
  const { gateway, disk, given, write, answered } = rig;
  const client = await rig.connect();
  const accepted: string[] = [];
  const filling = pause(100).then(() => disk.fill());
  for (let index = 0; index < 40; index += 1) {
    if (index % 4 === 0) write(`telegram ${index}`);
    if ((await say(client, `kill-${index}`)).ok === true) accepted.push(`client kill-${index}`);
    await pause(10);
  }
  await filling;
  await gateway.stop("SIGKILL");
  // as a service manager would: it cannot start yet, or starts and takes in nothing
  await gateway.start().catch(() => undefined);
  await gateway.stop("SIGKILL");
  await disk.free();
  await gateway.start();
  await until(() => new Set(answered()).size === given.length, 30_000);
  const again = await rig.connect();
  await until(async () => (await said(again)).length >= 2 * accepted.length, 20_000);
  const words = await said(again);
  for (const text of accepted) {
    assert.equal(words.filter((word) => word === text).length, 1, text);
    assert.equal(words.filter((word) => word === `answer to ${text}`).length, 1, text);
  }
  again.close();
});
