// `doctor` as its own process, in a home of its own: what it finds, mends and puts back. No Gateway runs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { certificate, key } from "../kit/certificate.ts";
import { launcher } from "../kit/gateway-process.ts";
import { createDoctorHome, type DoctorAnswer, type DoctorHome } from "../kit/doctor-home.ts";

const homes: DoctorHome[] = [];
let machine: DoctorHome;
beforeEach(async () => {
  machine = await createDoctorHome();
  homes.push(machine);
});
after(() => Promise.all(homes.map((home) => home.dispose())));

const idsOf = ({ findings }: DoctorAnswer) => findings.map(({ id }) => id);
const find = ({ findings }: DoctorAnswer, id: string) => findings.find((finding) => finding.id === id);

test("R34: it reads only: on a machine with nothing, and on one with every fault, nothing is changed (OV-52)", async () => {
  await plantAll(machine);
  const before = await machine.picture();
  const first = await machine.doctor(["--deep"]);
  assert.ok(first.findings.length >= 8, JSON.stringify(first));
  assert.deepEqual(await machine.picture(), before);
  assert.deepEqual((await readdir(machine.home)).toSorted(), [".openclaw"]);

  const empty = await createDoctorHome();
  homes.push(empty);
  const bare = { HOME: join(empty.home, "other") };
  await mkdir(bare.HOME);
  const answer = await empty.doctor([], bare);
  assert.deepEqual([idsOf(answer), answer.ok], [["config.missing", "access.missing"], true]);
  assert.deepEqual(await readdir(bare.HOME), []);
});

async function plantAll({ put, state, config }: DoctorHome) {
  await put(config, '{ gateway: { token: "old-token-old-token-old-token" }, tlegram: {}, telegram: {} }', 0o644);
  await put(join(state, "credentials", "gateway-token"), "a-token\n", 0o644);
  await put(join(state, "gateway.lock"), "no lock at all");
  await put(join(state, "some.json.0123456789ab.tmp"), "half");
  await utimes(join(state, "some.json.0123456789ab.tmp"), 1, 1);
}

interface Plant {
  readonly name: string;
  readonly id: string;
  readonly flags?: readonly string[];
  plant(home: DoctorHome): Promise<void>;
  /** What is on the disk once it is mended. */
  check?(home: DoctorHome): Promise<void>;
}

const modeOf = async ({ picture, home }: DoctorHome, path: string) =>
  (await picture())[path.slice(home.length + 1)]?.split(" ")[0];
const isGone = async (home: DoctorHome, path: string) => assert.equal(await modeOf(home, path), undefined);

