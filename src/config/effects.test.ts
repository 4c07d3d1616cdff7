import assert from "node:assert/strict";
import { test } from "node:test";

import { decideDisturbance } from "./effects.ts";

const of = (...keys: string[]) => decideDisturbance(keys.map((key) => key.split(".")));

test("each key disturbs what it declares, a listener being less than the Gateway", () => {
  assert.deepEqual(of("gateway.port", "gateway.mode", "agents.defaults.model", "gateway.auth.token"), {
    restart: ["gateway.mode"],
    listener: ["gateway.port"],
    channels: [],
    hot: ["gateway.auth.token"],
  });
});

test("a key below a section or a list that is not declared further takes its effect", () => {
  assert.deepEqual(of("channels.telegram.groups.-1.requireMention", "bindings.0.agentId").restart, []);
  assert.deepEqual(of("env.vars.SOME_NAME").restart, ["env.vars.SOME_NAME"]);
  assert.deepEqual(of("no.such.key").restart, ["no.such.key"], "what nobody knows is not taken lightly");
});

test("channels start again one by one, however many of their keys changed", () => {
  const { channels, restart } = of(
    "channels.telegram.botToken",
    "channels.telegram.accounts.work.botToken",
    "web.reconnect.factor",
    "channels.telegram.allowFrom",
  );
  assert.deepEqual([channels, restart], [["telegram", "whatsapp"], []]);
});
