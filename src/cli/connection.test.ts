import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { systemClock } from "../base/clock.ts";
import { createConfigHistory } from "../config/history.ts";
import { faultOf } from "../../test/kit/fault.ts";
import { createEnv } from "../platform/env.ts";
import { derivePaths } from "../platform/paths.ts";
import { challenge, hello, ok, openScriptedGateway, refused } from "../../test/kit/scripted-gateway.ts";
import { decideBindHost, decideLocalHost } from "./bind-host.ts";
import { findGateway, openClient, parseTimeout, readConfig, type GatewayTarget } from "./connection.ts";
import { createContext, type Context, type GlobalFlags } from "./context.ts";
import { openDevice } from "./device.ts";
import { describeInstance, openMachine as systemOf } from "./machine.ts";

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
  const history = createConfigHistory({ folder: paths.configHistory, clock: systemClock });
  if (lastGood !== undefined) await history.keep({ text: lastGood, parts: [] }, true);
  await write(paths.gatewayToken, kept);
  return { ...createContext(brand, "1.2.3", flags), env, paths };
}

async function find(machine: Machine): Promise<GatewayTarget> {
  const context = await openMachine(machine);
  return findGateway(context, (await readConfig(context)).config);
}

test("the port comes from the environment, then the config, then the default, which the dev profile has another of, and says so", async () => {
  const config = "{ gateway: { port: 20001 } }";
  const cases: [Machine, string, string][] = [
    [{}, "ws://127.0.0.1:18789", "port from default"],
    [{ config }, "ws://127.0.0.1:20001", "port from config"],
    [{ flags: { dev: true } }, "ws://127.0.0.1:19001", "port from default"],
    [{ config, flags: { dev: true } }, "ws://127.0.0.1:20001", "port from config"],
    [{ config, variables: { OPENCLAW_GATEWAY_PORT: "3" } }, "ws://127.0.0.1:3", "port from environment"],
    [{ config, variables: { CLAWDBOT_GATEWAY_PORT: "4" } }, "ws://127.0.0.1:4", "port from environment"],
  ];
  for (const [machine, url, source] of cases) {
    const target = await find(machine);
    assert.deepEqual([target.url, target.source], [url, source]);
  }
});

test("R40: a Gateway that runs on this state folder is found where it is; a variable, a remote and --url go before", async () => {
  const cases: [Machine, string, string][] = [
    [{}, "ws://127.0.0.1:20009", "port of the running Gateway"],
    [{ config: "{ gateway: { port: 20001 } }" }, "ws://127.0.0.1:20009", "port of the running Gateway"],
    [{ flags: { dev: true } }, "ws://127.0.0.1:20009", "port of the running Gateway"],
    [{ variables: { OPENCLAW_GATEWAY_PORT: "3" } }, "ws://127.0.0.1:3", "port from environment"],
    [{ flags: { url: "ws://127.0.0.1:9" } }, "ws://127.0.0.1:9", "--url"],
  ];
  for (const [machine, url, source] of cases) {
    const context = await openMachine(machine);
    const { config } = await readConfig(context);
    const running = describeInstance(context, config, 20_009);
    // the folder of another one is no reason to go there
    await systemOf(context).instances.register({ ...running, state: "/elsewhere", ports: { gateway: 20_010 } });
    await systemOf(context).instances.register(running);
    const target = await findGateway(context, config);
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
  const far = await faultOf(openClient(await openMachine({ kept: "k", flags: { url: "ws://10.9.8.7:1" } }), options));
  assert.match(far.next ?? "", /pass --token/u);
});

test("a Gateway that gave this device a token is connected to without any secret, another is not", async () => {
  const server = await openScriptedGateway(({ id, params }, peer) => {
    const { token } = params["auth"] as { token?: string };
    peer.send(ok(id, { ...hello, auth: { role: "operator", scopes: [], deviceToken: token ?? "" } }));
  });
  try {
    const flags = { url: server.url, token: "given" };
    const context = await openMachine({ flags });
    const options = { scopes: ["operator.read"], timeoutMs: 5_000 };
    (await openClient(context, options)).close();
    const file = await stat(context.paths.deviceIdentity);
    assert.equal(file.mode & 0o777, 0o600);

    const later = { ...context, flags: { url: server.url } };
    (
      await openClient({ ...later, flags: { url: server.url.replace("127.0.0.1", "localhost"), token: "x" } }, options)
    ).close();
    (await openClient(later, options)).close();
    const sent = server.requests.map(({ params }) => params as { auth: object; device: { id: string; nonce: string } });
    assert.deepEqual(
      sent.map(({ auth }) => auth),
      [{ token: "given" }, { token: "x" }, { token: "given" }],
    );
    assert.equal(new Set(sent.map(({ device }) => device.id)).size, 1);
    assert.ok(sent.every(({ device }) => device.nonce === challenge.payload.nonce));

    const elsewhere = await faultOf(openClient({ ...later, flags: { url: "ws://10.0.0.1:1" } }, options));
    assert.equal(elsewhere.code, "unauthorized");
  } finally {
    await server.stop();
  }
});

test("a device that waits for approval is told the command that approves it", async () => {
  const server = await openScriptedGateway(({ id }, peer) =>
    peer.send(refused(id, { code: "NOT_PAIRED", message: "pairing required", details: { requestId: "r-1" } })),
  );
  try {
    const context = await openMachine({ flags: { url: server.url, token: "x" } });
    const fault = await faultOf(openClient(context, { scopes: [], timeoutMs: 5_000 }));
    assert.equal(fault.code, "not_paired");
    assert.match(fault.next ?? "", /openclaw devices approve r-1$/u);
  } finally {
    await server.stop();
  }
});

test("a secret does not travel in the open, unless a name was allowed", async () => {
  const options = { scopes: [], timeoutMs: 50 };
  const plain = async (url: string, variables: Record<string, string> = {}) =>
    (await faultOf(openClient(await openMachine({ flags: { url, token: "x" }, variables }), options))).code;
  assert.equal(await plain("ws://198.51.100.7:1"), "usage");
  assert.equal(await plain("ws://gateway.invalid:1"), "usage");
  const allowed = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
  assert.match(await plain("ws://gateway.invalid:1", allowed), /unreachable|timeout/u);
  assert.equal(await plain("ws://198.51.100.7:1", allowed), "usage");
});

test("a broken device file is named with the next step; where none can be written the secret alone serves", async () => {
  const context = await openMachine({ flags: { url: "ws://127.0.0.1:9", token: "x" } });
  await mkdir(dirname(context.paths.deviceIdentity), { recursive: true });
  await writeFile(context.paths.deviceIdentity, "{");
  const fault = await faultOf(openClient(context, { scopes: [], timeoutMs: 500 }));
  assert.equal(fault.code, "storage");
  assert.match(fault.next ?? "", /move it away/u);

  const failing = (code: string) => ({
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
    create: () => Promise.reject(Object.assign(new Error(code), { code })),
  });
  assert.equal(await openDevice(context, failing("EROFS")), undefined);
  await assert.rejects(openDevice(context, failing("EIO")), /EIO/u);
});

test("what has an effect does not go where a config with errors points", async () => {
  const context = await openMachine({ config: "{ gateway: { port: 'x' } }", flags: { token: "x" } });
  const fault = await faultOf(openClient(context, { scopes: [], timeoutMs: 500, needsValidConfig: true }));
  assert.equal(fault.code, "config_invalid");
  assert.match(fault.message, /^Config invalid:\n {2}.*openclaw\.json:1:\d+/u);
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
