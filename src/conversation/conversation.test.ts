import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { openConversationKit, until, type ConversationKit } from "../../test/kit/conversation.ts";
import { createMemoryChannel } from "../../test/kit/memory-channel.ts";
import { createScriptedRunner } from "../../test/kit/scripted-turn.ts";
import { Fault } from "../base/fault.ts";
import type { SendOutcome } from "../ports/message.ts";

let folder: string;
let files = 0;
const kits: ConversationKit[] = [];
const nextFile = () => join(folder, `${(files += 1)}.sqlite`);
const open = async (options: Parameters<typeof openConversationKit>[0]) => {
  const kit = await openConversationKit(options);
  kits.push(kit);
  return kit;
};
const echo = createScriptedRunner((request) => `echo ${request.text}`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "conversation-"));
});
after(async () => {
  for (const kit of kits) await kit.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a message is answered in its chat", async () => {
  const kit = await open({ databaseFile: nextFile(), runTurn: echo });
  const result = await kit.channel.receive({ eventId: "1", chatId: "7", text: "hello" });
  assert.equal(result.outcome, "accepted");
  await until(() => kit.channel.sent.length === 1);
  assert.equal(kit.channel.sent[0]?.text, "echo hello");
  assert.equal(kit.channel.sent[0]?.target.chatId, "7");
});

test("what waits for a channel that does not run was not tried, and goes out at once when it runs", async () => {
  const kit = await open({ databaseFile: nextFile(), runTurn: echo });
  const look = () =>
    kit.database.read((sql) => sql.get("SELECT state, attempts, is_flagged, reason FROM outbox WHERE id = 1"));
  kit.channel.isRunning = false;
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "hello" });
  await until(async () => (await look()) !== undefined);
  // other messages wake the delivery again and again
  for (let count = 2; count < 8; count += 1) {
    await kit.channel.receive({ eventId: `${count}`, chatId: "8", text: "hello" });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual({ ...(await look()) }, { state: "pending", attempts: 0, is_flagged: 0, reason: null });
  kit.channel.isRunning = true;
  await until(() => kit.channel.sent.length === 7, 1_500);
  await until(async () => (await look())?.["state"] === "sent");
  assert.equal((await look())?.["attempts"], 1);
});

test("the same event twice is one turn", async () => {
  const kit = await open({ databaseFile: nextFile(), runTurn: echo });
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => kit.channel.receive({ eventId: "1", chatId: "7", text: "hello" })),
  );
  assert.deepEqual(outcomes.map((result) => result.outcome).toSorted(), ["accepted", "duplicate", "duplicate"]);
  await until(() => kit.channel.sent.length === 1);
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "next" });
  await until(() => kit.channel.sent.length === 2);
  assert.deepEqual(
    kit.channel.sent.map((sent) => sent.text),
    ["echo hello", "echo next"],
  );
});

test("events repeated and shuffled in any way are each answered once, in order of first arrival", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ id: fc.nat({ max: 6 }), chat: fc.nat({ max: 2 }) }), { maxLength: 25 }),
      async (arrivals) => {
        const kit = await openConversationKit({ databaseFile: nextFile(), runTurn: echo });
        const expected: string[] = [];
        for (const { id, chat } of arrivals) {
          const result = await kit.channel.receive({
            eventId: `${chat}-${id}`,
            chatId: `c${chat}`,
            text: `${chat}-${id}`,
          });
          if (result.outcome === "accepted") expected.push(`${chat}-${id}`);
        }
        assert.equal(new Set(expected).size, expected.length);
        await until(() => kit.channel.sent.length === expected.length);
        for (const chat of [0, 1, 2]) {
          const got = kit.channel.sent.filter((sent) => sent.target.chatId === `c${chat}`).map((sent) => sent.text);
          assert.deepEqual(
            got,
            expected.filter((text) => text.startsWith(`${chat}-`)).map((text) => `echo ${text}`),
          );
        }
        await kit.stop();
      },
    ),
    { numRuns: 15 },
  );
});

