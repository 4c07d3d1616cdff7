import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { validate_payload_presence } from "../protocol/generated/answers.js";
import { createPresence, type ConnectedClient } from "./presence.ts";

const minute = 60_000;

function setUp() {
  const clock = createManualClock();
  let told = 0;
  const presence = createPresence({
    clock,
    self: {
      host: "box",
      ip: "192.0.2.2",
      version: "1.2.3",
      platform: "linux 6",
      deviceFamily: "Linux",
      modelIdentifier: "x64",
    },
    onChange: () => {
      told += 1;
    },
  });
  return { clock, presence, told: () => told };
}

function client(
  changes: { mode?: string; instanceId?: string; connId?: string; displayName?: string } = {},
): ConnectedClient {
  const { mode = "ui", connId = "c1", instanceId, displayName } = changes;
  return {
    caller: {
      connId,
      principal: "owner",
      role: "operator",
      scopes: ["operator.read"],
      client: {
        id: "app",
        mode,
        version: "9",
        ...(instanceId ? { instanceId } : {}),
        ...(displayName ? { displayName } : {}),
      },
      protocol: 4,
      isLocal: true,
      auth: "token",
    },
    platform: "linux",
  };
}

test("the Gateway itself is always there, first and fresh (RB-132)", async () => {
  const { clock, presence } = setUp();
  await clock.advance(60 * minute);
  const [own, ...others] = presence.list();
  assert.deepEqual(others, []);
  assert.equal(own?.ts, clock.now());
  assert.equal(own?.mode, "gateway");
  assert.equal(own?.text, "Gateway: box (192.0.2.2) · app 1.2.3 · mode gateway · reason self");
});

test("a client comes, stays however quiet it is, and fades five minutes after it left", async () => {
  const { clock, presence } = setUp();
  presence.connected(client({ displayName: "My Mac" }));
  await clock.advance(30 * minute);
  const row = presence.list().find(({ mode }) => mode === "ui");
  assert.equal(row?.host, "My Mac");
  assert.equal(row?.reason, "connect");
  assert.equal(row?.ip, undefined);
  assert.deepEqual(row?.roles, ["operator"]);
  presence.disconnected(client({ displayName: "My Mac" }));
  assert.equal(presence.list().find(({ mode }) => mode === "ui")?.reason, "disconnect");
  await clock.advance(5 * minute + 1);
  assert.equal(presence.list().length, 1);
});

test("an installation keeps one row over its connections, and is gone with the last of them (RB-73)", () => {
  const { presence } = setUp();
  const window = (connId: string) => client({ instanceId: "INST-1", connId });
  presence.connected(window("a"));
  presence.connected(window("b"));
  presence.note({ text: "Node: phone", instanceId: "inst-1", reason: "periodic" });
  assert.equal(presence.list().length, 2);
  presence.disconnected(window("a"));
  assert.notEqual(presence.list().find(({ mode }) => mode === "ui")?.reason, "disconnect");
  presence.disconnected(window("b"));
  assert.equal(presence.list().find(({ mode }) => mode === "ui")?.reason, "disconnect");
});

test("calls of the command line are not shown", () => {
  const { presence, told } = setUp();
  for (const mode of ["cli", "probe"]) {
    presence.connected(client({ mode }));
    presence.disconnected(client({ mode }));
  }
  assert.equal(presence.list().length, 1);
  assert.equal(presence.version(), 1);
  assert.equal(told(), 0);
});

test("a device's line is taken apart, and what it says outright wins", () => {
  const { presence } = setUp();
  presence.note({
    text: "Node: phone (10.0.0.7) · app 2.0 · last input 12s ago · mode ui · reason periodic",
    version: "2.1",
    platform: "ios 19",
  });
  const row = presence.list().find(({ host }) => host === "phone");
  assert.deepEqual(
    { ...row, ts: 0 },
    {
      ts: 0,
      text: "Node: phone (10.0.0.7) · app 2.0 · last input 12s ago · mode ui · reason periodic",
      host: "phone",
      ip: "10.0.0.7",
      version: "2.1",
      platform: "ios 19",
      mode: "ui",
      reason: "periodic",
      lastInputSeconds: 12,
    },
  );
  presence.note({ text: "Node: phone", roles: ["node"], version: "" });
  presence.note({ text: "Node: phone", roles: ["operator"] });
  const later = presence.list().find(({ host }) => host === "phone");
  assert.equal(later?.version, "2.1");
  assert.deepEqual(later?.roles, ["node", "operator"]);
});

