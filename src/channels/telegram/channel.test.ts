import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import fc from "fast-check";

import { until } from "../../../test/kit/conversation.ts";
import { createBareTelegram } from "../../../test/kit/telegram-channel.ts";
import { startFakeTelegram, type FakeTelegram } from "../../../test/kit/telegram-server.ts";
import { systemClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog, type Log } from "../../base/log.ts";
import { createEgress } from "../../platform/egress.ts";
import type { Channel } from "../../ports/channel.ts";
import type { Inbound, SubmitResult } from "../../ports/message.ts";
import type { TelegramDependencies } from "./channel.ts";
import type { PollTiming } from "./timing.ts";
import type { TelegramSettings } from "./settings.ts";

const timing: PollTiming = {
  pollSeconds: 1,
  graceMs: 150,
  backoff: { initialMs: 10, maxMs: 40, factor: 2, jitter: 0 },
  tokenRetryMs: 60,
  tokenLookMs: 10,
  minEmptyPollMs: 20,
};
const accepted = { outcome: "dropped", reason: "test" } as const satisfies SubmitResult;

let fake: FakeTelegram;
let channel: Channel;
let lines: string[];
const egress = createEgress({ clock: systemClock });

function recordingLog(): Log {
  const add = (message: string, fields?: object) => lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { ...silentLog, info: add, warn: add, error: add, child: recordingLog };
}

function open(settings: Partial<TelegramSettings> = {}, dependencies: Partial<TelegramDependencies> = {}): Channel {
  return createBareTelegram({
    settings: () =>
      ({
        enabled: true,
        allowFrom: [],
        botToken: fake.token,
        apiRoot: fake.apiRoot,
        timeoutSeconds: 1,
        ...settings,
      }) as TelegramSettings,
    fetch: egress.fetch,
    log: recordingLog(),
    timing,
    ...dependencies,
  });
}
const status = () => channel.status()[0]!;
const target = { channel: "telegram", account: "default", chatId: "7" };
const send = (text: string) => channel.send({ target, text, effectKey: "e" });

beforeEach(async () => {
  lines = [];
  fake = await startFakeTelegram();
  channel = open();
});
afterEach(async () => {
  await channel.stop(AbortSignal.timeout(1_000));
  await fake.close();
});

test("an update is confirmed only after it was stored, however often storing fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ chat: fc.integer({ min: 1, max: 3 }), failures: fc.nat({ max: 2 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (messages) => {
        const peer = await startFakeTelegram();
        const one = createBareTelegram({
          settings: () =>
            ({
              enabled: true,
              allowFrom: [],
              botToken: peer.token,
              apiRoot: peer.apiRoot,
            }) as unknown as TelegramSettings,
          fetch: egress.fetch,
          timing: { ...timing, backoff: { initialMs: 1, maxMs: 2, factor: 1, jitter: 0 } },
        });
        const left = new Map(messages.map((message, index) => [`m${index}`, message.failures]));
        const stored: Inbound[] = [];
        messages.forEach((message, index) => peer.addMessage({ chatId: message.chat, text: `m${index}` }));
        await one.start(async (inbound) => {
          const failures = left.get(inbound.text) ?? 0;
          left.set(inbound.text, failures - 1);
          if (failures > 0) throw new Fault("storage", "disk full");
          stored.push(inbound);
          const confirmed = Math.max(0, ...peer.calls.map((call) => Number(call.body["offset"] ?? 0))) - 1;
          assert.ok(confirmed < stored.length, "nothing is confirmed before it is stored");
          return accepted;
        });
        await until(() => stored.length === messages.length);
        await one.stop(AbortSignal.timeout(1_000));
        await peer.close();
        for (const chat of [1, 2, 3]) {
          const expected = messages.flatMap((message, index) => (message.chat === chat ? [`m${index}`] : []));
          assert.deepEqual(
            stored.filter(({ chat: from }) => from.id === String(chat)).map(({ text }) => text),
            expected,
          );
        }
      },
    ),
    { numRuns: 12 },
  );
});

