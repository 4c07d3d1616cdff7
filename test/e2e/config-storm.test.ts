// A real Gateway whose config file is saved in every bad way there is, and at random: the last good config is the one in use all
// the time, each bad state is told once, and nobody is disconnected but for a key that says so.

import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import fc from "fast-check";

import { decideDisturbance } from "../../src/config/effects.ts";
import { listChanges } from "../../src/config/merge.ts";
import { configOf, listConfigKeyEdits, patched } from "../kit/config-edits.ts";
import { until } from "../kit/conversation.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

const seed = Number(process.env["CONFIG_SEED"] ?? Date.now() % 1_000_000);
const [port = 0, portA, portB, canvasA, canvasB, browserA, browserB] = await Promise.all(
  Array.from({ length: 7 }, freePort),
);

let gateway: GatewayProcess;
let client: RawClient;
let file: string;
const base = { gateway: { mode: "local", port, reload: { debounceMs: 100 } }, session: { sendPolicy: {} } };
const named = (name: string) => patched(base, { agents: { list: [{ id: "main", name }] } });
const textOf = (name: string) => JSON.stringify(named(name), null, 2);
const told = (from = 0) => gateway.output().slice(from).split("the config file has errors").length - 1;
const nameInUse = async () => {
  const { agents } = (await client.request("agents.list")).payload as { agents: { name?: string }[] };
  return agents[0]?.name;
};

async function connect(): Promise<RawClient> {
  const url = [...gateway.output().matchAll(/listening on (ws:\S+)/gu)].at(-1)?.[1] ?? "";
  const made = await openRawClient(url, gateway.token);
  assert.equal((await made.connect()).ok, true);
  return made;
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const saveByRename = async (text: string) => {
  await writeFile(`${file}.swp`, text);
  await rename(`${file}.swp`, file);
};

before(async () => {
  gateway = await createGatewayProcess({ config: named("first"), env: { OPENCLAW_GATEWAY_PORT: "" } });
  file = join(gateway.folder, "state", "openclaw.json");
  await gateway.start();
  client = await connect();
});
after(async () => {
  client?.close();
  await gateway?.dispose();
});

const bad: Readonly<Record<string, () => Promise<unknown>>> = {
  "half a file": async () => writeFile(file, textOf("half").slice(0, 60)),
  "an empty file": async () => writeFile(file, ""),
  "a file of blanks": async () => writeFile(file, " \r\n\t\n"),
  "a byte order mark alone": async () => writeFile(file, "\uFEFF"),
  "CRLF in half a file": async () => writeFile(file, textOf("half").replaceAll("\n", "\r\n").slice(0, 60)),
  "a file that was cut short": async () => truncate(file, 40),
  "a half file by rename": async () => saveByRename(textOf("half").slice(0, 50)),
  "a link to a half file": async () => {
    await writeFile(join(gateway.folder, "half.json"), textOf("half").slice(0, 70));
    await symlink(join(gateway.folder, "half.json"), `${file}.new`);
    await rename(`${file}.new`, file);
  },
  "a link to nothing": async () => {
    await symlink(join(gateway.folder, "nothing.json"), `${file}.new`);
    await rename(`${file}.new`, file);
  },
  "no file": async () => rm(file),
  "a folder": async () => {
    await rm(file);
    await mkdir(file);
  },
  "bytes that are no text": async () => writeFile(file, Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d])),
  "a wrong type": async () => writeFile(file, '{ "gateway": { "port": true } }'),
  "another encoding": async () => writeFile(file, Buffer.from(textOf("wide"), "utf16le")),
};

for (const [name, save] of Object.entries(bad)) {
  test(`${name}: the last good config stays in use, it is told once, and the next good file counts (T25)`, async () => {
    await saveByRename(textOf(`before ${name}`));
    await until(async () => (await nameInUse()) === `before ${name}`);
    const seen = gateway.output().length;
    await save();
    await until(() => told(seen) === 1);
    for (let look = 0; look < 10; look += 1) {
      assert.equal(await nameInUse(), `before ${name}`);
      await pause(20);
    }
    await rm(file, { recursive: true, force: true });
    await saveByRename(textOf(`after ${name}`));
    await until(async () => (await nameInUse()) === `after ${name}`);
    assert.equal(told(seen), 1, gateway.output().slice(seen));
  });
}

const good: Readonly<Record<string, (text: string) => Promise<unknown>>> = {
  "with a byte order mark": async (text) => writeFile(file, `\uFEFF${text}`),
  "with CRLF": async (text) => writeFile(file, text.replaceAll("\n", "\r\n")),
  "by an editor that renames": saveByRename,
  "by an editor that cuts first": async (text) => {
    await truncate(file, 0);
    await pause(10);
    await writeFile(file, text);
  },
  "in two pieces": async (text) => {
    await writeFile(file, text.slice(0, 30));
    await pause(10);
    await writeFile(file, text.slice(30), { flag: "a" });
  },
  "by turning a link": async (text) => {
    await writeFile(join(gateway.folder, "linked.json"), text);
    await symlink(join(gateway.folder, "linked.json"), `${file}.new`);
    await rename(`${file}.new`, file);
  },
  "through that link": async (text) => writeFile(file, text),
};

test("a good file counts in whatever way it is saved, and a save on its way is no error (T25)", async () => {
  await saveByRename(textOf("plain"));
  await until(async () => (await nameInUse()) === "plain");
  const seen = gateway.output().length;
  for (const [name, save] of Object.entries(good)) {
    await save(textOf(name));
    await until(async () => (await nameInUse()) === name);
  }
  assert.equal(told(seen), 0, gateway.output().slice(seen));
  await rm(file);
  await saveByRename(textOf("plain"));
  await until(async () => (await nameInUse()) === "plain");
});

