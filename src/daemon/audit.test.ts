import assert from "node:assert/strict";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { createEnv } from "../platform/env.ts";
import { derivePaths } from "../platform/paths.ts";
import { auditService } from "./audit.ts";
import { planService } from "./definition.ts";
import { deriveServiceNames } from "./names.ts";
import { parsePlist, renderPlist } from "./plist.ts";
import { parseUnit, renderUnit } from "./systemd-unit.ts";

let folder: string;
let script: string;
let node: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "audit-")));
  script = join(folder, "program.mjs");
  node = await realpath(process.execPath);
  await writeFile(script, "");
});
after(() => rm(folder, { recursive: true, force: true }));

function plan(platform: NodeJS.Platform) {
  const brand = brandOf("openclaw");
  const env = createEnv(brand, {});
  const paths = derivePaths({ brand, env, profile: undefined, home: folder, temporary: "/tmp", exists: () => false });
  const shared = { brand, env, profile: undefined, kind: "gateway", version: "1" } as const;
  const names = deriveServiceNames(shared);
  const args = ["gateway", "--port", "18789"];
  return planService({ ...shared, paths, names, platform, home: folder, launcher: [node, script], args });
}

const unit = (change: (text: string) => string = (text) => text) => {
  const text = change(renderUnit(plan("linux")));
  return { path: "/unit", text, ...parseUnit(text) };
};
const plist = (change: (text: string) => string = (text) => text) => {
  const text = change(renderPlist("bot.molt.gateway", plan("darwin")));
  return { path: "/plist", text, ...parsePlist(text) };
};
const codes = async (installed: ReturnType<typeof unit> | ReturnType<typeof plist>, platform: NodeJS.Platform) => {
  const options = { kind: "gateway", platform, launcher: [node, script], systemNodes: [join(folder, "none")] } as const;
  return (await auditService(installed, options)).map(({ code }) => code);
};

test("what install writes has nothing to complain of", async () => {
  assert.deepEqual(await codes(unit(), "linux"), []);
  assert.deepEqual(await codes(plist(), "darwin"), []);
});

test("each fault of a unit has its code (RB-120)", async () => {
  const faults: readonly (readonly [change: (text: string) => string, expected: readonly string[]])[] = [
    [(text) => text.replace(" gateway --port", " serve --port"), ["gateway-command-missing"]],
    [(text) => text.replace(script, "/gone.mjs"), ["gateway-program-missing"]],
    [(text) => text.replace(script, "/etc/hosts"), ["gateway-entrypoint-mismatch"]],
    [(text) => text.replaceAll(/^Environment="PATH=.*\n/gmu, ""), ["gateway-path-missing"]],
    [(text) => text.replace(/^(Environment="PATH=).*"$/mu, '$1/opt/x"'), ["gateway-path-missing-dirs"]],
    [(text) => text.replace('"PATH=', '"PATH=/home/a/.nvm/versions/node/v24/bin:'), ["gateway-path-nonminimal"]],
    [(text) => text.replaceAll("After=network-online.target\n", ""), ["systemd-after-network-online"]],
    [(text) => text.replaceAll("Wants=network-online.target\n", ""), ["systemd-wants-network-online"]],
    [(text) => text.replace("RestartSec=5\n", "RestartSec=60\n"), ["systemd-restart-sec"]],
    [(text) => text.replace("RestartSec=5\n", ""), ["systemd-restart-sec"]],
    [(text) => `${text}\nEnvironment="OPENCLAW_GATEWAY_TOKEN=x"\n`, ["service-secret"]],
    [(text) => text.replaceAll("SERVICE_MARKER", "OTHER"), ["service-marker-missing"]],
    [() => "", ["service-unreadable"]],
    [
      (text) => text.replace(node, "/home/a/.nvm/versions/node/v24/bin/node"),
      ["gateway-program-missing", "gateway-runtime-node-version-manager", "gateway-runtime-node-system-missing"],
    ],
    [(text) => text.replace(node, "/usr/local/bin/bun"), ["gateway-program-missing", "gateway-runtime-bun"]],
  ];
  for (const [change, expected] of faults) assert.deepEqual(await codes(unit(change), "linux"), expected);
});

test("each fault of a property list has its code (RB-95, RB-99)", async () => {
  const off = (key: string) => (text: string) =>
    text.replace(new RegExp(`(<key>${key}</key>\\s*)<true/>`, "u"), "$1<false/>");
  assert.deepEqual(await codes(plist(off("KeepAlive")), "darwin"), ["launchd-keep-alive"]);
  assert.deepEqual(await codes(plist(off("RunAtLoad")), "darwin"), ["launchd-run-at-load"]);
});
