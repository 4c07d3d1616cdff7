import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createManualClock, systemClock, type ManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog, type Log } from "../base/log.ts";
import { createConfigHistory } from "./history.ts";
import { createReloader, type ReloadDependencies, type Reloader } from "./reload.ts";
import { openConfig, type ConfigStore } from "./store.ts";
import { unsetKeys } from "./unset.ts";

let folder: string;
let path: string;
let clock: ManualClock;
let store: ConfigStore;
let reloader: Reloader;
let changed: () => void;
/** What was done, in order. */
let done: string[];
let errors: string[];
let lines: string[];
let readings: Promise<unknown>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reload-"));
  path = join(folder, "openclaw.json");
  clock = createManualClock();
  done = [];
  errors = [];
  lines = [];
  readings = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(text: string, extra: Partial<ReloadDependencies> = {}) {
  await writeFile(path, text);
  store = await openConfig({
    path,
    history: createConfigHistory({ folder: join(folder, "history"), clock }),
    variable: () => undefined,
  });
  const log: Log = {
    ...silentLog,
    info: (message) => void lines.push(message),
    warn: (message) => void lines.push(message),
    error: (message) => void errors.push(message),
  };
  const watched: ConfigStore = {
    ...store,
    reload(isWanted) {
      const reading = store.reload(isWanted);
      readings.push(reading.catch(() => undefined));
      return reading;
    },
    keepGood() {
      const keeping = store.keepGood();
      readings.push(keeping.catch(() => undefined));
      return keeping;
    },
  };
  reloader = createReloader({
    store: watched,
    clock,
    log,
    watch(onChange) {
      changed = onChange;
      return { start: async () => undefined, refresh: async () => undefined, stop: () => undefined };
    },
    moveListener: async () => done.push("listener") > 0,
    restartChannel: async ({ id }) => void done.push(`channel ${id}`),
    takers: [{ key: "gateway.auth", take: async () => void done.push("secret") }],
    restart({ reason, delayMs }) {
      done.push(`restart: ${reason}`);
      return { ok: true, pid: 1, delayMs };
    },
    onProblems: () => undefined,
    ...extra,
  });
  await reloader.start();
  await settle();
}

