// `status`, `health`, `gateway probe` and what else looks at a Gateway: with one that runs, with none, and for programs.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createGatewayProcess, freePort, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

let telegram: FakeTelegram;
let gateway: GatewayProcess;
/** Never started. */
let down: GatewayProcess;
before(async () => {
  telegram = await startFakeTelegram();
  gateway = await startGatewayProcess({
    config: {
      gateway: { mode: "local", reload: { debounceMs: 0 } },
      channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot } },
    },
  });
  await gateway.cli("agent", "-m", "hello");
  down = await createGatewayProcess({ config: { channels: { telegram: { botToken: telegram.token } } } });
});
after(async () => {
  await gateway?.dispose();
  await down?.dispose();
  await telegram?.close();
});

/** What commands print, looked into freely: the contracts are held elsewhere. */
// oxlint-disable-next-line no-explicit-any -- see above
type Printed = Record<string, any>;

const json = async (of: GatewayProcess, ...args: string[]) => {
  const { code, stdout, stderr } = await of.cli(...args, "--json");
  assert.equal(stderr, "", args.join(" "));
  return { code, value: JSON.parse(stdout) as Printed };
};

test("status says for programs how the Gateway, its queue and its agents are (RB-64, OV-45)", async () => {
  const { code, value } = await json(gateway, "status");
  assert.equal(code, 0);
  assert.deepEqual(Object.keys(value["gateway"]).toSorted(), [
    "connectLatencyMs",
    "error",
    "misconfigured",
    "mode",
    "reachable",
    "self",
    "url",
    "urlSource",
    "version",
  ]);
  assert.deepEqual(value["queue"], { queued: 0, running: 0, outboxPending: 0 });
  assert.deepEqual(Object.keys(value["errors"]).toSorted(), ["dropped", "failedSends", "failedTurns", "unknownSends"]);
  assert.equal(value["linkChannel"].id, "telegram");
  assert.equal(value["agents"].defaultId, "main");
  assert.equal(value["agents"].totalSessions, 1);
  assert.equal(typeof value["os"].platform, "string");
});

test("status --deep asks platforms and services, --usage adds tokens", async () => {
  const { value } = await json(gateway, "status", "--deep", "--usage");
  assert.equal(value["health"].channels.telegram.accounts.default.probe.ok, true);
  assert.deepEqual(Object.keys(value["gatewayService"]), [
    "label",
    "name",
    "installed",
    "loadedText",
    "runtimeShort",
    "issues",
  ]);
  assert.ok(value["usage"].totals.totalTokens > 0);
  const { stdout } = await gateway.cli("status", "--deep");
  assert.match(stdout, /^Gateway: reachable/u);
  assert.match(
    stdout,
    /\nHealth\nGateway: ok \(\d+ ms\)\nTelegram default: connected, @the_bot, ok \(\d+ ms\), polled /u,
  );
  assert.match(stdout, /\nServices\n/u);
});

test("status --all is a diagnosis without secrets, also of a Gateway that is down", async () => {
  const { code, stdout } = await gateway.cli("status", "--all");
  assert.equal(code, 0);
  for (const words of [
    /^OpenClaw status \(secrets are masked\)\n/u,
    /\nGateway +reachable at ws:.* \(\d+ ms\), version /u,
    /\nSecret +token, from OPENCLAW_GATEWAY_TOKEN\n/u,
    /\nQueue +0 running, 0 waiting, 0 to send\n/u,
    /\nChannels\nTelegram: connected/u,
    /\nSessions\nKEY +ACTIVE +MODEL\nagent:main:main /u,
    /\nUsage of the last 30 days\n/u,
    /\nLast warnings and errors in the log\n/u,
  ])
    assert.match(stdout, words);

  await writeFile(join(down.folder, "state", "openclaw.json.bak"), "");
  const dead = await down.cli("status", "--all");
  assert.equal(dead.code, 0);
  assert.match(dead.stdout, /\nGateway +not reachable at .*ECONNREFUSED/u);
  assert.match(
    dead.stdout,
    /\nCHANNEL +ACCOUNT +ENABLED +STATE +DETAIL\ntelegram +default +on +configured +token from channels\.telegram\.botToken\n/u,
  );
  assert.match(dead.stdout, /\nnext: start it with openclaw gateway\n$/u);
  const { value } = await json(down, "status", "--all");
  assert.equal(value["gateway"].reachable, false);
  for (const text of [stdout, dead.stdout, JSON.stringify(value)]) {
    assert.doesNotMatch(text, new RegExp(gateway.token, "u"));
    assert.ok(!text.includes(telegram.token.split(":")[1] ?? "-"));
  }
});

test("a config with errors is part of the diagnosis, with its place", async () => {
  const path = join(down.folder, "state", "openclaw.json");
  const good = await readFile(path, "utf8");
  await writeFile(path, '{\n  gateway: { port: "many" }\n}');
  try {
    const { code, stdout } = await down.cli("status", "--all");
    assert.equal(code, 0);
    assert.match(stdout, /Config +\S+openclaw\.json \(has errors\)/u);
    assert.match(stdout, /\nConfig: .*openclaw\.json:2:\d+ gateway\.port: must be integer/u);
  } finally {
    await writeFile(path, good);
  }
});

