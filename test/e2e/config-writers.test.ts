// The config of a running Gateway, changed by everybody at once: commands, clients with patches and with whole texts, and a hand
// in an editor, who takes no lock. CONFIG_SEED replays the order, CONFIG_ROUNDS says how many rounds (1000 for long).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import JSON5 from "json5";

import { parseConfig } from "../../src/config/parse.ts";
import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { createRandom } from "../kit/random.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

const seed = Number(process.env["CONFIG_SEED"] ?? Date.now() % 1_000_000);
/** Absent: as many as fit into the time. */
const rounds = process.env["CONFIG_ROUNDS"] === undefined ? undefined : Number(process.env["CONFIG_ROUNDS"]);
const timeMs = 20_000;

const anchor = "models: { // what is chosen from";
const text = `// written by hand
{
  gateway: { mode: "local", /* at once */ reload: { debounceMs: 0 } },
  agents: {
    // all of them
    defaults: {
      ${anchor}
      },
      timeoutSeconds: 60, // a minute
    },
  },
}
// the end
`;
const remarks = [
  "// written by hand",
  "/* at once */",
  "// all of them",
  "// what is chosen from",
  "// a minute",
  "// the end",
];

let gateway: GatewayProcess;
let client: RawClient;
let file: string;
before(async () => {
  gateway = await createGatewayProcess();
  file = join(gateway.folder, "state", "openclaw.json");
  await writeFile(file, text);
  await gateway.start();
  client = await openRawClient(gateway.port, gateway.token);
  await client.connect();
});
after(async () => {
  client?.close();
  await gateway?.dispose();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One entry of the models that is to be, or undefined: not to be there. */
interface Edit {
  readonly key: string;
  readonly alias: string | undefined;
}
/** True: it was accepted. False: somebody else was faster, which was said. */
type Writer = (edit: Edit) => Promise<boolean>;

const path = (key: string) => `agents.defaults.models.${key}`;
const entryOf = (key: string) => new RegExp(String.raw`"?${key}"?: \{[^}]*\},?`, "u");

/** As a person does it: everything else stays to the letter. */
function editByHand(whole: string, { key, alias }: Edit): string {
  const entry = alias === undefined ? "" : `"${key}": { alias: "${alias}" },`;
  if (entryOf(key).test(whole)) return whole.replace(entryOf(key), entry);
  assert.ok(whole.includes(anchor), whole);
  return whole.replace(anchor, `${anchor}\n        // hand ${key}\n        ${entry}`);
}

const conflicts = { patch: 0, raw: 0, hand: 0, cli: 0 };

const writers: Readonly<Record<keyof typeof conflicts, Writer>> = {
  async cli({ key, alias }) {
    const { code, stderr } =
      alias === undefined
        ? await gateway.cli("config", "unset", path(key))
        : await gateway.cli("config", "set", path(key), JSON.stringify({ alias }));
    if (code === 0) return true;
    // the hand had cut the file to write it anew
    assert.match(stderr, /openclaw\.json:1:1|is being changed by something else/u);
    return false;
  },
  async patch({ key, alias }) {
    const { payload } = await client.request("config.get", {});
    const raw = { agents: { defaults: { models: { [key]: alias === undefined ? null : { alias } } } } };
    return isAccepted(await client.request("config.patch", { raw: JSON.stringify(raw), baseHash: payload?.["hash"] }));
  },
  async raw(edit) {
    const { payload } = await client.request("config.get", {});
    if (typeof payload?.["raw"] !== "string" || payload["valid"] !== true) return false;
    const raw = editByHand(payload["raw"], edit);
    return isAccepted(await client.request("config.set", { raw, baseHash: payload["hash"] }));
  },
  async hand(edit) {
    const seen = await readFile(file, "utf8");
    await pause(2);
    const next = editByHand(seen, edit);
    const isRenaming = Number(edit.key.at(-1)) % 2 === 0;
    const temporary = `${file}.${randomBytes(4).toString("hex")}.swp`;
    if (isRenaming) writeFileSync(temporary, next);
    // "the file has changed on the disk": an editor asks, and this one begins again
    if (readFileSync(file, "utf8") !== seen) return false;
    if (isRenaming) renameSync(temporary, file);
    else writeFileSync(file, next);
    return true;
  },
};

function isAccepted({ ok, error }: Awaited<ReturnType<RawClient["request"]>>): boolean {
  if (ok === true) return true;
  assert.match(
    JSON.stringify(error),
    /config changed since last load|fix before patching|base hash unavailable|being changed/u,
  );
  return false;
}

/** It is whole, with its comments, and says nothing twice. @returns the entries that it has. */
function read(whole: string, told: string): Map<string, string> {
  const parsed = parseConfig(whole, () => undefined);
  assert.ok("config" in parsed, `${told}: ${JSON.stringify(parsed)}\n${whole}`);
  const { agents } = JSON5.parse<{ agents: { defaults: { models: Record<string, { alias: string }> } } }>(whole);
  const found = new Map(Object.entries(agents.defaults.models).map(([key, { alias }]) => [key, alias]));
  for (const key of found.keys())
    assert.equal(whole.split(new RegExp(String.raw`"?\b${key}"?: \{`, "u")).length, 2, key);
  for (const remark of remarks) assert.ok(whole.includes(remark), `${told}: ${remark}\n${whole}`);
  return found;
}

test("T27: whoever changes the config, and whoever else does at that moment: what was accepted is there, whole, with its comments", async (context) => {
  context.diagnostic(`CONFIG_SEED=${seed}`);
  const random = createRandom(seed);
  const names = Object.keys(writers) as (keyof typeof writers)[];
  const expected = new Map<string, string>();
  const endAt = Date.now() + timeMs;
  /** `hand`: saves of the hand that are gone; `others`: what the hand wrote over, as it had looked a moment before. */
  const counts = { changes: 0, byHand: 0, lost: { hand: 0, others: 0 } };
  let round = 0;
  for (; rounds === undefined ? Date.now() < endAt : round < rounds; round += 1) {
    const free = [...expected.keys()];
    const plan = Array.from({ length: 3 + random(4) }, (_, index) => {
      const known = random(3) === 0 ? free.splice(random(free.length), 1)[0] : undefined;
      const key = known ?? `m${round}x${index}`;
      const alias = known !== undefined && random(2) === 0 ? undefined : `v${round}`;
      return { name: names[random(names.length)] ?? "cli", edit: { key, alias }, delayMs: random(150) };
    });
    const told = `CONFIG_SEED=${seed} round ${round}: ${JSON.stringify(plan)}`;
    await Promise.all(
      plan.map(async ({ name, edit, delayMs }) => {
        await pause(delayMs);
        while (!(await writers[name](edit))) conflicts[name] += 1;
      }),
    );
    const byHand = plan.filter(({ name }) => name === "hand").length;
    counts.changes += plan.length;
    counts.byHand += byHand;
    const found = read(readFileSync(file, "utf8"), told);
    const lost = plan.filter(({ edit }) => found.get(edit.key) !== edit.alias);
    // a hand that takes no lock may write over what came since it looked; nobody else may lose anything
    if (byHand === 0) assert.deepEqual(lost, [], told);
    const lostByHand = lost.filter(({ name }) => name === "hand").length;
    counts.lost.hand += lostByHand;
    counts.lost.others += lost.length - lostByHand;
    for (const { edit } of plan) {
      const alias = lost.some(({ edit: { key } }) => key === edit.key) ? found.get(edit.key) : edit.alias;
      if (alias === undefined) expected.delete(edit.key);
      else expected.set(edit.key, alias);
    }
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected), told);
  }
  context.diagnostic(`${round} rounds: ${JSON.stringify(counts)}; said to be too late: ${JSON.stringify(conflicts)}`);
  assert.ok(counts.lost.hand <= 1 && counts.lost.others <= Math.max(1, counts.byHand * 0.02), JSON.stringify(counts));
  const last = readFileSync(file, "utf8");
  await until(async () => {
    const { payload } = await client.request("config.get", {});
    return payload?.["raw"] === last && payload["valid"] === true;
  });
  assert.equal((await client.request("health", {})).ok, true);
});