/** All that is due, and what it reads and writes. */
async function settle(ms = 300) {
  await clock.advance(ms);
  while (readings.length > 0) {
    await Promise.all(readings.splice(0));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function save(text: string) {
  await writeFile(path, text);
  changed();
  await settle();
}

test("each effect is the least that its key declares (RB-09, OV-10)", async () => {
  await open("{}");
  const cases: [string, string[]][] = [
    ['{ agents: { defaults: { model: "a/b" } } }', []],
    ['{ agents: { defaults: { model: "a/b" } }, gateway: { auth: { token: "t-1" } } }', ["secret"]],
    [
      '{ gateway: { auth: { token: "t-1" } }, channels: { telegram: { botToken: "x", dmPolicy: "open", allowFrom: ["*"] } } }',
      ["channel telegram"],
    ],
    ['{ gateway: { auth: { token: "t-1" }, port: 4711 } }', ["listener", "channel telegram"]],
    [
      '{ gateway: { auth: { token: "t-1" }, port: 4711 }, env: { vars: { A: "b" } } }',
      ["restart: config changed: env.vars.A"],
    ],
  ];
  for (const [text, expected] of cases) {
    done = [];
    await save(text);
    assert.deepEqual(done, expected, text);
  }
  assert.equal(store.current().gateway.port, 4711);
});

test("a save that says the same, or is told of twice, does nothing", async () => {
  await open("{ gateway: { port: 4711 } }");
  await save("{ gateway: { port: 4711 } } // a remark");
  changed();
  changed();
  await settle();
  assert.deepEqual(done, []);
});

test("many edits in a row are one, once there is quiet, and a file without rest is looked at all the same", async () => {
  await open("{}");
  lines = [];
  for (let edit = 0; edit < 20; edit += 1) {
    await writeFile(path, `{ agents: { defaults: { timeoutSeconds: ${edit + 1} } } }`);
    changed();
    await clock.advance(100);
  }
  assert.deepEqual(lines, []);
  await settle();
  assert.equal(lines.length, 1);
  assert.equal(store.current().agents.defaults.timeoutSeconds, 20);
  for (let edit = 0; edit < 120; edit += 1) {
    changed();
    if (edit === 60) await writeFile(path, "{ agents: { defaults: { timeoutSeconds: 77 } } }");
    await clock.advance(100);
  }
  await settle(0);
  assert.equal(store.current().agents.defaults.timeoutSeconds, 77);
});

test("the quiet time is the config's, and a change of it counts at once", async () => {
  await open("{ gateway: { reload: { debounceMs: 5000 } } }");
  await writeFile(path, "{ gateway: { reload: { debounceMs: 0 } } }");
  changed();
  await settle(4_000);
  assert.equal(store.current().gateway.reload.debounceMs, 5000);
  await settle(1_000);
  assert.equal(store.current().gateway.reload.debounceMs, 0);
  await writeFile(path, "{ gateway: { reload: { debounceMs: 1 } } }");
  changed();
  await settle(0);
  assert.equal(store.current().gateway.reload.debounceMs, 1);
});

for (const [name, bad] of [
  ["half a file", '{ gateway: { auth: { token: "'],
  ["an empty file", ""],
  ["a wrong type", "{ gateway: { port: true } }"],
] as const) {
  test(`${name} leaves the config in use, is told once with its place, and heals`, async () => {
    await open("{ agents: { defaults: { timeoutSeconds: 5 } } }");
    await writeFile(path, bad);
    changed();
    await settle();
    await settle();
    await settle();
    changed();
    await settle(1_000);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /the config before stays in use: .*openclaw\.json:1:\d+ /u);
    assert.equal(store.snapshot().isValid, false);
    assert.equal(store.current().agents.defaults.timeoutSeconds, 5);
    await save("{ agents: { defaults: { timeoutSeconds: 6 } } }");
    assert.deepEqual([store.snapshot().isValid, store.current().agents.defaults.timeoutSeconds], [true, 6]);
    assert.deepEqual([errors.length, done], [1, []]);
  });
}

test("a file that is gone and comes back changes nothing", async () => {
  await open("{ agents: { defaults: { timeoutSeconds: 5 } } }");
  await rm(path);
  changed();
  await settle();
  assert.equal(store.current().agents.defaults.timeoutSeconds, 5);
  await save("{ agents: { defaults: { timeoutSeconds: 5 } } }");
  assert.deepEqual([store.snapshot().isValid, done, errors], [true, [], []]);
});

test("a save that is told of while half written is not complained about", async () => {
  await open("{}");
  await writeFile(path, '{ agents: { defaults: { model: "a');
  changed();
  await settle();
  await save('{ agents: { defaults: { model: "a/b" } } }');
  await settle(2_000);
  assert.deepEqual(errors, []);
});

test("mode hot takes what it can and says what waits; putting it back ends the waiting", async () => {
  const mode = 'reload: { mode: "hot" }';
  await open(`{ gateway: { ${mode} } }`);
  await save(`{ gateway: { ${mode}, port: 4711 }, agents: { defaults: { timeoutSeconds: 7 } } }`);
  assert.deepEqual([done, store.current().agents.defaults.timeoutSeconds], [[], 7]);
  assert.match(reloader.problems()[0]?.message ?? "", /not in use: gateway\.port$/u);
  await save(`{ gateway: { ${mode} } }`);
  assert.deepEqual([done, reloader.problems()], [[], []]);
});

test("mode restart restarts for any key but stamps", async () => {
  await open('{ gateway: { reload: { mode: "restart" } } }');
  await save('{ gateway: { reload: { mode: "restart" } }, meta: { lastTouchedAt: "today" } }');
  assert.deepEqual(done, []);
  const stamped = 'meta: { lastTouchedAt: "today" }';
  await save(`{ gateway: { reload: { mode: "restart" } }, ${stamped}, agents: { defaults: { timeoutSeconds: 7 } } }`);
  assert.deepEqual(done, ["restart: config changed: agents.defaults.timeoutSeconds"]);
});

test("mode off leaves all as it was until a saved file says otherwise (RB-11, OV-10)", async () => {
  await open('{ gateway: { reload: { mode: "off" } } }');
  await save('{ gateway: { reload: { mode: "off" } }, agents: { defaults: { timeoutSeconds: 7 } } }');
  assert.deepEqual([done, store.current().agents.defaults.timeoutSeconds], [[], 600]);
  await save("{ agents: { defaults: { timeoutSeconds: 8 } } }");
  assert.equal(store.current().agents.defaults.timeoutSeconds, 8);
});

test("what the Gateway writes itself is taken up once, whatever the watch says meanwhile", async () => {
  await open("{ channels: { telegram: {} } }");
  const { applied } = await reloader.change(
    async () => {
      await writeFile(path, '{ channels: { telegram: { botToken: "1" } } }');
      changed();
      await clock.advance(1_000);
    },
    () => undefined,
  );
  await settle(1_000);
  assert.deepEqual([applied.effect, done], ["channel", ["channel telegram"]]);
});

test("a key that cannot be taken up is told and does not keep the others back", async () => {
  let isRefused = true;
  const take = async () => {
    if (isRefused) throw new Fault("config_invalid", "no password is set");
  };
  await open("{}", { takers: [{ key: "gateway.auth", take }] });
  const telegram = 'channels: { telegram: { botToken: "1" } }';
  await save(`{ gateway: { auth: { mode: "password" } }, ${telegram} }`);
  assert.deepEqual(done, ["channel telegram"]);
  assert.match(reloader.problems()[0]?.message ?? "", /gateway\.auth could not be taken up: no password is set/u);
  isRefused = false;
  await save(`{ ${telegram} }`);
  assert.deepEqual(reloader.problems(), []);
});

test("a listener that cannot be opened anew is told, its keys wait, and a later save tries again or takes them back", async () => {
  let isRefused = true;
  const tried: number[] = [];
  const moveListener = async () => {
    tried.push(1);
    if (isRefused) throw new Fault("port_busy", "port 4711 is in use");
    return true;
  };
  await open("{}", { moveListener });
  await save("{ gateway: { port: 4711 } }");
  const told = JSON.stringify(reloader.problems());
  assert.match(told, /listens where it did: port 4711 is in use/u);
  assert.match(told, /not in use: gateway\.port/u);
  await save("{ gateway: { port: 4711 }, agents: { defaults: { timeoutSeconds: 7 } } }");
  assert.deepEqual([tried.length, store.current().agents.defaults.timeoutSeconds], [1, 7], "another key means itself");
  await save("{}");
  assert.deepEqual([tried.length, reloader.problems()], [1, []]);
  await save("{ gateway: { port: 4711 } }");
  isRefused = false;
  await save("{ gateway: { port: 4712 } }");
  assert.deepEqual([tried.length, reloader.problems(), done], [3, [], []]);
});

test("keys that a room forgets are taken up like any change, with what a hand saved a moment before", async () => {
  await open('{ channels: { telegram: { botToken: "x" } } }');
  // the hand's save has not been looked at yet
  await writeFile(path, '{ channels: { telegram: { botToken: "x" } }, gateway: { auth: { token: "t-1" } } }');
  const forget = () => unsetKeys({ store, clock: systemClock, reloader }, [["channels", "telegram", "botToken"]]);
  assert.equal(await forget(), true);
  assert.deepEqual(done, ["secret", "channel telegram"]);
  assert.equal(await readFile(path, "utf8"), '{ channels: { telegram: { } }, gateway: { auth: { token: "t-1" } } }');
  assert.equal(store.current().gateway.auth.token, "t-1");
  assert.equal(await forget(), false);
  assert.deepEqual(done, ["secret", "channel telegram"]);
});
