import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { findOtherServices } from "./others.ts";
import { renderPlist } from "./plist.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "others-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const marked = "Environment=OPENCLAW_SERVICE_MARKER=openclaw OPENCLAW_SERVICE_KIND=gateway\n";

test("a copy of our own unit for the whole machine is told; that of a profile in the user's folder is not (RB-103, RB-128)", async () => {
  const user = join(folder, "user");
  const system = join(folder, "system");
  for (const path of [user, system]) {
    await mkdir(path);
    const unit = `[Service]\nExecStart=/n /x/openclaw.mjs gateway\n${marked}`;
    await writeFile(join(path, "openclaw-gateway.service"), unit);
  }
  await symlink("/nowhere/at/all", join(system, "openclaw-broken.service"));
  const found = await findOtherServices({
    brand: brandOf("openclaw"),
    platform: "linux",
    known: [],
    folders: [
      { path: user, scope: "user" },
      { path: system, scope: "system" },
      { path: join(folder, "absent"), scope: "system" },
    ],
  });
  const detail = join(system, "openclaw-gateway.service");
  assert.deepEqual(found, [
    {
      platform: "linux",
      label: "openclaw-gateway",
      detail,
      scope: "system",
      marker: "openclaw",
      cleanup: ["sudo systemctl disable --now openclaw-gateway.service", `sudo rm ${detail}`],
    },
  ]);
});

test("agents and daemons of launchd are found by what they run (RB-34, RB-103, RB-110, RB-114)", async () => {
  const agents = join(folder, "agents");
  await mkdir(agents);
  const write = (label: string, script: string, environment: Record<string, string> = {}) =>
    writeFile(
      join(agents, `${label}.plist`),
      renderPlist(label, {
        description: "x",
        program: ["/n", script],
        workingDirectory: "/",
        environment,
        output: { stdout: "/x", stderr: "/y" },
      }),
    );
  await write("ai.openclaw.gateway", "/x/index.js");
  await write("com.example.bot", "/opt/clawdbot/index.js");
  await write("com.example.other", "/opt/other.js");
  await write("bot.molt.rescue", "/opt/openclaw.mjs", {
    CLAWDBOT_SERVICE_MARKER: "moltbot",
    CLAWDBOT_SERVICE_KIND: "gateway",
  });
  const found = await findOtherServices({
    brand: brandOf("openclaw"),
    platform: "darwin",
    known: [],
    folders: [{ path: agents, scope: "user" }],
  });
  assert.deepEqual(
    found.map(({ label, marker, legacy, cleanup }) => [label, marker, legacy, cleanup[0]]),
    [
      ["ai.openclaw.gateway", "openclaw", undefined, "launchctl bootout gui/$UID/ai.openclaw.gateway"],
      ["com.example.bot", "clawdbot", true, "launchctl bootout gui/$UID/com.example.bot"],
    ],
  );
});
