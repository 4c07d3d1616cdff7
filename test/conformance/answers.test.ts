// A good answer of every method and every event of the contract, taken from a real Gateway with a channel, a device and a node,
// and checked against our schema and the published one.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import * as answers from "../../src/protocol/generated/answers.js";
import { eventTable, methodTable } from "../../src/protocol/generated/methods.ts";
import type { Validator } from "../../src/protocol/generated/requests.js";
import { checkWith } from "../../src/protocol/validate.ts";
import { createTestDevice } from "../kit/device.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";
import { judgeFrame } from "./published.ts";

let telegram: FakeTelegram;
let gateway: GatewayProcess;
let owner: RawClient;
let node: RawClient;
const methods = new Map<string, string>();
const device = createTestDevice();

const afar = { "x-forwarded-for": "203.0.113.7" };

async function enter(params: object, headers: Record<string, string> = {}) {
  const client = await openRawClient(gateway.port, gateway.token, headers);
  const { payload } = await client.wait(({ event }) => event === "connect.challenge");
  const signed = device.sign({ ...connectParams(gateway.token), ...params }, payload as { nonce: string; ts: number });
  return { client, hello: await client.request("connect", signed) };
}

before(async () => {
  telegram = await startFakeTelegram();
  gateway = await startGatewayProcess({
    config: { channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot, allowFrom: [1] } } },
  });
  owner = await openRawClient(gateway.port, gateway.token);
  await owner.connect();
});
after(async () => {
  owner?.close();
  node?.close();
  await gateway?.dispose();
  await telegram?.close();
});

/** @throws when the answer is an error: every method has to say yes once. */
async function ask(method: string, params: object = {}, client = owner): Promise<Record<string, unknown>> {
  const id = randomUUID();
  methods.set(id, method);
  const frame = await client.request(method, params, id);
  assert.equal(frame.ok, true, `${method}: ${JSON.stringify(frame.error)}`);
  return frame.payload ?? {};
}

async function playDevices(): Promise<void> {
  const { hello } = await enter({}, afar);
  await ask("device.pair.approve", { requestId: hello.error?.details?.["requestId"] });
  const approved = await enter({}, afar);
  assert.equal(approved.hello.ok, true);
  await ask("device.pair.list");
  await ask("device.pair.rename", { deviceId: device.id, displayName: "attic" });
  await ask("device.token.rotate", { deviceId: device.id, role: "operator" });
  await ask("device.token.revoke", { deviceId: device.id, role: "operator" });
  await ask("device.pair.remove", { deviceId: device.id });
  const again = await enter({}, afar);
  await ask("device.pair.reject", { requestId: again.hello.error?.details?.["requestId"] });
}

/** A node that does as it is asked. */
async function playNodes(): Promise<void> {
  const commands = ["system.run", "system.which", "system.execApprovals.get", "system.execApprovals.set"];
  const client = { id: "node-host", mode: "node", version: "1", platform: "linux" };
  ({ client: node } = await enter({ role: "node", scopes: [], client, commands, caps: ["system"] }));
  node.socket.on("message", (data) => {
    const frame = JSON.parse(data.toString()) as Frame;
    if (frame.event !== "node.invoke.request") return;
    const { id, nodeId, command } = frame.payload as { id: string; nodeId: string; command: string };
    const file = { path: "/x", exists: false, hash: "", file: { version: 1 } };
    const payload = command.includes("execApprovals") ? file : { bins: {} };
    void ask("node.invoke.progress", { invokeId: id, nodeId, seq: 0, chunk: "" }, node)
      .then(() => ask("node.invoke.result", { id, nodeId, ok: true, payload }, node))
      .catch(() => undefined);
  });
  await ask("node.event", { event: "chat.subscribe", payload: { sessionKey: "main" } }, node);
  await ask("node.skills.update", { skills: [] }, node);
  await ask("node.pluginTools.update", { tools: [] }, node);
  await ask("node.runnerInventory.update", {}, node);
  await ask("node.list");
  await ask("node.describe", { nodeId: device.id });
  const which = { nodeId: device.id, command: "system.which", params: { bins: ["sh"] } };
  await ask("node.invoke", { ...which, idempotencyKey: randomUUID() });
  await ask("exec.approvals.node.get", { nodeId: device.id });
  await ask("exec.approvals.node.set", { nodeId: device.id, file: { version: 1 } });

  const pair = async () => {
    const { request } = (await ask("node.pair.request", { nodeId: "kitchen" })) as { request: { requestId: string } };
    return request.requestId;
  };
  await ask("node.pair.reject", { requestId: await pair() });
  const approved = (await ask("node.pair.approve", { requestId: await pair() })) as { node: { token: string } };
  await ask("node.pair.list");
  await ask("node.pair.verify", { nodeId: "kitchen", token: approved.node.token });
  await ask("node.rename", { nodeId: "kitchen", displayName: "Kitchen" });
  await ask("node.pair.remove", { nodeId: "kitchen" });
}

async function playApprovals(): Promise<void> {
  const asked = ask("exec.approval.request", { id: "a1", command: "ls", timeoutMs: 10_000 });
  await owner.wait(({ event }) => event === "exec.approval.requested");
  await ask("exec.approval.list");
  await ask("exec.approval.get", { id: "a1" });
  await ask("exec.approval.resolve", { id: "a1", decision: "allow-once" });
  await asked;
  const { hash } = (await ask("exec.approvals.get")) as { hash?: string };
  await ask("exec.approvals.set", { file: { version: 1 }, ...(hash ? { baseHash: hash } : {}) });
}

