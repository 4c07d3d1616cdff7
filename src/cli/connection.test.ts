import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { createEnv } from "../platform/env.ts";
import { derivePaths } from "../platform/paths.ts";
import { decideBindHost, decideLocalHost } from "./bind-host.ts";
import { findGateway, openClient, parseTimeout, readConfig, type GatewayTarget } from "./connection.ts";
import { createContext, type Context, type GlobalFlags } from "./context.ts";

const brand = brandOf("openclaw");
const homes: string[] = [];
afterEach(async () => {
  for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
});

interface Machine {
  readonly flags?: GlobalFlags;
  readonly variables?: Record<string, string>;
  /** The config file's text. */
  readonly config?: string;
  readonly lastGood?: string;
  /** What the first run left in the token file. */
  readonly kept?: string;
}

/** A context on a home of its own. */
async function openMachine({ flags = {}, variables = {}, config, lastGood, kept }: Machine): Promise<Context> {
  const home = await mkdtemp(join(tmpdir(), "cli-"));
  homes.push(home);
  const env = createEnv(brand, variables);
  const profile = flags.dev ? "dev" : flags.profile;
  const paths = derivePaths({ brand, env, profile, home, temporary: home, exists: () => false });
  const write = async (path: string, text: string | undefined) => {
    if (text === undefined) return;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await write(paths.config, config);
  await write(paths.lastGoodConfig, lastGood);
  await write(paths.gatewayToken, kept);
  return { ...createContext(brand, "1.2.3", flags), env, paths };
}

async function find(machine: Machine): Promise<GatewayTarget> {
  const context = await openMachine(machine);
  return findGateway(context, (await readConfig(context)).config);
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => assert.fail("it should have failed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}

test("the port comes from the environment, then the dev profile, then the config, then the default, and says so", async () => {
  const config = "{ gateway: { port: 20001 } }";
  const cases: [Machine, string, string][] = [
    [{}, "ws://127.0.0.1:18789", "port from default"],
    [{ config }, "ws://127.0.0.1:20001", "port from config"],
    [{ config, flags: { dev: true } }, "ws://127.0.0.1:19001", "port from environment"],
    [{ config, variables: { OPENCLAW_GATEWAY_PORT: "3" } }, "ws://127.0.0.1:3", "port from environment"],
    [{ config, variables: { CLAWDBOT_GATEWAY_PORT: "4" } }, "ws://127.0.0.1:4", "port from environment"],
  ];
  for (const [machine, url, source] of cases) {
    const target = await find(machine);
    assert.deepEqual([target.url, target.source], [url, source]);
  }
});

test("--url goes before the remote of the config, and that before this machine", async () => {
  const config = '{ gateway: { mode: "remote", remote: { url: "wss://far.example", token: "far" } } }';
  const remote = await find({ config });
  assert.deepEqual(
    [remote.url, remote.source, remote.secret?.value],
    ["wss://far.example", "gateway.remote.url", "far"],
  );
  const given = await find({ config, flags: { url: "ws://127.0.0.1:9" } });
  assert.deepEqual([given.url, given.source], ["ws://127.0.0.1:9", "--url"]);
});

test("a secret that is kept here reaches no Gateway elsewhere", async () => {
  const url = "ws://198.51.100.7:18789";
  const keepers: Machine[] = [
    { kept: "secret\n" },
    { variables: { OPENCLAW_GATEWAY_TOKEN: "secret" } },
    { config: '{ gateway: { auth: { token: "secret" } } }' },
    { config: '{ gateway: { mode: "remote", remote: { url: "wss://far.example", token: "secret" } } }' },
  ];
  for (const machine of keepers) assert.equal((await find({ ...machine, flags: { url } })).secret, undefined);
  const lookalike = await find({ kept: "secret\n", flags: { url: "ws://127.0.0.1.evil.example:1" } });
  assert.equal(lookalike.secret, undefined);

  const given = await find({ kept: "secret\n", flags: { url, token: "given" } });
  assert.equal(given.secret?.value, "given");
});

test("with --url to this machine the secret of the environment or the token file serves", async () => {
  for (const url of ["ws://127.0.0.1:18789", "ws://localhost:1", "ws://[::1]:1"]) {
    const fromEnv = await find({ variables: { CLAWDBOT_GATEWAY_TOKEN: "abc" }, flags: { url } });
    assert.deepEqual([fromEnv.secret?.value, fromEnv.secret?.source], ["abc", "CLAWDBOT_GATEWAY_TOKEN"]);
    assert.equal((await find({ kept: "kept\n", flags: { url } })).secret?.value, "kept");
  }
});

test("the same URL as the config's remote may have the remote's token", async () => {
  const config = '{ gateway: { mode: "remote", remote: { url: "wss://far.example", token: "far" } } }';
  assert.equal((await find({ config, flags: { url: "wss://far.example" } })).secret?.value, "far");
});

test("a config with errors is told, and what was last good serves, as it does in the Gateway", async () => {
  const context = await openMachine({ config: "{ gateway: { port: 'x' } }", lastGood: "{ gateway: { port: 20002 } }" });
  const { config, snapshot, fault } = await readConfig(context);
  assert.equal(config.gateway.port, 20_002);
  assert.equal(snapshot, undefined);
  assert.match(fault?.message ?? "", /openclaw\.json:1:\d+/u);

  const without = await readConfig(await openMachine({ config: "{" }));
  assert.equal(without.config.gateway.port, undefined);
  assert.equal(without.fault?.code, "config_invalid");
});

test("without any secret nothing is opened, and the next step fits how the Gateway was chosen", async () => {
  const options = { scopes: [], timeoutMs: 1_000 };
  const local = await faultOf(openClient(await openMachine({ flags: { profile: "x" } }), options));
  assert.equal(local.code, "unauthorized");
  assert.match(local.next ?? "", /openclaw --profile x gateway/u);
  const far = await faultOf(
    openClient(await openMachine({ kept: "k", flags: { url: "ws://198.51.100.7:1" } }), options),
  );
  assert.match(far.next ?? "", /pass --token/u);
});

test("a URL of another kind is a mistake in usage", async () => {
  for (const url of ["http://127.0.0.1:1", "127.0.0.1:1", ""]) {
    const context = await openMachine({ flags: { url, token: "x" } });
    const fault = await faultOf(openClient(context, { scopes: [], timeoutMs: 1_000 }));
    assert.equal(fault.code, "usage", url);
  }
});

test("a time limit is a whole number of ms above 0", () => {
  assert.equal(parseTimeout(undefined, 7), 7);
  assert.equal(parseTimeout("250", 7), 250);
  for (const text of ["", "0", "-1", "1.5", "10s", "NaN", "Infinity"])
    assert.throws(() => parseTimeout(text, 7), { code: "usage" }, text);
});

test("a client looks where the Gateway listens", () => {
  const settings = (bind?: string, customBindHost?: string) =>
    ({ bind, customBindHost }) as unknown as Parameters<typeof decideLocalHost>[0];
  assert.equal(decideLocalHost(settings()), "127.0.0.1");
  assert.equal(decideLocalHost(settings("lan")), "127.0.0.1");
  assert.equal(decideLocalHost(settings("custom", "127.0.0.9")), "127.0.0.9");
  assert.equal(decideLocalHost(settings("custom", "0.0.0.0")), "127.0.0.1");
  assert.equal(decideLocalHost(settings("custom", "not an address")), "127.0.0.1");
});

test("a bind that cannot be had is an error, never a wider one", () => {
  const decide = (flag: string | undefined, bind?: string, customBindHost?: string) =>
    decideBindHost({ flag, settings: { bind, customBindHost } as unknown as Parameters<typeof decideLocalHost>[0] });
  assert.equal(decide(undefined), "127.0.0.1");
  assert.equal(decide(undefined, "lan"), "0.0.0.0");
  assert.equal(decide("loopback", "lan"), "127.0.0.1");
  assert.equal(decide("custom", undefined, "127.0.0.9"), "127.0.0.9");
  assert.throws(() => decide("custom"), { code: "usage", field: "gateway.customBindHost" });
  assert.throws(() => decide("custom", undefined, "::"), { code: "usage" });
  assert.throws(() => decide("0.0.0.0"), { code: "usage", field: "--bind" });
});
