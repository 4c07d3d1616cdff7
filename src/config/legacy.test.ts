import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import JSON5 from "json5";

import { migrateText } from "./legacy-text.ts";
import { migrateLegacy } from "./legacy.ts";
import { parseConfig } from "./parse.ts";

const rows: readonly (readonly [name: string, from: Record<string, unknown>, to: Record<string, unknown>])[] = [
  [
    "channels at the top",
    { telegram: { botToken: "1:a" }, whatsapp: { allowFrom: ["+1"] }, slack: { x: 1 } },
    { channels: { telegram: { botToken: "1:a" }, whatsapp: { allowFrom: ["+1"] }, slack: { x: 1 } } },
  ],
  [
    "a channel in both places",
    { telegram: { a: 1 }, channels: { telegram: { b: 2 } } },
    { channels: { telegram: { b: 2, a: 1 } } },
  ],
  ["gateway.token", { gateway: { token: "t", port: 1 } }, { gateway: { port: 1, auth: { token: "t" } } }],
  ["the same token twice", { gateway: { token: "t", auth: { token: "t" } } }, { gateway: { auth: { token: "t" } } }],
  [
    "routing.allowFrom, where WhatsApp is set up",
    { routing: { allowFrom: ["+1"] }, whatsapp: {} },
    { channels: { whatsapp: { allowFrom: ["+1"] } } },
  ],
  [
    "routing.groupChat.requireMention, for the channels that are there",
    { routing: { groupChat: { requireMention: false } }, channels: { telegram: {}, whatsapp: {} } },
    {
      channels: {
        telegram: { groups: { "*": { requireMention: false } } },
        whatsapp: { groups: { "*": { requireMention: false } } },
      },
    },
  ],
  [
    "telegram.requireMention lets no further groups in",
    { telegram: { requireMention: false, groups: { "-1": {}, "-2": { requireMention: true } } } },
    { channels: { telegram: { groups: { "-1": { requireMention: false }, "-2": { requireMention: true } } } } },
  ],
  [
    "routing.groupChat",
    { routing: { groupChat: { mentionPatterns: ["@me"], historyLimit: 3 } } },
    { messages: { groupChat: { mentionPatterns: ["@me"], historyLimit: 3 } } },
  ],
  [
    "routing.agents",
    {
      routing: {
        agents: { home: { workspace: "/h", mentionPatterns: ["@h"] }, work: { name: "Work" } },
        defaultAgentId: "work",
      },
      identity: { name: "Ada" },
    },
    {
      agents: {
        list: [
          { id: "home", workspace: "/h", groupChat: { mentionPatterns: ["@h"] } },
          { id: "work", name: "Work", default: true, identity: { name: "Ada" } },
        ],
      },
    },
  ],
  ["identity alone", { identity: { name: "Ada" } }, { agents: { list: [{ id: "main", identity: { name: "Ada" } }] } }],
  [
    "routing.bindings, queue, agentToAgent, transcribeAudio",
    {
      routing: {
        bindings: [{ agentId: "a", match: { provider: "telegram", accountID: "x" } }],
        queue: { mode: "collect", byProvider: { telegram: "queue" } },
        agentToAgent: { enabled: true },
        transcribeAudio: { command: ["whisper", "--fast"], timeoutSeconds: 9 },
      },
    },
    {
      bindings: [{ agentId: "a", match: { channel: "telegram", accountId: "x" } }],
      messages: { queue: { mode: "collect", byChannel: { telegram: "queue" } } },
      tools: {
        agentToAgent: { enabled: true },
        media: {
          audio: { enabled: true, models: [{ type: "cli", command: "whisper", args: ["--fast"], timeoutSeconds: 9 }] },
        },
      },
    },
  ],
  [
    "both lists of bindings",
    { bindings: [{ agentId: "new" }], routing: { bindings: [{ agentId: "old" }] } },
    { bindings: [{ agentId: "new" }, { agentId: "old" }] },
  ],
  [
    "session.sendPolicy",
    { session: { sendPolicy: { rules: [{ action: "deny", match: { provider: "telegram" } }] } } },
    { session: { sendPolicy: { rules: [{ action: "deny", match: { channel: "telegram" } }] } } },
  ],
  [
    "agent",
    {
      agent: {
        model: "p/a",
        modelFallbacks: ["p/b"],
        imageModel: "p/c",
        imageModelFallbacks: ["p/d"],
        allowedModels: ["p/a"],
        modelAliases: { quick: "p/b" },
        heartbeat: { every: "1h" },
        tools: { deny: ["exec"] },
        elevated: { enabled: false },
        bash: { timeoutSec: 5 },
        sandbox: { mode: "all", tools: { allow: ["x"] } },
        subagents: { tools: { deny: ["y"] } },
      },
    },
    {
      agents: {
        defaults: {
          model: { primary: "p/a", fallbacks: ["p/b"] },
          imageModel: { primary: "p/c", fallbacks: ["p/d"] },
          models: { "p/a": {}, "p/b": { alias: "quick" } },
          heartbeat: { every: "1h" },
          sandbox: { mode: "all" },
        },
      },
      tools: {
        deny: ["exec"],
        elevated: { enabled: false },
        exec: { timeoutSec: 5 },
        sandbox: { tools: { allow: ["x"] } },
        subagents: { tools: { deny: ["y"] } },
      },
    },
  ],
  ["tools.bash", { tools: { bash: { a: 1 } } }, { tools: { exec: { a: 1 } } }],
  ["messages.tts.enabled", { messages: { tts: { enabled: true } } }, { messages: { tts: { auto: "always" } } }],
  [
    "an older credential",
    { auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "token" } } } },
    { auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "oauth" } } } },
  ],
];

