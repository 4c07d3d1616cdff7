// Nodes of a real Gateway: our own node host as a process of its own, and hosts of the newer generation by hand.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";

import { eventTable } from "../../src/protocol/generated/methods.ts";
import { until } from "../kit/conversation.ts";
import { createTestDevice, type TestDevice } from "../kit/device.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { createNodeProcess, openProxy, type NodeProcess } from "../kit/node-process.ts";
import { openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";

const skip = process.platform === "win32";
const trusting = { defaults: { security: "full", ask: "off" } };
let gateway: GatewayProcess;
let owner: RawClient;
const processes: NodeProcess[] = [];
const clients: RawClient[] = [];

const openOwner = async () => {
  owner = await openRawClient(gateway.port, gateway.token);
  await owner.connect();
};
before(async () => {
  gateway = await startGatewayProcess();
  await openOwner();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const node of processes.splice(0)) await node.stop("SIGKILL");
});
after(async () => {
  owner?.close();
  await gateway?.dispose();
});

const startNode = async (name: string, approvals: object = trusting) => {
  const node = await createNodeProcess(gateway, { name, approvals });
  processes.push(node);
  await node.start();
  return node;
};

type NodeEntry = { nodeId: string; displayName?: string; connected: boolean; paired: boolean; commands: string[] };
const listNodes = async () => (await owner.request("node.list")).payload?.["nodes"] as NodeEntry[];
/** Undefined, whatever its type says, when there is none. */
const findNode = async (name: string) => (await listNodes()).find((node) => node.displayName === name)!;
const invoke = (nodeId: string, command: string, params: object, extra: object = {}) =>
  owner.request("node.invoke", { nodeId, command, params, idempotencyKey: randomUUID(), ...extra });
const payloadOf = (frame: Frame) => {
  assert.equal(frame.ok, true, JSON.stringify(frame.error));
  return frame.payload?.["payload"] as Record<string, unknown>;
};
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test(
  "two node hosts pair by themselves on this machine, and each does what it is asked (RB-69, OV-03)",
  { skip },
  async () => {
    const [shelf, attic] = [await startNode("shelf"), await startNode("attic")];
    const [a, b] = [await findNode("shelf"), await findNode("attic")];
    assert.notEqual(a.nodeId, b.nodeId);
    for (const node of [a, b])
      assert.deepEqual([node.paired, node.connected, node.commands.includes("system.run")], [true, true, true]);
    const which = payloadOf(await invoke(a.nodeId, "system.which", { bins: ["sh", "no-such-program-here"] }));
    assert.deepEqual(Object.keys(which["bins"] as object), ["sh"]);
    const ran = payloadOf(
      await invoke(b.nodeId, "system.run", { command: ["sh", "-c", "echo $HOME; env | wc -l; exit 4"] }),
    );
    assert.deepEqual([ran["exitCode"], ran["success"]], [4, false]);
    const [home = "", variables = ""] = String(ran["stdout"]).split("\n");
    assert.equal(home, attic.state);
    assert.ok(Number(variables) < 12, `${variables} variables`);
    assert.ok(!shelf.output().includes(gateway.token));
  },
);

test("the same key runs a command once, however many ask at once", { skip }, async () => {
  const node = await startNode("once");
  const { nodeId } = await findNode("once");
  const params = { command: ["sh", "-c", "echo ran >> ran; sleep 0.2; cat ran"], cwd: node.state };
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => invoke(nodeId, "system.run", params, { idempotencyKey: key })),
  );
  assert.equal(new Set(answers.map((frame) => JSON.stringify(payloadOf(frame)))).size, 1);
  assert.equal(await readFile(join(node.state, "ran"), "utf8"), "ran\n");
  const other = await invoke(nodeId, "system.run", { command: ["true"] }, { idempotencyKey: key });
  assert.equal(other.error?.details?.["reason"], "key_reused");
});

