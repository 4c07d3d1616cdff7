import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { parseRunId, parseSessionKey } from "../base/ids.ts";
import type { RunRequest } from "../conversation/run-inbound.ts";
import type { TurnRow } from "../conversation/store/turns.ts";
import { followRun, type RunEvent } from "./run.ts";

const runId = parseRunId("run");
const sessionKey = parseSessionKey("agent:main:main");

function setUp() {
  const clock = createManualClock();
  const aborted: string[] = [];
  let say: (text: string) => void = () => {};
  let end: (turn: TurnRow | undefined) => void = () => {};
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const request = {
    runId,
    sessionKey,
    caller: { principal: "owner", client: { id: "http" } },
    text: "x",
    attachments: [],
  };
  // of the caller only what names it is read here
  const stream = followRun(request as unknown as RunRequest, controller.signal, {
    clock,
    intake: { submit: async () => ({ outcome: "accepted", runId, sessionKey, acceptedAt: 0 }) },
    runs: {
      waitForEnd: (_id, _ms, signal) =>
        new Promise((resolve) => {
          end = resolve;
          signal.addEventListener("abort", () => resolve(undefined));
        }),
    },
    lane: {
      async abortRun(_key, id) {
        aborted.push(id);
        return [id];
      },
    },
    watchRun(_id, onText) {
      say = onText;
      return () => (say = () => {});
    },
  });
  const done = (async () => {
    for await (const event of stream) events.push(event);
  })();
  done.catch(() => undefined);
  const settle = async () => {
    for (let count = 0; count < 20; count += 1) await Promise.resolve();
  };
  const row = (text: string, over: Partial<TurnRow> = {}): TurnRow => ({
    runId,
    inboxId: 1,
    sessionKey,
    sessionId: "s",
    attempt: 1,
    state: "ok",
    acceptedAt: 0,
    startedAt: 0,
    endedAt: 1,
    outcome: { text, durationMs: 1 },
    ...over,
  });
  return {
    clock,
    aborted,
    events,
    done,
    row,
    leave: () => controller.abort(),
    async say(text: string) {
      await settle();
      say(text);
      await settle();
    },
    async end(turn: TurnRow | undefined) {
      await settle();
      end(turn);
      await settle();
    },
    settle,
  };
}

test("text comes as it grows, and the end has all of it", async () => {
  const run = setUp();
  await run.say("He");
  await run.say("Hello");
  await run.end(run.row("Hello"));
  await run.done;
  assert.deepEqual(run.events, [
    { type: "text", delta: "He" },
    { type: "text", delta: "llo" },
    { type: "end", text: "Hello", outcome: { text: "Hello", durationMs: 1 } },
  ]);
  assert.deepEqual(run.aborted, []);
});

test("an agent that wants to say nothing says nothing, also while it does so", async () => {
  const run = setUp();
  await run.say("NO_");
  await run.say("NO_REPLY");
  await run.end(run.row(""));
  await run.done;
  assert.deepEqual(
    run.events.map((event) => (event.type === "end" ? event.text : event.type)),
    [""],
  );
  const other = setUp();
  await other.say("NO");
  await other.say("NO way");
  await other.end(other.row("NO way"));
  await other.done;
  assert.deepEqual(other.events[0], { type: "text", delta: "NO way" });
});

test("what was said by a model that failed is taken back", async () => {
  const run = setUp();
  await run.say("I think");
  await run.say("Good morning");
  await run.end(run.row("Good morning"));
  await run.done;
  assert.deepEqual(
    run.events.map(({ type }) => type),
    ["text", "taken-back", "text", "end"],
  );
});

test("silence is told every ten seconds", async () => {
  const run = setUp();
  await run.settle();
  await run.clock.advance(10_000);
  await run.settle();
  await run.clock.advance(10_000);
  await run.settle();
  await run.end(run.row("x"));
  await run.done;
  assert.deepEqual(
    run.events.map(({ type }) => type),
    ["waiting", "waiting", "end"],
  );
});

test("a client that goes away stops its run", async () => {
  const run = setUp();
  await run.say("He");
  run.leave();
  await assert.rejects(run.done, (error) => error instanceof Fault && error.code === "aborted");
  assert.deepEqual(run.aborted, ["run"]);
});

test("a run that fails is the Fault that it failed with", async () => {
  const run = setUp();
  await run.end(
    run.row("", {
      state: "error",
      outcome: { text: "", durationMs: 1, fault: { code: "agent_timeout", message: "late" } },
    }),
  );
  await assert.rejects(run.done, (error) => error instanceof Fault && error.code === "agent_timeout");
  assert.deepEqual(run.aborted, []);
});
