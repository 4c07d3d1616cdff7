// `doctor` beside a service of systemd, against stand-ins for its programs.

import assert from "node:assert/strict";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

import { createDoctorHome, type DoctorHome } from "../kit/doctor-home.ts";
import { createFakeTools, workingSystemctl, type FakeTools } from "../kit/fake-tools.ts";

const skip = process.platform === "linux" ? false : "systemd is Linux's";
const homes: DoctorHome[] = [];
let machine: DoctorHome;
let tools: FakeTools;
let units: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  machine = await createDoctorHome();
  homes.push(machine);
  units = join(machine.home, ".config", "systemd", "user");
  tools = await createFakeTools(machine.home);
  await tools.write("systemctl", workingSystemctl(units));
  await tools.write(
    "loginctl",
    '[ "$1" = show-user ] && echo "Linger=$(cat "$STATE/linger" 2>/dev/null || echo no)"; [ "$1" = enable-linger ] && echo yes > "$STATE/linger"; exit 0',
  );
  await tools.write("journalctl", "exit 1");
  env = { PATH: tools.path };
});
after(() => Promise.all(homes.map((home) => home.dispose())));

const ids = async (...args: string[]) => (await machine.doctor(args, env)).findings.map(({ id }) => id);

test("RB-99, RB-120: the unit is audited, brought to what this version writes, and put back", { skip }, async () => {
  assert.equal((await machine.cli(["gateway", "install"], env)).code, 0);
  await writeFile(join(tools.state, "linger"), "yes");
  assert.deepEqual(await ids("--only", "service"), []);

  const file = join(units, "openclaw-gateway.service");
  const good = await readFile(file, "utf8");
  const bad = good
    .replace("RestartSec=5\n", "RestartSec=90\n")
    .replace("Wants=network-online.target\n", "")
    .replace("Environment=", 'Environment="OPENCLAW_GATEWAY_TOKEN=canary-in-unit"\nEnvironment=');
  await writeFile(file, bad);
  const before = await machine.doctor(["--only", "service"], env);
  assert.deepEqual(before.findings.map(({ id }) => id).toSorted(), [
    "service.service-secret",
    "service.systemd-restart-sec",
    "service.systemd-wants-network-online",
  ]);
  assert.doesNotMatch(JSON.stringify(before), /canary/u);
  await tools.calls();
  const left = await machine.doctor(["--fix", "--only", "service"], env);
  assert.equal(left.fixes[0]?.result, "left", "a service is written only with --yes");
  assert.ok((await tools.calls()).every((line) => /show/u.test(line)));

  const fixed = await machine.doctor(["--fix", "--yes", "--only", "service"], env);
  assert.deepEqual([fixed.fixes.map(({ result }) => result), fixed.findings], [["applied"], []]);
  assert.equal(await readFile(file, "utf8"), good);
  assert.match((await tools.calls()).join("\n"), /daemon-reload[\s\S]*restart openclaw-gateway\.service/u);

  const undone = await machine.cli(["doctor", "undo"], env);
  assert.equal(undone.code, 0, undone.stderr);
  assert.equal(await readFile(file, "utf8"), bad);
  assert.match(undone.stdout, /next: .*gateway restart/u);
});

test("a unit without the word gateway is rewritten with --force alone, and its port stays", { skip }, async () => {
  await machine.cli(["gateway", "install", "--port", "19555"], env);
  const file = join(units, "openclaw-gateway.service");
  const good = await readFile(file, "utf8");
  await writeFile(file, good.replace(" gateway --port", " serve --port"));
  const args = ["--fix", "--yes", "--only", "service.gateway-command-missing"];
  assert.equal((await machine.doctor(args, env)).fixes[0]?.result, "left");
  assert.equal((await machine.doctor([...args, "--force"], env)).fixes[0]?.result, "applied");
  assert.equal(await readFile(file, "utf8"), good);
});

test(
  "RB-98, RB-112: a service of an older name is stopped, its file kept, and put back by undo",
  { skip },
  async () => {
    await mkdir(units, { recursive: true });
    const file = join(units, "clawdbot-gateway.service");
    const text = "[Service]\nExecStart=/usr/bin/clawdbot gateway\nEnvironment=CLAWDBOT_GATEWAY_TOKEN=canary\n";
    await writeFile(file, text);
    const found = await machine.doctor(["--only", "service"], env);
    assert.deepEqual(
      found.findings.map(({ id }) => id),
      ["service.legacy"],
    );
    assert.match(found.findings[0]?.next ?? "", /systemctl --user disable --now clawdbot-gateway\.service/u);
    await tools.calls();
    const fixed = await machine.doctor(["--fix", "--yes", "--only", "service"], env);
    assert.equal(fixed.fixes[0]?.result, "applied");
    assert.match((await tools.calls()).join("\n"), /--user disable --now clawdbot-gateway\.service/u);
    assert.deepEqual(await readdir(units), []);
    const [kept = ""] = await readdir(join(machine.state, "removed-services"));
    assert.equal(await readFile(join(machine.state, "removed-services", kept), "utf8"), text);
    assert.equal((await machine.cli(["doctor", "undo"], env)).code, 0);
    assert.equal(await readFile(file, "utf8"), text);
  },
);

test("a user who does not linger is told, and lingers with a yes; a stopped service is told", { skip }, async () => {
  await machine.cli(["gateway", "install"], env);
  await writeFile(join(tools.state, "linger"), "no");
  await machine.cli(["gateway", "stop"], env);
  assert.deepEqual(await ids("--only", "service"), ["service.stopped", "service.linger"]);
  const fixed = await machine.doctor(["--fix", "--yes", "--only", "service.linger"], env);
  assert.deepEqual([fixed.fixes[0]?.result, fixed.findings], ["applied", []]);
  assert.equal((await readFile(join(tools.state, "linger"), "utf8")).trim(), "yes");
});

test("a machine without systemd has nothing to tell of services", { skip }, async () => {
  await tools.remove("systemctl");
  assert.deepEqual(await ids("--only", "service"), []);
});

test("a fix that fails says why, the others are done, and undo puts the file back", { skip }, async () => {
  await machine.cli(["gateway", "install"], env);
  await writeFile(join(tools.state, "linger"), "yes");
  const file = join(units, "openclaw-gateway.service");
  const bad = (await readFile(file, "utf8")).replace("RestartSec=5\n", "RestartSec=90\n");
  await writeFile(file, bad);
  await tools.write(
    "systemctl",
    `case "$*" in *daemon-reload*) echo "Failed to reload daemon: Access denied" >&2; exit 1 ;; esac\n${workingSystemctl(units)}`,
  );
  const args = ["doctor", "--fix", "--yes", "--only", "service.systemd-restart-sec,access"];
  const ran = await machine.cli(args, env);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /failed: write openclaw-gateway\.service anew .*Access denied/u);
  assert.match(ran.stdout, /done: make a token/u);
  assert.equal((await machine.cli(["doctor", "undo"], env)).code, 0);
  assert.equal(await readFile(file, "utf8"), bad);
});
