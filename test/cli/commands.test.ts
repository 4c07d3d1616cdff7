// The command line against a running Gateway with the offline model, each command as its own process.

import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway?.dispose());

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await gateway.cli(...args, "--json");
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const value = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(stdout, `${JSON.stringify(value, undefined, 2)}\n`, "two spaces, and nothing beside it");
  return value;
}

test("health tells people and programs the same (RB-63, RB-137)", async () => {
  const health = await json("health");
  assert.equal(health["ok"], true);
  const { code, stdout, stderr } = await gateway.cli("health");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Gateway: ok\n/u);
  assert.deepEqual(Object.keys(await json("gateway", "health")).toSorted(), Object.keys(health).toSorted());
});

test("status and gateway status find it, and say where and with which secret (RB-107, RB-137, VG-10)", async () => {
  const status = await json("status");
  assert.equal((status["gateway"] as { reachable: boolean }).reachable, true);
  assert.ok("queue" in status);

  const report = (await json("gateway", "status")) as unknown as {
    rpc: { ok: boolean };
    gateway: { port: number; portSource: string; authSource: string };
    config: { cli: { valid: boolean; exists: boolean } };
  };
  assert.equal(report.rpc.ok, true);
  assert.equal(report.gateway.port, gateway.port);
  assert.equal(report.gateway.portSource, "environment");
  assert.equal(report.gateway.authSource, "OPENCLAW_GATEWAY_TOKEN");
  assert.deepEqual(report.config.cli, { ...report.config.cli, valid: true, exists: true });
  assert.doesNotMatch(JSON.stringify([status, report]), new RegExp(gateway.token, "u"));
});

test("agent prints the reply, and with --json the whole answer (RB-139)", async () => {
  const { code, stdout, stderr } = await gateway.cli("agent", "--message", "hello");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.notEqual(stdout.trim(), "");
  const answer = await json("agent", "-m", "hello again", "--session-key", "main");
  assert.equal(answer["status"], "ok");
});

test("gateway call takes any method, and waits for a final answer when asked (RB-140)", async () => {
  const params = JSON.stringify({ message: "hi", idempotencyKey: "call-1" });
  const first = await json("gateway", "call", "agent", "--params", params);
  assert.equal(first["status"], "accepted");
  const final = await json("gateway", "call", "agent", "--expect-final", "--params", params.replace("-1", "-2"));
  assert.equal(final["status"], "ok");
});

test("mistakes end with one line, a next step and the right exit code, and leave stdout empty", async () => {
  const cases: [string[], number, RegExp][] = [
    [["gateway", "call", "no.such", "--json"], 1, /^error: unknown method: no\.such\n/u],
    [["gateway", "call", "health", "--params", "{"], 2, /^error: --params is not JSON.*\nnext: write it as/u],
    [["agent"], 2, /^error: .*\nnext: openclaw agent --message/u],
    [["agent", "-m", "x", "--timeout", "soon"], 2, /^error: --timeout: not a number of seconds: soon\n/u],
    [["health", "--timeout", "0"], 2, /^error: --timeout: not a time in ms: 0\n/u],
    [["message", "send", "--message", "x"], 2, /^error: which chat\?\nnext: pass --target/u],
    [["message", "send", "-t", "1", "-m", "x", "--channel", "fax"], 1, /^error: .*fax/u],
    [["pairing", "approve", "telegram", "NOTACODE"], 1, /^error: no pending telegram request has the code NOTACODE\n/u],
    [["--profile", "a/b", "health"], 2, /^error: Invalid --profile \(use letters, numbers, "_", "-" only\)\n$/u],
  ];
  for (const [args, expected, words] of cases) {
    const { code, stdout, stderr } = await gateway.cli(...args);
    assert.equal(code, expected, args.join(" "));
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, words);
  }
});

test("a wrong token is named with the place it came from (OV-49)", async () => {
  const { code, stderr } = await gateway.cli("health", "--token", "wrong");
  assert.equal(code, 1);
  assert.match(stderr, /^error: unauthorized: .*the token used is that of --token\nnext: make it the one/u);
  assert.doesNotMatch(stderr, new RegExp(gateway.token, "u"));
});

test("--url with the token of the environment reaches it, before and after the command (OV-49)", async () => {
  const url = `ws://127.0.0.1:${gateway.port}`;
  for (const args of [
    ["--url", url, "status"],
    ["status", "--url", url],
  ]) {
    const { code, stdout } = await gateway.cli(...args);
    assert.equal(code, 0);
    assert.match(stdout, /^Gateway: reachable/u);
  }
});

test("every command is one and the same device, whose key is its owner's alone", async () => {
  const path = join(gateway.folder, "state", "identity", "device.json");
  await gateway.cli("health");
  const first = await readFile(path, "utf8");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await gateway.cli("status");
  assert.equal(await readFile(path, "utf8"), first);
});

test("system presence names the Gateway and this command (RB-65)", async () => {
  const entries = (await json("system", "presence")) as unknown as { mode?: string }[];
  assert.ok(entries.some(({ mode }) => mode === "gateway"));
  const { code, stdout } = await gateway.cli("system", "presence");
  assert.equal(code, 0);
  assert.match(stdout, /^HOST +MODE +VERSION +REASON +SEEN\n.*gateway/u);
});

test("a dry run sends nothing and needs no channel", async () => {
  const shown = await json("message", "send", "-t", "1", "-m", "hi", "--dry-run");
  assert.deepEqual(shown, { action: "send", dryRun: true, handledBy: "dry-run", payload: { to: "1", message: "hi" } });
});

test("nobody waiting for approval is an empty list", async () => {
  assert.deepEqual(await json("pairing", "list", "Telegram"), { channel: "telegram", requests: [] });
});

test("logs come as lines for people and as one object a line for programs (RB-109, VG-13)", async () => {
  const { code, stdout } = await gateway.cli("logs", "--limit", "5");
  assert.equal(code, 0);
  assert.ok(stdout.trim().split("\n").length <= 5);
  assert.match(stdout, /^\d{4}-\d\d-\d\dT\S+ \w+ \S+ .+$/mu);

  const lines = (await gateway.cli("logs", "--json", "--limit", "5")).stdout.trim().split("\n");
  const [meta, ...records] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(Object.keys(meta ?? {}), ["type", "file", "cursor", "size"]);
  for (const record of records) {
    assert.equal(record["type"], "log");
    assert.equal(typeof record["message"], "string");
  }
});
