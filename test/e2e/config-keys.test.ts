// Every key of the config, edited by hand under a real Gateway, one at a time, to one value, to another and back: what is disturbed is
// what the key declares, and no more.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test, type TestContext } from "node:test";
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

const place = await mkdtemp(join(tmpdir(), "config-keys-"));
const ports = await Promise.all(Array.from({ length: 6 }, freePort));
const [portA, portB, canvasA, canvasB, browserA, browserB] = ports;

/** Where the schema alone does not know what works on this machine, or may be tried on it. */
const values: Readonly<Record<string, readonly [unknown, unknown]>> = {
  "gateway.mode": ["remote", "local"],
  "gateway.port": [portA, portB],
  "gateway.bind": ["custom", "loopback"],
  "gateway.customBindHost": ["127.0.0.2", "127.0.0.3"],
  "gateway.reload.mode": ["hot", "hybrid"],
  "gateway.auth.mode": ["password", "token"],
  "gateway.tls.enabled": [true, false],
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

after(() => rm(place, { recursive: true, force: true }));

interface Saved {
  /** What the log says of the change; undefined when the config is what it was. */
  readonly line: string | undefined;
  readonly keys: readonly string[];
  readonly isSecretNew: boolean;
  /** It listens elsewhere, or in another way. */
  readonly isMoved: boolean;
  /** What had been printed before. */
  readonly seen: number;
}

type Expect = (saved: Saved, edit: ConfigKeyEdits) => Promise<void>;

/** A Gateway of its own, so that several can be tried side by side, and what edits its file. */
interface Rig {
  readonly gateway: GatewayProcess;
  readonly client: () => RawClient;
  /** How often the bot has logged in. */
  logins(): number;
  /** What was printed, or will be. */
  appears(text: RegExp, from: number): Promise<string>;
  connectAgain(): Promise<void>;
  /** Each value, and back; both are not what it was, or the key was not edited. */
  editEach(list: readonly ConfigKeyEdits[], expect: Expect): Promise<void>;
  staysConnected(key: string): Promise<void>;
  isToldAndCloses(key: string, reason: string): Promise<void>;
}

const baseOf = (port: number, telegram?: FakeTelegram): object => ({
  gateway: { mode: "local", port, reload: { debounceMs: 0 } },
  channels: {
    telegram: telegram ? { apiRoot: telegram.apiRoot, botToken: telegram.token } : {},
    whatsapp: {},
  },
  session: { sendPolicy: {} },
});

/** Where the Gateway is by its config. */
function urlOf({ gateway: { port = 0, bind, customBindHost, tls } }: Config): string {
  return `${tls?.enabled === true ? "wss" : "ws"}://${bind === "custom" ? customBindHost : "127.0.0.1"}:${port}/`;
}

const escaped = (text: string) => text.replaceAll(/[$.*[\]]/gu, String.raw`\$&`);

async function openRig(context: TestContext): Promise<Rig> {
  const telegram: FakeTelegram = await startFakeTelegram();
  context.after(() => telegram.close());
  const base = baseOf(await freePort(), telegram);
  // no program of this machine is to be found: one of them could open it to a network
  const gateway = await startGatewayProcess({ config: base, env: { OPENCLAW_GATEWAY_PORT: "", PATH: place } });
  context.after(() => gateway.dispose());
  let config = configOf(base);

  /** Which secret lets in. */
  const authOf = ({ gateway: { auth } }: Config) => {
    const isPassword = auth.mode === "password" || (auth.mode === undefined && auth.password !== undefined);
    return isPassword ? { password: auth.password } : { token: auth.token ?? gateway.token };
  };
  const connect = async (): Promise<RawClient> => {
    const made = await openRawClient(urlOf(config), gateway.token);
    const hello = await made.connect({ auth: authOf(config) });
    assert.equal(hello.ok, true, JSON.stringify(hello));
    return made;
  };
  let client = await connect();
  context.after(() => client.close());
  // not those of other bots
  const logins = () =>
    telegram.calls.filter(({ method, token }) => method === "getMe" && token === telegram.token).length;
  await until(() => logins() === 1, 10_000);

  const appears = async (text: RegExp, from: number): Promise<string> => {
    const giveUpAt = Date.now() + 10_000;
    for (;;) {
      const found = text.exec(gateway.output().slice(from))?.[0];
      if (found !== undefined) return found;
      assert.ok(Date.now() < giveUpAt, `${String(text)} in ${gateway.output().slice(from)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const save = async (next: object): Promise<Saved> => {
    const [was, seen] = [config, gateway.output().length];
    config = configOf(next);
    const keys = listChanges(was, config).map((path) => path.join("."));
    const isSecretNew = !isDeepStrictEqual(authOf(was), authOf(config));
    const isMoved = urlOf(was) !== urlOf(config);
    await writeFile(join(gateway.folder, "state", "openclaw.json"), JSON.stringify(next));
    const line = new RegExp(
      `the config has changed(?:, the Gateway starts anew)?: ${escaped(keys.join(", "))}(?![\\w.]).*`,
      "u",
    );
    return { line: keys.length > 0 ? await appears(line, seen) : undefined, keys, isSecretNew, isMoved, seen };
  };
  /** After what only prepares an edit. */
  const comeBack = async () => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    if (client.socket.readyState !== client.socket.OPEN) client = await connect();
  };

  return {
    gateway,
    client: () => client,
    logins,
    appears,
    async connectAgain() {
      client = await connect();
    },
    async editEach(list, expect) {
      const pid = gateway.pid();
      for (const edit of list) {
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
    },
    async staysConnected(key) {
      assert.equal((await client.request("health")).ok, true, `${key}: the same connection`);
      assert.ok(!client.frames.some(({ event }) => event === "shutdown"), key);
      client.frames.length = 0;
    },
    async isToldAndCloses(key, reason) {
      const shutdown = await client.wait(({ event }) => event === "shutdown");
      assert.equal(shutdown.payload?.["reason"], reason, key);
      assert.equal((await client.closed).code, 1012, key);
    },
  };
}

const having = (...effects: readonly string[]) => edits.filter(({ effect }) => effects.includes(effect));
/** Halves of what takes longest, each under a Gateway of its own. */
const half = (list: readonly ConfigKeyEdits[], which: 0 | 1) => list.filter((_, index) => index % 2 === which);

test("what is left out of the table of edits cannot be edited, and nothing else is left out", () => {
  const base = baseOf(1);
  for (const [key, reason] of Object.entries(leftOut)) {
    const edit = all.find((one) => one.key === key);
    assert.ok(edit && reason !== "", `${key} is no key that can be left out`);
    for (const patch of edit.patches) assert.throws(() => listChanges(configOf(base), configOf(patched(base, patch))));
  }
  const known = all.map(({ key }) => key);
  for (const key of [...Object.keys(values), ...Object.keys(beside)]) assert.ok(known.includes(key), key);
  assert.ok(edits.length > 450, `${edits.length} keys`);
  const tried = [...having("none", "hot"), ...having("channel"), ...having("listener"), ...having("restart")];
  assert.equal(new Set(tried).size, edits.length);
});

describe("under Gateways side by side", { concurrency: true }, () => {
  for (const which of [0, 1] as const) {
    test(`a key that is read when it is used, or whose room is told, disturbs nothing: no client, no channel, no listener (R7, T26), ${which + 1} of 2`, async (context) => {
      const { gateway, client, logins, connectAgain, editEach, staysConnected } = await openRig(context);
      const logged = logins();
      await editEach(half(having("none", "hot"), which), async ({ line, isSecretNew, seen }, { key }) => {
        assert.doesNotMatch(line ?? "", /starts anew|restarted=/u);
        if (isSecretNew) {
          // that is what a secret is for
          assert.equal((await client().closed).code, 4001, key);
          await connectAgain();
        } else await staysConnected(key);
        assert.doesNotMatch(gateway.output().slice(seen), /restarting|listening on|could not be/u, key);
      });
      assert.equal(logins(), logged);
    });

    test(`a key that is read at start starts the Gateway anew in its process, once (R7, T26), ${which + 1} of 2`, async (context) => {
      const { gateway, appears, connectAgain, editEach, isToldAndCloses } = await openRig(context);
      await editEach(half(having("restart"), which), async ({ line, seen }, { key }) => {
        assert.match(line ?? "", /the Gateway starts anew/u, key);
        await isToldAndCloses(key, "gateway restarting");
        await appears(/started in/u, seen);
        await connectAgain();
        assert.equal(gateway.output().slice(seen).split("restarting: config changed").length, 2, key);
      });
    });
  }

  test("a key of a channel has that channel alone start again, one of an account that account alone (R6, R7, T26)", async (context) => {
    const { gateway, logins, editEach, staysConnected } = await openRig(context);
    const [ofAccounts, ofChannels] = [true, false].map((isAccounts) =>
      having("channel").filter(({ key }) => key.includes(".accounts.") === isAccounts),
    );
    assert.ok(ofAccounts && ofAccounts.length > 30, "keys of accounts");
    const logged = logins();
    await editEach(ofAccounts, async ({ line }, { key }) => {
      const [, channel] = key.split(".");
      assert.match(line ?? "", new RegExp(`restarted=\\["${channel}:some"\\]$`, "u"), key);
      await staysConnected(key);
    });
    assert.equal(logins(), logged, "the other bot goes on with the poll it has");
    const own = ["name", "botToken", "tokenFile", "authDir", "webhookUrl", "webhookSecret"];
    await editEach(ofChannels ?? [], async ({ line }, { key }) => {
      const [section, id = "", name = ""] = key.split(".");
      const channel = section === "web" ? "whatsapp" : own.includes(name) ? `${id}:default` : id;
      assert.match(line ?? "", new RegExp(`restarted=\\["${channel}"\\]$`, "u"), key);
      await staysConnected(key);
    });
    assert.doesNotMatch(gateway.output(), /restarting: config/u);
  });

  test("a key of the listener moves the listener alone, if it means another place: clients are told, and the process, its rooms and channels go on (R7, T26)", async (context) => {
    const { gateway, logins, appears, connectAgain, editEach, staysConnected, isToldAndCloses } =
      await openRig(context);
    const logged = logins();
    const moved = new Set<string>();
    await editEach(having("listener"), async ({ seen, isMoved }, { key }) => {
      if (!isMoved) return staysConnected(key);
      moved.add(key);
      await isToldAndCloses(key, "listener restarting");
      await appears(/listening on wss?:/u, seen);
      await connectAgain();
      assert.doesNotMatch(gateway.output().slice(seen), /restarting: config|restarted=/u, key);
    });
    assert.equal(logins(), logged);
    const expected = ["gateway.bind", "gateway.customBindHost", "gateway.port", "gateway.tls.enabled"];
    assert.deepEqual([...moved].toSorted(), expected);
  });
});