test("a stranger gets one pairing code; after approval the next message is answered", async () => {
  const { createPairing } = await import("./pairing.ts");
  const { systemClock } = await import("../base/clock.ts");
  const kit = await open({
    databaseFile: nextFile(),
    runTurn: echo,
    gatePolicy: { dmPolicy: "pairing", allowFrom: [], groupPolicy: "disabled" },
  });
  const first = await kit.channel.receive({ eventId: "1", chatId: "7", text: "let me in" });
  assert.equal(first.outcome, "pairing");
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "please" });
  await until(() => kit.channel.sent.length === 1);

  const pairing = createPairing({ database: kit.database, clock: systemClock });
  const [request] = await pairing.list("memory");
  assert.ok(request && kit.channel.sent[0]?.text.includes(request.code));
  await assert.rejects(pairing.approve({ channel: "memory", code: "WRONGONE" }), Fault);
  await pairing.approve({ channel: "memory", code: request.code.toLowerCase() });
  assert.deepEqual(await pairing.list(), []);

  await kit.channel.receive({ eventId: "3", chatId: "7", text: "now?" });
  await until(() => kit.channel.sent.length === 2);
  assert.equal(kit.channel.sent[1]?.text, "echo now?");
});

test("at most three strangers hold a code at a time", async () => {
  const kit = await open({
    databaseFile: nextFile(),
    runTurn: echo,
    gatePolicy: { dmPolicy: "pairing", allowFrom: [], groupPolicy: "disabled" },
  });
  const results = [];
  for (const id of ["a", "b", "c", "d"])
    results.push(await kit.channel.receive({ eventId: id, chatId: id, text: "hi" }));
  assert.deepEqual(
    results.map((result) => result.outcome === "pairing" && result.code !== undefined),
    [true, true, true, false],
  );
});

test("a turn cut off by a crash is finished by the next process, without a second reply", async () => {
  const databaseFile = nextFile();
  const hanging = await openConversationKit({
    databaseFile,
    runTurn: createScriptedRunner(
      (request) => new Promise((resolve) => request.signal.addEventListener("abort", () => resolve(""))),
    ),
  });
  await hanging.channel.receive({ eventId: "1", chatId: "7", text: "one" });
  await hanging.channel.receive({ eventId: "2", chatId: "7", text: "two" });
  await hanging.stop();
  assert.equal(hanging.channel.sent.length, 0);

  const seen: number[] = [];
  const kit = await open({
    databaseFile,
    runTurn: createScriptedRunner((request) => {
      seen.push(request.attempt);
      return `echo ${request.text}`;
    }),
  });
  await until(() => kit.channel.sent.length === 2);
  assert.deepEqual(
    kit.channel.sent.map((sent) => sent.text),
    ["echo one", "echo two"],
  );
  assert.equal(seen.length, 2);
  assert.ok((seen[0] ?? 0) >= 2, "the first turn is a later attempt");
});

test("an older attempt can neither store steps nor finish", async () => {
  const { claimTurn, finishTurn, isCurrent } = await import("./store/turns.ts");
  const kit = await openConversationKit({ databaseFile: nextFile(), runTurn: echo });
  await kit.conversation.lane.drain(AbortSignal.timeout(1_000));
  const result = await kit.channel.receive({ eventId: "1", chatId: "7", text: "x" });
  assert.ok(result.outcome === "accepted");
  await kit.database.write((sql) => {
    const old = claimTurn(sql, result.sessionKey, 1);
    const current = claimTurn(sql, result.sessionKey, 2);
    assert.ok(old && current);
    assert.equal(isCurrent(sql, old), false);
    assert.equal(finishTurn(sql, old, { state: "ok", at: 3, outcome: { text: "", durationMs: 0 } }), false);
    assert.equal(finishTurn(sql, current, { state: "ok", at: 3, outcome: { text: "", durationMs: 0 } }), true);
  });
  await kit.stop();
});

test("a send with unknown outcome is tried once more and never again", async () => {
  const channel = createMemoryChannel();
  let attempts = 0;
  channel.outcome = (): SendOutcome => {
    attempts += 1;
    return { outcome: "unknown", reason: "socket closed" };
  };
  const kit = await open({ databaseFile: nextFile(), runTurn: echo, channel });
  await channel.receive({ eventId: "1", chatId: "7", text: "x" });
  await until(async () => {
    const { outbox } = await kit.conversation.overview.work();
    return outbox.pending === 0 && outbox.flagged === 1 && attempts > 0;
  });
  assert.equal(attempts, 2);
});

test("a refused message does not hold up the next one", async () => {
  const channel = createMemoryChannel();
  channel.outcome = (outbound) =>
    outbound.text.includes("bad") ? { outcome: "rejected", reason: "no" } : { outcome: "sent", messageId: "1" };
  const kit = await open({ databaseFile: nextFile(), runTurn: echo, channel });
  await channel.receive({ eventId: "1", chatId: "7", text: "bad" });
  await channel.receive({ eventId: "2", chatId: "7", text: "good" });
  await until(() => channel.sent.length === 1);
  assert.equal(channel.sent[0]?.text, "echo good");
  assert.equal((await kit.conversation.overview.work()).outbox.failed, 1);
});

