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

test("a key of an account disturbs that account, what the default one has alone only it, anything else all of them", () => {
  assert.deepEqual(of("channels.telegram.accounts.Work.botToken", "channels.telegram.accounts.work.name").channels, [
    { id: "telegram", accounts: ["work"] },
  ]);
  assert.deepEqual(of("channels.telegram.tokenFile", "channels.telegram.accounts.work.apiRoot").channels, [
    { id: "telegram", accounts: ["default", "work"] },
  ]);
  assert.deepEqual(of("channels.telegram.apiRoot", "channels.telegram.accounts.work.botToken").channels, [
    { id: "telegram", accounts: undefined },
  ]);
  assert.deepEqual(of("channels.telegram.accounts.work.dmPolicy", "channels.telegram.allowFrom").channels, []);
});

test("channels start again one by one, however many of their keys changed", () => {
  const { channels, restart } = of(
    "channels.telegram.botToken",
    "channels.telegram.accounts.work.botToken",
    "web.reconnect.factor",
    "channels.telegram.allowFrom",
  );
  const expected = [
    { id: "telegram", accounts: ["default", "work"] },
    { id: "whatsapp", accounts: undefined },
  ];
  assert.deepEqual([channels, restart], [expected, []]);
});
