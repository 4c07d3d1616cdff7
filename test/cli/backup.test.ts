// Backups of a real Gateway under load: made while it runs, restored elsewhere, started there.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
let backups: string;
before(async () => {
  gateway = await createGatewayProcess({ config: { agents: { defaults: { model: "offline/demo" } } } });
  backups = join(gateway.folder, "backups");
  await gateway.start();
});
after(() => gateway?.dispose());

const state = () => join(gateway.folder, "state");

async function cli(...args: string[]) {
  const { code, stdout, stderr } = await gateway.cli(...args);
  return { code, stdout, stderr };
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli(...args, "--json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("made under load it is whole: restored elsewhere, a Gateway has sessions, transcripts, devices and tokens (R44)", async () => {
  const client = await openRawClient(gateway.port, gateway.token);
  assert.equal((await client.connect({ scopes: ["operator.admin"] })).ok, true);
  const accepted: string[] = [];
  let isOver = false;
  const load = async (session: string) => {
    while (!isOver) {
      const message = randomUUID();
      const sent = await client.request("chat.send", { sessionKey: session, message, idempotencyKey: message });
      if (sent.ok === true) accepted.push(message);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  await cli("health");
  const loads = Promise.all(["a", "b", "c"].map(load));
  while (accepted.length < 30) await new Promise((resolve) => setTimeout(resolve, 20));
  const acceptedBefore = accepted.length;
  const made = await json("backup", "create", "--output", `${backups}/`);
  const during = accepted.length;
  isOver = true;
  await loads;
  client.close();
  assert.ok(during > acceptedBefore, "messages went on coming in while it was made");
  assert.equal((await json("backup", "verify", String(made["path"])))["ok"], true);

  const target = join(gateway.folder, "restored");
  const { code, stderr } = await cli("backup", "restore", String(made["path"]), "--target", target);
  assert.equal(code, 0, stderr);
  for (const name of ["credentials/device-key", "identity/device.json", "identity/device-auth.json", "openclaw.json"])
    assert.equal(await readFile(join(target, name), "utf8"), await readFile(join(state(), name), "utf8"), name);
  const other = await createGatewayProcess({ env: { OPENCLAW_STATE_DIR: target, HOME: gateway.folder } });
  try {
    await other.start();
    const again = await openRawClient(other.port, other.token);
    assert.equal((await again.connect({ scopes: ["operator.admin"] })).ok, true);
    // what waited for its turn then gets it now
    const missing = async () => {
      const asked = ["a", "b", "c"].map((sessionKey) => again.request("chat.history", { sessionKey, limit: 1000 }));
      const text = JSON.stringify(await Promise.all(asked));
      return accepted.slice(0, acceptedBefore).filter((message) => !text.includes(message));
    };
    await until(async () => (await missing()).length === 0, 20_000);
    again.close();
    const devices = JSON.parse((await other.cli("devices", "list", "--json")).stdout) as { paired: unknown[] };
    assert.ok(devices.paired.length > 0);
  } finally {
    await other.dispose();
  }
});

test("create says what it holds; a dry run makes nothing; only the config is possible too", async () => {
  const { code, stdout } = await cli("backup", "create", "--output", join(backups, "one.tar.gz"));
  assert.equal(code, 0);
  assert.match(stdout, /one\.tar\.gz is written and checked: \d+ files/u);
  assert.match(stdout, /holds secrets/u);
  const dry = await json("backup", "create", "--output", join(backups, "two.tar.gz"), "--dry-run");
  assert.ok((dry["files"] as string[]).some((path) => path.endsWith("gateway.sqlite")));
  const config = await json("backup", "create", "--output", join(backups, "config.tar.gz"), "--only-config");
  assert.equal(config["files"], 1);
  assert.ok(!(await readdir(backups)).includes("two.tar.gz"));
  const taken = await cli("backup", "create", "--output", join(backups, "one.tar.gz"));
  assert.deepEqual([taken.code, taken.stdout], [2, ""]);
  assert.match(taken.stderr, /is there already\nnext: choose another name/u);
});

test("a running Gateway is not replaced, a stopped one is, and it can be taken back", async () => {
  const archive = join(backups, "live.tar.gz");
  await json("backup", "create", "--output", archive);
  const refused = await cli("backup", "restore", archive, "--force");
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /another Gateway runs on this state folder \(pid \d+.*\nnext: stop it first; nothing was changed/u,
  );
  await gateway.stop();
  const asked = await cli("backup", "restore", archive);
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /nobody can be asked\nnext: pass --force/u);
  await writeFile(join(state(), "openclaw.json"), '{ gateway: { mode: "local", reload: { mode: "off" } } }');
  const changed = await readFile(join(state(), "openclaw.json"), "utf8");
  const restored = await json("backup", "restore", archive, "--force");
  assert.match(String(restored["kept"]), /before-restore-/u);
  assert.notEqual(await readFile(join(state(), "openclaw.json"), "utf8"), changed);
  await json("backup", "restore", "--undo", "--force");
  assert.equal(await readFile(join(state(), "openclaw.json"), "utf8"), changed);
  await gateway.start();
  assert.equal((await cli("health")).code, 0);
});

test("a damaged backup is told, and nothing is changed", async () => {
  const path = join(backups, "one.tar.gz");
  const bytes = await readFile(path);
  bytes[400] = (bytes[400] ?? 0) ^ 4;
  await writeFile(join(backups, "damaged.tar.gz"), bytes);
  const { code, stdout, stderr } = await cli("backup", "verify", join(backups, "damaged.tar.gz"));
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /cannot be relied upon:\n- the file is not as it was written/u);
  for (const verb of ["verify", "restore"]) {
    const folder = await cli("backup", verb, backups);
    assert.equal(folder.code, 1);
    assert.match(folder.stderr, /backups is no file\nnext: name the file/u);
  }
  const restored = await cli("backup", "restore", join(backups, "damaged.tar.gz"), "--force");
  assert.equal(restored.code, 1);
  assert.match(restored.stderr, /nothing was changed/u);
});