test("a command that takes too long is told as such, and stopped with its children", { skip }, async () => {
  const node = await startNode("slow");
  const { nodeId } = await findNode("slow");
  const params = { command: ["sh", "-c", "echo $$ > pid; sleep 600 & echo $! >> pid; wait"], cwd: node.state };
  const frame = await invoke(nodeId, "system.run", params, { timeoutMs: 400 });
  assert.equal(frame.error?.code, "UNAVAILABLE");
  const nodeError = { code: "TIMEOUT", message: "node invoke timed out" };
  assert.deepEqual(frame.error?.details?.["nodeError"], nodeError);
  const pids = (await readFile(join(node.state, "pid"), "utf8")).trim().split("\n").map(Number);
  assert.equal(pids.length, 2);
  for (const pid of pids) await until(() => !isAlive(pid));
});

test("a node host that is killed is missed at once; it comes back as itself without the secret", { skip }, async () => {
  const node = await startNode("mortal");
  const { nodeId } = await findNode("mortal");
  const pending = invoke(nodeId, "system.run", { command: ["sleep", "3"] });
  await until(() => node.output().includes("system.run"));
  const killedAt = performance.now();
  await node.stop("SIGKILL");
  const frame = await pending;
  assert.match(frame.error?.message ?? "", /node disconnected \(system\.run\)/u);
  assert.ok(performance.now() - killedAt < 2_000);
  assert.equal((await findNode("mortal")).connected, false);
  const away = await invoke(nodeId, "system.which", { bins: [] });
  assert.equal(away.error?.details?.["code"], "NOT_CONNECTED");
  // no secret: the token that it was given
  await node.start([]);
  assert.equal((await findNode("mortal")).nodeId, nodeId);
  payloadOf(await invoke(nodeId, "system.which", { bins: [] }));
  assert.equal(await node.stop("SIGTERM"), 0);
});

test("a node host outlives its Gateway's restart", { skip }, async () => {
  const node = await startNode("patient");
  const { nodeId } = await findNode("patient");
  await gateway.stop();
  await gateway.start();
  await openOwner();
  await until(async () => (await findNode("patient")).connected, 15_000);
  assert.ok(node.isRunning());
  payloadOf(await invoke(nodeId, "system.which", { bins: ["sh"] }));
});

test(
  "a Gateway that is killed while a node is at work has it done once, and says what it does not know",
  { skip },
  async () => {
    const node = await startNode("witness");
    const { nodeId } = await findNode("witness");
    const params = { command: ["sh", "-c", "sleep 0.3; echo ran >> ran"], cwd: node.state };
    const key = randomUUID();
    invoke(nodeId, "system.run", params, { idempotencyKey: key }).catch(() => undefined);
    await until(() => node.output().includes("system.run"));
    await gateway.stop("SIGKILL");
    await gateway.start();
    await openOwner();
    await until(async () => (await findNode("witness")).connected, 15_000);
    const ran = () => readFile(join(node.state, "ran"), "utf8").catch(() => "");
    await until(async () => (await ran()) !== "");
    const again = await invoke(nodeId, "system.run", params, { idempotencyKey: key });
    assert.match(again.error?.message ?? "", /may have been done/u);
    assert.equal(await ran(), "ran\n");
  },
);

test(
  "from afar a node host waits until somebody lets it in, and ends where it is not wanted any more",
  { skip },
  async () => {
    const proxy = await openProxy(gateway.port);
    try {
      const node = await createNodeProcess(gateway, { name: "far", port: proxy.port, approvals: trusting });
      processes.push(node);
      await node.start(["--token", gateway.token], "pairing required");
      const waiting = JSON.parse((await gateway.cli("nodes", "pending", "--json")).stdout) as {
        requestId: string;
        displayName: string;
      }[];
      assert.deepEqual(
        waiting.map(({ displayName }) => displayName),
        ["far"],
      );
      const approved = await gateway.cli("nodes", "approve", waiting[0]!.requestId.slice(0, 8));
      assert.deepEqual([approved.code, approved.stdout], [0, "Approved far.\n"]);
      await until(() => node.output().includes("connected to ws://"), 15_000);
      const { nodeId } = await findNode("far");
      payloadOf(await invoke(nodeId, "system.which", { bins: [] }));

      const revokedAt = performance.now();
      await owner.request("device.token.revoke", { deviceId: nodeId, role: "node" });
      await until(async () => (await findNode("far"))?.connected !== true);
      assert.ok(performance.now() - revokedAt < 1_000);
    } finally {
      await proxy.stop();
    }
  },
);

