import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { createEnv } from "./env.ts";
import { decidePort, derivePaths, expandHome, parseProfile } from "./paths.ts";

const derive = (
  brandName: string,
  options: { profile?: string; vars?: Record<string, string>; existing?: string[] } = {},
) =>
  derivePaths({
    brand: brandOf(brandName),
    env: createEnv(brandOf(brandName), options.vars ?? {}),
    profile: options.profile,
    home: "/home/me",
    temporary: "/tmp",
    exists: (path) => (options.existing ?? []).includes(path),
  });

test("both names have their own folders, files and logs (RB-08, RB-44, OV-09, OV-19, VG-06)", () => {
  const openclaw = derive("openclaw");
  assert.deepEqual(
    [openclaw.state, openclaw.config, openclaw.workspace, openclaw.logs],
    ["/home/me/.openclaw", "/home/me/.openclaw/openclaw.json", "/home/me/.openclaw/workspace", "/tmp/openclaw"],
  );
  const moltbot = derive("moltbot");
  assert.deepEqual(
    [moltbot.state, moltbot.config, moltbot.workspace, moltbot.logs],
    ["/home/me/.clawdbot", "/home/me/.clawdbot/moltbot.json", "/home/me/clawd", "/tmp/moltbot"],
  );
});

test("a profile moves everything (RB-39, RB-43, RB-44, RB-48, OV-19, MG-08, MG-17)", () => {
  const dev = derive("openclaw", { profile: "dev" });
  assert.deepEqual(
    [dev.state, dev.config, dev.workspace, dev.logPrefix],
    [
      "/home/me/.openclaw-dev",
      "/home/me/.openclaw-dev/openclaw.json",
      "/home/me/.openclaw/workspace-dev",
      "openclaw-dev",
    ],
  );
  assert.equal(derive("openclaw", { profile: "rescue" }).workspace, "/home/me/.openclaw/workspace-rescue");
  assert.equal(derive("moltbot", { profile: "dev" }).workspace, "/home/me/clawd-dev");
  assert.equal(derive("moltbot", { profile: "dev" }).config, "/home/me/.clawdbot-dev/moltbot.json");
});

test("a sibling's folder is used in place when only it exists, with the file that is in it", () => {
  const existing = ["/home/me/.clawdbot", "/home/me/.clawdbot/moltbot.json"];
  const paths = derive("openclaw", { existing });
  assert.deepEqual([paths.state, paths.config], ["/home/me/.clawdbot", "/home/me/.clawdbot/moltbot.json"]);
  assert.equal(derive("openclaw", { existing: [...existing, "/home/me/.openclaw"] }).state, "/home/me/.openclaw");
});

test("the environment decides each path by itself, our own prefix first (RB-55, MG-02, MG-03, MG-30, MG-31)", () => {
  const vars = { CLAWDBOT_STATE_DIR: "/b", OPENCLAW_STATE_DIR: "~/a", OPENCLAW_CONFIG_PATH: "~/c.json" };
  assert.deepEqual(
    [derive("openclaw", { vars }).state, derive("openclaw", { vars }).config],
    ["/home/me/a", "/home/me/c.json"],
  );
  assert.equal(derive("moltbot", { vars }).state, "/b");
  assert.equal(derive("openclaw", { profile: "x", vars: { OPENCLAW_STATE_DIR: "/s" } }).config, "/s/openclaw.json");
});

test("the config is looked for by the documented order, whatever exists", () => {
  const names = ["openclaw.json", "moltbot.json", "clawdbot.json"];
  const folders = [".openclaw", ".clawdbot", ".moltbot"].map((name) => `/home/me/${name}`);
  const candidates = [...folders, "/s"].flatMap((folder) => names.map((name) => `${folder}/${name}`));
  const maybe = (value: string) => fc.option(fc.constant(value), { nil: undefined });
  fc.assert(
    fc.property(
      fc.subarray(candidates),
      maybe("/c.json"),
      maybe("/s"),
      maybe("work"),
      (found, configPath, stateDir, profile) => {
        // a file exists only in a folder that does
        const existing = [...found, ...found.map((path) => path.slice(0, path.lastIndexOf("/")))];
        const vars = {
          ...(configPath ? { OPENCLAW_CONFIG_PATH: configPath } : {}),
          ...(stateDir ? { CLAWDBOT_STATE_DIR: stateDir } : {}),
        };
        const paths = derive("openclaw", { vars, existing, ...(profile ? { profile } : {}) });

        const home = folders.find((folder) => existing.includes(folder)) ?? "/home/me/.openclaw";
        assert.equal(paths.state, stateDir ?? (profile ? "/home/me/.openclaw-work" : home));
        const searched = stateDir ? ["/s"] : profile ? [] : folders;
        const first = searched
          .flatMap((folder) => names.map((name) => `${folder}/${name}`))
          .find((path) => existing.includes(path));
        assert.equal(paths.config, configPath ?? first ?? `${paths.state}/openclaw.json`);
      },
    ),
  );
});