test("a hundred saves in a second, half of them half written: one good config after the other, and the last one counts (T25)", async () => {
  const seen = gateway.output().length;
  const names = new Set<string | undefined>();
  for (let save = 1; save <= 100; save += 1) {
    const text = textOf(`save ${save}`);
    if (save % 2 === 0) await writeFile(file, text.slice(0, 50));
    await (save % 3 === 0 ? saveByRename(text) : writeFile(file, text));
    if (save % 10 === 0) names.add(await nameInUse());
    await pause(10);
  }
  await until(async () => (await nameInUse()) === "save 100");
  for (const name of names) assert.match(name ?? "", /^(?:plain|save \d+)$/u);
  assert.equal(told(seen), 0);
  assert.equal(client.socket.readyState, client.socket.OPEN);
});

/** Of keys that say who gets in, where the log goes and which machine this is: config-keys.test.ts edits them one at a time. */
const tooFar =
  /^(?:\$include|gateway\.(?:mode|bind|customBindHost|auth\..*|reload\..*|tailscale\.mode)|agents\..*|logging\.(?:file|consoleLevel|consoleStyle))$/u;
const edits = listConfigKeyEdits({
  "gateway.port": [portA, portB],
  "canvasHost.port": [canvasA, canvasB],
  "browser.controlPort": [browserA, browserB],
  "discovery.mdns.mode": ["off", "minimal"],
}).filter(({ key }) => !tooFar.test(key));

const steps = fc.record({
  edit: fc.nat({ max: edits.length - 1 }),
  isOther: fc.boolean(),
  mode: fc.oneof(
    { weight: 5, arbitrary: fc.constant("hybrid" as const) },
    { weight: 4, arbitrary: fc.constant("hot" as const) },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
    { weight: 2, arbitrary: fc.constant("off" as const) },
  ),
  /** Where an invalid text is cut; undefined: it is whole. */
  cut: fc.option(fc.double({ min: 0, max: 0.99, noNaN: true }), { freq: 4, nil: undefined }),
  isRenamed: fc.boolean(),
});

interface Storm {
  inUse: object;
  name: string;
  /** Two that end at the same place are one error. */
  badLength: number | undefined;
  ends: number;
}
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** Waits until a whole text is taken up, and until whoever it disconnects is back. */
async function isTakenUp(storm: Storm, next: object, { mode, appears, printed }: Taking) {
  await appears(/the config has changed/u);
  const { restart, listener } = decideDisturbance(listChanges(configOf(storm.inUse), configOf(next)));
  storm.inUse = next;
  const isDisturbing = mode === "restart" || (mode === "hybrid" && restart.length + listener.length > 0);
  if (!/starts anew|listening on ws/u.test(printed())) return;
  assert.ok(isDisturbing, printed());
  await client.closed;
  // the life before may still let somebody in
  if (printed().includes("starts anew")) await appears(/started in/u);
  await until(async () => {
    client = await connect().catch(() => client);
    return isOpen();
  });
  storm.ends += 1;
}
interface Taking {
  readonly mode: Step["mode"];
  readonly appears: (pattern: RegExp) => Promise<void>;
  /** Since it was saved. */
  readonly printed: () => string;
}
const isOpen = () => client.socket.readyState === client.socket.OPEN;

async function take(storm: Storm, index: number, step: Step): Promise<void> {
  const edit = edits[step.edit];
  assert.ok(edit);
  const reload = { gateway: { reload: { debounceMs: 0, mode: step.mode } } };
  const next = patched(patched(named(`step ${index}`), reload), edit.patches[step.isOther ? 1 : 0]);
  const whole = JSON.stringify(next);
  const text = step.cut === undefined ? whole : whole.slice(0, Math.floor(whole.length * step.cut));
  const what = `step ${index}: ${edit.key} ${JSON.stringify(step)}`;
  const seen = gateway.output().length;
  const printed = () => gateway.output().slice(seen);
  const appears = (pattern: RegExp) =>
    until(() => pattern.test(printed()), 5_000).catch((error: unknown) => {
      throw new Error(`${what}\n${gateway.output().slice(-2_000)}`, { cause: error });
    });
  await (step.isRenamed ? saveByRename(text) : writeFile(file, text));
  if (text !== whole) {
    if (text.length !== storm.badLength) await appears(/the config file has errors/u);
    storm.badLength = text.length;
  } else {
    storm.badLength = undefined;
    if (step.mode === "off") await appears(/the config file has changed; it counts after a restart/u);
    else {
      await isTakenUp(storm, next, { mode: step.mode, appears, printed });
      storm.name = `step ${index}`;
    }
  }
  assert.ok(isOpen(), what);
  await until(async () => (await nameInUse()) === storm.name, 5_000).catch((error: unknown) => {
    throw new Error(what, { cause: error });
  });
}

test(`500 random edits in every reload mode: clients stay but where a key and the mode say otherwise (R7, T26; CONFIG_SEED=${seed})`, async (t) => {
  t.diagnostic(`CONFIG_SEED=${seed}`);
  const [pid, from] = [gateway.pid(), gateway.output().length];
  const storm: Storm = { inUse: named("start"), name: "start", badLength: undefined, ends: 0 };
  await saveByRename(textOf("start"));
  await until(async () => (await nameInUse()) === "start");
  // its line comes a moment later, and must not be taken for that of the first step
  await pause(300);
  for (const [index, step] of fc.sample(steps, { numRuns: 500, seed }).entries()) await take(storm, index, step);
  t.diagnostic(`${storm.ends} connections ended, as their keys declare`);
  assert.equal(gateway.pid(), pid);
  assert.doesNotMatch(gateway.output().slice(from), /unhandled|uncaught|could not be taken up/iu);
});