test("a node that is removed on the command line does not come back by itself", { skip }, async () => {
  const node = await startNode("leaving");
  await node.stop();
  await node.start([]);
  const removed = await gateway.cli("nodes", "remove", "--node", "leaving");
  assert.deepEqual([removed.code, removed.stdout], [0, "Removed leaving; it has to pair anew to come back.\n"]);
  await until(() => !node.isRunning());
  assert.match(node.output(), /unauthorized: device token mismatch/u);
  assert.equal(await findNode("leaving"), undefined);
});

test("a person's leave, asked for and given on the command line, lets one command through once", { skip }, async () => {
  await startNode("strict", { defaults: { security: "allowlist" } });
  const running = gateway.cli(
    "nodes",
    "run",
    "--node",
    "strict",
    "--env",
    "GREETING=hi",
    "--",
    "sh",
    "-c",
    "echo $GREETING; exit 3",
  );
  const asked = await owner.wait((frame) => frame.event === "exec.approval.requested");
  const request = asked.payload?.["request"] as { command: string; envKeys: string[] };
  assert.deepEqual([request.command, request.envKeys], ['sh -c "echo $GREETING; exit 3"', ["GREETING"]]);
  const decided = await gateway.cli("approvals", "decide", String(asked.payload?.["id"]).slice(0, 8), "allow-once");
  assert.equal(decided.code, 0, decided.stderr);
  const ran = await running;
  assert.deepEqual([ran.code, ran.stdout], [3, "hi\n"]);

  const { nodeId } = await findNode("strict");
  const params = { command: ["sh", "-c", "echo $GREETING; exit 3"], env: { GREETING: "hi" } };
  for (const claim of [{}, { approved: true, approvalDecision: "allow-always" }]) {
    const frame = await invoke(nodeId, "system.run", { ...params, ...claim });
    assert.match(frame.error?.message ?? "", /SYSTEM_RUN_DENIED: approval required/u);
  }
  const replay = await invoke(nodeId, "system.run", { ...params, approvalId: asked.payload?.["id"] });
  assert.match(replay.error?.message ?? "", /does not cover this command/u);

  const allowed = await gateway.cli("approvals", "allowlist", "add", "/**/uname", "--node", "strict");
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.equal((await gateway.cli("nodes", "run", "--node", "strict", "--", "uname")).code, 0);
});

async function joinByHand(device: TestDevice): Promise<{ client: RawClient; hello: Frame }> {
  const client = await openRawClient(gateway.port, gateway.token);
  clients.push(client);
  const challenge = await client.wait((frame) => frame.event === "connect.challenge");
  const { nonce, ts } = challenge.payload as { nonce: string; ts: number };
  // as the newer generation's node host writes it
  const params = {
    minProtocol: 4,
    maxProtocol: 4,
    client: {
      id: "node-host",
      displayName: "nodeA",
      version: "2026.9.6",
      platform: "linux",
      deviceFamily: "Linux",
      mode: "node",
      instanceId: randomUUID(),
    },
    caps: ["browser", "file", "system"],
    commands: ["browser.proxy", "system.run", "system.run.prepare", "system.which", "terminal.upload"],
    pathEnv: "/usr/bin",
    auth: { token: gateway.token },
    role: "node",
    scopes: [],
  };
  return { client, hello: await client.request("connect", device.sign(params, { nonce, ts })) };
}

