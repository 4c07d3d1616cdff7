// Everything that a Gateway sends in a session is checked against the published schema and against our own.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import * as answers from "../../src/protocol/generated/answers.js";
import type { Validator } from "../../src/protocol/generated/requests.js";
import type { MethodName } from "../../src/protocol/contract.ts";
import { checkWith, validateConnect } from "../../src/protocol/validate.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient, type Frame, type RawClient } from "../kit/raw-client.ts";
import { exceptions, judgeFrame } from "./published.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway.dispose());

const ownValidators = answers as unknown as Readonly<Record<string, Validator | undefined>>;
const ownValidator = (name: string) => ownValidators[`validate_${name.replaceAll(/[^a-zA-Z0-9]/gu, "_")}`];

/** Complaints of our own schema about a frame. */
function judgeOwn(frame: Frame, methods: ReadonlyMap<string, string>): string[] {
  if (frame.type === "event") {
    const validator = ownValidator(`payload ${frame.event}`);
    const issue = validator ? checkWith(validator, frame.payload) : { text: "an event without a contract" };
    return issue ? [`event ${frame.event}: ${issue.text}`] : [];
  }
  const method = methods.get(frame.id ?? "");
  if (!frame.ok || method === undefined || frame.payload?.["status"] === "accepted") return [];
  const validator = method === "connect" ? ownValidator("hello") : ownValidator(`result ${method}`);
  const issue = validator && checkWith(validator, frame.payload);
  return issue ? [`result of ${method}: ${issue.text}`] : [];
}

async function play(client: RawClient, methods: Map<string, string>): Promise<void> {
  const call = (method: string, params: unknown) => {
    const id = randomUUID();
    methods.set(id, method);
    return client.request(method, params, id);
  };
  const hash = async () => (await client.request("config.get")).payload?.["hash"];
  const runId = randomUUID();
  const requests: Record<MethodName, unknown> = {
    health: { probe: true },
    status: {},
    "logs.tail": { limit: 5 },
    "system-presence": {},
    "system-event": { text: "Node: desk (10.0.0.9) · app 1.2.3 · mode ui · reason launch", instanceId: "desk" },
    send: { to: "1", message: "x", idempotencyKey: randomUUID() },
    agent: { message: "hello", idempotencyKey: runId },
    "agent.wait": { runId, timeoutMs: 10_000 },
    "chat.send": { sessionKey: "main", message: "status", idempotencyKey: randomUUID() },
    "chat.history": { sessionKey: "main" },
    "chat.abort": { sessionKey: "main" },
    "node.list": {},
    "node.describe": { nodeId: "n" },
    "node.invoke": { nodeId: "n", command: "system.which", idempotencyKey: randomUUID() },
    "node.rename": { nodeId: "n", displayName: "x" },
    "node.pair.request": { nodeId: "n" },
    "node.pair.list": {},
    "node.pair.approve": { requestId: "none" },
    "node.pair.reject": { requestId: "none" },
    "node.pair.verify": { nodeId: "n", token: "none" },
    "node.pair.remove": { nodeId: "n" },
    "node.invoke.result": { id: "1", nodeId: "n", ok: true },
    "node.invoke.progress": { invokeId: "1", nodeId: "n", seq: 0, chunk: "" },
    "node.event": { event: "x" },
    "node.skills.update": { skills: [] },
    "node.pluginTools.update": { tools: [] },
    "node.runnerInventory.update": {},
    "agents.list": {},
    "agents.create": { name: "Helper" },
    "agents.update": { agentId: "helper", emoji: "x" },
    "agents.delete": { agentId: "helper" },
    "models.list": {},
    "tools.catalog": { agentId: "main" },
    "commands.list": { scope: "text", includeArgs: false },
    "channels.status": { probe: true, timeoutMs: 0 },
    "channels.start": { channel: "telegram" },
    "channels.stop": { channel: "telegram" },
    "channels.logout": { channel: "telegram" },
    "config.get": {},
    "config.schema": {},
    "config.history": {},
    "config.rollback": { dryRun: true },
    "config.set": { raw: '{ gateway: { mode: "local" } } // set', baseHash: await hash() },
    "config.patch": { raw: "{}" },
    "config.apply": { raw: "{ nothing: 1 }", baseHash: "0" },
    "message.action": { action: "send", params: { target: "1", message: "x" }, idempotencyKey: randomUUID() },
    "voicewake.get": {},
    "voicewake.set": { triggers: ["hey house"] },
    "talk.mode": { enabled: true },
    wake: { mode: "next-heartbeat", text: "the door bell rang" },
    "device.pair.list": {},
    "device.pair.approve": { requestId: "none" },
    "device.pair.reject": { requestId: "none" },
    "device.pair.remove": { deviceId: "none" },
    "device.pair.rename": { deviceId: "none", displayName: "x" },
    "device.token.rotate": { deviceId: "none", role: "operator" },
    "device.token.revoke": { deviceId: "none", role: "operator" },
    "exec.approval.request": { command: "true", timeoutMs: 1 },
    "exec.approval.resolve": { id: "none", decision: "deny" },
    "exec.approval.get": { id: "none" },
    "exec.approval.list": {},
    "exec.approvals.get": {},
    "exec.approvals.set": { file: { version: 1 } },
    "exec.approvals.node.get": { nodeId: "n" },
    "exec.approvals.node.set": { nodeId: "n", file: { version: 1 } },
    "chat.inject": { sessionKey: "main", message: "a note", label: "cron" },
    "agent.identity.get": { sessionKey: "main" },
    "sessions.prune": { dryRun: true, olderThanDays: 90 },
    "sessions.subscribe": {},
    "sessions.messages.subscribe": { key: "main" },
    "sessions.patch": { key: "other", label: "Other", thinkingLevel: "low", model: "offline/demo", execNode: "desk" },
    "sessions.list": { includeDerivedTitles: true, includeLastMessage: true, includeGlobal: true },
    "sessions.describe": { key: "other" },
    "sessions.preview": { keys: ["main", "other", "none"] },
    "sessions.resolve": { label: "Other" },
    "sessions.get": { key: "main" },
    "sessions.usage": {},
    "sessions.compact": { key: "main", maxLines: 1 },
    "sessions.reset": { key: "other" },
    "sessions.delete": { key: "other" },
    "usage.cost": { days: 30 },
    "sessions.unsubscribe": {},
    "sessions.messages.unsubscribe": { key: "main" },
  };
  for (const [method, params] of Object.entries(requests)) await call(method, params);
  await client.wait(
    (frame) =>
      frame.type === "event" &&
      frame.event === "chat" &&
      frame.payload?.["runId"] === runId &&
      frame.payload["state"] === "final",
  );
  await client.wait(
    (frame) => frame.id !== undefined && methods.get(frame.id) === "agent" && frame.payload?.["status"] === "ok",
  );
  await call("no.such.method", {});
  await call("chat.history", { sessionKey: 7 });
}