test("stop ends the running turn and what waits behind it", async () => {
  const kit = await open({
    databaseFile: nextFile(),
    runTurn: createScriptedRunner(
      (request) =>
        new Promise((resolve) =>
          request.signal.aborted ? resolve("") : request.signal.addEventListener("abort", () => resolve("")),
        ),
    ),
  });
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "long" });
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "longer" });
  await kit.channel.receive({ eventId: "3", chatId: "7", text: "/stop" });
  await until(async () => {
    const { turns } = await kit.conversation.overview.work();
    return turns.queued === 0 && turns.running === 0;
  });
  assert.equal(kit.channel.sent.length, 0);
});

test("send has one effect and one answer for a key, also after a restart (RB-138)", async () => {
  const databaseFile = nextFile();
  const first = await openConversationKit({ databaseFile, runTurn: echo });
  const request = {
    scope: { principal: "owner", method: "send", key: "k1" },
    target: { channel: "memory", account: "default", chatId: "9" },
    text: "hello",
  };
  const answers = await Promise.all([
    first.conversation.sending.send(request),
    first.conversation.sending.send(request),
  ]);
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(first.channel.sent.length, 1);
  await first.stop();

  const kit = await open({ databaseFile, runTurn: echo });
  assert.deepEqual(await kit.conversation.sending.send(request), answers[0]);
  assert.equal(kit.channel.sent.length, 0);
  await assert.rejects(
    kit.conversation.sending.send({ ...request, text: "other" }),
    (error) => error instanceof Fault && error.code === "key_reused",
  );
});

test("a reply of NO_REPLY is silence", async () => {
  const kit = await open({
    databaseFile: nextFile(),
    runTurn: createScriptedRunner((request) => (request.text === "quiet" ? "NO_REPLY" : "spoken")),
  });
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "quiet" });
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "loud" });
  await until(() => kit.channel.sent.length === 1);
  assert.equal(kit.channel.sent[0]?.text, "spoken");
});

test("after close nothing is stored and the refusal says to come back", async () => {
  const kit = await openConversationKit({ databaseFile: nextFile(), runTurn: echo });
  kit.conversation.intake.close();
  await assert.rejects(
    Promise.resolve(kit.channel.receive({ eventId: "1", chatId: "7", text: "x" })),
    (error) => error instanceof Fault && error.code === "shutting_down",
  );
  const rows = await kit.database.read((sql) => sql.all("SELECT * FROM inbox"));
  assert.equal(rows.length, 0);
  await kit.stop();
});

test("a chat that takes long holds up no other", async () => {
  const held = Promise.withResolvers<string>();
  const runTurn = createScriptedRunner((request) => (request.text === "slow" ? held.promise : `echo ${request.text}`));
  const kit = await open({ databaseFile: nextFile(), runTurn });
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "slow" });
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "behind it" });
  await kit.channel.receive({ eventId: "3", chatId: "8", text: "elsewhere" });
  await until(() => kit.channel.sent.length === 1);
  assert.equal(kit.channel.sent[0]?.text, "echo elsewhere");
  held.resolve("at last");
  await until(() => kit.channel.sent.length === 3);
  assert.deepEqual(
    kit.channel.sent.slice(1).map((sent) => sent.text),
    ["at last", "echo behind it"],
  );
});

test("clients hear of a run that was stopped before it began", async () => {
  const hang = () => new Promise<string>(() => undefined);
  const kit = await openConversationKit({ databaseFile: nextFile(), runTurn: createScriptedRunner(hang) });
  const first = await kit.channel.receive({ eventId: "1", chatId: "7", text: "one" });
  const second = await kit.channel.receive({ eventId: "2", chatId: "7", text: "two" });
  assert.ok(first.outcome === "accepted" && second.outcome === "accepted");
  const stopped = await kit.conversation.lane.abortRun(second.sessionKey, second.runId, "rpc");
  assert.deepEqual(stopped, [second.runId]);
  const chat = kit.events
    .filter(({ event }) => event === "chat")
    .map(({ payload }) => payload as { runId: string; state: string });
  assert.ok(chat.some(({ runId, state }) => runId === second.runId && state === "aborted"));
  await kit.stop();
});