for (const [name, from, to] of rows) {
  test(`older keys: ${name}`, () => {
    const { document, changes, conflicts } = migrateLegacy(from);
    assert.deepEqual(document, to);
    assert.deepEqual(conflicts, []);
    assert.ok(changes.length > 0);
    assert.equal(migrateLegacy(document).document, document, "once is enough");
  });
}

test("where an old and a new key disagree both stay, and the old one is told", () => {
  const cases = [
    { gateway: { token: "old", auth: { token: "new" } } },
    { telegram: { botToken: "1:a" }, channels: { telegram: { botToken: "2:b" } } },
    { routing: { allowFrom: ["+1"] } },
    { routing: { defaultAgentId: "a" }, agents: { list: [{ id: "b", default: true }] } },
    { agent: { model: "p/a" }, agents: 5 },
    { agent: { modelAliases: { quick: 7 } }, agents: { defaults: {} } },
    { messages: { tts: { enabled: "yes" } } },
    { routing: { transcribeAudio: "whisper" } },
  ];
  for (const document of cases) {
    const migrated = migrateLegacy(document);
    assert.ok(migrated.conflicts.length > 0, JSON.stringify(document));
    assert.deepEqual(leaves(migrated.document), leaves(document), JSON.stringify(document));
  }
});

/** Every value and every name that a person chose. */
function leaves(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  return Object.values(value).flatMap(leaves).toSorted();
}

const leaf = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean(), fc.constant(null));
const anything = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "enabled", "groups", "*", "model", "id", "0"), leaf, { maxKeys: 3 }),
);
const sometimes = (shape: Record<string, fc.Arbitrary<unknown>>) => fc.record(shape, { requiredKeys: [] });
const groupChat = sometimes({ requireMention: leaf, mentionPatterns: anything, historyLimit: leaf });
const channel = sometimes({ requireMention: fc.boolean(), groups: anything, allowFrom: anything, botToken: leaf });
const orAnything = (shape: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: shape, weight: 6 }, { arbitrary: anything, weight: 1 });
const match = sometimes({ match: sometimes({ provider: leaf, channel: leaf, accountID: leaf, accountId: leaf }) });
/** Documents full of older keys, beside new ones, with what nobody foresaw in any place. */
const documents = sometimes({
  telegram: orAnything(channel),
  whatsapp: orAnything(channel),
  channels: orAnything(sometimes({ telegram: orAnything(channel), whatsapp: orAnything(channel) })),
  identity: anything,
  gateway: orAnything(sometimes({ token: leaf, password: leaf, auth: orAnything(sometimes({ token: leaf })) })),
  routing: orAnything(
    sometimes({
      allowFrom: anything,
      groupChat: orAnything(groupChat),
      agents: orAnything(
        fc.dictionary(fc.constantFrom("a", "b"), orAnything(sometimes({ mentionPatterns: anything }))),
      ),
      defaultAgentId: fc.constantFrom("a", "c", 5),
      bindings: orAnything(fc.array(match, { maxLength: 2 })),
      queue: orAnything(sometimes({ byProvider: anything, byChannel: anything })),
      agentToAgent: anything,
      transcribeAudio: orAnything(sometimes({ command: fc.array(fc.string()) })),
      other: leaf,
    }),
  ),
  bindings: orAnything(fc.array(match, { maxLength: 2 })),
  messages: orAnything(sometimes({ queue: anything, groupChat: orAnything(groupChat), tts: anything })),
  agent: orAnything(
    sometimes({
      model: anything,
      modelFallbacks: anything,
      allowedModels: orAnything(fc.array(fc.string({ minLength: 1 }))),
      modelAliases: anything,
      tools: anything,
      bash: anything,
      sandbox: orAnything(sometimes({ tools: anything })),
      other: leaf,
    }),
  ),
  agents: orAnything(
    sometimes({
      defaults: orAnything(sometimes({ model: anything, models: anything })),
      list: orAnything(fc.array(fc.record({ id: fc.constantFrom("a", "b"), default: fc.boolean() }), { maxLength: 2 })),
    }),
  ),
  tools: anything,
  audio: orAnything(sometimes({ transcription: orAnything(sometimes({ command: fc.array(fc.string()) })) })),
  auth: anything,
  other: anything,
}).map((document) => JSON.parse(JSON.stringify(document)) as Record<string, unknown>);