test("all that is written lies in the state folder (MG-03)", () => {
  const { state, database, lock, credentials, gatewayToken, deviceIdentity, deviceTokens, configHistory } = derive(
    "openclaw",
    {
      vars: { OPENCLAW_STATE_DIR: "/s", OPENCLAW_CONFIG_PATH: "/elsewhere/main.json" },
    },
  );
  for (const path of [database, lock, credentials, gatewayToken, deviceIdentity, deviceTokens, configHistory]) {
    assert.ok(path.startsWith(`${state}/`), path);
  }
});

test("two config files over one state folder keep a copy each, which a restart finds again (MG-30, MG-31)", () => {
  const copyOf = (config: string) =>
    derive("openclaw", { vars: { OPENCLAW_STATE_DIR: "/s", OPENCLAW_CONFIG_PATH: config } }).configHistory;
  assert.equal(copyOf("/s/openclaw.json"), "/s/config-history");
  assert.equal(new Set(["/s/openclaw.json", "/s/a.json", "/s/b.json", "/t/openclaw.json"].map(copyOf)).size, 4);
  assert.equal(copyOf("/s/a.json"), copyOf("/s/a.json"));
});

test("a profile named in the environment alone moves the workspace and the log, not the state", () => {
  const paths = derive("openclaw", { vars: { OPENCLAW_PROFILE: "Rescue" } });
  assert.deepEqual(
    [paths.state, paths.workspace, paths.logPrefix, paths.profile],
    ["/home/me/.openclaw", "/home/me/.openclaw/workspace-rescue", "openclaw-rescue", undefined],
  );
  assert.equal(derive("openclaw", { profile: "dev", vars: { OPENCLAW_PROFILE: "rescue" } }).logPrefix, "openclaw-dev");
  assert.throws(() => derive("openclaw", { vars: { CLAWDBOT_PROFILE: "../x" } }), /Invalid CLAWDBOT_PROFILE/u);
});

test("RB-55: two state folders given by hand have a log each, as if they were profiles; any other keeps the plain name", () => {
  const logOf = (brand: string, state: string) => derive(brand, { vars: { OPENCLAW_STATE_DIR: state } }).logPrefix;
  assert.equal(logOf("openclaw", "~/.openclaw-a"), "openclaw-a");
  assert.equal(logOf("openclaw", "~/.openclaw-a"), derive("openclaw", { profile: "a" }).logPrefix);
  assert.equal(logOf("moltbot", "~/.clawdbot-B/"), "moltbot-b");
  for (const state of ["~/.openclaw", "/srv/state", "~/.openclaw-", "~/.openclaw-a b", "~/my.openclaw-a"])
    assert.equal(logOf("openclaw", state), "openclaw", state);
  const service = derive("openclaw", { vars: { OPENCLAW_PROFILE: "r", OPENCLAW_STATE_DIR: "~/.openclaw-a" } });
  assert.equal(service.logPrefix, "openclaw-r");
});

test("where Gateways tell of each other does not follow name, profile or state folder", () => {
  const places = [
    derive("openclaw"),
    derive("moltbot", { profile: "x" }),
    derive("openclaw", { vars: { OPENCLAW_STATE_DIR: "/s" } }),
  ];
  assert.equal(new Set(places.map(({ instances }) => instances)).size, 1);
  assert.ok(places[0]?.instances.startsWith("/home/me/."));
  assert.equal(derive("moltbot", { vars: { OPENCLAW_INSTANCES_DIR: "~/here" } }).instances, "/home/me/here");
});

test("RB-55: a tilde that no shell has expanded is the home folder, and nobody else's", () => {
  assert.equal(expandHome("~", "/home/me"), "/home/me");
  assert.equal(expandHome("~/.openclaw/a.json", "/home/me"), "/home/me/.openclaw/a.json");
  assert.equal(expandHome("/a/~/b", "/home/me"), "/a/~/b");
  assert.equal(expandHome("/a/../b/", "/home/me"), "/b");
});

test("the port comes from the flag, then the environment, then the config, then the default (RB-27, RB-45, RB-49, OV-31, MG-05, MG-21)", () => {
  const ports = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
  fc.assert(
    fc.property(ports, ports, ports, fc.boolean(), (flag, variable, configured, isDev) => {
      const env = createEnv(
        brandOf("openclaw"),
        variable === undefined ? {} : { OPENCLAW_GATEWAY_PORT: String(variable) },
      );
      const { port } = decidePort({ flag: flag?.toString(), env, configured, profile: isDev ? "dev" : undefined });
      assert.equal(port, flag ?? variable ?? configured ?? (isDev ? 19_001 : 18_789));
    }),
  );
  for (const flag of ["x", "-1", "70000", "1.5", ""]) {
    assert.throws(
      () => decidePort({ flag, env: createEnv(brandOf("openclaw"), {}), configured: undefined, profile: undefined }),
      Fault,
      flag,
    );
  }
});

test("a profile's name can never leave the folder", () => {
  assert.equal(parseProfile("Rescue"), "rescue");
  assert.equal(parseProfile("default"), undefined);
  fc.assert(
    fc.property(fc.string(), (name) => {
      try {
        assert.match(parseProfile(name) ?? "a", /^[a-z0-9][a-z0-9_-]{0,63}$/u);
      } catch (error) {
        assert.ok(error instanceof Fault && error.code === "usage");
      }
    }),
  );
});
