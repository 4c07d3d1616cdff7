import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createFakeNode } from "../../test/kit/node-link.ts";
import { openNodesKit, operator, type NodesKit } from "../../test/kit/nodes.ts";

let kit: NodesKit;
beforeEach(async () => {
  kit = await openNodesKit();
});
afterEach(() => kit.stop());

const argv = ["rm", "-rf", "/tmp/x y"];
const asked = async (count = 1) => {
  const requests = () => kit.events.filter(({ name }) => name === "exec.approval.requested");
  while (requests().length < count) await new Promise((resolve) => setImmediate(resolve));
  return requests().at(-1)?.payload as { id: string; request: Record<string, unknown> };
};
const ask = (extra: object = {}, options: Parameters<NodesKit["call"]>[2] = {}) =>
  kit.call("exec.approval.request", { commandArgv: argv, nodeId: "n", ...extra }, options);
const resolve = (id: string, decision: string) => kit.call("exec.approval.resolve", { id, decision });

test("a question waits for a person, and everybody who may decide hears of it", async () => {
  const answer = ask({ command: "ls", cwd: "/tmp", env: { SECRET: "hunter2" }, host: "node", sessionKey: null });
  const { id, request } = await asked();
  assert.equal(request["command"], 'rm -rf "/tmp/x y"', "what runs is shown, not what its caller calls it");
  assert.deepEqual([request["envKeys"], request["cwd"]], [["SECRET"], "/tmp"]);
  assert.ok(!JSON.stringify(kit.events).includes("hunter2"));
  assert.equal((await kit.call("exec.approval.get", { id })).status, "pending");
  assert.deepEqual(
    (await kit.call("exec.approval.list", {})).map((open) => open.id),
    [id],
  );

  await resolve(id, "allow-once");
  assert.equal((await answer).decision, "allow-once");
  assert.deepEqual(kit.events.at(-1)?.payload, { id, decision: "allow-once", resolvedBy: "cli", ts: kit.clock.now() });
  const state = await kit.call("exec.approval.get", { id });
  assert.deepEqual([state.status, state.decision, state.resolvedBy], ["resolved", "allow-once", "cli"]);
  assert.deepEqual(await kit.call("exec.approval.list", {}), []);
  await assert.rejects(resolve(id, "deny"), /unknown or expired approval id/u);
});

test("nobody in time is null, and a decision after that is refused", async () => {
  const answer = ask({ timeoutMs: 500 });
  const { id } = await asked();
  await kit.clock.advance(500);
  assert.equal((await answer).decision, null);
  await assert.rejects(resolve(id, "allow-once"), /unknown or expired approval id/u);
  assert.equal((await kit.call("exec.approval.get", { id })).status, "expired");
});

test("newer clients hear at once that people are being asked", async () => {
  const first: unknown[] = [];
  const answer = ask({ id: "mine", twoPhase: true }, { accept: (payload) => first.push(payload) });
  await asked();
  await resolve("mine", "deny");
  assert.deepEqual((await answer).decision, "deny");
  const now = kit.clock.now();
  assert.deepEqual(first, [{ status: "accepted", id: "mine", createdAtMs: now, expiresAtMs: now + 120_000 }]);
});

test("an id that is in use is refused; who lost its connection joins its own question again", async () => {
  const gone = new AbortController();
  const lost = ask({ id: "mine" }, { signal: gone.signal });
  await asked();
  await assert.rejects(ask({ id: "mine" }), /approval id already pending/u);
  gone.abort();
  assert.equal((await lost).decision, null);
  await assert.rejects(ask({ id: "mine", cwd: "/" }), /approval id already pending/u, "another command");
  const stranger = { caller: { ...operator, principal: "device:other" } };
  await assert.rejects(ask({ id: "mine" }, stranger), /approval id already pending/u);
  await kit.reopen();
  const again = ask({ id: "mine" });
  await resolve("mine", "allow-always");
  assert.equal((await again).decision, "allow-always");
  assert.equal(kit.events.filter(({ name }) => name === "exec.approval.requested").length, 1, "people are asked once");
});

test("a decision that is none is refused, and so is a question about nothing", async () => {
  await assert.rejects(resolve("x", "maybe"), /invalid decision/u);
  await assert.rejects(resolve("x", "deny"), /unknown or expired approval id/u);
  await assert.rejects(kit.call("exec.approval.request", {}), /what should be approved/u);
});

const decided = async (decision: string, extra: object = {}) => {
  const answer = ask(extra);
  const { id } = await asked(kit.events.filter(({ name }) => name === "exec.approval.requested").length + 1);
  await resolve(id, decision);
  await answer;
  return id;
};
const runs = { count: 0 };
const run = (params: object, caller = operator) => {
  runs.count += 1;
  const request = { nodeId: "n", command: "system.run", params, idempotencyKey: `run-${runs.count}` };
  return kit.call("node.invoke", request, { caller });
};
const received = async (node: ReturnType<typeof createFakeNode>) => {
  while (node.sent.length === 0) await new Promise((resolved) => setImmediate(resolved));
  const { payload } = node.sent.splice(0)[0]!;
  await kit.call("node.invoke.result", { id: String(payload["id"]), nodeId: "n", ok: true }, { caller: node.caller });
  return JSON.parse(String(payload["paramsJSON"])) as Record<string, unknown>;
};