test("a full disk leaves no half file", { skip: process.platform === "win32" }, async () => {
  const folder = join(gateway.folder, "small");
  await mkdir(folder);
  // no file may grow beyond 32 KB: less than the copy of the database, more than what else a command writes
  const line = `ulimit -f 64; exec "$0" "$@"`;
  const args = [launcher, "backup", "create", "--output", `${folder}/`];
  const { status, stderr } = spawnSync("sh", ["-c", line, process.execPath, ...args], {
    env: gateway.env,
    encoding: "utf8",
  });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^error: (?:there is no room|cannot copy the database)/mu);
  assert.deepEqual(await readdir(folder), []);
});

test("what a killed backup leaves is gone with the next one", async () => {
  const folder = join(gateway.folder, "killed");
  await mkdir(folder);
  for (let tries = 0; tries < 50 && (await readdir(folder)).length === 0; tries += 1) {
    const child = spawn(process.execPath, [launcher, "backup", "create", "--output", `${folder}/`], {
      env: gateway.env,
    });
    const ended = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    while (child.exitCode === null && (await readdir(folder)).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill("SIGKILL");
    await ended;
    // one that was quicker than we are
    for (const name of await readdir(folder)) if (!name.startsWith(".")) await rm(join(folder, name));
  }
  assert.ok((await readdir(folder)).length > 0, "one was killed in the middle");
  const made = await json("backup", "create", "--output", `${folder}/`);
  assert.deepEqual(await readdir(folder), [String(made["path"]).slice(folder.length + 1)]);
});

test("in another home the config names the workspaces where they came, and says which are not there", async () => {
  const one = join(gateway.folder, "alice");
  const other = join(gateway.folder, "bob");
  const run = (home: string, args: readonly string[]) => {
    const env = { PATH: process.env["PATH"], HOME: home, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(home, "log") };
    return spawnSync(process.execPath, [launcher, ...args], { env, cwd: home, encoding: "utf8" });
  };
  await Promise.all([one, other].map((home) => mkdir(home)));
  assert.equal(run(one, ["setup"]).status, 0);
  const notes = join(one, "notes");
  await mkdir(notes);
  await writeFile(join(notes, "TODO.md"), "tea");
  await writeFile(join(one, ".openclaw", "workspace", "MEMORY.md"), "she likes tea");
  await writeFile(
    join(one, ".openclaw", "openclaw.json"),
    `{ gateway: { mode: "local" }, // mine
  agents: { defaults: { workspace: ${JSON.stringify(join(one, ".openclaw", "workspace"))} }, list: [{ id: "main", default: true }, { id: "n", workspace: "~/notes" }] } }`,
  );
  const archive = join(gateway.folder, "alice.tar.gz");
  assert.equal(run(one, ["backup", "create", "--include-workspace", "--output", archive]).status, 0);
  await rename(one, join(gateway.folder, "alice-is-gone"));

  const restored = run(other, ["backup", "restore", archive, "--force", "--json"]);
  assert.equal(restored.status, 0, restored.stderr);
  const own = join(other, ".openclaw", "workspace");
  const { moved, warnings } = JSON.parse(restored.stdout) as {
    moved: { key: string; to: string }[];
    warnings: string[];
  };
  const [first, second] = moved;
  assert.deepEqual([first?.key, first?.to], ["agents.defaults.workspace", own]);
  assert.equal(second?.key, "agents.list.1.workspace");
  assert.deepEqual(warnings, []);
  const text = await readFile(join(other, ".openclaw", "openclaw.json"), "utf8");
  assert.ok(text.includes(own) && text.includes("// mine") && !text.includes("alice"), text);
  assert.equal(await readFile(join(own, "MEMORY.md"), "utf8"), "she likes tea");
  assert.equal(await readFile(join(second?.to ?? "", "TODO.md"), "utf8"), "tea");

  const bare = join(gateway.folder, "bare.tar.gz");
  await rename(join(gateway.folder, "alice-is-gone"), one);
  assert.equal(run(one, ["backup", "create", "--output", bare]).status, 0);
  await rename(one, join(gateway.folder, "alice-is-gone"));
  const again = run(other, ["backup", "restore", bare, "--force"]);
  assert.equal(again.status, 0, again.stderr);
  assert.match(
    again.stderr,
    /warning: agents\.defaults\.workspace is \S+alice\S+, which is not here and not in the backup/u,
  );
});
