// T29: `gateway --force` as a real process with the machine's own lsof, against every kind of listener.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";
import { holdPort } from "../kit/listeners.ts";

const places = ["/usr/sbin/lsof", "/usr/bin/lsof", ...(process.env["PATH"] ?? "").split(":").map((it) => `${it}/lsof`)];
const found = await Promise.all(
  places.map((path) =>
    access(path).then(
      () => [path],
      () => [],
    ),
  ),
);
const lsof = found.flat()[0];
const skip = lsof === undefined ? "no lsof here" : false;
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const isRoot = process.getuid?.() === 0;

const gateways: GatewayProcess[] = [];
after(() => Promise.all(gateways.map((gateway) => gateway.dispose())));

/** On that port, with `--force`. */
async function forced(port: number, env: NodeJS.ProcessEnv = {}): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess({ args: ["--force", "--port", String(port)], env });
  gateways.push(gateway);
  return gateway;
}

const lines = (gateway: GatewayProcess) =>
  gateway
    .output()
    .split("\n")
    .flatMap((line) => line.match(/force: .*/u)?.[0] ?? []);

test(
  "RB-06, RB-21, VG-03: a stranger on the port gets SIGTERM, is named in the log, and the Gateway starts",
  { skip },
  async () => {
    const stranger = await holdPort();
    const gateway = await forced(stranger.port);
    await gateway.start();
    assert.equal(await stranger.ended, "SIGTERM");
    const [killed, waited, ...rest] = lines(gateway);
    assert.match(
      killed ?? "",
      new RegExp(`^force: killed pid ${stranger.pid} \\(.*node.*\\) on port ${stranger.port}$`, "u"),
    );
    assert.match(waited ?? "", new RegExp(`^force: waited \\d+ms for port ${stranger.port} to free$`, "u"));
    assert.deepEqual(rest, []);
    assert.equal(await gateway.stop(), 0);
  },
);

test("nobody there: it says so and starts", { skip }, async () => {
  const stranger = await holdPort();
  await stranger.stop();
  const gateway = await forced(stranger.port);
  await gateway.start();
  assert.deepEqual(lines(gateway), [`force: no listeners on port ${stranger.port}`]);
  assert.equal(await gateway.stop(), 0);
});

test("who does not hear SIGTERM gets SIGKILL after 700 ms", { skip }, async () => {
  const stranger = await holdPort({ isDeaf: true });
  const gateway = await forced(stranger.port);
  const beganAt = performance.now();
  await gateway.start();
  assert.equal(await stranger.ended, "SIGKILL");
  assert.ok(performance.now() - beganAt > 700);
  assert.match(
    lines(gateway).join("\n"),
    new RegExp(`^force: escalated to SIGKILL while freeing port ${stranger.port}`, "mu"),
  );
  assert.equal(await gateway.stop(), 0);
});

test(
  "R14: the Gateway of the same state folder that hangs is ended by force, and the new one has folder and port",
  { skip },
  async () => {
    const stale = await createGatewayProcess();
    gateways.push(stale);
    await stale.start();
    process.kill(stale.pid(), "SIGSTOP");
    const gateway = await forced(stale.port, { OPENCLAW_STATE_DIR: join(stale.folder, "state"), HOME: stale.folder });
    await gateway.start();
    assert.match(
      lines(gateway).join("\n"),
      new RegExp(`killed pid ${stale.pid()} \\(.*gateway.*\\)[\\s\\S]*SIGKILL`, "u"),
    );
    assert.equal((await stale.cli("health")).code, 0, "the new one answers with the old one's token");
    assert.equal(await gateway.stop(), 0);
  },
);

test("a listener on IPv6 alone is found and ended", { skip: skip || (hasIpv6 ? false : "no IPv6 here") }, async () => {
  const stranger = await holdPort({ host: "::1" });
  const gateway = await forced(stranger.port);
  await gateway.start();
  assert.equal(await stranger.ended, "SIGTERM");
  assert.doesNotMatch(gateway.output(), /not listening on ::1/u);
  assert.equal(await gateway.stop(), 0);
});

