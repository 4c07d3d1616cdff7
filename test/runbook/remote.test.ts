// The Gateway at the end of an SSH tunnel: what comes out of it is a client of this machine, and still needs the secret. Once through
// a real ssh and sshd where there are some, and always through a plain forwarder, which is what a tunnel is to the Gateway.

import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { networkInterfaces, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { WebSocket } from "ws";

import { createGatewayProcess, freePort, startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient } from "../kit/raw-client.ts";

const run = promisify(execFile);
const sshd = "/usr/sbin/sshd";

let gateway: GatewayProcess;
let tunnel: Server;
let near: number;
before(async () => {
  gateway = await startGatewayProcess();
  near = await freePort();
  tunnel = createServer((client) => {
    const far = connect(gateway.port, "127.0.0.1");
    client.pipe(far).pipe(client);
    client.on("error", () => far.destroy());
    far.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    tunnel.listen(near, "127.0.0.1", resolve);
  });
});
after(async () => {
  tunnel?.close();
  await gateway?.dispose();
});

/** A machine of its own: no config, no token, no device that the Gateway knows. */
async function elsewhere(args: readonly string[], token?: string) {
  const home = await mkdtemp(join(tmpdir(), "elsewhere-"));
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    NO_COLOR: "1",
    OPENCLAW_LOG_DIR: join(home, "log"),
    ...(token === undefined ? {} : { OPENCLAW_GATEWAY_TOKEN: token }),
  };
  const launcher = join(import.meta.dirname, "..", "..", "bin", "openclaw.mjs");
  try {
    const { stdout } = await run(process.execPath, [launcher, ...args], { env, cwd: home });
    return { code: 0, said: stdout };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, said: stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test("through a tunnel clients use ws://127.0.0.1, as if the Gateway were here (RB-28..30, OV-16, OV-49, VG-08, VG-09)", async () => {
  const url = `ws://127.0.0.1:${near}`;
  for (const args of [
    ["--url", url, "status"],
    ["status", "--url", url],
    ["health", "--url", url],
    ["agent", "--url", url, "--message", "hello"],
  ]) {
    const { code, said } = await elsewhere(args, gateway.token);
    assert.equal(code, 0, said);
    assert.notEqual(said.trim(), "");
  }
});

test("the secret is needed through the tunnel too, and on loopback without one (RB-24, RB-31, RB-79, OV-11, OV-46)", async () => {
  for (const port of [near, gateway.port]) {
    for (const auth of [undefined, {}, { token: "" }, { token: "guess" }, { password: gateway.token.slice(1) }]) {
      const client = await openRawClient(port, "");
      const { ok, error } = await client.connect({ auth });
      assert.equal(ok, false, JSON.stringify(auth));
      assert.equal(error?.code, "INVALID_REQUEST");
      assert.equal((await client.closed).code, 1008);
    }
    const client = await openRawClient(port, gateway.token);
    assert.equal((await client.connect()).ok, true);
    client.close();
  }
  const { code, said } = await elsewhere(["health", "--url", `ws://127.0.0.1:${near}`]);
  assert.equal(code, 1);
  assert.match(said, /^next: .*token/imu);
});

const outside = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

test(
  "a bind beyond this machine is one that somebody asked for, and lets nobody in without the secret (RB-28, OV-15, OV-46, OV-47, VG-08)",
  { skip: outside === undefined ? "this machine has no other address" : false },
  async () => {
    const wide = await createGatewayProcess({ args: ["--bind", "lan"] });
    try {
      await wide.start();
      for (const auth of [undefined, { token: "guess" }]) {
        const socket = new WebSocket(`ws://${outside}:${wide.port}/`);
        const closed = once(socket, "close");
        await once(socket, "open");
        socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: connectParams("", { auth }) }));
        assert.equal((await closed)[0], 1008);
      }
    } finally {
      await wide.dispose();
    }
  },
);

test("a wrong token in the shell is told with the name of the variable (OV-49)", async () => {
  const { code, said } = await elsewhere(["status", "--url", `ws://127.0.0.1:${near}`, "--json"], "stale");
  assert.equal(code, 0);
  assert.match(said, /OPENCLAW_GATEWAY_TOKEN/u);
});

test(
  "ssh -N -L carries clients to the Gateway (RB-29, OV-16, VG-09)",
  { skip: existsSync(sshd) && existsSync("/run/sshd") ? false : "no sshd on this machine" },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "tunnel-"));
    const children: ChildProcess[] = [];
    try {
      const [port, local] = [await freePort(), await freePort()];
      const user = userInfo().username;
      for (const name of ["host", "user"])
        await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
      await mkdir(join(folder, "keys"));
      const keys = join(folder, "keys", "authorized");
      await run("cp", [join(folder, "user.pub"), keys]);
      await chmod(keys, 0o600);
      await writeFile(
        join(folder, "sshd_config"),
        [
          `Port ${port}`,
          "ListenAddress 127.0.0.1",
          `HostKey ${join(folder, "host")}`,
          `AuthorizedKeysFile ${keys}`,
          `PidFile ${join(folder, "pid")}`,
          "StrictModes no",
          "UsePAM no",
          "PermitRootLogin yes",
          "PasswordAuthentication no",
          "",
        ].join("\n"),
      );
      children.push(spawn(sshd, ["-D", "-e", "-f", join(folder, "sshd_config")], { stdio: "ignore" }));
      await answers(port);
      const quiet = [
        "StrictHostKeyChecking=no",
        `UserKnownHostsFile=${join(folder, "known")}`,
        "ExitOnForwardFailure=yes",
      ];
      const options = [...quiet, "IdentitiesOnly=yes", "LogLevel=ERROR"].flatMap((it) => ["-o", it]);
      const forward = `${local}:127.0.0.1:${gateway.port}`;
      const login = ["-i", join(folder, "user"), "-p", String(port), `${user}@127.0.0.1`];
      children.push(spawn("ssh", ["-N", "-L", forward, ...options, ...login], { stdio: "ignore" }));
      await answers(local);

      const { code, said } = await elsewhere(["health", "--url", `ws://127.0.0.1:${local}`], gateway.token);
      assert.equal(code, 0, said);
      const stranger = await openRawClient(local, "guess");
      assert.equal((await stranger.connect()).ok, false);
    } finally {
      for (const child of children) child.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

/** Resolves once somebody listens there. */
async function answers(port: number): Promise<void> {
  const knock = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  for (const end = Date.now() + 10_000; !(await knock()); await new Promise((resolve) => setTimeout(resolve, 50)))
    assert.ok(Date.now() < end, `nobody listens on ${port}`);
}
