import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { defaultConfig } from "../../config/parse.ts";
import type { ConfigSnapshot, ConfigStore } from "../../config/store.ts";
import { withFlags } from "./flagged-config.ts";
import { applyFlags, type RunFlags } from "./run-flags.ts";

const none: RunFlags = {
  isVerbose: false,
  wsLog: "auto",
  rawStream: undefined,
  bind: undefined,
  auth: undefined,
  tailscale: undefined,
  isTailscaleReset: false,
  password: undefined,
  isReset: false,
  notices: [],
};

test("flags count over the config, touch nothing else, and without any it is the very same", () => {
  const config = defaultConfig();
  assert.equal(applyFlags(config, none), config);
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const flags = fc.record({
    bind: optional(fc.constantFrom("loopback", "lan", "tailnet", "auto", "custom")),
    auth: optional(fc.constantFrom("token", "password")),
    tailscale: optional(fc.constantFrom("off", "serve", "funnel")),
    isTailscaleReset: fc.boolean(),
  });
  fc.assert(
    fc.property(flags, (given) => {
      const chosen = { ...none, ...given } as RunFlags;
      const { gateway, ...rest } = applyFlags(config, chosen);
      assert.equal(gateway.bind, given.bind ?? config.gateway.bind);
      assert.equal(gateway.auth.mode, given.auth ?? config.gateway.auth.mode);
      assert.equal(gateway.tailscale?.mode, given.tailscale ?? config.gateway.tailscale?.mode);
      assert.equal(gateway.tailscale?.resetOnExit === true, given.isTailscaleReset);
      const { gateway: _gateway, ...before } = config;
      assert.deepEqual(rest, before);
      assert.deepEqual(defaultConfig(), config, "the config itself stays");
    }),
  );
});

test("who compares what the store gives sees a change only where there is one", async () => {
  let config = defaultConfig();
  const snapshot = (): ConfigSnapshot => snapshots.get(config) ?? keep({ config } as ConfigSnapshot);
  const snapshots = new Map<object, ConfigSnapshot>();
  const keep = (made: ConfigSnapshot) => {
    snapshots.set(made.config, made);
    return made;
  };
  const store: ConfigStore = {
    files: { path: "/x", variable: () => undefined },
    current: () => config,
    snapshot,
    id: () => undefined,
    keepGood: async () => undefined,
    reload: async () => snapshot(),
  } as ConfigStore;
  const flagged = withFlags(store, { ...none, auth: "password" });
  assert.equal(flagged.current(), flagged.current());
  assert.equal(flagged.snapshot(), await flagged.reload());
  assert.equal(flagged.snapshot().config, flagged.current());
  assert.equal(flagged.current().gateway.auth.mode, "password");
  const before = flagged.current();
  config = { ...config, logging: { ...config.logging, level: "debug" } };
  assert.notEqual(flagged.current(), before);
  assert.equal((await flagged.reload()).config.logging.level, "debug");
});