async function playConversation(): Promise<void> {
  await ask("sessions.subscribe");
  await ask("sessions.messages.subscribe", { key: "main" });
  const runId = randomUUID();
  await ask("agent", { message: "hello", idempotencyKey: runId });
  await ask("agent.wait", { runId, timeoutMs: 20_000 });
  await ask("chat.send", { sessionKey: "main", message: "hello", idempotencyKey: "chat" });
  await ask("agent.wait", { runId: "chat", timeoutMs: 20_000 });
  await ask("chat.history", { sessionKey: "main" });
  await ask("chat.abort", { sessionKey: "main" });
  await ask("chat.inject", { sessionKey: "main", message: "a note" });
  await ask("send", { to: "1", message: "x", idempotencyKey: randomUUID() });
  await ask("message.action", { action: "send", params: { to: "1", message: "x" }, idempotencyKey: randomUUID() });
  await ask("sessions.patch", { key: "main", label: "Main", thinkingLevel: "low" });
  for (const method of ["sessions.list", "sessions.usage", "usage.cost", "agent.identity.get"]) await ask(method);
  for (const method of ["sessions.describe", "sessions.get"]) await ask(method, { key: "main" });
  await ask("sessions.preview", { keys: ["main"] });
  await ask("sessions.resolve", { label: "Main" });
  await ask("sessions.compact", { key: "main", maxLines: 1 });
  await ask("sessions.prune", { dryRun: true });
  await ask("sessions.reset", { key: "main" });
  await ask("agent", { message: "hi", sessionKey: "other", idempotencyKey: "other" });
  await ask("agent.wait", { runId: "other", timeoutMs: 20_000 });
  await ask("sessions.delete", { key: "other" });
  await ask("sessions.messages.unsubscribe", { key: "main" });
  await ask("sessions.unsubscribe");
}

async function playGateway(): Promise<void> {
  for (const method of ["health", "status", "logs.tail", "system-presence", "voicewake.get"]) await ask(method);
  for (const method of ["agents.list", "models.list", "tools.catalog", "commands.list", "channels.status"])
    await ask(method);
  await ask("system-event", { text: "the bell rang" });
  await ask("wake", { mode: "next-heartbeat", text: "the bell rang again" });
  await ask("voicewake.set", { triggers: ["house"] });
  await ask("talk.mode", { enabled: false });
  await ask("channels.stop", { channel: "telegram" });
  await ask("channels.start", { channel: "telegram" });
  await ask("agents.create", { name: "Home Office", emoji: "o" });
  await ask("agents.update", { agentId: "home-office", model: "offline/demo" });
  await ask("agents.delete", { agentId: "home-office" });
  await ask("config.schema");
  await ask("config.patch", { raw: "{}" });
  const hash = async () => ({ baseHash: (await ask("config.get"))["hash"] });
  const { raw } = (await ask("config.get")) as { raw: string };
  await ask("config.set", { raw: `${raw}\n// set`, ...(await hash()) });
  await ask("config.apply", { raw: `${raw}\n// applied`, ...(await hash()) });
  await ask("config.history");
  await ask("config.rollback", { dryRun: true });
  await ask("config.rollback", await hash());
  await ask("channels.logout", { channel: "telegram" });
}

const validators = answers as unknown as Readonly<Record<string, Validator | undefined>>;
const validatorOf = (name: string) => validators[`validate_${name.replaceAll(/[^a-zA-Z0-9]/gu, "_")}`];

function judgeOwn(frame: Frame): string[] {
  const isEvent = frame.type === "event";
  const method = methods.get(frame.id ?? "");
  if (!isEvent && method === undefined) return [];
  const isFirst = frame.payload?.["status"] === "accepted";
  const name = isEvent ? `payload ${frame.event}` : `${isFirst ? "accepted" : "result"} ${method}`;
  const validator = validatorOf(name);
  if (!validator) return [`${name}: no schema`];
  const issue = checkWith(validator, frame.payload);
  return issue ? [`${name}: ${issue.text}`] : [];
}

test("every method says yes once, every event is seen, and all of it is as the schemas say (RB-76, RB-92)", async () => {
  await playConversation();
  await playDevices();
  await playNodes();
  await playApprovals();
  await playGateway();
  // comes every thirty seconds
  await owner.wait(({ event }) => event === "tick", 35_000);
  const ended = gateway.stop("SIGTERM");
  await owner.wait(({ event }) => event === "shutdown");
  await ended;

  const answered = new Set(methods.values());
  assert.deepEqual(
    Object.keys(methodTable).filter((method) => !answered.has(method)),
    [],
  );
  const frames = [...owner.frames, ...node.frames];
  const seen = new Set(frames.map(({ event }) => event));
  assert.deepEqual(
    Object.keys(eventTable).filter((event) => !seen.has(event)),
    [],
  );
  const complaints = frames.flatMap((frame) => [...judgeFrame(frame, methods), ...judgeOwn(frame)]);
  assert.deepEqual([...new Set(complaints)], []);
});