test("health names the main channel, and shows every account when asked (RB-101, OV-42, R35)", async () => {
  const { value } = await json(gateway, "health");
  assert.equal(value["ok"], true);
  assert.deepEqual(value["linkChannel"], { id: "telegram", label: "Telegram", linked: true, authAgeMs: null });
  const { stdout } = await gateway.cli("health", "--verbose", "--probe");
  assert.match(
    stdout,
    /\nTelegram: connected, ok \(\d+ ms\)\n {2}default: connected, @the_bot, .*polled \d+s ago, received never, sent never\n/u,
  );
  assert.match(stdout, /\nMain channel: Telegram, linked\n/u);
  assert.match(stdout, /\nAnswered by version \S+ in \d+ ms\n$/u);
});

test("gateway probe asks each Gateway that could be meant, and ends with 1 when none answers", async () => {
  const { code, value } = await json(gateway, "gateway", "probe");
  assert.equal(code, 0);
  assert.deepEqual([value["ok"], value["primaryTargetId"], value["warnings"]], [true, "localLoopback", []]);
  const [target] = value["targets"] as Printed[];
  assert.deepEqual(Object.keys(target ?? {}), [
    "id",
    "kind",
    "url",
    "active",
    "tunnel",
    "connect",
    "self",
    "health",
    "summary",
    "presence",
    "config",
  ]);
  assert.equal(target?.["config"].gateway.mode, "local");
  assert.doesNotMatch(JSON.stringify(value), new RegExp(`${gateway.token}|AAAAAAA`, "u"));

  const named = await json(gateway, "gateway", "probe", "--url", `ws://127.0.0.1:${gateway.port}`);
  assert.deepEqual(
    (named.value["targets"] as { id: string; active: boolean }[]).map(({ id, active }) => [id, active]),
    [
      ["explicit", true],
      ["localLoopback", false],
    ],
  );
  assert.deepEqual(named.value["warnings"], [], "one Gateway by two addresses is one Gateway");

  const nobody = await down.cli("gateway", "probe");
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /^this machine \(active\): ws:\S+ not reachable: /u);
  assert.match(nobody.stderr, /next: start one with openclaw gateway\n$/u);
});

test("gateway probe warns when two different Gateways answer", async () => {
  const other = await createGatewayProcess();
  try {
    await other.start();
    const url = `ws://127.0.0.1:${other.port}`;
    const { value } = await json(gateway, "gateway", "probe", "--url", url, "--token", other.token);
    assert.deepEqual(
      (value["warnings"] as { code: string }[]).map(({ code }) => code),
      ["multiple_gateways"],
    );
  } finally {
    await other.dispose();
  }
});

test("sessions, for people and programs", async () => {
  const { value } = await json(gateway, "sessions", "--active", "60");
  assert.deepEqual([value["count"], value["activeMinutes"], value["sessions"][0].key], [1, 60, "agent:main:main"]);
  const { stdout } = await gateway.cli("sessions", "--verbose");
  assert.match(stdout, /^Sessions: 1 in .*\nKIND +KEY +ACTIVE +MODEL +TOKENS +LAST\ndirect +agent:main:main /u);
  assert.equal((await gateway.cli("sessions", "--active", "soon")).code, 2);
});

test("agents are listed, made and removed", async () => {
  const made = await json(gateway, "agents", "add", "Night Watch", "--workspace", join(gateway.folder, "night"));
  assert.equal(made.value["agentId"], "night-watch");
  const { stdout } = await gateway.cli("agents", "list");
  assert.match(stdout, /^AGENT +NAME +MODEL\nmain \(default\).*\nnight-watch +Night Watch/u);
  const twice = await gateway.cli("agents", "add", "Night Watch");
  assert.deepEqual([twice.code, twice.stdout], [1, ""]);
  assert.match(twice.stderr, /already exists/u);
  assert.equal((await gateway.cli("agents", "delete", "night-watch", "--yes")).code, 0);
  assert.match((await gateway.cli("agents", "delete", "night-watch", "--yes")).stderr, /^error: .*night-watch/u);
});

test("models: what there is, and --check for scripts", async () => {
  const { value } = await json(gateway, "models", "list");
  assert.ok(Array.isArray(value["models"]));
  const status = await gateway.cli("models", "status", "--check");
  assert.equal(status.code, 1);
  assert.match(status.stdout, /^Default: offline\/demo \(no model is set up: the offline demo answers\)\n/u);
  assert.equal((await gateway.cli("models", "status")).code, 0);
});

test("usage-cost gives the days that were asked for", async () => {
  const { value } = await json(gateway, "gateway", "usage-cost", "--days", "3");
  assert.equal(value["days"], 3);
  assert.equal((await gateway.cli("gateway", "usage-cost", "--days", "0")).code, 2);
});

test("none of them starts a Gateway where there is none (RB-142)", async () => {
  const port = await freePort();
  for (const args of [["sessions"], ["agents", "list"], ["models", "list"], ["gateway", "usage-cost"], ["health"]]) {
    const { code, stdout, stderr } = await down.cli(...args, "--url", `ws://127.0.0.1:${port}`);
    assert.deepEqual([code, stdout], [1, ""], args.join(" "));
    assert.match(stderr, /^error: no Gateway answers/u);
  }
});
