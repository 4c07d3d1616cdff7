import assert from "node:assert/strict";
import { test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { createEnv } from "../platform/env.ts";
import { createContext, decideColor, type GlobalFlags } from "./context.ts";

const brand = brandOf("openclaw");
const open = (flags: GlobalFlags) => createContext(brand, "1.2.3", flags);

test("hints are command lines of the profile in use, under the name that was called", () => {
  assert.equal(open({}).command("health"), "openclaw health");
  assert.equal(open({ dev: true }).command("health"), "openclaw --dev health");
  assert.equal(open({ profile: "Rescue" }).command("health"), "openclaw --profile rescue health");
  assert.equal(open({ profile: "default" }).command("health"), "openclaw health");
  assert.equal(createContext(brandOf("moltbot"), "1", { profile: "x" }).command("logs"), "moltbot --profile x logs");
});

test("hints of a service name the profile of its environment, where the flag leads to the same folder; a flag comes first", () => {
  process.env["OPENCLAW_PROFILE"] = "Rescue";
  try {
    assert.equal(open({}).command("health"), "openclaw health");
    process.env["OPENCLAW_STATE_DIR"] = "/home/me/.openclaw-rescue";
    assert.equal(open({}).command("health"), "openclaw --profile rescue health");
    assert.equal(open({ dev: true }).command("health"), "openclaw --dev health");
  } finally {
    delete process.env["OPENCLAW_PROFILE"];
    delete process.env["OPENCLAW_STATE_DIR"];
  }
});

test("a bad profile is refused in the documented words, as a mistake in usage", () => {
  const cases: [GlobalFlags, string][] = [
    [{ profile: "a/b" }, 'Invalid --profile (use letters, numbers, "_", "-" only)'],
    [{ profile: ".." }, 'Invalid --profile (use letters, numbers, "_", "-" only)'],
    [{ profile: `a${"b".repeat(64)}` }, 'Invalid --profile (use letters, numbers, "_", "-" only)'],
    [{ profile: "x", dev: true }, "Cannot combine --dev with --profile"],
  ];
  for (const [flags, message] of cases) {
    assert.throws(
      () => open(flags),
      (error: unknown) => error instanceof Fault && error.code === "usage" && error.message === message,
    );
  }
});

test("colours: the flag, then FORCE_COLOR, then NO_COLOR, else where a person looks", () => {
  const decide = (variables: Record<string, string>, isOff = false) => decideColor(createEnv(brand, variables), isOff);
  assert.equal(decide({ FORCE_COLOR: "1" }, true), "never");
  assert.equal(decide({ FORCE_COLOR: "1", NO_COLOR: "1" }), "always");
  assert.equal(decide({ FORCE_COLOR: "0" }), "never");
  assert.equal(decide({ NO_COLOR: "1" }), "never");
  assert.equal(decide({ NO_COLOR: "" }), "auto");
  assert.equal(decide({}), "auto");
});
