import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openConversationKit, until, type ConversationKit } from "../../../test/kit/conversation.ts";
import { createScriptedRunner } from "../../../test/kit/scripted-turn.ts";
import { createSessionCalls, type CallSessions } from "../../../test/kit/session-calls.ts";
import { systemClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { forgetOldRows } from "../retention/retention.ts";

let folder: string;
let kit: ConversationKit;
let call: CallSessions;
/** Texts that the runner waits with, and what lets it go on. */
const held = new Map<string, () => void>();

const runTurn = createScriptedRunner(async (request) => {
  if (request.text.startsWith("hold")) {
    await new Promise<void>((resolve) => {
      held.set(request.text, resolve);
      request.signal.addEventListener("abort", () => resolve());
    });
  }
  if (request.text === "deaf") await new Promise((resolve) => held.set("deaf", () => resolve(undefined)));
  return `${request.history.length} before; ${request.model ?? "default"} ${request.thinking ?? "none"}: ${request.text}`;
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sessions-"));
  kit = await openConversationKit({
    databaseFile: join(folder, "state.sqlite"),
    runTurn,
    gatePolicy: { dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" },
    defaultThinking: "low",
    priceOf: (_provider, _model, usage) => usage.totalTokens / 1_000,
  });
  call = createSessionCalls(kit);
});
after(async () => {
  for (const release of held.values()) release();
  await kit.stop();
  await rm(folder, { recursive: true, force: true });
});

let events = 0;
/** Says something in a chat and waits for the answer. */
async function say(chatId: string, text: string, group?: string): Promise<string> {
  events += 1;
  const result = await kit.channel.receive({ eventId: `e${events}`, chatId, text, ...(group ? { group } : {}) });
  if (result.outcome !== "accepted") return result.outcome;
  const signal = AbortSignal.timeout(10_000);
  await kit.conversation.runs.waitForEnd(result.runId, 10_000, signal);
  return result.sessionKey;
}
const rows = async (params: object = {}) =>
  (await call("sessions.list", params))["sessions"] as Record<string, unknown>[];
const texts = async (key: string) => {
  const { messages } = await call("sessions.get", { key });
  return (messages as { content: { text: string }[] }[]).map(({ content }) => content[0]?.text);
};
const refusal = async (method: string, params: object, caller = call): Promise<Fault> => {
  try {
    await caller(method, params);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  return assert.fail(`${method} was not refused`);
};

test("a session is listed with where it was heard from, its title and its last words", async () => {
  const key = await say("7", "What is\n  the weather like?");
  assert.equal(key, "agent:main:memory:dm:7");
  const [row] = await rows({ includeDerivedTitles: true, includeLastMessage: true, search: "memory:dm:7" });
  assert.equal(row?.["key"], key);
  assert.equal(row["kind"], "direct");
  assert.equal(row["derivedTitle"], "What is the weather like?");
  assert.equal(row["lastMessagePreview"], "0 before; default low: What is the weather like?");
  assert.deepEqual(row["deliveryContext"], { channel: "memory", to: "7", accountId: "default" });
  assert.deepEqual([row["modelProvider"], row["model"], row["contextTokens"]], ["scripted", "test", 1_000]);
  assert.deepEqual([row["inputTokens"], row["outputTokens"], row["totalTokens"]], [1, 1, 2]);
  const plain = await call("sessions.describe", { key: "memory:dm:7" });
  assert.equal((plain["session"] as Record<string, unknown>)["derivedTitle"], undefined);
  assert.equal((await call("sessions.describe", { key: "none" }))["session"], null);
});

test("previews: the last words of each, and what is wrong with the others", async () => {
  await call("sessions.patch", { key: "silent", thinkingLevel: "low" });
  const { previews } = await call("sessions.preview", {
    keys: ["memory:dm:7", "silent", "nowhere", `agent:${"x".repeat(100)}:y`],
    limit: 1,
    maxChars: 20,
  });
  assert.deepEqual(previews, [
    { key: "memory:dm:7", status: "ok", items: [{ role: "assistant", text: "0 before; default l…" }] },
    { key: "silent", status: "empty", items: [] },
    { key: "nowhere", status: "missing", items: [] },
    { key: `agent:${"x".repeat(100)}:y`, status: "error", items: [] },
  ]);
});

test("a session is found by key, id or label, and by one of them only", async () => {
  const key = await say("8", "hello");
  await call("sessions.patch", { key, label: "  Eight " });
  const [row] = await rows({ label: "Eight" });
  const found = { ok: true, key, agentId: "main" };
  assert.deepEqual(await call("sessions.resolve", { key: "memory:dm:8" }), found);
  assert.deepEqual(await call("sessions.resolve", { label: "Eight" }), found);
  assert.deepEqual(await call("sessions.resolve", { sessionId: row?.["sessionId"], agentId: "main" }), found);
  assert.deepEqual(await call("sessions.resolve", { label: "Nine", allowMissing: true }), { ok: false });
  assert.equal((await refusal("sessions.resolve", {})).message, "Either key, sessionId, or label is required");
  assert.equal(
    (await refusal("sessions.resolve", { key, label: "Eight" })).message,
    "Provide either key, sessionId, or label (not multiple)",
  );
  assert.equal((await refusal("sessions.resolve", { label: "Nine" })).message, "No session found: Nine");
  assert.equal((await refusal("sessions.resolve", { label: "Eight", agentId: "ops" })).code, "not_found");
  const taken = await refusal("sessions.patch", { key: "other", label: "Eight" });
  assert.equal(taken.message, "label already in use: Eight");
  assert.equal(
    (await call("sessions.describe", { key: "other" }))["session"],
    null,
    "a refused patch makes no session",
  );
});

test("model and thinking level of the session are those of its next turn", async () => {
  const key = await say("9", "one");
  const answer = await call("sessions.patch", { key, model: "scripted/other", thinkingLevel: "high" });
  assert.deepEqual(answer["resolved"], { modelProvider: "scripted", model: "other" });
  assert.equal((answer["entry"] as Record<string, unknown>)["modelOverride"], "other");
  await say("9", "two");
  await call("sessions.patch", { key, model: null, thinkingLevel: null });
  await say("9", "three");
  assert.deepEqual((await texts(key)).slice(-3), [
    "2 before; scripted/other high: two",
    "three",
    "4 before; default low: three",
  ]);
});

test("a muted session is not written to and does not answer in its chat", async () => {
  const key = await say("10", "hello");
  await call("sessions.patch", { key, sendPolicy: "deny" });
  const before_ = kit.channel.sent.length;
  await say("10", "still there?");
  assert.equal((await texts(key)).length, 4, "the turn is in the transcript");
  const send = (sessionKey?: string) =>
    kit.conversation.sending.send({
      scope: { principal: "owner", method: "send", key: `k${sessionKey ?? ""}` },
      target: { channel: "memory", account: "default", chatId: sessionKey ? "11" : "10" },
      text: "x",
      ...(sessionKey ? { sessionKey: key as never } : {}),
    });
  for (const sessionKey of [undefined, key]) await assert.rejects(send(sessionKey), /send blocked by session policy/u);
  assert.equal(kit.channel.sent.length, before_);
  await call("sessions.patch", { key, sendPolicy: null });
  await say("10", "and now?");
  await until(() => kit.channel.sent.length === before_ + 1);
});

test("rules of the config mute sessions that have no setting of their own", async () => {
  const ruled = await openConversationKit({
    databaseFile: join(folder, "ruled.sqlite"),
    runTurn,
    sendRules: { rules: [{ action: "deny", match: { channel: "memory", chatType: "direct" } }] },
  });
  const hear = async (eventId: string) => {
    const result = await ruled.channel.receive({ eventId, chatId: "5", text: "hello" });
    assert.ok(result.outcome === "accepted");
    await ruled.conversation.runs.waitForEnd(result.runId, 5_000, AbortSignal.timeout(5_000));
    return result.sessionKey;
  };
  const key = await hear("1");
  await createSessionCalls(ruled)("sessions.patch", { key, sendPolicy: "allow" });
  await hear("2");
  await until(() => ruled.channel.sent.length > 0);
  assert.equal(ruled.channel.sent.length, 1);
  assert.match(ruled.channel.sent[0]?.text ?? "", /^2 before/u);
  await ruled.stop();
});

test("a group answers to mentions, or always, as its session is set", async () => {
  assert.equal(await say("-1", "unheard", "Friends"), "dropped");
  await call("sessions.patch", { key: "agent:main:memory:group:-1", groupActivation: "always" });
  const key = await say("-1", "heard", "Friends");
  const { session } = (await call("sessions.describe", { key })) as { session: Record<string, unknown> };
  assert.deepEqual(
    [session["kind"], session["subject"], session["displayName"], session["groupActivation"]],
    ["group", "Friends", "Friends", "always"],
  );
  await call("sessions.patch", { key, groupActivation: null });
  assert.equal(await say("-1", "unheard again", "Friends"), "dropped");
});

test("a reset begins anew: settings stay, the transcript and the counters do not", async () => {
  const key = await say("12", "before");
  await call("sessions.patch", { key, label: "Twelve", thinkingLevel: "low" });
  const [old] = await rows({ label: "Twelve" });
  const { entry } = (await call("sessions.reset", { key })) as { entry: Record<string, unknown> };
  assert.notEqual(entry["sessionId"], old?.["sessionId"]);
  assert.deepEqual(
    [entry["label"], entry["thinkingLevel"], entry["inputTokens"], entry["totalTokens"]],
    ["Twelve", "low", 0, 0],
  );
  assert.deepEqual(await texts(key), []);
  await say("12", "after");
  assert.deepEqual(await texts(key), ["after", "0 before; default low: after"]);
});

test("a reset stops the run under way and keeps what waits for the new transcript", async () => {
  const first = kit.channel.receive({ eventId: "r1", chatId: "13", text: "hold 13" });
  await until(() => held.has("hold 13"));
  const second = await kit.channel.receive({ eventId: "r2", chatId: "13", text: "next" });
  const key = "agent:main:memory:dm:13";
  await call("sessions.reset", { key });
  assert.ok(second.outcome === "accepted" && (await first).outcome === "accepted");
  await kit.conversation.runs.waitForEnd(second.runId, 5_000, AbortSignal.timeout(5_000));
  assert.deepEqual(await texts(key), ["next", "0 before; default low: next"]);
});

test("a session is deleted with what waits in it; what was said is archived for 30 days", async () => {
  const key = await say("14", "remember me");
  const [row] = await rows({ search: "dm:14" });
  void kit.channel.receive({ eventId: "d1", chatId: "14", text: "hold 14" });
  await until(() => held.has("hold 14"));
  await kit.channel.receive({ eventId: "d2", chatId: "14", text: "never" });
  const answer = await call("sessions.delete", { key });
  assert.deepEqual(answer, { ok: true, key, deleted: true, archived: [`/state.sqlite#${String(row?.["sessionId"])}`] });
  assert.deepEqual(await rows({ search: "dm:14" }), []);
  assert.deepEqual(await call("sessions.delete", { key }), { ok: true, key, deleted: false, archived: [] });

  const countRows = () =>
    kit.database.read((sql) =>
      Number(sql.get("SELECT count(*) AS n FROM transcript WHERE session_id = ?", String(row?.["sessionId"]))?.["n"]),
    );
  const day = 24 * 60 * 60 * 1000;
  await kit.database.write((sql) => forgetOldRows(sql, Date.now() + 29 * day));
  assert.ok((await countRows()) >= 2);
  for (let times = 0; times < 8; times += 1) {
    await kit.database.write((sql) => forgetOldRows(sql, Date.now() + 31 * day));
  }
  assert.equal(await countRows(), 0);
});

test("the main session cannot be deleted, by whatever name", async () => {
  for (const key of ["main", " MAIN ", "agent:main:main"]) {
    assert.equal(
      (await refusal("sessions.delete", { key })).message,
      "Cannot delete the main session (agent:main:main).",
    );
  }
});

test("a run that does not stop within 15 seconds keeps its session", async () => {
  // where time passes a hundred times as fast
  const hasty = createSessionCalls(kit, { ...systemClock, monotonic: () => systemClock.monotonic() * 100 });
  const ran = kit.channel.receive({ eventId: "x1", chatId: "15", text: "deaf" });
  await until(() => held.has("deaf"));
  const key = "agent:main:memory:dm:15";
  const fault = await refusal("sessions.delete", { key }, hasty);
  assert.equal(fault.message, `Session ${key} is still active; try again in a moment.`);
  assert.equal((await rows({ search: "dm:15" })).length, 1);
  held.get("deaf")?.();
  const result = await ran;
  assert.ok(result.outcome === "accepted");
  await kit.conversation.runs.waitForEnd(result.runId, 5_000, AbortSignal.timeout(5_000));
});

test("compacting keeps the newest messages, for readers and for the next turn", async () => {
  const key = await say("16", "one");
  await say("16", "two");
  await say("16", "three");
  assert.deepEqual(await call("sessions.compact", { key }), { ok: true, key, compacted: false, kept: 6 });
  const done = await call("sessions.compact", { key, maxLines: 2 });
  assert.deepEqual([done["compacted"], done["kept"]], [true, 2]);
  assert.deepEqual(await texts(key), ["three", "4 before; default low: three"]);
  await say("16", "four");
  assert.equal((await texts(key)).at(-1), "2 before; default low: four");
  assert.equal((await rows({ search: "dm:16", includeDerivedTitles: true }))[0]?.["derivedTitle"], "three");
  assert.deepEqual(await call("sessions.compact", { key: "no such" }), {
    ok: true,
    key: "agent:main:no such",
    compacted: false,
    reason: "no sessionId",
  });
});

test("use is added up by day, session and model, and outlives the session", async () => {
  const key = await say("17", "one");
  await say("17", "two");
  await call("sessions.delete", { key });
  const { sessions, totals } = (await call("sessions.usage", { key })) as {
    sessions: { key: string; usage: Record<string, number> }[];
    totals: Record<string, number>;
  };
  assert.deepEqual(sessions[0]?.usage, {
    calls: 2,
    input: 2,
    output: 2,
    cacheRead: 0,
    cacheWrite: 0,
    totalTokens: 4,
    totalCost: 0.004,
    missingCostEntries: 0,
  });
  assert.equal(totals["totalTokens"], 4);
  const cost = (await call("usage.cost", { days: 1 })) as { days: number; daily: { date: string }[]; totals: object };
  assert.equal(cost.days, 1);
  assert.equal(cost.daily.length, 1);
  const { date: _date, ...only } = cost.daily[0] ?? { date: "" };
  assert.deepEqual(only, cost.totals);
  assert.equal(
    (await refusal("sessions.usage", { startDate: "2026-01-02", endDate: "2026-01-01" })).code,
    "invalid_params",
  );
});

test("clients that asked are told of each message and each change", async () => {
  kit.events.length = 0;
  const key = await say("18", "hello");
  await until(() =>
    kit.events.some(({ event, payload }) => event === "sessions.changed" && JSON.stringify(payload).includes('"end"')),
  );
  const of = (name: string) =>
    kit.events.filter(({ event }) => event === name).map(({ payload }) => payload as Record<string, unknown>);
  assert.deepEqual(
    of("session.message").map(({ message, sessionKey }) => [sessionKey, (message as { role: string }).role]),
    [
      [key, "user"],
      [key, "assistant"],
    ],
  );
  assert.deepEqual(
    of("sessions.changed").map(({ reason }) => reason),
    ["start", "end"],
  );
  await call("sessions.delete", { key });
  await until(() => of("sessions.changed").length === 3);
  assert.deepEqual(
    [of("sessions.changed")[2]?.["reason"], of("sessions.changed")[2]?.["session"]],
    ["delete", undefined],
  );
});