test("a listener whose parent never looks after it becomes a zombie, which holds up nothing", { skip }, async () => {
  const script = `"$0" -e 'require("net").createServer().listen(0,"127.0.0.1",function(){console.log(process.pid,this.address().port)})' & exec sleep 60`;
  const parent = spawn("/bin/sh", ["-c", script, process.execPath], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [pid = 0, port = 0] = await new Promise<number[]>((resolve) => {
      parent.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim().split(" ").map(Number)));
    });
    const gateway = await forced(port);
    await gateway.start();
    assert.equal(process.kill(pid, 0), true, "its parent has not taken note of its end");
    assert.match(lines(gateway).join("\n"), new RegExp(`killed pid ${pid} `, "u"));
    assert.doesNotMatch(gateway.output(), /SIGKILL|still has listeners/u);
    assert.equal(await gateway.stop(), 0);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("one that something starts again is told, with gateway stop as the way", { skip }, async () => {
  const first = await holdPort();
  const kept = await holdPort({ port: first.port, isWaiting: true });
  try {
    const gateway = await forced(kept.port);
    await assert.rejects(gateway.start(), (error: Error) => {
      assert.match(error.message, /ended \(1\)/u);
      assert.match(
        error.message,
        new RegExp(`error: port ${kept.port} (?:still has listeners|is in use again) after --force`, "u"),
      );
      assert.match(error.message, /next: something starts it again; .*openclaw gateway stop/u);
      return true;
    });
  } finally {
    await kept.stop();
  }
});

test(
  "without lsof it fails at once and touches nothing",
  { skip: process.platform === "linux" && isRoot ? skip : "needs root, to hide lsof in a mount namespace" },
  async (t) => {
    const stranger = await holdPort();
    const folder = await mkdtemp(join(tmpdir(), "no-lsof-"));
    try {
      // lsof is where it always is: in a namespace of its own, something that is no program lies over it
      await writeFile(join(folder, "empty"), "");
      const hide = found.flat().map((path) => `mount --bind '${join(folder, "empty")}' '${path}'`);
      const gateway = await forced(stranger.port);
      const script = [...hide, `exec '${process.execPath}' '${launcher}' gateway --force --port ${stranger.port}`].join(
        " && ",
      );
      const run = promisify(execFile)("unshare", ["--mount", "/bin/sh", "-c", script], {
        env: gateway.env,
        timeout: 20_000,
      });
      const error = (await run.then(
        () => assert.fail("it started"),
        (reason: unknown) => reason,
      )) as { code: number; stderr: string };
      if (/unshare failed|permission denied/iu.test(error.stderr)) return t.skip("no namespaces here");
      assert.equal(error.code, 1);
      assert.match(error.stderr, /^error: lsof not found; required for --force\nnext: install lsof/u);
      assert.equal(stranger.child.exitCode ?? stranger.child.signalCode, null, "the stranger lives");
    } finally {
      await stranger.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test(
  "a process of another user is not ended in silence",
  { skip: process.platform === "linux" && isRoot ? skip : "needs root, to be somebody else" },
  async () => {
    const owners = await holdPort();
    // not in the folder of this test run: it belongs to root, and somebody else cannot get there
    const folder = await mkdtemp("/tmp/nobody-");
    try {
      const env = { PATH: process.env["PATH"], HOME: folder, NO_COLOR: "1", OPENCLAW_LOG_DIR: join(folder, "log") };
      await promisify(execFile)("chown", ["65534", folder]);
      const args = [launcher, "gateway", "--allow-unconfigured", "--force", "--port", String(owners.port)];
      const error = (await promisify(execFile)(process.execPath, args, {
        env,
        uid: 65_534,
        gid: 65_534,
        timeout: 20_000,
      }).then(
        () => assert.fail("it started"),
        (reason: unknown) => reason,
      )) as { code: number; stderr: string };
      assert.equal(error.code, 1);
      assert.match(
        error.stderr,
        new RegExp(`^error: port ${owners.port} is held by .*\\(user root\\), which this user may not end`, "u"),
      );
      assert.equal(owners.child.exitCode ?? owners.child.signalCode, null, "it lives");
    } finally {
      await owners.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