test("a node host of the newer generation connects, says all it has to say, and stays", async () => {
  const device = createTestDevice();
  const { client, hello } = await joinByHand(device);
  assert.equal(hello.ok, true, JSON.stringify(hello.error));
  const said: readonly [string, object][] = [
    ["node.event", { event: "node.host.stats", payloadJSON: '{"cpuCount":2}' }],
    [
      "node.runnerInventory.update",
      { protocolFeatures: ["node-worker-supervisor-v6"], workerHost: { enabled: false } },
    ],
    ["node.skills.update", { skills: [] }],
    ["node.pluginTools.update", { tools: [] }],
  ];
  for (const [method, params] of said) assert.equal((await client.request(method, params)).ok, true, method);
  const node = (await owner.request("node.describe", { nodeId: device.id })).payload as unknown as NodeEntry;
  assert.deepEqual(node.commands, ["browser.proxy", "system.run", "system.which"]);
  const blocked = await invoke(device.id, "terminal.upload", {});
  assert.equal(blocked.error?.details?.["reason"], "command not allowlisted");
});

test("a node is a node: no method of operators, no guarded event, and no word for another node", async () => {
  const [a, b] = [createTestDevice(), createTestDevice()];
  const [{ client: first }, { client: second }] = [await joinByHand(a), await joinByHand(b)];
  for (const method of ["node.invoke", "node.list", "chat.send", "config.get", "exec.approval.resolve"]) {
    const refused = await first.request(method, { nodeId: b.id });
    assert.equal(refused.error?.message, "unauthorized role: node", method);
  }
  assert.equal(
    (await owner.request("node.invoke.result", { id: "x", nodeId: a.id, ok: true })).error?.message,
    "unauthorized role: operator",
  );

  const answer = invoke(a.id, "system.which", { bins: ["ls"] });
  const request = await first.wait((frame) => frame.event === "node.invoke.request");
  assert.equal(request.seq, undefined);
  const { id } = request.payload as { id: string };
  for (const nodeId of [a.id, b.id]) {
    const forged = await second.request("node.invoke.result", { id, nodeId, ok: true, payloadJSON: '"forged"' });
    assert.equal(forged.error?.message, "nodeId mismatch");
  }
  assert.ok(
    (await first.request("node.invoke.result", { id, nodeId: a.id, ok: true, payloadJSON: '{"bins":{}}', error: null }))
      .ok,
  );
  assert.deepEqual(payloadOf(await answer), { bins: {} });
  const late = await first.request("node.invoke.result", { id, nodeId: a.id, ok: true });
  assert.deepEqual(late.payload, { ok: true, ignored: true });

  await owner.request("node.pair.request", { nodeId: "legacy" });
  await owner.wait((frame) => frame.event === "node.pair.requested");
  await first.request("node.event", { event: "x" });
  const rows: Readonly<Record<string, { scope: string }>> = eventTable;
  const heard = new Set(first.frames.flatMap(({ event }) => (event === undefined ? [] : [event])));
  assert.ok(heard.has("node.invoke.request"));
  for (const event of heard) assert.match(rows[event]?.scope ?? "none", /^(?:any|direct)$/u, event);
});

test("a node that follows a session hears its chat; what it asks for runs there", async () => {
  const device = createTestDevice();
  const { client } = await joinByHand(device);
  const tell = (event: string, payload: object) =>
    client.request("node.event", { event, payloadJSON: JSON.stringify(payload) });
  assert.equal((await tell("chat.subscribe", { sessionKey: "kitchen" })).payload?.["handled"], true);
  assert.equal((await tell("voice.transcript", { text: "hello", sessionKey: "kitchen" })).payload?.["handled"], true);
  const final = await client.wait((frame) => frame.event === "chat" && frame.payload?.["state"] === "final");
  assert.deepEqual([final.payload?.["sessionKey"], final.seq], ["agent:main:kitchen", undefined]);
});
