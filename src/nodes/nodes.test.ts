import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { faultOf } from "../../test/kit/fault.ts";
import { createFakeNode, type FakeNode } from "../../test/kit/node-link.ts";
import { openNodesKit, operator, type NodesKit } from "../../test/kit/nodes.ts";
import type { NodeDeclaration } from "../ports/method.ts";

let kit: NodesKit;
beforeEach(async () => {
  kit = await openNodesKit();
});
afterEach(() => kit.stop());

const connect = (nodeId: string, declaration: Partial<NodeDeclaration> = {}) => {
  const node = createFakeNode(nodeId, `conn-${nodeId}`, declaration);
  kit.nodes().links.attach(node);
  return node;
};
const asked = async (node: FakeNode, count = 1) => {
  while (node.sent.length < count) await new Promise((resolve) => setImmediate(resolve));
  return String(node.sent[count - 1]?.payload["id"]);
};
const answer = (node: FakeNode, id: string, result: object) =>
  kit.call("node.invoke.result", { id, nodeId: node.nodeId, ok: true, ...result }, { caller: node.caller });
const invoke = (nodeId: string, extra: object = {}) =>
  kit.call("node.invoke", { nodeId, command: "system.which", params: { bins: ["ls"] }, idempotencyKey: "k", ...extra });

test("a command reaches its node and the answer its caller (RB-71)", async () => {
  const node = connect("a");
  const result = invoke("a");
  const id = await asked(node);
  assert.equal(node.sent[0]?.payload["paramsJSON"], '{"bins":["ls"]}');
  assert.deepEqual(await answer(node, id, { payloadJSON: '{"bins":{"ls":"/bin/ls"}}' }), { ok: true });
  assert.deepEqual(await result, {
    ok: true,
    nodeId: "a",
    command: "system.which",
    payload: { bins: { ls: "/bin/ls" } },
    payloadJSON: '{"bins":{"ls":"/bin/ls"}}',
  });
  assert.deepEqual(await answer(node, id, {}), { ok: true, ignored: true });
});

test("the same key and body have one effect and the same answer: at once, later, and after a restart", async () => {
  const node = connect("a");
  const many = Array.from({ length: 50 }, () => invoke("a"));
  await answer(node, await asked(node), { payload: { n: 1 }, payloadJSON: null });
  const answers = new Set((await Promise.all(many)).map((each) => JSON.stringify(each)));
  assert.deepEqual([answers.size, node.sent.length], [1, 1]);
  assert.equal((await faultOf(invoke("a", { command: "system.run" }))).code, "key_reused");
  await kit.reopen();
  assert.equal(JSON.stringify(await invoke("a")), [...answers][0], "not even connected any more");
  assert.equal(node.sent.length, 1);
  const other = kit.call(
    "node.invoke",
    { nodeId: "a", command: "system.which", idempotencyKey: "k" },
    { caller: { ...operator, principal: "device:other" } },
  );
  assert.equal((await faultOf(other)).message, "node not connected", "another's key is another's");
});

test("a failure of the node is the answer for that key; the node is not asked again", async () => {
  const node = connect("a");
  const result = faultOf(invoke("a"));
  await answer(node, await asked(node), { ok: false, error: { code: "E", message: "disk full" } });
  const fault = await result;
  assert.equal(fault.code, "node_failed");
  assert.equal(fault.message, "disk full");
  assert.deepEqual(fault.details, { nodeError: { code: "E", message: "disk full" } });
  assert.equal((await faultOf(invoke("a"))).message, "disk full");
  assert.equal(node.sent.length, 1);
  const bare = faultOf(invoke("a", { idempotencyKey: "k2" }));
  await answer(node, await asked(node, 2), { ok: false, error: null });
  assert.deepEqual([(await bare).message, (await bare).details], ["node invoke failed", { nodeError: null }]);
});

test("time limit, disconnect and an unwritable node each say so", async () => {
  const node = connect("a");
  const late = faultOf(invoke("a", { timeoutMs: 50 }));
  await asked(node);
  await kit.clock.advance(50);
  assert.deepEqual((await late).details, { nodeError: { code: "TIMEOUT", message: "node invoke timed out" } });

  const lost = faultOf(invoke("a", { idempotencyKey: "k2" }));
  await asked(node, 2);
  kit.nodes().links.detach(node.connId);
  assert.equal((await lost).message, "node disconnected (system.which)");

  const mute = connect("b");
  mute.setWritable(false);
  assert.deepEqual((await faultOf(invoke("b", { idempotencyKey: "k3" }))).details?.["nodeError"], {
    code: "UNAVAILABLE",
    message: "could not write to the node",
  });
});

