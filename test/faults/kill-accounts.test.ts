// The Gateway is killed with SIGKILL at random instants while people write to two of its bots, in chats of the same numbers. Nothing
// accepted may be lost, and nobody may get the other bot's reply (R1, R6). FAULTS_KILLS and FAULTS_SEED choose the size and replay a run.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";

import { startBot, startEcho, type Bot } from "../kit/bots.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { createRandom, type Random } from "../kit/random.ts";

const kills = Math.min(60, Number(process.env["FAULTS_KILLS"] ?? 40));
const seed = Number(process.env["FAULTS_SEED"] ?? randomInt(2 ** 31));
const chats = [101, 102, 103];
const perChat = Math.max(10, Math.ceil(kills / 2));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Row {
  readonly account: string;
  readonly chat: string;
  readonly text: string;
  readonly state: string;
  readonly isFlagged: boolean;
}

function readOutbox(gateway: GatewayProcess): Row[] {
  const database = new DatabaseSync(join(gateway.folder, "state", "gateway.sqlite"), { readOnly: true });
  try {
    const rows = database.prepare("SELECT account, chat_id, payload, state, is_flagged FROM outbox ORDER BY id").all();
    return rows.map((row) => ({
      account: String(row["account"]),
      chat: String(row["chat_id"]),
      text: (JSON.parse(String(row["payload"])) as { text: string }).text,
      state: String(row["state"]),
      isFlagged: row["is_flagged"] === 1,
    }));
  } finally {
    database.close();
  }
}

async function killAtRandom(gateway: GatewayProcess, random: Random): Promise<void> {
  // three deaths before a config has ever worked count against it, and then it rests for minutes
  await gateway.start();
  await pause(random(300));
  await gateway.stop("SIGKILL");
  for (let count = 0; count < kills; count += 1) {
    const started = gateway.start().catch(() => undefined);
    await pause(count % 8 === 7 ? 1_500 + random(1_000) : 40 + random(560));
    await gateway.stop("SIGKILL");
    await started;
  }
  await gateway.start();
}

interface Talk {
  readonly account: string;
  readonly chat: string;
  /** What the person wrote, in order. */
  readonly expected: readonly string[];
  readonly bot: Bot;
  readonly rows: readonly Row[];
}

/** @throws unless each was answered once, in order, by this bot, or what is not known of a reply is said. */
function judge({ account, chat, expected, bot, rows }: Talk): { repeated: number; unconfirmed: number } {
  const told = bot.sent.filter((sent) => sent.chat === chat).map(({ text }) => text);
  const replies = expected.map((text) => `re ${text}`);
  const rowOf = (text: string) => rows.find((row) => row.account === account && row.chat === chat && row.text === text);
  const missing = replies.filter((text) => !told.includes(text));
  // cut off twice in mid-send: the Gateway says that it does not know
  for (const text of missing)
    assert.equal(rowOf(text)?.state, "unknown", `"${text}" was not sent, and nobody was told`);
  const given = replies.filter((text) => told.includes(text));
  assert.deepEqual([...new Set(told)], given, `${account} ${chat}: its own replies, in order, and no other's`);
  const twice = given.filter((text) => told.filter((other) => other === text).length > 1);
  for (const text of twice) assert.equal(rowOf(text)?.isFlagged, true, `"${text}" was sent again, and is not flagged`);
  assert.ok(told.length <= given.length + twice.length, "nothing was sent a third time");
  return { repeated: twice.length, unconfirmed: missing.length };
}

test(`killed ${kills} times under messages to two bots (FAULTS_SEED=${seed}): none lost, each answered by its own (R6)`, async (context) => {
  const random = createRandom(seed);
  const [first, second, echo] = await Promise.all([
    startBot("first_bot", 500),
    startBot("second_bot", 500),
    startEcho(),
  ]);
  const bots: Readonly<Record<string, Bot>> = { default: first, work: second };
  const gateway = await createGatewayProcess({
    config: {
      ...echo.config,
      channels: {
        telegram: {
          botToken: first.token,
          apiRoot: first.apiRoot,
          dmPolicy: "open",
          allowFrom: ["*"],
          accounts: { work: { botToken: second.token, apiRoot: second.apiRoot } },
        },
      },
    },
  });
  const textsOf = (account: string, chat: number) =>
    Array.from({ length: perChat }, (_, index) => `${account} ${chat} ${index}`);
  try {
    const spacingMs = (kills * 320) / perChat;
    const jobs = Object.entries(bots).flatMap(([account, bot]) =>
      chats.map(async (chat) => {
        for (const text of textsOf(account, chat)) {
          await bot.say(chat, text);
          await pause(random(spacingMs * 2));
        }
      }),
    );
    await Promise.all([...jobs, killAtRandom(gateway, random)]);
    const total = Object.keys(bots).length * chats.length * perChat;
    const isSettled = () => {
      const rows = readOutbox(gateway);
      return rows.length >= total && rows.every(({ state }) => state !== "pending" && state !== "sending");
    };
    for (let waited = 0; waited < 600 && !isSettled(); waited += 1) await pause(100);

    const rows = readOutbox(gateway);
    assert.equal(rows.length, total, "one row of the outbox for each message");
    const judged = Object.entries(bots).flatMap(([account, bot]) =>
      chats.map((chat) => judge({ account, chat: String(chat), expected: textsOf(account, chat), bot, rows })),
    );
    const sum = (pick: (one: (typeof judged)[number]) => number) => judged.reduce((all, one) => all + pick(one), 0);
    const repeated = sum((one) => one.repeated);
    const unconfirmed = sum((one) => one.unconfirmed);
    const flagged = rows.filter(({ isFlagged }) => isFlagged).length;
    context.diagnostic(
      `seed ${seed}: ${kills} kills, ${total} messages to 2 bots, 0 lost, ${flagged} sends flagged: ${repeated} seen twice, ${unconfirmed} unconfirmed`,
    );
  } finally {
    await gateway.dispose();
    await Promise.all([first.close(), second.close(), echo.close()]);
  }
});
