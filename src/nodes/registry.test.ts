import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeNode } from "../../test/kit/node-link.ts";
import { createManualClock } from "../base/clock.ts";
import { createSeededIds } from "../base/ids.ts";
import { silentLog } from "../base/log.ts";
import { createInvocations } from "./invocations.ts";
import { createNodeRegistry } from "./registry.ts";

function setUp() {
  const clock = createManualClock();
  const invocations = createInvocations({ clock, ids: createSeededIds(1) });
  const registry = createNodeRegistry({ clock, log: silentLog, invocations });
  return { clock, invocations, registry };
}

const run = { command: "system.run", params: { command: ["true"] }, timeoutMs: 1_000 };
const idOf = (node: ReturnType<typeof createFakeNode>) => String(node.sent.at(-1)?.payload["id"]);
const ok = { isOk: true, payload: { a: 1 }, payloadJson: null } as const;

test("a command goes to the node as an event, and its answer comes back", async () => {
  const { invocations } = setUp();
  const node = createFakeNode("a");
  const outcome = invocations.send(node, { ...run, idempotencyKey: "k" });
  assert.deepEqual(node.sent[0], {
    event: "node.invoke.request",
    payload: {
      id: idOf(node),
      nodeId: "a",
      command: "system.run",
      paramsJSON: '{"command":["true"]}',
      timeoutMs: 1_000,
      idempotencyKey: "k",
    },
  });
  assert.equal(invocations.settle(node.connId, { id: idOf(node), outcome: ok }), true);
  assert.deepEqual(await outcome, ok);
  assert.equal(invocations.settle(node.connId, { id: idOf(node), outcome: ok }), false, "a second answer is late");
});

test("another node's answer is refused, and changes nothing", async () => {
  const { invocations } = setUp();
  const [asked, forger] = [createFakeNode("a"), createFakeNode("b")];
  const outcome = invocations.send(asked, run);
  assert.throws(() => invocations.settle(forger.connId, { id: idOf(asked), outcome: ok }), /nodeId mismatch/u);
  invocations.settle(asked.connId, { id: idOf(asked), outcome: { isOk: false, error: { message: "no" } } });
  assert.deepEqual(await outcome, { isOk: false, error: { message: "no" } });
});

test("a node that is silent runs into the time limit; one that cannot be written to is told of at once", async () => {
  const { clock, invocations } = setUp();
  const node = createFakeNode("a");
  const slow = invocations.send(node, run);
  await clock.advance(1_000);
  assert.deepEqual(await slow, { isOk: false, error: { code: "TIMEOUT", message: "node invoke timed out" } });
  node.setWritable(false);
  const outcome = await invocations.send(node, run);
  assert.ok(!outcome.isOk && "error" in outcome && outcome.error?.code === "UNAVAILABLE");
});

test("who waits for a node learns at once that it went away; nobody else does", async () => {
  const { invocations, registry } = setUp();
  const [a, b] = [createFakeNode("a"), createFakeNode("b")];
  registry.attach(a);
  registry.attach(b);
  const [fromA, fromB] = [invocations.send(a, run), invocations.send(b, run)];
  registry.detach(a.connId);
  assert.deepEqual(await fromA, { isOk: false, isGone: true });
  assert.equal(registry.find("a"), undefined);
  invocations.settle(b.connId, { id: idOf(b), outcome: ok });
  assert.deepEqual(await fromB, ok);
});

test("a node that comes back replaces its older connection, whose end then changes nothing", async () => {
  const { invocations, registry } = setUp();
  const [older, newer] = [createFakeNode("a", "1"), createFakeNode("a", "2")];
  registry.attach(older);
  const open = invocations.send(older, run);
  registry.attach(newer);
  assert.deepEqual(await open, { isOk: false, isGone: true });
  assert.equal(older.closed[0]?.code, 1008);
  registry.detach("1");
  assert.equal(registry.find("a")?.link.connId, "2");
  assert.equal(registry.list().length, 1);
});

test("the number of open commands of a node has an end, and others are not held up by it", () => {
  const { invocations } = setUp();
  const [busy, idle] = [createFakeNode("a"), createFakeNode("b")];
  for (let count = 0; count < 64; count += 1) void invocations.send(busy, run);
  assert.throws(() => invocations.send(busy, run), /commands to answer already/u);
  void invocations.send(idle, run);
  assert.equal(idle.sent.length, 1);
});
