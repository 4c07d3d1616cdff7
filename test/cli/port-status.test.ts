// `gateway status` about ports: a stranger on the port, nobody, two at once, and the service's port beside the command's own.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { afterEach, test } from "node:test";

import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { holdPort, type HeldPort } from "../kit/listeners.ts";

const skip = process.platform === "win32" ? "who listens is not told there" : false;
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const isLinux = process.platform === "linux";
const machines: GatewayProcess[] = [];
const held: HeldPort[] = [];
afterEach(async () => {
  await Promise.all(held.splice(0).map((it) => it.stop()));
  await Promise.all(machines.splice(0).map((it) => it.dispose()));
});

async function machine(options: Parameters<typeof createGatewayProcess>[0] = {}): Promise<GatewayProcess> {
  const made = await createGatewayProcess(options);
  machines.push(made);
  return made;
}

async function hold(options: Parameters<typeof holdPort>[0]): Promise<HeldPort> {
  const made = await holdPort(options);
  held.push(made);
  return made;
}

async function status(gateway: GatewayProcess): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await gateway.cli("gateway", "status", "--json", "--timeout", "1500");
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("OV-48: a stranger on the port is named with process and user, and what to type about it", { skip }, async () => {
  const gateway = await machine();
  const stranger = await hold({ port: gateway.port });
  const report = await status(gateway);
  assert.partialDeepStrictEqual(report, {
    rpc: { ok: false },
    port: {
      port: gateway.port,
      status: "busy",
      listeners: [{ pid: stranger.pid, address: `127.0.0.1:${gateway.port}`, kind: "foreign" }],
      hints: [
        "a program that is no Gateway has this port: stop it, unless you need it",
        "openclaw gateway --force ends whoever listens there, and starts",
        "openclaw gateway --port <port> takes another port",
      ],
    },
  });
  const { stdout } = await gateway.cli("gateway", "status", "--no-probe");
  assert.match(stdout, new RegExp(`^Listening: 127\\.0\\.0\\.1:${gateway.port}$`, "mu"));
  assert.match(stdout, new RegExp(`^ {2}no Gateway: .*node.* \\(pid ${stranger.pid}, user \\S+\\)$`, "mu"));
  assert.match(stdout, /^ {2}openclaw gateway --force ends whoever listens there, and starts$/mu);
});

test("a port that nobody listens on is told as free", { skip }, async () => {
  const gateway = await machine();
  assert.partialDeepStrictEqual(await status(gateway), { port: { status: "free", listeners: [], hints: [] } });
  assert.match(
    (await gateway.cli("gateway", "status")).stdout,
    new RegExp(`^Listening: nothing on port ${gateway.port}$`, "mu"),
  );
});

test(
  "two processes on one port are told: which of them answers depends on the address",
  { skip: isLinux ? false : "addresses of Linux" },
  async () => {
    const gateway = await machine();
    await gateway.start();
    await hold({ host: "127.0.0.2", port: gateway.port });
    const report = (await status(gateway)) as { port: { hints: string[]; listeners: { kind: string }[] } };
    assert.ok(report.port.hints.some((hint) => /several processes listen on this port/u.test(hint)));
    assert.deepEqual(new Set(report.port.listeners.map(({ kind }) => kind)), new Set(["gateway", "foreign"]));
  },
);

test(
  "R14: a stranger on the IPv6 address of the port is named",
  { skip: hasIpv6 ? false : "no IPv6 here" },
  async () => {
    const gateway = await machine();
    const stranger = await hold({ host: "::1", port: gateway.port });
    await gateway.start();
    const told = `node.* \\(pid ${stranger.pid}, user \\S+\\) listens on \\[::1\\]:${gateway.port}: who says localhost`;
    assert.match(gateway.output(), new RegExp(told, "u"));
    assert.equal((await gateway.cli("health")).code, 0);
  },
);

test(
  "a running Gateway that listens elsewhere than where it is looked for is found by its state folder",
  { skip },
  async () => {
    const gateway = await machine({ env: { OPENCLAW_GATEWAY_PORT: "" }, args: ["--port", "0"] });
    await gateway.start();
    const port = Number(/listening on ws:\/\/127\.0\.0\.1:(\d+)/u.exec(gateway.output())?.[1]);
    assert.partialDeepStrictEqual(await status(gateway), {
      rpc: { ok: true },
      gateway: { port, portSource: "running" },
    });
    assert.equal((await gateway.cli("health")).code, 0);

    // a variable is somebody's word, and counts: what it hides is told
    const elsewhere = await hold({});
    gateway.env["OPENCLAW_GATEWAY_PORT"] = String(elsewhere.port);
    await elsewhere.stop();
    const report = (await status(gateway)) as { port: { hints: string[] } };
    assert.match(
      report.port.hints[0] ?? "",
      new RegExp(`listens on port ${port} \\(pid ${gateway.pid()}\\), not on ${elsewhere.port}`, "u"),
    );
  },
);

test("R40: another port while it runs, and a restart in its process, are told to the others", { skip }, async () => {
  const gateway = await machine({
    config: { gateway: { mode: "local" }, commands: { restart: true } },
    env: { OPENCLAW_GATEWAY_PORT: "" },
    args: [],
  });
  const first = await hold({});
  await first.stop();
  assert.equal((await gateway.cli("config", "set", "gateway.port", String(first.port))).code, 0);
  await gateway.start();
  const next = await hold({});
  await next.stop();
  assert.equal((await gateway.cli("config", "set", "gateway.port", String(next.port))).code, 0);
  await until(async () => ((await status(gateway)) as { gateway: { port: number } }).gateway.port === next.port);
  assert.partialDeepStrictEqual(await status(gateway), { rpc: { ok: true }, gateway: { portSource: "running" } });

  process.kill(gateway.pid(), "SIGUSR1");
  await until(async () => gateway.output().split("listening on ws://").length > 3);
  assert.partialDeepStrictEqual(await status(gateway), {
    rpc: { ok: true },
    gateway: { port: next.port, portSource: "running" },
  });
});

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isDone()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it did not come");
}