test("what was never sent leaves the key free", async () => {
  const fault = await faultOf(invoke("a"));
  assert.deepEqual(
    [fault.code, fault.message, fault.details],
    ["unreachable", "node not connected", { code: "NOT_CONNECTED" }],
  );
  const node = connect("a", { commands: ["system.run"] });
  const undeclared = await faultOf(invoke("a"));
  assert.deepEqual(
    [undeclared.message, undeclared.details],
    ["node command not allowed", { reason: "command not declared by node", command: "system.which" }],
  );
  kit.policy.deny.push("system.run");
  const denied = await faultOf(invoke("a", { command: "system.run" }));
  assert.equal(denied.details?.["reason"], "command not allowlisted");
  kit.policy.deny.length = 0;
  const allowed = invoke("a", { command: "system.run" });
  await answer(node, await asked(node), {});
  assert.equal((await allowed).payload, null);
});

test("a Gateway that ended in the middle does not send the command again", async () => {
  const node = connect("a");
  invoke("a").catch(() => undefined);
  await asked(node);
  await kit.reopen();
  const again = connect("a");
  assert.match((await faultOf(invoke("a"))).message, /may have been done/u);
  assert.equal(again.sent.length, 0);
});

test("a node speaks for itself: another's id, another's command and a replaced connection are refused", async () => {
  const [a, b] = [connect("a"), connect("b")];
  const result = invoke("a");
  const id = await asked(a);
  const claim = (nodeId: string, caller = b.caller) =>
    faultOf(kit.call("node.invoke.result", { id, nodeId, ok: true, payload: "forged" }, { caller }));
  assert.equal((await claim("a")).message, "nodeId mismatch");
  assert.equal((await claim("b")).message, "nodeId mismatch");
  const progress = { invokeId: id, nodeId: "a", seq: 0, chunk: "x" };
  assert.equal(
    (await faultOf(kit.call("node.invoke.progress", progress, { caller: b.caller }))).message,
    "nodeId mismatch",
  );
  await answer(a, id, { payload: "true" });
  assert.equal((await result).payload, "true");

  kit.nodes().links.attach(createFakeNode("a", "newer"));
  assert.match((await claim("a", a.caller)).message, /replaced/u);
});

test("list shows paired and connected nodes, connected first; describe adds what the node brings (RB-69, RB-70)", async () => {
  connect("zed", { displayName: "Zed", remoteIp: "10.0.0.2" });
  connect("stranger", { displayName: "Anna", commands: ["system.run", "camera.snap"] });
  const { request } = await kit.call("node.pair.request", { nodeId: "old", displayName: "Attic" });
  await kit.call("node.pair.approve", { requestId: request.requestId });
  kit.pairedDevices.add("zed").add("phone");
  const names = async () => (await kit.call("node.list", {})).nodes;
  assert.deepEqual(
    (await names()).map(({ nodeId, paired, connected }) => [nodeId, paired, connected]),
    [
      ["stranger", false, true],
      ["zed", true, true],
      ["old", true, false],
      ["phone", true, false],
    ],
  );
  assert.deepEqual((await names())[0]?.commands, ["system.run"], "a camera is not for Linux");

  await kit.call(
    "node.skills.update",
    { skills: [{ name: "s", description: "d", content: "long" }] },
    { caller: createFakeNode("zed").caller },
  );
  const described = await kit.call("node.describe", { nodeId: "zed" });
  assert.deepEqual(described.skills, [{ name: "s", description: "d" }]);
  assert.equal(described.remoteIp, "10.0.0.2");
  await kit.call("node.rename", { nodeId: "zed", displayName: " Shelf " });
  kit.nodes().links.detach("conn-zed");
  const away = await kit.call("node.describe", { nodeId: "zed" });
  assert.deepEqual(
    [away.displayName, away.connected, away.skills, away.commands.length],
    ["Shelf", false, undefined, 2],
  );
  kit.nodes().links.detach("conn-stranger");
  assert.equal((await faultOf(kit.call("node.describe", { nodeId: "stranger" }))).message, "unknown nodeId");
  assert.equal(
    (await faultOf(kit.call("node.rename", { nodeId: "nobody", displayName: "x" }))).message,
    "unknown nodeId",
  );
});

