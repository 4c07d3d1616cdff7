import assert from "node:assert/strict";
import { test } from "node:test";

import { silentLog } from "../base/log.ts";
import { createBus } from "../platform/bus.ts";
import { createTopics, topicOf } from "../platform/topics.ts";
import type { Caller } from "../ports/method.ts";
import { startBroadcast } from "./broadcast.ts";
import type { Broadcast } from "./connection.ts";

function client(scopes: readonly string[], role: "operator" | "node" = "operator", connId = "c") {
  const got: Broadcast[] = [];
  const caller: Caller = {
    connId,
    principal: "owner",
    role,
    scopes,
    client: { id: "test", mode: "test", version: "1" },
    protocol: 4,
    isLocal: true,
    auth: "token",
  };
  return { got, connection: { caller, broadcast: (event: Broadcast) => void got.push(event) } };
}

const chat = (state: "delta" | "final") => ({
  runId: "r",
  sessionKey: "agent:main:main",
  seq: 1,
  state,
  message: { role: "assistant" as const, content: [{ type: "text", text: "hi" }], timestamp: 1 },
});

test("signs of life reach everybody, conversations only who may read (RB-76, RB-92, OV-35)", () => {
  const bus = createBus(silentLog);
  const reader = client(["operator.write"]);
  const nobody = client([]);
  startBroadcast({
    bus,
    connections: () => [reader.connection, nobody.connection],
    stateVersion: () => ({ presence: 3, health: 9 }),
    topics: createTopics(),
  });
  bus.publish("tick", { ts: 1 });
  bus.publish("chat", chat("final"));
  bus.publish("presence", { presence: [] });
  bus.publish("shutdown", { reason: "gateway stopping" });
  assert.deepEqual(
    reader.got.map(({ name }) => name),
    ["tick", "chat", "presence", "shutdown"],
  );
  assert.deepEqual(
    nobody.got.map(({ name }) => name),
    ["tick", "shutdown"],
  );
  assert.equal(reader.got[2]?.stateVersionJson, '{"presence":3,"health":9}');
  assert.equal(reader.got[0]?.stateVersionJson, undefined);
});

test("of the health snapshot, who may not read learns which channels are linked and nothing of sessions or paths (S14)", () => {
  const bus = createBus(silentLog);
  const reader = client(["operator.read"]);
  const nobody = client([]);
  startBroadcast({
    bus,
    connections: () => [reader.connection, nobody.connection],
    stateVersion: () => ({ presence: 3, health: 9 }),
    topics: createTopics(),
  });
  const sessions = {
    path: "/home/ann/state.sqlite",
    count: 1,
    recent: [{ key: "agent:main:ann", updatedAt: 1, age: 1 }],
  };
  const snapshot = {
    ok: true,
    ts: 1,
    durationMs: 2,
    channels: { telegram: { accountId: "default", configured: true, linked: true, reason: "no answer", accounts: {} } },
    channelOrder: ["telegram"],
    channelLabels: { telegram: "Telegram" },
    heartbeatSeconds: 0,
    defaultAgentId: "main",
    agents: [],
    sessions,
    problems: [{ message: "/home/ann/openclaw.json:1:1 unknown key" }],
  };
  bus.publish("health", snapshot);
  assert.deepEqual(JSON.parse(reader.got[0]?.payloadJson ?? ""), snapshot);
  assert.deepEqual(JSON.parse(nobody.got[0]?.payloadJson ?? ""), {
    ok: true,
    ts: 1,
    durationMs: 2,
    channels: { telegram: { configured: true, linked: true } },
    channelOrder: ["telegram"],
    channelLabels: { telegram: "Telegram" },
    heartbeatSeconds: 0,
    defaultAgentId: "main",
  });
});

test("a payload is serialised once for all, and not at all for nobody", () => {
  const bus = createBus(silentLog);
  let times = 0;
  const payload = {
    presence: [],
    toJSON() {
      times += 1;
      return { presence: [] };
    },
  };
  const clients = Array.from({ length: 50 }, () => client(["operator.read"]));
  const stop = startBroadcast({
    bus,
    connections: () => clients.map(({ connection }) => connection),
    stateVersion: () => ({ presence: 1, health: 1 }),
    topics: createTopics(),
  });
  bus.publish("presence", payload);
  assert.equal(times, 1);
  stop();
  startBroadcast({
    bus,
    connections: () => [client([]).connection],
    stateVersion: () => ({ presence: 1, health: 1 }),
    topics: createTopics(),
  });
  bus.publish("presence", payload);
  assert.equal(times, 1);
  assert.equal(clients[0]?.got.length, 1);
});

test("what a later event makes up for may be left out for a slow client: deltas, not ends", () => {
  const bus = createBus(silentLog);
  const { got, connection } = client(["operator.read"]);
  startBroadcast({
    bus,
    connections: () => [connection],
    stateVersion: () => ({ presence: 1, health: 1 }),
    topics: createTopics(),
  });
  bus.publish("chat", chat("delta"));
  bus.publish("chat", chat("final"));
  bus.publish("agent", { runId: "r", seq: 1, stream: "lifecycle", ts: 1, data: { phase: "end" } });
  bus.publish("tick", { ts: 1 });
  assert.deepEqual(
    got.map(({ isDroppable }) => isDroppable),
    [true, false, false, true],
  );
});

test("events that are asked for reach those who asked, for the session they asked for, and who may read", () => {
  const bus = createBus(silentLog);
  const topics = createTopics();
  const clients = {
    all: client(["operator.read"], "operator", "all"),
    one: client(["operator.read"], "operator", "one"),
  };
  const rightless = client([], "operator", "rightless");
  const connections = [...Object.values(clients), rightless];
  startBroadcast({
    bus,
    connections: () => connections.map(({ connection }) => connection),
    stateVersion: () => ({ presence: 1, health: 1 }),
    topics,
  });
  const closed = new AbortController();
  for (const connId of ["all", "rightless"]) topics.add(topicOf("sessions.changed"), connId, closed.signal);
  topics.add(topicOf("session.message", "agent:main:one"), "one", closed.signal);
  const publish = () => {
    bus.publish("sessions.changed", { sessionKey: "agent:main:one", reason: "patch", ts: 1 });
    for (const sessionKey of ["agent:main:one", "agent:main:two"]) {
      const message = { role: "user" as const, content: [], timestamp: 1 };
      bus.publish("session.message", { sessionKey, sessionId: "s", ts: 1, message });
    }
  };
  publish();
  assert.deepEqual(
    connections.map(({ got }) => got.map(({ name }) => name)),
    [["sessions.changed"], ["session.message"], []],
  );
  assert.match(clients.one.got[0]?.payloadJson ?? "", /agent:main:one/u);
  closed.abort();
  publish();
  assert.equal(clients.all.got.length + clients.one.got.length, 2);
});
