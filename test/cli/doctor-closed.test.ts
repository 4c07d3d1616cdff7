// Doctor where files are closed, another user's, or no files at all: it says whose and where, and never that something is broken
// which nobody could look at.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createDoctorHome, type DoctorHome } from "../kit/doctor-home.ts";
import { launcher } from "../kit/gateway-process.ts";

const onWindows = process.platform === "win32" && "Windows has no such modes";
const notRoot = process.getuid?.() === 0 ? false : "only root can give files away";

let it: DoctorHome;
beforeEach(async () => {
  it = await createDoctorHome();
});
afterEach(() => it.dispose());

const findings = async () =>
  (await it.doctor()).findings.filter(({ id }) => !/^(?:service|machine|instances)/u.test(id));
const idsOf = async () => (await findings()).map(({ id }) => id);

test("what is closed to its own user is opened by --fix, and closed again by undo", { skip: onWindows }, async () => {
  const { state } = it;
  await it.put(join(state, "credentials", "gateway-token"), `${"k".repeat(48)}\n`);
  await it.put(join(state, "gateway.lock"), "");
  await chmod(join(state, "credentials", "gateway-token"), 0o044);
  await chmod(join(state, "gateway.lock"), 0);
  await chmod(join(state, "credentials"), 0o500);
  const before = await it.picture();
  const closed = (await findings()).filter(({ id }) => id === "files.closed");
  assert.deepEqual(
    closed.map(({ message }) => /(\S+) is closed to its own user \((\d+)/u.exec(message)?.slice(1)),
    [
      [join(state, "credentials"), "0500"],
      [join(state, "gateway.lock"), "0000"],
      [join(state, "credentials", "gateway-token"), "0044"],
    ],
  );
  const fixed = await it.doctor(["--fix", "--non-interactive"]);
  assert.ok(
    fixed.fixes.every(({ result }) => result === "applied"),
    JSON.stringify(fixed.fixes),
  );
  assert.deepEqual(await idsOf(), []);
  assert.equal((await it.cli(["doctor", "undo"])).code, 0);
  assert.deepEqual(await it.picture(), before);
});

test(
  "files of another user are told with their owner, and the database is not called broken",
  { skip: notRoot },
  async () => {
    const database = join(it.state, "gateway.sqlite");
    await it.put(database, "SQLite format 3\0, and what a Gateway of root left");
    const nobody = 65_534;
    await chown(it.home, nobody, nobody);
    for (const name of ["", ...(await readdir(it.state))]) {
      if (name !== "gateway.sqlite") await chown(join(it.state, name), nobody, nobody);
    }
    const stdout = await new Promise<string>((resolve) => {
      const options = { cwd: it.home, env: it.env, uid: nobody, gid: nobody };
      execFile(process.execPath, [launcher, "doctor", "--json"], options, (_error, text) => resolve(text));
    });
    const { findings: found } = JSON.parse(stdout) as { findings: { id: string; message: string; next: string }[] };
    const owner = found.find(({ id }) => id === "files.owner");
    assert.match(owner?.message ?? stdout, /gateway\.sqlite belongs to another user \(id 0\)/u);
    assert.match(owner?.next ?? "", /chown -R/u);
    assert.ok(found.some(({ id }) => id === "storage.database-closed"));
    assert.ok(!found.some(({ id }) => id === "storage.database"));
  },
);

test("a token file that is none is one finding with its path, and the other checks go on", async () => {
  await mkdir(join(it.state, "credentials", "gateway-token"), { recursive: true });
  const found = (await findings()).filter(({ severity }) => severity === "error");
  assert.deepEqual(
    found.map(({ id }) => id),
    ["access.unreadable"],
  );
  assert.match(found[0]?.message ?? "", /credentials\/gateway-token cannot be read \(EISDIR\)/u);
  const started = await it.cli(["gateway"]);
  assert.equal(started.code, 1);
  assert.match(started.stderr, /gateway-token cannot be read[\s\S]*next: /u);
});

test(
  "a config that is a pipe, or a link to nothing, and a lock that is a folder",
  { skip: onWindows, timeout: 60_000 },
  async () => {
    const { config, state } = it;
    await rm(config);
    await new Promise((resolve) => {
      execFile("mkfifo", [config], resolve);
    });
    assert.match(JSON.stringify(await findings()), /cannot be read \(it is a pipe\)/u);
    assert.match((await it.cli(["config", "get", "gateway.port"])).stderr, /it is a pipe/u);
    await rm(config);
    await symlink(join(it.home, "not-mounted", "openclaw.json"), config);
    assert.match(JSON.stringify(await findings()), /is a link to \S+not-mounted\S+, and nothing is there/u);
    await rm(config);
    await writeFile(config, `{ gateway: { mode: "local" } }`, { mode: 0o600 });
    await mkdir(join(state, "gateway.lock"), { mode: 0o700 });
    const [lock] = await findings();
    assert.match(lock?.message ?? "", /gateway\.lock is a folder/u);
    assert.match(lock?.next ?? "", /^move that folder away: mv /u);
  },
);