const plants: readonly Plant[] = [
  {
    name: "a state folder that others may read",
    id: "files.folder-mode",
    async plant({ put, state }) {
      await put(join(state, "x"), "");
      await import("node:fs/promises").then(({ chmod }) => chmod(state, 0o755));
    },
    check: async (home) => assert.equal(await modeOf(home, home.state), "700"),
  },
  {
    name: "a config that others may read",
    id: "files.file-mode",
    plant: ({ put, config }) => put(config, '{ gateway: { mode: "local" } }', 0o644),
    check: async (home) => assert.equal(await modeOf(home, home.config), "600"),
  },
  {
    name: "a token file that others may write to",
    id: "files.file-mode",
    plant: ({ put, state }) => put(join(state, "credentials", "gateway-token"), `${"t".repeat(30)}\n`, 0o666),
    check: async (home) => assert.equal(await modeOf(home, join(home.state, "credentials", "gateway-token")), "600"),
  },
  {
    name: "keys of an older program",
    id: "config.legacy",
    plant: ({ put, config }) =>
      put(config, '// mine\n{ gateway: { mode: "local" }, /* why */ telegram: { botToken: "1:a" /* mine */ } }\n'),
    async check({ config }) {
      const text = await readFile(config, "utf8");
      assert.match(text, /^\/\/ mine\n\{ gateway: [\s\S]*channels[\s\S]*\/\* mine \*\//u);
    },
  },
  {
    name: "gateway.mode that is not set",
    id: "config.mode",
    plant: ({ put, config }) => put(config, "{ gateway: { /* here */ } }"),
    check: async ({ config }) => assert.match(await readFile(config, "utf8"), /mode: "local"/u),
  },
  {
    name: "a key that nobody knows",
    id: "config.unknown-key",
    flags: ["--force"],
    plant: ({ put, config }) => put(config, '{ gateway: { mode: "local" }, tlegram: { a: 1 } } // end'),
    check: async ({ config }) => assert.equal(await readFile(config, "utf8"), '{ gateway: { mode: "local" } } // end'),
  },
  {
    name: "a config of an older name",
    id: "config.name",
    flags: ["--force"],
    async plant({ put, config, state }) {
      await import("node:fs/promises").then(({ unlink }) => unlink(config));
      await put(join(state, "clawdbot.json"), '{ gateway: { mode: "local" } }');
    },
    async check(home) {
      await isGone(home, join(home.state, "clawdbot.json"));
      assert.equal(await readFile(home.config, "utf8"), '{ gateway: { mode: "local" } }');
    },
  },
  {
    name: "half a file of a save that was killed",
    id: "files.leftover",
    async plant({ put, state }) {
      const path = join(state, "exec-approvals.json.0123456789ab.tmp");
      await put(path, "half");
      await utimes(path, 1000, 1000);
    },
    check: (home) => isGone(home, join(home.state, "exec-approvals.json.0123456789ab.tmp")),
  },
  {
    name: "a TLS key that everybody may read",
    id: "access.tls-key-mode",
    async plant({ put, state, config }) {
      await put(config, '{ gateway: { mode: "local", tls: { enabled: true } } }');
      await put(join(state, "gateway", "tls", "gateway-cert.pem"), certificate, 0o644);
      await put(join(state, "gateway", "tls", "gateway-key.pem"), key, 0o644);
    },
    check: async (home) =>
      assert.equal(await modeOf(home, join(home.state, "gateway", "tls", "gateway-key.pem")), "640"),
  },
  {
    name: "a lock that is damaged",
    id: "files.lock",
    plant: ({ put, state }) => put(join(state, "gateway.lock"), "this is no lock"),
  },
  {
    name: "no token",
    id: "access.missing",
    plant: async () => undefined,
    async check({ state }) {
      assert.match(await readFile(join(state, "credentials", "gateway-token"), "utf8"), /^[0-9a-f]{48}\n$/u);
    },
  },
];

for (const { name, id, flags = [], plant, check } of plants) {
  test(`R34: ${name}: found, mended behind a restore point, and put back`, async () => {
    await plant(machine);
    const before = await machine.picture();
    const finding = find(await machine.doctor(), id);
    assert.ok(finding?.fix, `${id} is found and can be mended`);
    assert.deepEqual(await machine.picture(), before, "looking changes nothing");

    const answer = await machine.doctor(["--fix", "--yes", "--only", id, ...flags]);
    const fixed = answer.fixes.find((fix) => fix.id === id);
    assert.equal(fixed?.result, "applied", JSON.stringify(answer));
    assert.ok((fixed?.diff.length ?? 0) > 0, "the diff is shown");
    assert.deepEqual(idsOf(answer), []);
    await check?.(machine);
    assert.notDeepEqual(await machine.picture(), before);

    const undone = await machine.cli(["doctor", "undo"]);
    assert.equal(undone.code, 0, undone.stderr);
    assert.deepEqual(await machine.picture(), before, "everything is as it was");
    assert.match((await machine.cli(["doctor", "undo"])).stderr, /there is nothing to undo/u);
  });
}

test("without --yes, and with nobody to ask, only what is safe is done; what a person wrote needs --force", async () => {
  await machine.put(machine.config, '{ agent: { model: "p/a" }, tlegram: 1, gateway: {} }', 0o644);
  const answer = await machine.doctor(["--fix"]);
  const results = Object.fromEntries(answer.fixes.map(({ id, result }) => [id, result]));
  assert.deepEqual(results, {
    "config.unknown-key": "left",
    "config.legacy": "applied",
    "files.file-mode": "applied",
    "access.missing": "left",
  });
  const yes = await machine.doctor(["--fix", "--yes", "--only", "config"]);
  assert.deepEqual(
    yes.fixes.map(({ id, result }) => [id, result]),
    [["config.unknown-key", "left"]],
  );
  const all = await machine.doctor(["--fix", "--yes", "--force", "--only", "config"]);
  assert.equal(all.fixes[0]?.result, "applied");
  // without the unknown key the rest can be read
  const rest = await machine.doctor(["--fix", "--yes", "--only", "config"]);
  assert.deepEqual([rest.findings, rest.ok], [[], true]);
  assert.deepEqual(JSON.parse((await machine.cli(["config", "get", "agents.defaults.model", "--json"])).stdout), "p/a");
});

test("secrets show neither in findings nor in diffs, and a token is compared by fingerprints", async () => {
  const secret = "planted-secret-0123456789-abcdef";
  const bot = "123456789:AAplantedplantedplantedplantedplanted";
  await machine.put(
    machine.config,
    `{ // token: "${secret}x"\n gateway: { mode: "local", token: "${secret}" }, telegram: { botToken: "${bot}" } }`,
    0o644,
  );
  const env = { OPENCLAW_GATEWAY_TOKEN: `${secret}-other` };
  const runs = [
    await machine.cli(["doctor"], env),
    await machine.cli(["doctor", "--fix", "--yes"], env),
    await machine.cli(["doctor", "--json"], env),
    await machine.cli(["doctor", "restore-points", "--json"], env),
    await machine.cli(["doctor", "undo", "--json"], env),
  ];
  for (const { stdout, stderr } of runs) assert.doesNotMatch(stdout + stderr, /planted/u);
  assert.match(
    runs[0]?.stdout ?? "",
    /the token of gateway\.auth\.token \([0-9a-f]{8}\), this command line sends the token of OPENCLAW_GATEWAY_TOKEN \([0-9a-f]{8}\)/u,
  );
});

test("a config that cannot be read is told with its place, the other fixes work, and it is never written over", async () => {
  await machine.put(machine.config, "{ gateway: ", 0o644);
  const answer = await machine.doctor(["--fix", "--yes", "--force"]);
  assert.match(find(answer, "config.error")?.message ?? "", /openclaw\.json:1:\d+ not JSON5/u);
  assert.equal(await readFile(machine.config, "utf8"), "{ gateway: ");
  assert.equal(await modeOf(machine, machine.config), "600");
  assert.equal(answer.ok, false);
  assert.equal((await machine.cli(["doctor"])).code, 0);
  assert.equal((await machine.cli(["doctor", "--lint"])).code, 1);
  assert.equal((await machine.cli(["doctor", "--lint", "--only", "machine"])).code, 0);
});

test("nothing is mended when the restore point cannot be made", async () => {
  await machine.put(join(machine.state, "restore-points"), "in the way");
  await machine.put(machine.config, "{ gateway: {} }", 0o644);
  const before = await machine.picture();
  const ran = await machine.cli(["doctor", "--fix", "--yes"]);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /the restore point could not be made .*nothing was changed/u);
  assert.deepEqual(await machine.picture(), before);
});

test("what was changed after a fix is not overwritten by an undo, unless with --force, which keeps it", async () => {
  await machine.put(machine.config, "{ gateway: {} }");
  await machine.doctor(["--fix", "--yes", "--only", "config"]);
  const mine = '{ gateway: { mode: "local", bind: "lan" } }';
  await writeFile(machine.config, mine);
  const refused = await machine.cli(["doctor", "undo"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /changed after the fix: .*openclaw\.json; nothing was put back/u);
  assert.equal(await readFile(machine.config, "utf8"), mine);
  assert.equal((await machine.cli(["doctor", "undo", "--force"])).code, 0);
  assert.equal(await readFile(machine.config, "utf8"), "{ gateway: {} }");
  assert.equal((await machine.cli(["doctor", "undo"])).code, 0);
  assert.equal(await readFile(machine.config, "utf8"), mine, "what was in the way comes back");
});

test("a selection that names nothing is refused with what there is", async () => {
  const ran = await machine.cli(["doctor", "--only", "nonsense"]);
  assert.equal(ran.code, 2);
  assert.match(ran.stderr, /no check is called nonsense[\s\S]*config, files/u);
});

test("faults that only their owner can mend are told with the next step", async () => {
  const { put, state, config, home, port } = machine;
  const busy = createServer().listen(port, "127.0.0.1");
  await put(join(state, "gateway.sqlite"), "this is no database, and was never one");
  await put(
    config,
    `{
      gateway: { mode: "local", port: ${port}, auth: { token: "short" }, tailscale: { mode: "funnel" } },
      channels: { telegram: { tokenFile: "/nowhere/token", dmPolicy: "open", allowFrom: ["*", "@ann"], groupPolicy: "open" } },
      session: { dmScope: "main" },
    }`,
  );
  await put(join(home, ".clawdbot", "moltbot.json"), "{}");
  const future = Date.now() / 1000 + 90_000;
  await utimes(config, future, future);
  const answer = await machine.doctor([], {
    CLAWDBOT_GATEWAY_PORT: "19999",
    OPENCLAW_GATEWAY_TOKEN: "another-token-another-token",
    OPENCLAW_GATEWAY_PORT: String(port),
  });
  busy.close();
  const expected = [
    "access.drift",
    "access.short",
    "access.funnel",
    "ports.busy",
    "channels.token-file",
    "channels.open",
    "channels.names",
    "channels.open-groups",
    "channels.shared-session",
    "storage.database",
    "machine.clock",
    "older.variable",
    "older.second-folder",
  ];
  const ids = idsOf(answer);
  for (const id of expected) assert.ok(ids.includes(id), `${id} is not among ${ids.join(", ")}`);
  for (const { id, next } of answer.findings) assert.ok(next, `${id} says what to do`);
  assert.match(find(answer, "ports.busy")?.message ?? "", new RegExp(`port ${port} .*pid ${process.pid}`, "u"));
});

test("RB-53, MG-25: two instances that share a port, a workspace or a bot are told", async () => {
  const { put, home, config } = machine;
  const shared = `gateway: { mode: "local", port: 19100 }, channels: { telegram: { botToken: "7:same" } }`;
  await put(config, `{ ${shared}, agents: { defaults: { workspace: "~/w" } } }`);
  await put(
    join(home, ".openclaw-rescue", "openclaw.json"),
    `{ ${shared}, agents: { defaults: { workspace: "~/w" } } }`,
  );
  await put(join(home, ".openclaw-far", "openclaw.json"), '{ gateway: { mode: "local", port: 21000 } }');
  const answer = await machine.doctor(["--only", "instances"]);
  assert.deepEqual(idsOf(answer), ["instances.port", "instances.workspace", "instances.account"]);
  assert.match(
    answer.findings[2]?.message ?? "",
    /\.openclaw-rescue polls with the same Telegram bot \([0-9a-f]{8}\)/u,
  );
  const theirs = await machine.doctor(["--only", "instances", "--profile", "far"]);
  assert.deepEqual(theirs.findings, []);
});

test("a state folder that is a link, and one that a program copies about, are told", async () => {
  const real = join(machine.home, "Dropbox", "state");
  await mkdir(real, { recursive: true, mode: 0o700 });
  const link = join(machine.home, "link");
  await symlink(real, link);
  const env = { OPENCLAW_STATE_DIR: link };
  assert.ok(idsOf(await machine.doctor(["--only", "files"], env)).includes("files.state-link"));
  const ids = idsOf(await machine.doctor(["--only", "files"], { OPENCLAW_STATE_DIR: real }));
  assert.ok(ids.includes("files.synced"), ids.join());
});

test("a workspace that is the state folder, a second config, and a webhook token that is the Gateway's are told", async () => {
  const { put, state, config } = machine;
  const token = "t".repeat(30);
  await put(
    config,
    `{ gateway: { mode: "local", auth: { token: "${token}" } }, hooks: { enabled: true, token: "${token}" },
       agents: { defaults: { workspace: "~/.openclaw" } }, logging: { redactSensitive: "off" } }`,
  );
  await put(join(state, "moldbot.json"), "{}");
  const ids = idsOf(await machine.doctor());
  assert.deepEqual(ids, ["config.second", "files.workspace", "access.hooks-reuse", "access.redact"]);
});

const hasTerminal = await access("/usr/bin/script").then(
  () => process.platform === "linux",
  () => false,
);

/** Everything that it shows, and the file afterwards; `typed`: at each question. */
async function fixAtTerminal(...typed: readonly string[]): Promise<{ shown: string; asked: number; text: string }> {
  await machine.put(machine.config, '{ agent: { model: "p/a" }, gateway: {} }');
  const command = `${process.execPath} ${launcher} doctor --fix --only config`;
  const child = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
    env: { ...machine.env, PATH: "/usr/bin:/bin", SHELL: "/bin/sh", LANG: "C.UTF-8" },
  });
  let shown = "";
  let asked = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    const questions = shown.split("[y/N]").length - 1;
    if (questions === asked) return;
    asked = questions;
    child.stdin.write(typed[asked - 1] ?? "\r");
  });
  await once(child, "exit");
  return { shown, asked, text: await readFile(machine.config, "utf8") };
}

test("Ctrl-C at a question takes back what was said yes to, and asks no more", { skip: !hasTerminal }, async () => {
  const { shown, asked, text } = await fixAtTerminal("y\r", "\u0003");
  assert.equal(asked, 2, shown);
  assert.match(shown, /cancelled: nothing was changed/u);
  assert.doesNotMatch(shown, /done:/u);
  assert.equal(text, '{ agent: { model: "p/a" }, gateway: {} }');
});

test("a person at a terminal is asked before each fix; no answer is a no", { skip: !hasTerminal }, async () => {
  const { shown, asked, text } = await fixAtTerminal("y\r");
  assert.equal(asked, 2, shown);
  assert.match(shown, /done:.*move the keys/u);
  assert.match(shown, /left: not wanted/u);
  assert.ok(text.includes("agents") && !text.includes("mode:"), text);
});
