import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createSeededIds } from "../base/ids.ts";
import { silentLog } from "../base/log.ts";
import type { Caller } from "../ports/method.ts";
import { createDispatch, type AnyHandler } from "./dispatch.ts";
import { maxConcurrentRequests } from "./limits.ts";

interface Answer {
  readonly id: string;
  readonly payload?: unknown;
  readonly fault?: Fault;
}

function setUp(
  handlers: Readonly<Record<string, AnyHandler>>,
  options: { scopes?: string[]; role?: "operator" | "node"; isDraining?: () => boolean } = {},
) {
  const answers: Answer[] = [];
  const logged: { message: string; fields: unknown }[] = [];
  const waiting: (() => void)[] = [];
  const note = (answer: Answer) => {
    answers.push(answer);
    waiting.splice(0).forEach((wake) => wake());
  };
  const caller: Caller = {
    connId: "c1",
    principal: "owner",
    role: options.role ?? "operator",
    scopes: options.scopes ?? ["operator.admin"],
    client: { id: "test", mode: "test", version: "1" },
    protocol: 4,
    isLocal: true,
    auth: "token",
  };
  const client = {
    caller,
    signal: new AbortController().signal,
    pending: 0,
    respond(id: string, payload: unknown) {
      JSON.stringify(payload);
      note({ id, payload });
    },
    refuse: (id: string, fault: Fault) => note({ id, fault }),
  };
  const dispatch = createDispatch({
    handlers,
    log: { ...silentLog, error: (message, fields) => logged.push({ message, fields }) },
    clock: createManualClock(),
    ids: createSeededIds(1),
    ...(options.isDraining ? { isDraining: options.isDraining } : {}),
  });
  return {
    client,
    answers,
    logged,
    send: (frame: unknown) => dispatch(client, typeof frame === "string" ? frame : JSON.stringify(frame)),
    async answered(count: number) {
      while (answers.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return answers;
    },
  };
}

const request = (method: string, params?: unknown) => ({
  type: "req",
  id: "1",
  method,
  ...(params === undefined ? {} : { params }),
});

test("a request reaches its handler with its params and its answer goes back on its id", async () => {
  const { send, answered, client } = setUp({ health: async ({ params, caller }) => ({ params, who: caller.connId }) });
  send(request("health", { probe: true }));
  send({ ...request("health"), id: "2", traceparent: "00-x" });
  assert.deepEqual(await answered(2), [
    { id: "1", payload: { params: { probe: true }, who: "c1" } },
    { id: "2", payload: { params: {}, who: "c1" } },
  ]);
  await Promise.resolve();
  assert.equal(client.pending, 0);
});

test("answers may overtake each other", async () => {
  let finish: (value: unknown) => void = () => undefined;
  const { send, answered } = setUp({
    status: () => new Promise((resolve) => (finish = resolve)),
    health: async () => "quick",
  });
  send(request("status"));
  send({ ...request("health"), id: "2" });
  assert.deepEqual(await answered(1), [{ id: "2", payload: "quick" }]);
  finish("slow");
  assert.deepEqual((await answered(2))[1], { id: "1", payload: "slow" });
});

test("malformed frames get the answers of the protocol's table, and what is not JSON gets none", async () => {
  const { send, answered } = setUp({});
  send("not json");
  send("{");
  send({ type: "event", id: "e7", event: "tick" });
  send({ type: "req", id: 5, method: "health" });
  send([1, 2]);
  send("null");
  send({ type: "req", id: "x".repeat(5_000), method: "health" });
  send(`{"type":"req","id":"deep","method":"health","params":${"[".repeat(500)}${"]".repeat(500)}}`);
  send(request("connect"));
  const answers = await answered(7);
  assert.deepEqual(
    answers.map(({ id }) => id),
    ["e7", "invalid", "invalid", "invalid", "invalid", "invalid", "1"],
  );
  for (const { fault } of answers.slice(0, 6)) assert.match(fault?.message ?? "", /^invalid request frame: ./u);
  assert.equal(answers[6]?.fault?.message, "connect is only valid as the first request");
  assert.ok(answers.every(({ fault }) => fault?.code === "invalid_frame"));
});

test("scope comes before params, and params before the handler", async () => {
  let runs = 0;
  const handlers = {
    send: async () => {
      runs += 1;
    },
  };
  const reader = setUp(handlers, { scopes: ["operator.read"] });
  reader.send(request("send", {}));
  assert.equal((await reader.answered(1))[0]?.fault?.message, "missing scope: operator.write");

  const writer = setUp(handlers, { scopes: ["operator.write"] });
  writer.send(request("send", { to: "x", message: 5, idempotencyKey: "k" }));
  for (const params of ["text", 5, [], true]) writer.send(request("send", params));
  const answers = await writer.answered(5);
  assert.equal(answers[0]?.fault?.field, "message");
  for (const { fault } of answers) {
    assert.equal(fault?.code, "invalid_params");
    assert.match(fault?.message ?? "", /^invalid send params: /u);
  }
  assert.equal(runs, 0);
});

test("unknown methods are unknown, also those that every object has", async () => {
  const { send, answered } = setUp({ health: async () => "fine" });
  const names = ["nope", "constructor", "__proto__", "toString", "hasOwnProperty", "status"];
  for (const name of names) send(request(name));
  const answers = await answered(names.length);
  assert.deepEqual(
    answers.map(({ fault }) => fault?.message),
    names.map((name) => `unknown method: ${name}`),
  );
});

test("prototype keys never reach a handler", async () => {
  const { send, answered } = setUp({ health: async ({ params }) => Object.keys(params as object) });
  send('{"type":"req","id":"1","method":"health","params":{"__proto__":{"probe":true},"constructor":{"x":1},"a":1}}');
  assert.deepEqual((await answered(1))[0]?.payload, ["a"]);
  assert.equal(({} as { probe?: unknown }).probe, undefined);
});

test("a handler that breaks, at once or later, is answered with an id that the log knows, not with its text", async () => {
  const { send, answered, logged } = setUp({
    health: async () => {
      throw new Error("secret path /home/x");
    },
    status: () => {
      throw new TypeError("undefined is not a function");
    },
    "system-presence": async () => 1n,
  });
  send(request("health"));
  send(request("status"));
  send(request("system-presence"));
  for (const { fault } of await answered(3)) {
    assert.equal(fault?.code, "internal");
    const reportId = /^internal error ([0-9a-f]{8}) in /u.exec(fault?.message ?? "")?.[1];
    assert.ok(
      logged.some(({ fields }) => JSON.stringify(fields).includes(reportId ?? "?")),
      fault?.message,
    );
    assert.doesNotMatch(fault?.message ?? "", /secret path/u);
  }
});

test("a Fault goes out as it is", async () => {
  const fault = new Fault("agent_timeout", "too long", { payload: { runId: "r" } });
  const { send, answered } = setUp({ health: () => Promise.reject(fault) });
  send(request("health"));
  assert.equal((await answered(1))[0]?.fault, fault);
});

test("only methods that answer twice may accept first, and once", async () => {
  const params = { message: "hi", idempotencyKey: "k" };
  const twice = setUp({
    agent: async ({ accept }) => {
      accept({ status: "accepted" });
      return { status: "ok" };
    },
    health: async ({ accept }) => accept("early"),
  });
  twice.send(request("agent", params));
  twice.send({ ...request("health"), id: "2" });
  const answers = await twice.answered(3);
  assert.deepEqual(
    answers.filter(({ id }) => id === "1").map(({ payload }) => payload),
    [{ status: "accepted" }, { status: "ok" }],
  );
  assert.equal(answers.find(({ id }) => id === "2")?.fault?.code, "internal");

  const thrice = setUp({
    agent: async ({ accept }) => {
      accept(1);
      accept(2);
    },
  });
  thrice.send(request("agent", params));
  const [first, last] = await thrice.answered(2);
  assert.equal(first?.payload, 1);
  assert.equal(last?.fault?.code, "internal");
});

test("one connection has so many requests under way and no more", async () => {
  const ends: (() => void)[] = [];
  const { send, answered, client } = setUp({ health: () => new Promise<void>((resolve) => ends.push(resolve)) });
  for (let count = 0; count <= maxConcurrentRequests; count += 1) send({ ...request("health"), id: `r${count}` });
  const [refused] = await answered(1);
  assert.equal(refused?.id, `r${maxConcurrentRequests}`);
  assert.equal(refused?.fault?.code, "overloaded");
  assert.ok((refused?.fault?.retryAfterMs ?? 0) > 0);
  ends.forEach((end) => end());
  await answered(maxConcurrentRequests + 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.pending, 0);
});

test("while the Gateway stops nothing new is begun, yet clients may look (RB-91)", async () => {
  const { send, answered } = setUp(
    { health: async () => "still here", send: async () => "sent" },
    { isDraining: () => true },
  );
  send(request("send", { to: "x", message: "m", idempotencyKey: "k" }));
  send({ ...request("health"), id: "2" });
  const answers = await answered(2);
  assert.equal(answers.find(({ id }) => id === "1")?.fault?.code, "shutting_down");
  assert.equal(answers.find(({ id }) => id === "2")?.payload, "still here");
});