test("the message tool sends once for a call, however often the call is run, and its words are not said twice", async () => {
  const runTurn = createScriptedRunner(async (request) => {
    const message = kit.conversation.tools.find((tool) => tool.name === "message");
    const context = {
      runId: request.runId,
      effectKey: `${request.runId}:0`,
      sessionKey: request.sessionKey,
      agentId: "main",
      origin: request.origin,
      isOwner: false,
      model: "m",
    };
    const params = { action: "send", message: "sent by the tool" };
    for (const _ of [1, 2, 3]) await message?.run(params, context, request.signal);
    return request.text === "same" ? "sent by the tool" : "and a reply";
  });
  const kit = await open({ databaseFile: nextFile(), runTurn });
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "same" });
  await kit.channel.receive({ eventId: "2", chatId: "7", text: "other" });
  await until(() => kit.channel.sent.length === 3);
  assert.deepEqual(
    kit.channel.sent.map((sent) => sent.text),
    ["sent by the tool", "sent by the tool", "and a reply"],
  );
});

test("a channel that is not set up is named as such", async () => {
  const kit = await open({ databaseFile: nextFile(), runTurn: echo });
  const codeOf = (id: string) => {
    try {
      kit.conversation.sending.resolveChannel(id);
      return "found";
    } catch (error) {
      return error instanceof Fault ? error.code : "bug";
    }
  };
  assert.deepEqual(["memory", "whatsapp", "pigeon"].map(codeOf), ["found", "not_linked", "unsupported_channel"]);
});

test("old rows go after a week; sessions, transcripts and open work stay", async () => {
  const { forgetOldRows } = await import("./retention/retention.ts");
  const kit = await open({ databaseFile: nextFile(), runTurn: echo });
  await kit.channel.receive({ eventId: "1", chatId: "7", text: "x" });
  await until(() => kit.channel.sent.length === 1);
  await until(async () => (await kit.conversation.overview.work()).outbox.sending === 0);
  const week = 7 * 24 * 60 * 60 * 1000;
  const count = (table: string) =>
    kit.database.read((sql) => Number(sql.get(`SELECT count(*) AS n FROM ${table}`)?.["n"]));
  assert.equal(await kit.database.write((sql) => forgetOldRows(sql, Date.now() + week - 60_000)), 0);
  assert.ok((await kit.database.write((sql) => forgetOldRows(sql, Date.now() + week + 60_000))) >= 3);
  for (const table of ["inbox", "turns", "outbox"]) assert.equal(await count(table), 0, table);
  for (const table of ["sessions", "transcript"]) assert.ok((await count(table)) > 0, table);
});

test("typing shows at once, goes on, and ends with the turn", async () => {
  const { createManualClock } = await import("../base/clock.ts");
  const { createTyping } = await import("./typing.ts");
  const clock = createManualClock();
  const shown: string[] = [];
  const channel = {
    ...createMemoryChannel(),
    typing: async ({ chatId }: { chatId: string }) => void shown.push(chatId),
  };
  const stop = createTyping({ clock, channel: () => channel })({ channel: "memory", account: "default", chatId: "7" });
  await clock.advance(10_000);
  assert.deepEqual(shown, ["7", "7", "7"]);
  stop();
  await clock.advance(60_000);
  assert.equal(shown.length, 3);
});

test("a disk that fills in the middle of a turn, or of a send, costs no answer and holds up no chat (R32, T6)", async () => {
  const full = { isFull: false };
  const kit = await open({
    databaseFile: nextFile(),
    wrap: (database) => ({
      ...database,
      write: (task) => (full.isFull ? Promise.reject(new Fault("storage", "disk is full")) : database.write(task)),
    }),
    runTurn: createScriptedRunner(async (request) => {
      if (request.text === "turn") {
        full.isFull = true;
        setTimeout(() => (full.isFull = false), 300);
        await request.checkpoint([{ role: "user", content: [{ type: "text", text: "a step" }], timestamp: 2 }]);
      }
      return `echo ${request.text}`;
    }),
  });
  kit.channel.outcome = ({ text }) => {
    if (text === "echo send") {
      full.isFull = true;
      setTimeout(() => (full.isFull = false), 300);
    }
    return { outcome: "sent", messageId: "m" };
  };
  const words = ["turn", "send", "after"];
  for (const text of words) await kit.channel.receive({ eventId: text, chatId: "7", text });
  await until(() => kit.channel.sent.length === words.length, 8_000);
  assert.deepEqual(
    kit.channel.sent.map(({ text }) => text),
    words.map((text) => `echo ${text}`),
  );
  await until(async () => (await kit.conversation.overview.work()).outbox.sending === 0, 5_000);
  assert.deepEqual((await kit.conversation.overview.work()).outbox.flagged, 0);
});
