// What every channel promises (ports/channel), tried on each with two accounts: the one of the tests, and Telegram on local servers.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { systemClock } from "../../src/base/clock.ts";
import type { TelegramSettings } from "../../src/channels/telegram/settings.ts";
import { createEgress } from "../../src/platform/egress.ts";
import type { Channel } from "../../src/ports/channel.ts";
import type { Inbound, SubmitResult } from "../../src/ports/message.ts";
import { until } from "../kit/conversation.ts";
import { createMemoryChannel } from "../kit/memory-channel.ts";
import { createBareTelegram } from "../kit/telegram-channel.ts";
import { startFakeTelegram } from "../kit/telegram-server.ts";

interface Subject {
  /** Its accounts are `default` and `work`. */
  readonly channel: Channel;
  /** A person writes to the account; the platform keeps it for as long as nobody takes it. */
  write(account: string, text: string): void;
  /** What people were shown by the account. */
  shown(account: string): readonly string[];
  close(): Promise<void>;
}

async function openMemory(): Promise<Subject> {
  const channel = createMemoryChannel("memory", ["default", "work"]);
  let events = 0;
  const deliver = (account: string, text: string) => {
    const eventId = String((events += 1));
    const hand = async (): Promise<void> => {
      try {
        await channel.receive({ account, eventId, chatId: "7", text });
      } catch {
        // not started yet, or not stored
        setTimeout(() => void hand(), 5).unref();
      }
    };
    void hand();
  };
  return {
    channel,
    write: deliver,
    shown: (account) => channel.sent.flatMap(({ target, text }) => (target.account === account ? [text] : [])),
    close: async () => undefined,
  };
}

async function openTelegram(): Promise<Subject> {
  const [one, two] = await Promise.all([startFakeTelegram(), startFakeTelegram("222:BBBBBBBBBBBBBBBB", "work_bot")]);
  const egress = createEgress({ clock: systemClock });
  const settings = {
    enabled: true,
    allowFrom: [],
    botToken: one.token,
    apiRoot: one.apiRoot,
    accounts: { work: { botToken: two.token, apiRoot: two.apiRoot } },
  } satisfies TelegramSettings;
  const channel = createBareTelegram({ settings: () => settings, fetch: egress.fetch });
  const serverOf = (account: string) => (account === "work" ? two : one);
  return {
    channel,
    write: (account, text) => serverOf(account).addMessage({ chatId: 7, text }),
    shown: (account) =>
      serverOf(account).calls.flatMap(({ method, body }) => (method === "sendMessage" ? [String(body["text"])] : [])),
    async close() {
      await Promise.all([one.close(), two.close()]);
      egress.close();
    },
  };
}

for (const [name, open] of Object.entries({ memory: openMemory, telegram: openTelegram })) {
  describe(`the ${name} channel`, () => {
    let subject: Subject;
    let channel: Channel;
    let heard: Inbound[];
    const submit = async (inbound: Inbound): Promise<SubmitResult> => {
      heard.push(inbound);
      return { outcome: "dropped", reason: "test" };
    };
    const soon = () => AbortSignal.timeout(2_000);
    const texts = (account: string) => heard.flatMap((one) => (one.account === account ? [one.text] : []));
    const isConnected = (id: string) =>
      channel.status().find(({ accountId }) => accountId === id)?.isConnected === true;

    beforeEach(async () => {
      heard = [];
      subject = await open();
      ({ channel } = subject);
    });
    afterEach(async () => {
      await channel.stop(soon());
      await subject.close();
    });

    test("names its accounts, the first being the one that is meant, and tells how each is", () => {
      assert.deepEqual(channel.accounts(), ["default", "work"]);
      assert.deepEqual(
        channel.status().map(({ accountId }) => accountId),
        ["default", "work"],
      );
      for (const account of channel.accounts()) assert.ok(channel.textLimit(account) >= 64);
      const target = channel.parseTarget("7", undefined);
      assert.deepEqual([target.channel, target.account, target.chatId], [channel.id, "default", "7"]);
      assert.equal(channel.parseTarget("7", "work").account, "work");
    });

    test("hands over what people write with the channel and the account that it came by", async () => {
      await channel.start(submit);
      subject.write("default", "one");
      subject.write("work", "two");
      await until(() => heard.length === 2);
      assert.deepEqual([texts("default"), texts("work")], [["one"], ["two"]]);
      assert.ok(
        heard.every(({ channel: id, trust, chat }) => id === channel.id && trust === "channel" && chat.id === "7"),
      );
    });

    test("what was not stored comes again", async () => {
      let refusals = 2;
      await channel.start(async (inbound) => {
        if ((refusals -= 1) >= 0) throw new Error("disk full");
        return submit(inbound);
      });
      subject.write("work", "kept");
      await until(() => heard.length === 1, 15_000);
      assert.deepEqual(texts("work"), ["kept"]);
    });

    test("an account that is stopped hands over nothing, the other goes on, and what came meanwhile is handed over later", async () => {
      await channel.start(submit);
      await until(() => isConnected("work"));
      await channel.stop(soon(), "work");
      subject.write("work", "later");
      subject.write("default", "now");
      await until(() => heard.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(
        heard.map(({ account, text }) => `${account} ${text}`),
        ["default now"],
      );
      await channel.start(submit, "work");
      await until(() => heard.length === 2);
      assert.deepEqual(texts("work"), ["later"]);
    });

    test("one account can be started alone", async () => {
      await channel.start(submit, "work");
      subject.write("default", "nobody listens");
      subject.write("work", "hello");
      await until(() => heard.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual([texts("default"), texts("work")], [[], ["hello"]]);
    });

    test("sends by the account of the target, once, and never throws", async () => {
      await channel.start(submit);
      await until(() => ["default", "work"].every(isConnected));
      const send = (account: string, text: string) =>
        channel.send({ target: { channel: channel.id, account, chatId: "7" }, text, effectKey: text });
      const outcomes = await Promise.all([send("default", "a"), send("work", "b"), send("work", "c")]);
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        ["sent", "sent", "sent"],
      );
      assert.deepEqual([subject.shown("default"), subject.shown("work").toSorted()], [["a"], ["b", "c"]]);
      await channel.stop(soon());
      assert.equal((await send("gone", "d")).outcome, "retry", "it may come back");
      assert.ok(![...subject.shown("default"), ...subject.shown("work")].includes("d"));
      assert.equal((await channel.probe?.("gone", soon()))?.isOk ?? false, false);
    });
  });
}
