// POST /tools/invoke of a real Gateway.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway?.dispose());

async function invoke(body: unknown, headers: Record<string, string> = {}) {
  const response = await gateway.post("/tools/invoke", body, headers);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("RB-16: a tool is called and its result comes back; a dry run does nothing (OV-27)", async () => {
  const { status, body } = await invoke({ tool: "session_status", sessionKey: "main" });
  assert.equal(status, 200);
  assert.equal(body["ok"], true);
  const { content } = body["result"] as { content: { type: string; text: string }[] };
  assert.ok(content[0]?.type === "text" && content[0].text !== "");
  const dry = await invoke({ tool: "session_status", dryRun: true, sessionKey: "notes" });
  assert.deepEqual(dry.body["result"], {
    dryRun: true,
    tool: "session_status",
    sessionKey: "agent:main:notes",
    args: {},
  });
});

test("what is wrong has its type, and a tool that is not there looks like one that is closed", async () => {
  const typeOf = async (body: unknown, headers: Record<string, string> = {}) => {
    const answer = await invoke(body, headers);
    assert.equal(answer.body["ok"], false);
    return [answer.status, (answer.body["error"] as { type: string }).type];
  };
  assert.deepEqual(await typeOf({}), [400, "invalid_params"]);
  assert.deepEqual(await typeOf([]), [400, "invalid_params"]);
  assert.deepEqual(await typeOf({ tool: "session_status", args: [] }), [400, "invalid_params"]);
  assert.deepEqual(await typeOf({ tool: "session_status", args: { surprise: 1 } }), [400, "invalid_params"]);
  assert.deepEqual(await typeOf({ tool: "message", args: {} }), [400, "invalid_params"]);
  for (const tool of ["nothing", "exec", "gateway", "nodes", "cron", "constructor"])
    assert.deepEqual(await typeOf({ tool, args: {} }), [404, "not_found"], tool);
  assert.deepEqual(await typeOf({ tool: "session_status" }, { authorization: "Bearer wrong" }), [401, "unauthorized"]);
});
