import assert from "node:assert/strict";
import { test } from "node:test";

import { brandOf } from "../base/brand.ts";
import { createEnv, withVariables } from "./env.ts";

test("our own prefix comes first, the sibling's stands in, and blank counts as unset", () => {
  const variables = { OPENCLAW_A: "new", CLAWDBOT_A: "old", OPENCLAW_B: "  ", CLAWDBOT_B: " kept ", CLAWDBOT_C: "" };
  const env = createEnv(brandOf("openclaw"), variables);
  assert.deepEqual([env.get("A"), env.get("B"), env.get("C"), env.get("D")], ["new", "kept", undefined, undefined]);
  assert.deepEqual([env.source("A"), env.source("B"), env.source("C")], ["OPENCLAW_A", "CLAWDBOT_B", undefined]);
  assert.equal(createEnv(brandOf("moltbot"), variables).get("A"), "old");
});

test("foreign variables are read by their own name", () => {
  const env = createEnv(brandOf("openclaw"), { TELEGRAM_BOT_TOKEN: "t", NO_COLOR: "" });
  assert.deepEqual(
    [env.raw("TELEGRAM_BOT_TOKEN"), env.raw("NO_COLOR"), env.get("TELEGRAM_BOT_TOKEN")],
    ["t", undefined, undefined],
  );
});

test("variables from elsewhere fill gaps and never hide what the process has", () => {
  const brand = brandOf("openclaw");
  const process = { KEY: "process", BLANK: " ", CLAWDBOT_GATEWAY_PORT: "1" };
  const env = withVariables(brand, createEnv(brand, process), {
    KEY: "file",
    BLANK: "file",
    OTHER: "file",
    OPENCLAW_GATEWAY_PORT: "2",
  });
  assert.deepEqual([env.raw("KEY"), env.raw("BLANK"), env.raw("OTHER")], ["process", "file", "file"]);
  assert.deepEqual([env.get("GATEWAY_PORT"), env.source("GATEWAY_PORT")], ["1", "CLAWDBOT_GATEWAY_PORT"]);
  assert.deepEqual(Object.keys(process), ["KEY", "BLANK", "CLAWDBOT_GATEWAY_PORT"], "nothing is written");
});