test("a poll that never answers is noticed, told and tried again", async () => {
  let polls = 0;
  fake.react = ({ method }) => {
    if (method !== "getUpdates") return undefined;
    polls += 1;
    return polls === 1 ? { hang: true } : undefined;
  };
  await channel.start(async () => accepted);
  await until(() => status().problem !== undefined);
  assert.match(status().problem?.reason ?? "", /no answer from Telegram/u);
  await until(() => status().isConnected);
  assert.equal(status().problem, undefined);
});

test("another program on the same token shows as such, and is outlived", async () => {
  let isBusy = true;
  fake.react = ({ method }) =>
    method === "getUpdates" && isBusy
      ? { error: { error_code: 409, description: "Conflict: terminated by other getUpdates request" } }
      : undefined;
  await channel.start(async () => accepted);
  await until(() => status().problem !== undefined);
  assert.match(status().problem?.reason ?? "", /another program polls/u);
  isBusy = false;
  await until(() => status().isConnected);
});

test("a refused token names where it came from and is tried again only now and then (OV-51)", async () => {
  fake.react = () => ({ error: { error_code: 401, description: "Unauthorized" } });
  await channel.start(async () => accepted);
  await until(() => status().problem !== undefined);
  assert.match(status().problem?.reason ?? "", /channels\.telegram\.botToken/u);
  assert.match(status().problem?.next ?? "", /BotFather/u);
  fake.react = () => undefined;
  await until(() => status().isConnected);
});

test("rate limits, HTML pages, cut-off JSON and closed connections never end the channel", async () => {
  const troubles = [
    { error: { error_code: 429, description: "Too Many Requests", parameters: { retry_after: 0 } } },
    { raw: { status: 502, body: "<html>Bad Gateway</html>" } },
    { raw: { status: 200, body: '{"ok":true,"result":[{"upd' } },
    { drop: true } as const,
    { error: { error_code: 500, description: "Internal Server Error" } },
  ];
  fake.react = ({ method }) => (method === "getUpdates" ? troubles.shift() : undefined);
  const texts: string[] = [];
  await channel.start(async (inbound) => {
    texts.push(inbound.text);
    return accepted;
  });
  fake.addMessage({ chatId: 1, text: "still here" });
  await until(() => texts.length === 1);
  assert.deepEqual(troubles, []);
  assert.equal(status().reconnectAttempts, 0);
});

test("a flapping account writes few log lines", async () => {
  let count = 0;
  fake.react = ({ method }) =>
    method === "getUpdates" ? { error: { error_code: 500, description: `trouble number ${(count += 1)}` } } : undefined;
  await channel.start(async () => accepted);
  await until(() => count > 20);
  assert.ok(lines.length <= 6, `${lines.length} lines`);
});

test("no log line, status or outcome holds the token", async () => {
  fake.react = ({ method }) =>
    method === "getUpdates" ? { raw: { status: 500, body: `bot${fake.token}` } } : { drop: true };
  await channel.start(async () => accepted);
  await until(() => status().problem !== undefined);
  const outcome = await send("x");
  for (const text of [...lines, JSON.stringify(channel.status()), JSON.stringify(outcome)])
    assert.ok(!text.includes("AAAAAAAA"), text);
});

test("each kind of failed send has its own outcome", async () => {
  await channel.start(async () => accepted);
  assert.equal((await send("fine")).outcome, "sent");

  const cases = [
    [{ error: { error_code: 429, description: "Too Many Requests", parameters: { retry_after: 3 } } }, "retry"],
    [{ error: { error_code: 403, description: "Forbidden: bot was blocked by the user" } }, "rejected"],
    [{ error: { error_code: 400, description: "Bad Request: chat not found" } }, "rejected"],
    [{ error: { error_code: 401, description: "Unauthorized" } }, "login"],
    [{ error: { error_code: 500, description: "Internal Server Error" } }, "unknown"],
    [{ raw: { status: 502, body: "<html></html>" } }, "unknown"],
    [{ drop: true }, "unknown"],
    [{ hang: true }, "unknown"],
  ] as const;
  for (const [reaction, outcome] of cases) {
    fake.react = ({ method }) => (method === "sendMessage" ? reaction : undefined);
    assert.equal((await send("x")).outcome, outcome, JSON.stringify(reaction));
  }
});