test("a note brings in only what a row has, and only so much of it", () => {
  const { presence } = setUp();
  const event = {
    text: "x".repeat(1_000_000),
    host: "h".repeat(9_999),
    tags: ["", ...Array.from({ length: 500 }, () => "t".repeat(999))],
    evil: { deep: 1 },
    roles: Array.from({ length: 500 }, (_, n) => `${n}`),
  };
  presence.note(event);
  const row = presence.list().find(({ mode }) => mode !== "gateway");
  assert.deepEqual(Object.keys(row ?? {}).toSorted(), ["host", "roles", "tags", "text", "ts"]);
  assert.ok(JSON.stringify(row).length < 5_000);
});

test("at most 200 rows: who is connected stays, the oldest others go", () => {
  const { presence } = setUp();
  presence.connected(client({ connId: "steady" }));
  for (let count = 0; count < 500; count += 1) presence.note({ text: `device ${count}` });
  const rows = presence.list();
  assert.equal(rows.length, 200);
  assert.ok(rows.some(({ mode }) => mode === "ui"));
  assert.ok(rows.some(({ mode }) => mode === "gateway"));
  assert.ok(rows.some(({ text }) => text === "device 499"));
  assert.ok(!rows.some(({ text }) => text === "device 0"));
});

test("every change raises the version; a crowd is told in few lists, the last of them complete (RB-75)", async () => {
  const { clock, presence, told } = setUp();
  presence.connected(client({ connId: "first" }));
  assert.equal(told(), 1);
  for (let count = 0; count < 100; count += 1) presence.connected(client({ connId: `c${count}` }));
  assert.equal(presence.version(), 102);
  assert.equal(told(), 1);
  await clock.advance(1_000);
  assert.equal(told(), 2);
  presence.connected(client({ connId: "last" }));
  assert.equal(told(), 3);
});

test("the list is what the protocol says it is", () => {
  const { presence } = setUp();
  presence.connected(client({ instanceId: "i" }));
  presence.note({ text: "Node: (nobody", lastInputSeconds: 1.6, ip: "", deviceId: "" });
  assert.ok(validate_payload_presence({ presence: presence.list() }), JSON.stringify(validate_payload_presence.errors));
});

test("a node is its device, over all its installations; operators who share a device stay apart", () => {
  const { presence } = setUp();
  const one = client({ connId: "c1", instanceId: "i1" });
  const other = client({ connId: "c2", instanceId: "i2" });
  const asNode = (of: ConnectedClient) => ({ ...of, caller: { ...of.caller, role: "node" as const, deviceId: "d1" } });
  const asOperator = (of: ConnectedClient) => ({ ...of, caller: { ...of.caller, deviceId: "d1" } });
  presence.connected(asNode(one));
  presence.connected(asNode(other));
  assert.equal(presence.list().length, 2);
  presence.connected(asOperator(one));
  presence.connected(asOperator(other));
  assert.equal(presence.list().length, 4);
  assert.equal(presence.list().filter(({ deviceId }) => deviceId === "d1").length, 3);
});

test("news of a device are what changed; its signs of life are none", () => {
  const { presence } = setUp();
  const line = (reason: string, version = "1.2.3") =>
    presence.note({ text: `Node: desk (10.0.0.9) · app ${version} · mode ui · reason ${reason}`, instanceId: "desk" });
  assert.match(line("launch"), /^Node desk: .*reason launch/u);
  assert.equal(line("launch"), "");
  assert.equal(line("periodic"), "");
  assert.equal(line("heartbeat", "1.2.4"), "Node desk: version 1.2.4");
  assert.equal(presence.note({ text: "the backup is done" }), "the backup is done");
});
