// What the runbook says of the process itself: how it starts, where it listens, what it prints, how it is found and how it ends.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

const run = promisify(execFile);
const made: GatewayProcess[] = [];
after(() => Promise.all(made.map((it) => it.dispose())));

async function create(options: Parameters<typeof createGatewayProcess>[0] = {}): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess(options);
  made.push(gateway);
  return gateway;
}

const hasPgrep = await run("pgrep", ["-V"]).then(
  () => true,
  () => false,
);

test("gateway alone is gateway run: it serves until it is told to stop, and ends with 0 (RB-02, RB-03, OV-07, VG-02)", async () => {
  for (const [args, signal] of [
    [[], "SIGTERM"],
    [["run"], "SIGINT"],
  ] as const) {
    const gateway = await create({ args: [...args] });
    await gateway.start();
    assert.equal((await gateway.cli("health")).code, 0);
    assert.equal(await gateway.stop(signal), 0);
  }
});

test("a fault that it cannot live with ends it each time with a number above 0 and one line that says what to do (RB-03, RB-96)", async () => {
  const gateway = await create();
  await gateway.start();
  const faults: [string[], RegExp][] = [
    [["gateway", "--port", String(gateway.port)], /another Gateway runs on this state folder/u],
    [["gateway", "--bind", "nowhere"], /--bind/u],
  ];
  for (const [args, why] of faults) {
    for (let time = 0; time < 2; time += 1) {
      const { code, stderr } = await gateway.cli(...args);
      assert.ok(code !== null && code > 0, `${args.join(" ")}: ${code}`);
      assert.match(stderr, why);
      assert.match(stderr, /^next: /mu);
    }
  }
  const unset = await create({ config: { gateway: {} } });
  for (let time = 0; time < 2; time += 1) {
    const { code, stderr } = await unset.cli("gateway");
    assert.equal(code, 1);
    assert.match(stderr, /^error: Gateway start blocked: .*\nnext: .*gateway\.mode/mu);
  }
});

test("--port says where, and a number that is no port is refused (RB-04, OV-08, OV-31)", async () => {
  const port = await freePort();
  const gateway = await create({ args: ["--port", String(port)] });
  await gateway.start();
  assert.match(gateway.output(), new RegExp(`listening on ws://127\\.0\\.0\\.1:${port} `, "u"));
  const { code, stderr } = await gateway.cli("gateway", "--port", "many");
  assert.equal(code, 2);
  assert.match(stderr, /^error: Invalid port: many\n/u);
});

test("it listens on this machine alone, and its port is 18789 when nobody says otherwise (RB-12, OV-07, OV-46, VG-05)", async () => {
  const gateway = await create();
  await gateway.start();
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  if (outside) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect(gateway.port, outside.address);
      socket.once("connect", () => resolve("connected"));
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? ""));
    });
    assert.equal(outcome, "ECONNREFUSED");
  }
  const plain = await create({ env: { OPENCLAW_GATEWAY_PORT: "" } });
  const { stdout } = await plain.cli("gateway", "status", "--no-probe", "--json");
  assert.partialDeepStrictEqual(JSON.parse(stdout), {
    gateway: { port: 18_789, portSource: "default", probeUrl: "ws://127.0.0.1:18789", bindMode: "loopback" },
  });
});

test("what happens goes to its output and to the dated file, under the name that it was called by (RB-19, OV-48, VG-06)", async () => {
  const gateway = await create();
  await gateway.start();
  assert.match(gateway.output(), /listening on ws:/u);
  const [name = ""] = await readdir(join(gateway.folder, "log"));
  assert.match(name, /^openclaw-\d{4}-\d\d-\d\d\.log$/u);
  assert.match(await readFile(join(gateway.folder, "log", name), "utf8"), /listening on ws:/u);

  // where one manual looks for it
  const linked = join(gateway.folder, "state", "logs", "gateway.log");
  assert.match(await readFile(linked, "utf8"), /listening on ws:/u);

  const moltbot = join(import.meta.dirname, "..", "..", "bin", "moltbot.mjs");
  const env = { PATH: process.env["PATH"], HOME: gateway.folder, NO_COLOR: "1" };
  const { stdout } = await run(process.execPath, [moltbot, "gateway", "status", "--no-probe", "--json"], { env });
  const { logFile, config, stateDir } = JSON.parse(stdout) as Record<string, unknown>;
  if (process.platform !== "win32") assert.match(String(logFile), /^\/tmp\/moltbot\/moltbot-\d{4}-\d\d-\d\d\.log$/u);
  assert.equal(stateDir, join(gateway.folder, ".clawdbot"));
  assert.partialDeepStrictEqual(config, { cli: { path: join(gateway.folder, ".clawdbot", "moltbot.json") } });
});