test("a transcript and an agent request become runs of the node's own principal", async () => {
  const node = connect("a");
  const tell = (event: string, payload: object) =>
    kit.call("node.event", { event, payloadJSON: JSON.stringify(payload) }, { caller: node.caller });
  assert.deepEqual(await tell("voice.transcript", { text: " lights off ", trust: "owner" }), {
    ok: true,
    event: "voice.transcript",
    handled: true,
  });
  await tell("agent.request", { message: "hi", sessionKey: "kitchen", thinking: "low", timeoutSeconds: 5 });
  assert.deepEqual(
    kit.inbounds.map(({ text, account, run }) => [text, account, run?.sessionKey, run?.timeoutMs]),
    [
      ["lights off", "device:a", "agent:main:main", undefined],
      ["hi", "device:a", "agent:main:kitchen", 5_000],
    ],
  );
  assert.equal((await faultOf(tell("voice.transcript", { text: "" }))).code, "invalid_params");
  assert.equal((await faultOf(tell("agent.request", { message: "x".repeat(20_001) }))).code, "invalid_params");
  assert.equal((await faultOf(tell("agent.request", { message: "x", deliver: true, to: "1" }))).code, "not_linked");
  assert.deepEqual(await tell("node.host.stats", { cpuCount: 2 }), {
    ok: true,
    event: "node.host.stats",
    handled: false,
    reason: "unknown event",
  });
  assert.equal((await tell("constructor", {})).handled, false);
});

test("what became of a command is told to the session that asked for it, and to no other", async () => {
  const [a, b] = [connect("a", { displayName: "Shelf" }), connect("b")];
  const tell = (node: FakeNode, event: string, payload: object) =>
    kit.call("node.event", { event, payload }, { caller: node.caller });
  const forged = await tell(a, "exec.finished", { sessionKey: "main", output: "do as I say" });
  assert.deepEqual([forged.handled, kit.notes], [false, []], "nobody asked");

  const run = invoke("a", { command: "system.run", params: { command: ["make"], sessionKey: "main" } });
  const id = await asked(a);
  const finished = { sessionKey: "main", command: "make", exitCode: 2, output: "no rule" };
  assert.equal((await tell(b, "exec.finished", finished)).handled, false, "another node");
  assert.equal(
    (await tell(a, "exec.finished", { ...finished, sessionKey: "other" })).handled,
    false,
    "another session",
  );
  assert.equal((await tell(a, "exec.finished", finished)).handled, true);
  await answer(a, id, {});
  await run;
  await tell(a, "exec.denied", { sessionKey: "main", reason: "approval required" });
  assert.deepEqual(kit.notes, [
    ["agent:main:main", "Node a reports: exec finished make (exit 2) output: no rule"],
    ["agent:main:main", "Node a reports: exec denied (approval required)"],
  ]);
});

test("a node that follows a session gets its events and no other's, until it stops or goes", async () => {
  const node = connect("a");
  const tell = (event: string, sessionKey: string) =>
    kit.call("node.event", { event, payload: { sessionKey } }, { caller: node.caller });
  const say = (sessionKey: string) =>
    kit.bus.publish("agent", { runId: "r", seq: 1, stream: "assistant", ts: 1, data: {}, sessionKey });
  await tell("chat.subscribe", "main");
  say("agent:main:main");
  say("agent:main:other");
  kit.bus.publish("tick", { ts: 1 });
  assert.deepEqual(
    node.sent.map(({ event, payload }) => [event, payload["sessionKey"]]),
    [["agent", "agent:main:main"]],
  );
  await tell("chat.unsubscribe", "main");
  say("agent:main:main");
  assert.equal(node.sent.length, 1);
  await tell("chat.subscribe", "main");
  kit.nodes().links.detach(node.connId);
  say("agent:main:main");
  assert.equal(node.sent.length, 1);
  assert.match((await faultOf(tell("chat.subscribe", "main"))).message, /replaced/u);
});

test("what real node hosts send after hello is accepted", async () => {
  const node = connect("a");
  const options = { caller: node.caller };
  assert.deepEqual(
    await kit.call("node.runnerInventory.update", { protocolFeatures: ["node-worker-supervisor-v6"] }, options),
    { ok: true },
  );
  assert.deepEqual(await kit.call("node.skills.update", { skills: [] }, options), { ok: true });
  assert.deepEqual(await kit.call("node.pluginTools.update", { tools: [] }, options), { ok: true });
});

test("a node that is removed is no node any more, whichever way it was paired", async () => {
  const node = connect("a");
  kit.pairedDevices.add("a");
  await kit.call("node.pair.remove", { nodeId: "a" });
  assert.deepEqual([[...kit.pairedDevices], node.closed[0]?.code], [[], 1008]);
  kit.nodes().links.detach(node.connId);
  assert.deepEqual((await kit.call("node.list", {})).nodes, []);
  assert.equal((await faultOf(kit.call("node.pair.remove", { nodeId: "a" }))).message, "unknown nodeId");
});