test("a send that never left is worth a retry", async () => {
  await channel.start(async () => accepted);
  await until(() => status().isConnected);
  await fake.close();
  assert.equal((await send("x")).outcome, "retry");
  fake = await startFakeTelegram();
});

test("text that Telegram cannot parse goes out once more as it is", async () => {
  await channel.start(async () => accepted);
  fake.react = ({ method, body }) =>
    method === "sendMessage" && body["parse_mode"] === "HTML"
      ? { error: { error_code: 400, description: "Bad Request: can't parse entities: unexpected end tag" } }
      : undefined;
  assert.equal((await send("**bold**")).outcome, "sent");
  const sends = fake.calls.filter((call) => call.method === "sendMessage");
  assert.deepEqual(
    sends.map(({ body }) => [body["parse_mode"], body["text"]]),
    [
      ["HTML", "<b>bold</b>"],
      [undefined, "**bold**"],
    ],
  );
});

test("topics, quotes and silent sends reach the API; the General topic is left out", async () => {
  await channel.start(async () => accepted);
  await channel.send({ target: { ...target, threadId: "5" }, text: "a", replyTo: "9", isSilent: true, effectKey: "e" });
  await channel.send({ target: { ...target, threadId: "1" }, text: "b", effectKey: "f" });
  const [first, second] = fake.calls.filter((call) => call.method === "sendMessage").map((call) => call.body);
  assert.equal(first?.["message_thread_id"], 5);
  assert.deepEqual(first?.["reply_parameters"], { message_id: 9, allow_sending_without_reply: true });
  assert.equal(first?.["disable_notification"], true);
  assert.equal(second?.["message_thread_id"], undefined);
});

test("without a token the channel says what to set and stays quiet", async () => {
  channel = open({ botToken: undefined });
  await channel.start(async () => accepted);
  assert.equal(status().isConfigured, false);
  assert.match(status().problem?.next ?? "", /TELEGRAM_BOT_TOKEN/u);
});

test("a corrected token takes effect without a restart", async () => {
  let botToken = "1:wrong";
  fake.react = ({ token }) => (token === fake.token ? undefined : { error: { error_code: 401, description: "no" } });
  // read anew at each look
  const settings = {
    get botToken() {
      return botToken;
    },
  };
  channel = open(settings, { timing: { ...timing, tokenRetryMs: 60_000 } });
  await channel.start(async () => accepted);
  await until(() => status().problem !== undefined);
  assert.equal((await send("x")).outcome, "login");
  botToken = fake.token;
  await until(() => status().isConnected);
  assert.equal((await send("x")).outcome, "sent");
});

test("a token file that cannot be read is a problem with a next step, not a crash", async () => {
  channel = open(
    { botToken: undefined, tokenFile: "/x" },
    { readFile: () => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" })) },
  );
  await channel.start(async () => accepted);
  assert.match(status().problem?.reason ?? "", /tokenFile .*EACCES/u);
  assert.equal(status().isRunning, false);
});

test("a token file that is not there is named, with the key that names it", async () => {
  channel = open({ botToken: undefined, tokenFile: "/x" }, { readFile: async () => undefined });
  await channel.start(async () => accepted);
  assert.match(status().problem?.reason ?? "", /no bot token: \/x, which channels\.telegram\.tokenFile names/u);
});

test("starting again while it starts leaves one poll", async () => {
  await Promise.all([channel.start(async () => accepted), channel.start(async () => accepted)]);
  await until(() => status().isConnected);
  assert.equal(fake.calls.filter((call) => call.method === "getMe").length, 1);
});

test("a server that answers empty polls at once is not asked without end", async () => {
  fake.react = ({ method }) => (method === "getUpdates" ? { result: [] } : undefined);
  fake.isPatient = false;
  await channel.start(async () => accepted);
  await until(() => status().isConnected);
  const before = fake.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(fake.calls.length - before <= 300 / timing.minEmptyPollMs + 2, `${fake.calls.length - before} polls`);
});