test(
  'pgrep -f "openclaw gateway" finds it, and SIGUSR1 starts it anew as the same process (OV-38, RB-23, RB-77)',
  { skip: hasPgrep ? false : "no pgrep on this machine" },
  async () => {
    const gateway = await create({
      config: { gateway: { mode: "local" }, commands: { restart: true } },
      args: ["--token", "canary-in-ps"],
    });
    await gateway.start();
    const found = (await run("pgrep", ["-af", "openclaw gateway"])).stdout.split("\n");
    const line = found.find((it) => it.startsWith(`${gateway.pid()} `)) ?? "";
    assert.equal(line, `${gateway.pid()} openclaw gateway :${gateway.port}`);

    const client = await openRawClient(gateway.port, "canary-in-ps");
    await client.connect();
    // narrowed to this one: others may run on this machine
    await run("/bin/sh", ["-c", `kill -USR1 $(pgrep -f "openclaw gateway :${gateway.port}$")`]);
    const told = await client.wait(({ event }) => event === "shutdown");
    assert.ok(Number(told.payload?.["restartExpectedMs"]) > 0);
    assert.equal((await client.closed).code, 1012);
    await until(() => gateway.output().split("listening on ws:").length === 3);
    const again = await openRawClient(gateway.port, "canary-in-ps");
    assert.equal((await again.connect()).ok, true);
    again.close();
  },
);

test("the overview's call of the gateway tool, as it is written, restarts it: shutdown first, back within seconds (OV-39, OV-40)", async () => {
  const gateway = await create({
    config: { gateway: { mode: "local", tools: { allow: ["gateway"] } }, commands: { restart: true } },
  });
  await gateway.start();
  const client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
  const pid = gateway.pid();
  const askedAt = performance.now();
  const answer = await gateway.post("/tools/invoke", { tool: "gateway", action: "restart", delayMs: 2000 });
  assert.equal(answer.status, 200, await answer.text());
  const told = await client.wait(({ event }) => event === "shutdown");
  assert.ok(performance.now() - askedAt > 1_900, "it waits as long as it was asked to");
  assert.ok(Number(told.payload?.["restartExpectedMs"]) > 0);
  await until(() => gateway.output().split("listening on ws:").length === 3);
  assert.ok(performance.now() - askedAt < 10_000);
  assert.equal(gateway.pid(), pid);
  const again = await openRawClient(gateway.port, gateway.token);
  assert.equal((await again.connect()).ok, true);
  again.close();
});

test("what asks a Gateway never starts one: nobody there is told, and nothing is left behind (RB-134, RB-142)", async () => {
  const nobody = `ws://127.0.0.1:${await freePort()}`;
  const machine = await create();
  const before = (await readdir(machine.folder, { recursive: true })).toSorted();
  for (const args of [
    ["health"],
    ["gateway", "health"],
    ["gateway", "call", "health"],
    ["message", "send", "--target", "1", "--message", "hi"],
    ["agent", "--message", "hi", "--to", "1"],
    ["system", "presence"],
  ]) {
    const begun = performance.now();
    const { code, stdout, stderr } = await machine.cli(...args, "--url", nobody);
    assert.deepEqual([code, stdout], [1, ""], args.join(" "));
    assert.match(stderr, /^error: no Gateway answers on ws:/u);
    assert.ok(performance.now() - begun < 5_000, "it fails at once");
  }
  const left = (await readdir(machine.folder, { recursive: true })).filter((it) => !before.includes(it));
  assert.ok(!left.some((it) => /sqlite|lock|log/u.test(it)), left.join(", "));
});

async function until(isSo: () => boolean, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !isSo(); await new Promise((resolve) => setTimeout(resolve, 20)))
    assert.ok(Date.now() < end, "it did not come to that in time");
}