/** Values and names: an alias, a model and an agent's id change from one to the other. */
function words(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  if (Array.isArray(value)) return value.flatMap(words);
  return Object.entries(value).flatMap(([key, inner]) => [key, ...words(inner)]);
}

test("property: whatever a document holds, no value of it is lost, and a second time changes nothing", () => {
  fc.assert(
    fc.property(documents, (document) => {
      const before = JSON.stringify(document);
      const migrated = migrateLegacy(document);
      assert.equal(JSON.stringify(document), before, "what was given is not touched");
      const after = new Set(words(migrated.document));
      const said = new Set(words(document));
      for (const value of leaves(document)) {
        const word = String(JSON.parse(value));
        // the two switches that became words
        const isTold = after.has(word) || after.has("always") || after.has("off") || word === "token";
        assert.ok(isTold, `${word} is gone: ${before} -> ${JSON.stringify(migrated.document)}`);
      }
      const again = migrateLegacy(migrated.document);
      assert.equal(again.document, migrated.document, `again: ${JSON.stringify(migrated.document)}`);
      assert.ok(said.size === 0 || after.size > 0);
    }),
    { numRuns: 3000 },
  );
});

test("property: a document without older keys is the very same, and nothing is said of it", () => {
  const modern = fc.record(
    {
      gateway: fc.record({ port: fc.integer(), auth: fc.record({ token: fc.string() }) }),
      channels: fc.record({ telegram: fc.record({ groups: fc.dictionary(fc.string(), fc.object()) }) }),
      agents: fc.record({
        defaults: fc.record({ model: fc.string(), models: fc.dictionary(fc.string(), fc.object()) }),
        list: fc.array(fc.record({ id: fc.string(), identity: fc.object() })),
      }),
      bindings: fc.array(fc.record({ agentId: fc.string(), match: fc.record({ channel: fc.string() }) })),
      mine: fc.object(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(modern, (document) => {
      const migrated = migrateLegacy(document);
      assert.equal(migrated.document, document);
      assert.deepEqual([migrated.changes, migrated.conflicts], [[], []]);
    }),
  );
});

test("the text keeps its remarks, also those inside of what moves", () => {
  const text = `// mine
{
  gateway: { mode: "local", token: "t" }, // the door
  telegram: {
    // from @BotFather
    botToken: "1:a",
    allowFrom: [
      7, // me
    ],
  },
  logging: { level: "debug" }, // loud
}
`;
  const { text: after } = migrateText(text, JSON5.parse(text));
  assert.equal(
    after,
    `// mine
{
  gateway: { mode: "local",  auth: {
    token: "t"
  } }, // the door
  logging: { level: "debug" }, // loud
  channels: {
    telegram: {
      // from @BotFather
      botToken: "1:a",
      allowFrom: [
        7, // me
      ],
    }
  },
}
`,
  );
});

test("property: the text holds what the document holds, and one without older keys stays as it is", () => {
  fc.assert(
    fc.property(documents, fc.boolean(), (document, isRemarked) => {
      const plain = JSON.stringify(document, null, 2);
      const text = isRemarked ? plain.replaceAll("{\n", "{ // why\n") : plain;
      const { text: after, migrated } = migrateText(text, document);
      assert.deepEqual(JSON5.parse(after), migrated.document);
      if (migrated.document === document) assert.equal(after, text);
    }),
    { numRuns: 500 },
  );
});

test("a config of an older program is read as it is meant, with the place of every older key", () => {
  const text = '{\n  gateway: { mode: "local" },\n  telegram: { botToken: "1:a" },\n  agent: { model: "p/a" } }';
  const parsed = parseConfig(text, () => undefined);
  assert.ok("config" in parsed);
  assert.equal(parsed.config.channels.telegram?.botToken, "1:a");
  assert.equal(parsed.config.agents.defaults.model, "p/a");
  assert.deepEqual(
    parsed.legacy.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`),
    ["3:3 telegram: an older key, now channels.telegram", "4:3 agent: an older key, now agents.defaults"],
  );
});

test("what is wrong inside of an older section is told where it stands", () => {
  const parsed = parseConfig("{\n  telegram: { botToken: 5 } }", () => undefined);
  assert.ok("problems" in parsed);
  assert.deepEqual(
    parsed.problems.map(({ line, column, path }) => [line, column, path]),
    [[2, 15, "telegram.botToken"]],
  );
});