test("only the Gateway says that a person approved: a caller's claim is taken out", async () => {
  const node = createFakeNode("n");
  kit.nodes().links.attach(node);
  const plain = run({ command: argv, approved: true, approvalDecision: "allow-always" });
  assert.deepEqual(await received(node), { command: argv });
  await plain;
  const approvalId = await decided("allow-once", { cwd: "/tmp", env: { A: "1" } });
  const approved = run({ command: argv, cwd: "/tmp", env: { A: "1" }, approvalId });
  assert.deepEqual(await received(node), {
    command: argv,
    cwd: "/tmp",
    env: { A: "1" },
    approved: true,
    approvalDecision: "allow-once",
  });
  await approved;
});

test("an approval holds once, for the very command, folder, environment, node and asker", async () => {
  const node = createFakeNode("n");
  const other = createFakeNode("other");
  kit.nodes().links.attach(node);
  kit.nodes().links.attach(other);
  const refused = /does not cover this command/u;
  const approvalId = await decided("allow-once");
  await assert.rejects(run({ command: [...argv, "/"], approvalId }), refused);
  await assert.rejects(run({ command: argv.join(" "), approvalId }), refused);
  await assert.rejects(run({ command: argv, cwd: "/", approvalId }), refused);
  await assert.rejects(run({ command: argv, env: { PATH: "/evil" }, approvalId }), refused);
  await assert.rejects(run({ command: argv, approvalId }, { ...operator, principal: "device:other" }), refused);
  const elsewhere = {
    nodeId: "other",
    command: "system.run",
    params: { command: argv, approvalId },
    idempotencyKey: "e",
  };
  await assert.rejects(kit.call("node.invoke", elsewhere), refused);
  const good = run({ command: argv, approvalId });
  await received(node);
  await good;
  await assert.rejects(run({ command: argv, approvalId }), refused, "a second time");
  await assert.rejects(run({ command: argv, approvalId: await decided("deny") }), refused);
  const old = await decided("allow-once");
  await kit.clock.advance(10 * 60 * 1000 + 1);
  await assert.rejects(run({ command: argv, approvalId: old }), refused, "too late");
  assert.deepEqual([node.sent, other.sent], [[], []], "nothing that was refused reached a node");
});

test("the file of allowed commands is replaced only by who has read it, and its secrets stay here", async () => {
  const folder = join(kit.folder, "state");
  const first = await kit.call("exec.approvals.get", {});
  assert.deepEqual([first.exists, first.file], [false, { version: 1 }]);
  const made = await kit.call("exec.approvals.set", { file: { version: 1, defaults: { security: "allowlist" } } });
  assert.equal(made.exists, true);
  assert.equal((await stat(made.path)).mode & 0o777, 0o600);

  await writeFile(made.path, JSON.stringify({ version: 1, socket: { path: "/s", token: "hunter2" } }));
  const { hash, file } = await kit.call("exec.approvals.get", {});
  assert.deepEqual(file, { version: 1, socket: { path: "/s" } });
  const next = { version: 1 as const, agents: { main: { ask: "always", unknownKey: 7 } } };
  const set = (baseHash?: string) => kit.call("exec.approvals.set", { file: next, ...(baseHash ? { baseHash } : {}) });
  await assert.rejects(set(), /base hash required/u);
  await assert.rejects(set(made.hash), /changed since last load/u);
  const results = await Promise.allSettled([set(hash), set(hash)]);
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"], "two at once: one wins");
  const text = await readFile(made.path, "utf8");
  assert.deepEqual(JSON.parse(text), { ...next, socket: { path: "/s", token: "hunter2" } });

  await mkdir(folder, { recursive: true });
  await writeFile(made.path, "{ not json");
  await assert.rejects(kit.call("exec.approvals.get", {}), /mend it by hand|version must be 1/u);
});

test("a node's file is read and replaced through the node", async () => {
  const node = createFakeNode("n", "c", { commands: ["system.execApprovals.get", "system.execApprovals.set"] });
  kit.nodes().links.attach(node);
  const get = kit.call("exec.approvals.node.get", { nodeId: "n" });
  assert.deepEqual(await received(node), {});
  assert.equal(await get, null);
  const set = kit.call("exec.approvals.node.set", { nodeId: "n", file: { version: 1 }, baseHash: "h" });
  assert.deepEqual(await received(node), { file: { version: 1 }, baseHash: "h" });
  await set;
  for (const command of ["system.execApprovals.get", " system.execApprovals.set "]) {
    const request = { nodeId: "n", command, params: { file: { version: 1 as const } }, idempotencyKey: command };
    await assert.rejects(kit.call("node.invoke", request), /does not change exec approvals/u);
  }
  assert.deepEqual(node.sent, []);
});
