import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";

import { openConversationKit, until, type ConversationKit } from "../../test/kit/conversation.ts";
import { createMemoryChannel, type MemoryChannel } from "../../test/kit/memory-channel.ts";
import { createScriptedRunner } from "../../test/kit/scripted-turn.ts";
import { systemClock } from "../base/clock.ts";
import type { GatePolicy } from "./gate.ts";
import { createPairing } from "./pairing.ts";
import { headsOfLine, insertOutbox } from "./store/outbox.ts";

const pairingPolicy: GatePolicy = { dmPolicy: "pairing", allowFrom: [], groupPolicy: "disabled" };

describe("several accounts of one channel", () => {
  let folder: string;
  let kit: ConversationKit;
  let channel: MemoryChannel;
  const open = async (options: Partial<Parameters<typeof openConversationKit>[0]> = {}) => {
    kit = await openConversationKit({
      databaseFile: join(folder, "gateway.sqlite"),
      channel,
      runTurn: createScriptedRunner((request) => `${request.origin?.account}: ${request.text}`),
      ...options,
    });
  };
  const say = (account: string, eventId: string, chatId = "7") =>
    channel.receive({ account, eventId, chatId, text: eventId });
  const sent = () => channel.sent.map(({ target, text }) => `${target.account} > ${text}`).toSorted();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "accounts-"));
    channel = createMemoryChannel("memory", ["default", "work"]);
  });
  afterEach(async () => {
    await kit.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("a person who writes to both is answered by the one that was written to, though it is one session", async () => {
    await open();
    await Promise.all([say("default", "one"), say("work", "one"), say("work", "two"), say("default", "three")]);
    await until(() => channel.sent.length === 4);
    assert.deepEqual(sent(), [
      "default > default: one",
      "default > default: three",
      "work > work: one",
      "work > work: two",
    ]);
    const sessions = await kit.database.read((sql) => sql.all("SELECT key FROM sessions"));
    assert.deepEqual(
      sessions.map((row) => row["key"]),
      ["agent:main:memory:dm:7"],
    );
  });

  test("who is let in on one account is a stranger on the other, and each account has its own line of strangers", async () => {
    await open({ gatePolicy: pairingPolicy });
    const pairing = createPairing({ database: kit.database, clock: systemClock });
    const ask = async (account: string, chatId: string) => {
      const result = await say(account, `${account}-${chatId}`, chatId);
      return result.outcome === "pairing" && result.code !== undefined;
    };
    const asked = [];
    for (const chatId of ["1", "2", "3", "4"]) asked.push(await ask("default", chatId));
    assert.deepEqual([...asked, await ask("work", "1")], [true, true, true, false, true]);
    const requests = await pairing.list("memory");
    assert.deepEqual(
      requests.map(({ account, senderId }) => `${account} ${senderId}`),
      ["default 1", "default 2", "default 3", "work 1"],
    );
    await pairing.approve({ channel: "memory", code: requests[3]?.code ?? "", isNotify: true });
    assert.equal((await say("work", "hello", "1")).outcome, "accepted");
    assert.equal((await say("default", "hello", "1")).outcome, "pairing");
    await until(() => channel.sent.length === 6);
    const told = channel.sent.filter(({ target }) => target.chatId === "1").map(({ target }) => target.account);
    assert.deepEqual(told.toSorted(), ["default", "work", "work", "work"]);
  });

  test("a policy is asked for by account", async () => {
    const asked: string[] = [];
    await open({
      gatePolicyOf: (account) => {
        asked.push(account);
        return account === "work" ? { dmPolicy: "open", allowFrom: ["*"], groupPolicy: "disabled" } : pairingPolicy;
      },
    });
    assert.deepEqual(
      [(await say("default", "one")).outcome, (await say("work", "one")).outcome],
      ["pairing", "accepted"],
    );
    assert.deepEqual(asked.slice(0, 2), ["default", "work"]);
  });

  test("replies that wait for an account that does not work stand in no other one's way, however many they are (R6)", async () => {
    channel.outcome = ({ target }) =>
      target.account === "default"
        ? { outcome: "retry", afterMs: 60_000, reason: "revoked" }
        : { outcome: "sent", messageId: "1" };
    await open();
    await kit.database.write((sql) => {
      for (let chat = 0; chat < 400; chat += 1) {
        const target = { channel: "memory", account: "default", chatId: `c${chat}` };
        insertOutbox(sql, {
          effectKey: `old-${chat}`,
          source: "notice",
          target,
          payload: { text: "x" },
          now: 0,
        });
      }
    });
    await say("work", "hello");
    await until(() => sent().includes("work > work: hello"), 3_000);
    assert.equal(channel.sent.length, 1);
    // nor do those that wait for their next try stand before those of the same account that can go
    const due = await kit.database.write((sql) => {
      sql.run("UPDATE outbox SET due_at = 9e15 WHERE id <= 300 AND state = 'pending'");
      return headsOfLine(sql, 1).filter((row) => row.dueAt <= 1);
    });
    assert.ok(due.length > 0 && due.every(({ target }) => target.account === "default"), String(due.length));
  });

  test("what is for an account that has gone from the config waits for it, and is no failed try", async () => {
    await open();
    channel.ids = ["default"];
    const target = { channel: "memory", account: "work", chatId: "7" };
    await kit.database.write((sql) =>
      insertOutbox(sql, { effectKey: "e", source: "notice", target, payload: { text: "x" }, now: 0 }),
    );
    await say("default", "hello");
    await until(() => channel.sent.length === 1);
    const row = () => kit.database.read((sql) => sql.get("SELECT state, attempts FROM outbox WHERE effect_key = 'e'"));
    assert.deepEqual({ ...(await row()) }, { state: "pending", attempts: 0 });
    channel.ids = ["default", "work"];
    await until(() => channel.sent.length === 2, 5_000);
  });

  test("the message tool sends from the account of its conversation, or from the one it names", async () => {
    await open();
    const tool = kit.conversation.tools.find(({ name }) => name === "message");
    const origin = { channel: "memory", account: "work", chatId: "7", senderId: "7", chatKind: "direct" as const };
    // any run and session will do
    const run = (effectKey: string, params: object) =>
      tool?.run(
        { action: "send", message: effectKey, ...params },
        {
          runId: "run" as never,
          sessionKey: "agent:main:memory:dm:7" as never,
          agentId: "main",
          model: "scripted/test",
          isOwner: false,
          origin,
          effectKey,
        },
        new AbortController().signal,
      );
    await run("here", {});
    await run("there", { target: "8" });
    await run("other", { target: "8", accountId: "default" });
    await run("aside", { accountId: "default" });
    await until(() => channel.sent.length === 4);
    const told = channel.sent.map(({ target, text }) => `${text}: ${target.account} ${target.chatId}`).toSorted();
    assert.deepEqual(told, ["aside: default 7", "here: work 7", "other: default 8", "there: work 8"]);
  });
});
