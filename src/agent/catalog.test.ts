import assert from "node:assert/strict";
import { test } from "node:test";

import { Fault } from "../base/fault.ts";
import { parseConfig } from "../config/parse.ts";
import type { HandlersOf } from "../ports/method.ts";
import type { Tool } from "../ports/tool.ts";
import * as answers from "../protocol/generated/answers.js";
import type { Validator } from "../protocol/generated/requests.js";
import { checkWith } from "../protocol/validate.ts";
import { createCatalogHandlers } from "./catalog.ts";
import { chooseModels } from "./models.ts";

type Names = "agents.list" | "models.list" | "tools.catalog" | "commands.list";

const tool: Tool = {
  name: "session_status",
  description: "Looks.",
  parameters: {},
  effect: "read",
  run: () => Promise.resolve(""),
};

function open(text: string, env: Readonly<Record<string, string>> = {}) {
  const parsed = parseConfig(text, () => undefined);
  assert.ok("config" in parsed, JSON.stringify(parsed));
  const { config } = parsed;
  const ids = config.agents.list.map((agent) => agent.id.toLowerCase());
  const handlers: HandlersOf<Names> = createCatalogHandlers({
    config: () => config,
    routePolicy: () => ({
      dmScope: "per-channel-peer",
      scope: "per-sender",
      agentIds: ids.length > 0 ? ids : ["main"],
      defaultAgentId: ids[0] ?? "main",
      bindings: [],
    }),
    models: () =>
      chooseModels({ defaults: config.agents.defaults, providers: config.models.providers, env: (name) => env[name] }),
    tools: () => [tool],
  });
  return async (name: Names, params: object = {}) => {
    // called as dispatch does, with params that it has validated
    const result = await (handlers[name] as (call: object) => Promise<Record<string, unknown>>)({ params });
    const validator = (answers as unknown as Record<string, Validator>)[`validate_result_${name.replace(".", "_")}`];
    assert.ok(validator);
    assert.equal(checkWith(validator, result)?.text, undefined, name);
    return result;
  };
}

test("without a config there is one agent, and the demo is the model that answers", async () => {
  const call = open("{}");
  assert.deepEqual(await call("agents.list"), {
    defaultId: "main",
    mainKey: "main",
    scope: "per-sender",
    agents: [{ id: "main", model: { primary: "offline/demo" } }],
  });
  assert.deepEqual(await call("models.list"), {
    models: [{ id: "demo", name: "Offline demo", provider: "offline", available: true }],
  });
});

test("agents come with their names as far as they have any, and with the models that can be asked", async () => {
  const call = open(
    `{ agents: { defaults: { model: { primary: "anthropic/a", fallbacks: ["openai/b", "google/c"] } },
       list: [{ id: "Work", name: "Ann", identity: { name: "Ann", emoji: " " } }, { id: "home", name: "" }] } }`,
    { ANTHROPIC_API_KEY: "k", GEMINI_API_KEY: "k" },
  );
  const model = { primary: "anthropic/a", fallbacks: ["google/c"] };
  assert.deepEqual((await call("agents.list"))["agents"], [
    { id: "work", name: "Ann", identity: { name: "Ann" }, model },
    { id: "home", model },
  ]);
});

test("a model says why it cannot be asked, and its window only when the config does", async () => {
  const call = open(
    `{ agents: { defaults: { model: { primary: "openai/b", fallbacks: ["nowhere/x", "broken"] }, models: { "local/m": { alias: "quick" } } } },
       models: { providers: { local: { baseUrl: "http://127.0.0.1:1/v1", models: [
         { id: "m", name: "Mini", contextWindow: 4096, reasoning: true }, { id: "n" }] } } } }`,
  );
  assert.deepEqual((await call("models.list"))["models"], [
    { id: "b", name: "b", provider: "openai", available: false, unavailableReason: "missing-auth" },
    { id: "x", name: "x", provider: "nowhere", available: false },
    { id: "m", name: "Mini", provider: "local", alias: "quick", available: true, contextWindow: 4096, reasoning: true },
    { id: "n", name: "n", provider: "local", available: true },
  ]);
});

test("the catalog holds the tools that a turn gets, for an agent that exists", async () => {
  const call = open("{}");
  assert.partialDeepStrictEqual(await call("tools.catalog", { agentId: "MAIN" }), {
    agentId: "main",
    groups: [{ tools: [{ id: "session_status", label: "Session status" }] }],
  });
  await assert.rejects(call("tools.catalog", { agentId: "nobody" }), (error) => error instanceof Fault);
});

test("the one command that a chat understands is listed, and none for the menus of platforms", async () => {
  const call = open("{}");
  const { commands } = (await call("commands.list", { scope: "text" })) as { commands: { textAliases: string[] }[] };
  assert.deepEqual(
    commands.map((command) => command.textAliases),
    [["/stop"]],
  );
  assert.deepEqual(await call("commands.list", { scope: "native" }), { commands: [] });
});
