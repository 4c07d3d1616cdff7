// Flags that scripts for older programs pass: each does what it says, or is refused with a reason. And what every command has in
// common: help that shows what is typed most, a flag named in its own mistake, and output that did not arrive.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { afterEach, beforeEach, test } from "node:test";

import { createDoctorHome, type DoctorHome } from "../kit/doctor-home.ts";
import { launcher } from "../kit/gateway-process.ts";

let it: DoctorHome;
beforeEach(async () => {
  it = await createDoctorHome();
});
afterEach(() => it.dispose());

test("flags without a meaning here are taken, and those that ask for something else say why not", async () => {
  for (const flags of ["status --verbose --debug", "logs --expect-final", "gateway status --no-probe"])
    assert.equal((await it.cli(flags.split(" "))).code, 0, flags);
  const refused = async (flags: string, reason: RegExp) => {
    const { code, stderr, stdout } = await it.cli(flags.split(" "));
    assert.deepEqual([code, stdout], [2, ""], flags);
    assert.match(stderr, reason);
  };
  await refused("gateway install --runtime bun", /--runtime bun: the Gateway runs under Node alone[\s\S]*next: /u);
  await refused("gateway install --runtime deno", /Invalid --runtime: deno/u);
  const onboard = "onboard --non-interactive --accept-risk";
  await refused(`${onboard} --daemon-runtime bun`, /--daemon-runtime bun: .*Node alone/u);
  await refused(`${onboard} --tailscale always`, /Invalid --tailscale: always/u);
  await refused("configure --section web", /--section web: not in this version yet/u);
});

test("onboard writes how the tailnet reaches it, and takes the flags about runtimes of others", async () => {
  await rm(it.config);
  const { code, stdout, stderr } = await it.cli([
    ..."onboard --non-interactive --accept-risk --auth-choice skip --skip-channels --skip-health --no-install-daemon".split(
      " ",
    ),
    ..."--daemon-runtime node --node-manager pnpm --skip-ui --skip-skills".split(" "),
    ..."--tailscale serve --tailscale-reset-on-exit --json".split(" "),
  ]);
  assert.equal(code, 0, stderr);
  assert.partialDeepStrictEqual(JSON.parse(stdout), { gateway: { tailscaleMode: "serve" } });
  assert.partialDeepStrictEqual(JSON.parse(await readFile(it.config, "utf8")), {
    gateway: { tailscale: { mode: "serve", resetOnExit: true } },
  });
});

test("gateway status --require-rpc ends with 1 when nobody answers, and says the same", async () => {
  const asked = await it.cli(["gateway", "status", "--require-rpc", "--json"]);
  assert.equal(asked.code, 1);
  assert.partialDeepStrictEqual(JSON.parse(asked.stdout), { rpc: { ok: false } });
  assert.equal((await it.cli(["gateway", "status", "--json"])).code, 0);
});

test("a number that is none is told with its flag", async () => {
  const { code, stderr } = await it.cli(["logs", "--limit", "5", "--max-bytes", "0"]);
  assert.equal(code, 2);
  assert.match(stderr, /^error: --max-bytes: not a whole number from 1 to 1000000: 0$/mu);
});

const noFull = existsSync("/dev/full") ? false : "this system has no /dev/full";
test(
  "output that finds no room is an error of the command; a reader that goes away is none",
  { skip: noFull },
  async () => {
    for (const args of [["config", "schema"], ["--help"], ["status", "--json"]]) {
      const full = await open("/dev/full", "w");
      const child = spawn(process.execPath, [launcher, ...args], {
        cwd: it.home,
        env: it.env,
        stdio: ["ignore", full.fd, "pipe"],
      });
      let told = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        told += chunk.toString();
      });
      const [code] = (await once(child, "close")) as [number | null];
      await full.close();
      assert.equal(code, 1, args.join(" "));
      assert.match(told, /the output cannot be written: .*no space left/u);
    }
    const early = spawn(process.execPath, [launcher, "config", "schema"], {
      cwd: it.home,
      env: it.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    early.stdout.destroy();
    let told = "";
    early.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    const [code] = (await once(early, "close")) as [number | null];
    assert.deepEqual([code, told], [0, ""]);
  },
);