test("every frame of a session is one of the published protocol's and of our own (RB-59, RB-60, OV-34)", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  const methods = new Map<string, string>();
  const id = randomUUID();
  methods.set(id, "connect");
  await client.request("connect", connectParams(gateway.token), id);
  await play(client, methods);
  client.close();

  const complaints = client.frames.flatMap((frame) => [...judgeFrame(frame, methods), ...judgeOwn(frame, methods)]);
  assert.deepEqual([...new Set(complaints)], []);
  const names = new Set(client.frames.map((frame) => frame.event).filter(Boolean));
  for (const name of ["connect.challenge", "agent", "chat", "presence", "health", "sessions.changed"])
    assert.ok(names.has(name), `${name} was seen`);
});

test("each exception has a reason", () => {
  for (const { reason } of exceptions) assert.ok(reason.length > 20);
});

test("the runbook's own example frame is accepted as written and gets version 7 (RB-57, RB-84, RB-85, OV-32, OV-33)", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  client.send(
    JSON.stringify({
      type: "req",
      id: "1",
      method: "connect",
      params: {
        minProtocol: 7,
        maxProtocol: 7,
        client: { id: "cli-abc123", version: "1.0.0", platform: "darwin", mode: "operator" },
        auth: { token: gateway.token },
      },
    }),
  );
  const hello = await client.wait((frame) => frame.type === "res" && frame.id === "1");
  assert.equal(hello.ok, true, JSON.stringify(hello));
  assert.equal(hello.payload?.["protocol"], 7);
  const snapshot = hello.payload?.["snapshot"] as Record<string, unknown>;
  for (const key of ["presence", "health", "stateVersion", "uptimeMs", "policy"])
    assert.ok(snapshot[key] !== undefined, key);
  assert.equal((await client.request("status")).ok, true);
  client.close();
});

test("every version from 3 to 7 gets the highest that both know (OV-32)", async () => {
  for (const [min, max, expected] of [
    [3, 3, 3],
    [3, 4, 4],
    [4, 4, 4],
    [1, 99, 7],
    [5, 6, 6],
  ] as const) {
    const client = await openRawClient(gateway.port, gateway.token);
    const hello = await client.connect({ minProtocol: min, maxProtocol: max });
    assert.equal(hello.payload?.["protocol"], expected);
    client.close();
  }
  const client = await openRawClient(gateway.port, gateway.token);
  const refused = await client.connect({ minProtocol: 8, maxProtocol: 9 });
  assert.equal(refused.error?.details?.["code"], "PROTOCOL_MISMATCH");
  assert.equal((await client.closed).code, 1002);
});

test("connect frames recorded from real clients are valid (RB-57)", () => {
  const device = { id: "ab", publicKey: "cd", signature: "ef", signedAt: 1, nonce: "n" };
  const cli = {
    id: "cli",
    version: "2026.9.6",
    platform: "linux",
    deviceFamily: "Linux",
    mode: "cli",
    instanceId: "5a06859b",
  };
  const recorded = [
    {
      minProtocol: 4,
      maxProtocol: 4,
      client: cli,
      caps: [],
      auth: { token: "X" },
      role: "operator",
      scopes: ["operator.read"],
    },
    {
      minProtocol: 3,
      maxProtocol: 4,
      client: { ...cli, version: "dev", mode: "probe" },
      caps: [],
      auth: { token: "X" },
      role: "operator",
      scopes: ["operator.read"],
    },
    {
      minProtocol: 4,
      maxProtocol: 4,
      client: { ...cli, id: "openclaw-tui", mode: "ui" },
      caps: ["tool-events"],
      auth: { token: "X" },
      role: "operator",
      scopes: [],
      device,
    },
    {
      minProtocol: 3,
      maxProtocol: 3,
      client: { ...cli, id: "node-host", mode: "node" },
      caps: ["system"],
      commands: ["system.run"],
      pathEnv: "/bin",
      auth: { deviceToken: "d" },
      role: "node",
      scopes: [],
      device,
    },
    {
      minProtocol: 4,
      maxProtocol: 4,
      client: { ...cli, buildId: "x", timeZone: "UTC" },
      auth: { token: "X", password: "X" },
      locale: "en",
      userAgent: "u",
      computerUse: {},
    },
  ];
  for (const params of recorded) assert.equal(validateConnect(params)?.text, undefined);
});
