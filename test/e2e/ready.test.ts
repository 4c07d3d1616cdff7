// A real Gateway asked whether it is ready: a Telegram that hangs, a database that another holds, a broken edit, safe mode, the end.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startFakeTelegram } from "../kit/telegram-server.ts";

interface Answer {
  readonly status: number;
  readonly body: { ready?: boolean; failing?: string[]; reasons?: Record<string, string>; uptimeMs?: number };
}

async function ask(gateway: GatewayProcess, token?: string): Promise<Answer> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`http://127.0.0.1:${gateway.port}/readyz`, { headers });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

async function open(context: TestContext, config: object): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess({ config });
  context.after(() => gateway.dispose());
  return gateway;
}

test("with a Telegram that hangs it runs and is not ready; it is once Telegram answers, also beside a broken edit (R35, S14)", async (context) => {
  const telegram = await startFakeTelegram();
  context.after(() => telegram.close());
  telegram.react = () => ({ hang: true });
  const channels = { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot } };
  const gateway = await open(context, { channels });
  await gateway.start();
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status, 200);
  assert.deepEqual(await ask(gateway), { status: 503, body: { ready: false } });
  const { status, body } = await ask(gateway, gateway.token);
  assert.deepEqual([status, body.failing], [503, ["telegram:default"]]);
  assert.match(body.reasons?.["telegram:default"] ?? "", /has not answered yet/u);
  assert.ok((body.uptimeMs ?? 0) > 0);
  assert.doesNotMatch(JSON.stringify(body), new RegExp(telegram.token, "u"));

  telegram.react = () => undefined;
  // the call that hangs is given up after 15 s
  await until(async () => (await ask(gateway)).status === 200, 30_000);
  assert.deepEqual((await ask(gateway)).body, { ready: true });
  await writeFile(join(gateway.folder, "state", "openclaw.json"), "{ gateway: { nonsense: 1 } }");
  await until(() => gateway.output().includes("nonsense"), 10_000);
  assert.deepEqual((await ask(gateway, gateway.token)).body.failing, []);
});

test("while another program holds the database it is not ready, and says why to its owner", async (context) => {
  const gateway = await open(context, {});
  await gateway.start();
  await until(async () => (await ask(gateway)).status === 200, 10_000);
  const database = new DatabaseSync(join(gateway.folder, "state", "gateway.sqlite"));
  database.exec("BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const held = await ask(gateway, gateway.token);
  assert.deepEqual([held.status, held.body.failing], [503, ["database"]]);
  database.exec("ROLLBACK");
  database.close();
  await until(async () => (await ask(gateway)).status === 200, 10_000);
});

test("in safe mode it answers that it is not ready", async (context) => {
  const gateway = await open(context, { nonsense: true });
  await gateway.start();
  const { status, body } = await ask(gateway, gateway.token);
  assert.deepEqual([status, body.failing], [503, ["safe-mode"]]);
});
