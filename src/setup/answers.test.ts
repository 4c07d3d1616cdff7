import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { applyMergePatch } from "../config/merge.ts";
import { toPatch, type Answers } from "./answers.ts";

const workspace = "/home/ann/.openclaw/workspace";
const apply = (whole: Record<string, unknown>, answers: Answers) =>
  applyMergePatch(whole, toPatch(answers, { whole, workspace }));

test("without an answer only what a start needs is written, and nothing that is there changes", () => {
  assert.deepEqual(apply({}, {}), { gateway: { mode: "local" }, agents: { defaults: { workspace } } });
  const own = { gateway: { mode: "local", port: 1 }, agents: { defaults: { workspace: "/w" } }, channels: {} };
  assert.deepEqual(toPatch({}, { whole: own, workspace }), {});
});

test("a client's config stays a client's until local is asked for", () => {
  const client = { gateway: { mode: "remote", remote: { url: "wss://x" } } };
  assert.deepEqual(apply(client, {}), client);
  assert.deepEqual(apply(client, { mode: "local" }), {
    gateway: { mode: "local", remote: { url: "wss://x" } },
    agents: { defaults: { workspace } },
  });
});

test("a token goes into the config only where the config has one already (R13)", () => {
  const gateway = { token: "new", auth: "token" } as const;
  assert.deepEqual(toPatch({ gateway }, { whole: {}, workspace })["gateway"], { mode: "local" });
  const whole = { gateway: { mode: "local", auth: { token: "old" } } };
  assert.deepEqual(toPatch({ gateway }, { whole, workspace })["gateway"], { auth: { mode: "token", token: "new" } });
  const guarded = { gateway: { mode: "local", auth: { mode: "password", password: "p" } } };
  assert.deepEqual(toPatch({ gateway }, { whole: guarded, workspace })["gateway"], { auth: { mode: "token" } });
});

test("a model goes before fallbacks that were chosen; a key before one that is there", () => {
  const whole = { agents: { defaults: { workspace, model: { primary: "a/b", fallbacks: ["c/d"] } } } };
  const changed = apply(whole, { model: { ref: "openai/gpt", provider: "openai", apiKey: "k" } });
  assert.partialDeepStrictEqual(changed, {
    agents: { defaults: { model: { primary: "openai/gpt", fallbacks: ["c/d"] } } },
    models: { providers: { openai: { apiKey: "k" } } },
  });
  const local = toPatch(
    { model: { ref: "ollama/m", provider: "ollama", baseUrl: "http://h/v1" } },
    { whole, workspace },
  );
  assert.deepEqual(local["models"], { providers: { ollama: { baseUrl: "http://h/v1" } } });
});

test("Telegram has one place for its token: the one that was given last", () => {
  const whole = { channels: { telegram: { enabled: false, botToken: "1:a", allowFrom: [5] } } };
  assert.deepEqual((apply(whole, { telegram: { tokenFile: "/t" } }) as typeof whole).channels.telegram, {
    enabled: true,
    tokenFile: "/t",
    allowFrom: [5],
  });
  const fromEnvironment = apply(whole, { telegram: {} }) as typeof whole;
  assert.deepEqual(fromEnvironment.channels.telegram, { enabled: true, allowFrom: [5] });
});

test("answers that are given twice change nothing the second time, whatever the file said", () => {
  const answers = fc.record(
    {
      mode: fc.constantFrom("local", "remote"),
      remote: fc.record({ url: fc.string(), token: fc.string() }, { requiredKeys: ["url"] }),
      workspace: fc.string(),
      gateway: fc.record(
        {
          port: fc.nat(),
          bind: fc.constantFrom("loopback", "lan"),
          auth: fc.constantFrom("token", "password"),
          token: fc.string(),
          password: fc.string(),
        },
        { requiredKeys: [] },
      ),
      model: fc.record(
        { ref: fc.string(), provider: fc.constantFrom("openai", "ollama"), apiKey: fc.string(), baseUrl: fc.string() },
        { requiredKeys: ["ref", "provider"] },
      ),
      telegram: fc.record({ name: fc.string(), botToken: fc.string(), tokenFile: fc.string() }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Answers>;
  const section = fc.dictionary(
    fc.constantFrom("mode", "port", "auth", "remote", "defaults", "providers", "telegram", "other"),
    fc.oneof(fc.string(), fc.dictionary(fc.constantFrom("token", "workspace", "model", "botToken"), fc.string())),
  );
  const file = fc.dictionary(fc.constantFrom("gateway", "agents", "models", "channels", "session"), section);
  fc.assert(
    fc.property(file, answers, (whole, given) => {
      const once = apply(whole, given) as Record<string, unknown>;
      assert.deepEqual(apply(once, given), once);
      assert.deepEqual(once["session"], whole["session"]);
    }),
  );
});
