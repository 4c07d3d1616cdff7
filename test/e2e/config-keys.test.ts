// Every key of the config, edited by hand under a real Gateway, one at a time, to one value, to another and back: what is disturbed is
// what the key declares, and no more.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { listChanges } from "../../src/config/merge.ts";
import type { Config } from "../../src/settings/config.ts";
import { configOf, listConfigKeyEdits, patched, type ConfigKeyEdits } from "../kit/config-edits.ts";
import { until } from "../kit/conversation.ts";
import { freePort, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

/** Keys that no edit of theirs alone can show. */
const leftOut: Readonly<Record<string, string>> = {
  $include: "no value of its own: what a file brings in counts as if it stood there (reload.test.ts)",
};

/** Keys of the listener that change nothing of where it is: the Gateway serves no TLS of its own. */
const unmoved = ["enabled", "autoGenerate", "certPath", "keyPath", "caPath"].map((name) => `gateway.tls.${name}`);

const place = await mkdtemp(join(tmpdir(), "config-keys-"));
const ports = await Promise.all(Array.from({ length: 7 }, freePort));
const [first = 0, portA, portB, canvasA, canvasB, browserA, browserB] = ports;

/** Where the schema alone does not know what works on this machine, or may be tried on it. */
const values: Readonly<Record<string, readonly [unknown, unknown]>> = {
  "gateway.mode": ["remote", "local"],
  "gateway.port": [portA, portB],
  "gateway.bind": ["custom", "loopback"],
  "gateway.customBindHost": ["127.0.0.2", "127.0.0.3"],
  "gateway.reload.mode": ["hot", "hybrid"],
  "gateway.auth.mode": ["password", "token"],
  "canvasHost.port": [canvasA, canvasB],
  "browser.controlPort": [browserA, browserB],
  "discovery.mdns.mode": ["off", "minimal"],
  // still loud enough to be read here
  "logging.consoleLevel": ["debug", "trace"],
  "logging.file": [join(place, "one.log"), join(place, "two.log")],
};
/** What has to stand beside a key for it to mean anything. */
const beside: Readonly<Record<string, object>> = {
  "gateway.bind": { gateway: { customBindHost: "127.0.0.4" } },
  "gateway.customBindHost": { gateway: { bind: "custom", customBindHost: "127.0.0.4" } },
  "gateway.auth.mode": { gateway: { auth: { token: "token-of-the-file", password: "password-of-the-file" } } },
};

const all = listConfigKeyEdits(values);
const edits = all.filter(({ key }) => !(key in leftOut));

let gateway: GatewayProcess;
let telegram: FakeTelegram;
let client: RawClient;
let base: object;
let document: object;
let config: Config;

before(async () => {
  telegram = await startFakeTelegram();
  base = {
    gateway: { mode: "local", port: first, reload: { debounceMs: 0 } },
    channels: { telegram: { apiRoot: telegram.apiRoot, botToken: telegram.token }, whatsapp: {} },
    session: { sendPolicy: {} },
  };
  document = base;
  config = configOf(base);
  // no program of this machine is to be found: one of them could open it to a network
  gateway = await startGatewayProcess({ config: base, env: { OPENCLAW_GATEWAY_PORT: "", PATH: place } });
  client = await connect();
  await until(() => logins() === 1, 10_000);
});
after(async () => {
  client?.close();
  await gateway?.dispose();
  await telegram?.close();
  await rm(place, { recursive: true, force: true });
});

const logins = () => telegram.calls.filter(({ method }) => method === "getMe").length;

/** Where the Gateway is by its config, and which secret lets in. */
function door({ gateway: { port = 0, bind, customBindHost, auth } }: Config) {
  const host = bind === "custom" ? customBindHost : "127.0.0.1";
  const isPassword = auth.mode === "password" || (auth.mode === undefined && auth.password !== undefined);
  return {
    url: `ws://${host}:${port}/`,
    auth: isPassword ? { password: auth.password } : { token: auth.token ?? gateway.token },
  };
}

async function connect(): Promise<RawClient> {
  const { url, auth } = door(config);
  const made = await openRawClient(url, gateway.token);
  const hello = await made.connect({ auth });
  assert.equal(hello.ok, true, JSON.stringify(hello));
  return made;
}

async function appears(text: RegExp, from: number): Promise<string> {
  const giveUpAt = Date.now() + 10_000;
  for (;;) {
    const found = text.exec(gateway.output().slice(from))?.[0];
    if (found !== undefined) return found;
    assert.ok(Date.now() < giveUpAt, `${String(text)} in ${gateway.output().slice(from)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

interface Saved {
  /** What the log says of the change; undefined when the config is what it was. */
  readonly line: string | undefined;
  readonly keys: readonly string[];
  readonly isSecretNew: boolean;
  /** What had been printed before. */
  readonly seen: number;
}

async function save(next: object): Promise<Saved> {
  const [was, seen] = [config, gateway.output().length];
  config = configOf(next);
  document = next;
  const keys = listChanges(was, config).map((path) => path.join("."));
  const isSecretNew = !isDeepStrictEqual(door(was).auth, door(config).auth);
  await writeFile(join(gateway.folder, "state", "openclaw.json"), JSON.stringify(document));
  const line = new RegExp(
    `the config has changed(?:, the Gateway starts anew)?: ${escaped(keys.join(", "))}(?![\\w.]).*`,
    "u",
  );
  return { line: keys.length > 0 ? await appears(line, seen) : undefined, keys, isSecretNew, seen };
}

const escaped = (text: string) => text.replaceAll(/[$.*[\]]/gu, String.raw`\$&`);

type Expect = (saved: Saved, edit: ConfigKeyEdits) => Promise<void>;

/** Each value, and back; both are not what it was, or the key was not edited. */
async function editEach(effects: readonly string[], expect: Expect): Promise<void> {
  const pid = gateway.pid();
  for (const edit of edits.filter(({ effect }) => effects.includes(effect))) {
    const around = patched(base, beside[edit.key] ?? {});
    if (edit.key in beside) {
      await save(around);
      await comeBack();
    }
    let changes = 0;
    for (const next of [...edit.patches.map((patch) => patched(around, patch)), around]) {
      const saved = await save(next);
      if (saved.line === undefined) continue;
      changes += 1;
      await expect(saved, edit);
      assert.equal(gateway.pid(), pid, edit.key);
    }
    assert.ok(changes >= 2, `${edit.key} was not edited: ${JSON.stringify(edit.patches)}`);
    if (edit.key in beside) {
      await save(base);
      await comeBack();
    }
  }
}

/** After what only prepares an edit. */
async function comeBack(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 400));
  if (client.socket.readyState === client.socket.OPEN) return;
  client = await connect();
}

async function staysConnected(key: string): Promise<void> {
  assert.equal((await client.request("health")).ok, true, `${key}: the same connection`);
  assert.ok(!client.frames.some(({ event }) => event === "shutdown"), key);
  client.frames.length = 0;
}

async function isToldAndCloses(key: string, reason: string): Promise<void> {
  const shutdown = await client.wait(({ event }) => event === "shutdown");
  assert.equal(shutdown.payload?.["reason"], reason, key);
  assert.equal((await client.closed).code, 1012, key);
}

test("what is left out of the table of edits cannot be edited, and nothing else is left out", () => {
  for (const [key, reason] of Object.entries(leftOut)) {
    const edit = all.find((one) => one.key === key);
    assert.ok(edit && reason !== "", `${key} is no key that can be left out`);
    for (const patch of edit.patches) assert.throws(() => listChanges(configOf(base), configOf(patched(base, patch))));
  }
  const known = all.map(({ key }) => key);
  for (const key of [...Object.keys(values), ...Object.keys(beside), ...unmoved]) assert.ok(known.includes(key), key);
  assert.ok(edits.length > 450, `${edits.length} keys`);
});

test("a key that is read when it is used, or whose room is told, disturbs nothing: no client, no channel, no listener (R7, T26)", async () => {
  const logged = logins();
  await editEach(["none", "hot"], async ({ line, isSecretNew, seen }, { key }) => {
    assert.doesNotMatch(line ?? "", /starts anew|restarted=/u);
    if (isSecretNew) {
      // that is what a secret is for
      assert.equal((await client.closed).code, 4001, key);
      client = await connect();
    } else await staysConnected(key);
    assert.doesNotMatch(gateway.output().slice(seen), /restarting|listening on|could not be/u, key);
  });
  assert.equal(logins(), logged);
});

test("a key of a channel has that channel alone start again (R7, T26)", async () => {
  await editEach(["channel"], async ({ line }, { key }) => {
    const [section, id = ""] = key.split(".");
    const channel = section === "web" ? "whatsapp" : id;
    assert.match(line ?? "", new RegExp(`restarted=\\["${channel}"\\]$`, "u"), key);
    await staysConnected(key);
  });
  assert.doesNotMatch(gateway.output(), /restarting: config/u);
});

test("a key of the listener moves the listener alone: clients are told, and the process, its rooms and channels go on (R7, T26)", async () => {
  const logged = logins();
  await editEach(["listener"], async ({ seen }, { key }) => {
    if (unmoved.includes(key)) return staysConnected(key);
    await isToldAndCloses(key, "listener restarting");
    await appears(/listening on ws:/u, seen);
    client = await connect();
    assert.doesNotMatch(gateway.output().slice(seen), /restarting: config|restarted=/u, key);
  });
  assert.equal(logins(), logged);
});

test("a key that is read at start starts the Gateway anew in its process, once (R7, T26)", async () => {
  await editEach(["restart"], async ({ line, seen }, { key }) => {
    assert.match(line ?? "", /the Gateway starts anew/u, key);
    await isToldAndCloses(key, "gateway restarting");
    await appears(/started in/u, seen);
    client = await connect();
    assert.equal(gateway.output().slice(seen).split("restarting: config changed").length, 2, key);
  });
});
