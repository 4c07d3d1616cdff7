// The published client as a node and as its operator: what they are sent and answered is what the published schema says.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { after, before, test } from "node:test";

import { GatewayClient } from "@openclaw/gateway-client";

import { judge } from "../conformance/published.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let gateway: GatewayProcess;
const clients: { stop(): void }[] = [];
before(async () => {
  gateway = await startGatewayProcess();
});
after(async () => {
  for (const client of clients) client.stop();
  await gateway?.dispose();
});

type Event = Parameters<NonNullable<ConstructorParameters<typeof GatewayClient>[0]["onEvent"]>>[0];

async function connect(options: ConstructorParameters<typeof GatewayClient>[0]) {
  const pair = generateKeyPairSync("ed25519");
  const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const deviceId = createHash("sha256").update(raw).digest("hex");
  const opened = Promise.withResolvers<void>();
  const client = new GatewayClient({
    url: `ws://127.0.0.1:${gateway.port}`,
    token: gateway.token,
    deviceIdentity: {
      deviceId,
      publicKeyPem: String(pair.publicKey.export({ format: "pem", type: "spki" })),
      privateKeyPem: String(pair.privateKey.export({ format: "pem", type: "pkcs8" })),
    },
    hostDeps: {
      signDevicePayload: (_pem, payload) => sign(null, Buffer.from(payload), pair.privateKey).toString("base64url"),
      publicKeyRawBase64UrlFromPem: () => raw.toString("base64url"),
    },
    onHelloOk: () => opened.resolve(),
    onConnectError: (error: Error) => opened.reject(error),
    ...options,
  });
  clients.push(client);
  client.start();
  await opened.promise;
  return { client, deviceId };
}

const isFine = (definition: string, value: unknown) => assert.equal(judge(definition, value), undefined);

test("the published client is a node that is invoked, and an operator that invokes it", async () => {
  const node = await connect({
    clientName: "node-host",
    mode: "node",
    role: "node",
    scopes: [],
    caps: ["system"],
    commands: ["system.which"],
    platform: "linux",
    async onEvent({ event, payload }: Event) {
      if (event !== "node.invoke.request") return;
      isFine("NodeInvokeRequestEvent", payload);
      const { id, nodeId, paramsJSON } = payload as { id: string; nodeId: string; paramsJSON: string };
      await node.client.request("node.invoke.result", { id, nodeId, ok: true, payloadJSON: paramsJSON });
    },
  });
  const scopes = ["operator.read", "operator.write"];
  const { client: operator } = await connect({ clientName: "gateway-client", mode: "backend", scopes });
  const params = { bins: ["ls"] };
  const answer = await operator.request<{ payload: unknown }>("node.invoke", {
    nodeId: node.deviceId,
    command: "system.which",
    params,
    idempotencyKey: randomUUID(),
  });
  assert.deepEqual(answer.payload, params);
  const event = await node.client.request("node.event", { event: "node.host.stats", payloadJSON: "{}" });
  isFine("NodeEventResult", event);
  const { nodes } = await operator.request<{ nodes: { nodeId: string; connected: boolean }[] }>("node.list", {});
  assert.deepEqual(
    nodes.map(({ nodeId, connected }) => [nodeId, connected]),
    [[node.deviceId, true]],
  );
});

test("the published client asks people, and a second one decides", async () => {
  const asked = Promise.withResolvers<{ id: string; request: { command: string } }>();
  const judgeClient = await connect({
    clientName: "gateway-client",
    mode: "backend",
    scopes: ["operator.approvals"],
    onEvent({ event, payload }: Event) {
      if (event === "exec.approval.requested") asked.resolve(payload as Awaited<typeof asked.promise>);
    },
  });
  const scopes = ["operator.approvals", "operator.admin"];
  const asker = await connect({ clientName: "gateway-client", mode: "backend", scopes });
  const question = {
    command: "ls",
    commandArgv: ["rm", "x"],
    host: "node",
    nodeId: null,
    cwd: null,
    timeoutMs: 10_000,
  };
  isFine("ExecApprovalRequestParams", question);
  const answer = asker.client.request<{ decision: string }>("exec.approval.request", question);
  const { id, request } = await asked.promise;
  assert.equal(request.command, "rm x");
  await judgeClient.client.request("exec.approval.resolve", { id, decision: "allow-once" });
  assert.equal((await answer).decision, "allow-once");
  isFine("ExecApprovalsSnapshot", await asker.client.request("exec.approvals.get", {}));
});
