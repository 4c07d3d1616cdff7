// Secrets of every kind, planted wherever they can come from, and looked for wherever something is written or shown (T38).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";

const word = (length = 30) =>
  `C4n4ry${randomBytes(24)
    .toString("hex")
    .slice(0, length - 6)}`;

/** What is looked for, and the text that it is planted in. */
interface Planted {
  readonly kind: string;
  readonly secret: string;
  readonly text: string;
}
const plant = (kind: string, make: (secret: string) => string): Planted => {
  const secret = word();
  return { kind, secret, text: make(secret) };
};

/** Those whose form gives them away: nobody has told the Gateway of them. */
const strangers: readonly Planted[] = [
  plant("bearer header", (it) => `Authorization: Bearer ${it}`),
  plant("basic header", (it) => `authorization: Basic ${it}==`),
  plant("bearer alone", (it) => `sent Bearer ${it} to it`),
  plant("cookie", (it) => `Cookie: session=${it}`),
  plant("JSON field", (it) => JSON.stringify({ accessToken: it })),
  plant("JSON in JSON", (it) => JSON.stringify(JSON.stringify({ clientSecret: it }))),
  plant("quoted password", (it) => `password: "two words ${it}"`),
  plant("variable", (it) => `export MY_API_KEY=${it}`),
  plant("key variable", (it) => `STRIPE_KEY="${it}"`),
  plant("flag", (it) => `run --password ${it} now`),
  plant("flag with =", (it) => `run --bot-token=${it}`),
  plant("query", (it) => `GET /hook?token=${it}&x=1`),
  plant("URL user", (it) => `https://me:${it}@proxy.example/x`),
  plant("bot URL", (it) => `https://api.telegram.org/bot123456789:${it}/getMe`),
  plant("bot URL, encoded", (it) => `bot123456789%3A${it}`),
  plant("bot token", (it) => `123456789:${it}`),
  plant("PEM", (it) => `-----BEGIN PRIVATE KEY-----\n${it}\n-----END PRIVATE KEY-----`),
  plant("PEM without end", (it) => `-----BEGIN RSA PRIVATE KEY-----\n${it}`),
  plant("sk-", (it) => `sk-${it}`),
  plant("sk_live_", (it) => `sk_live_${it}`),
  plant("ghp_", (it) => `ghp_${it}`),
  plant("github_pat_", (it) => `github_pat_${it}`),
  plant("xoxb-", (it) => `xoxb-${it}`),
  plant("xapp-", (it) => `xapp-${it}`),
  plant("gsk_", (it) => `gsk_${it}`),
  plant("pplx-", (it) => `pplx-${it}`),
  plant("npm_", (it) => `npm_${it}`),
  plant("AIza", (it) => `AIza${it}`),
  plant("JWT", (it) => `eyJhbGciOiJIUzI1NiJ9.${it}.${it}`),
  plant("passphrase", (it) => `passphrase=${it}`),
];
const variables = [
  "ANTHROPIC_API_KEY",
  "DB_PASSWORD",
  "VENDOR_TOKEN",
  "SOME_SECRET",
  "LEGACY_KEY",
  "OPENCLAW_GATEWAY_PASSWORD",
];
const providers = ["a", "b", "c", "d", "e", "f"];
/** Those that stand in config and environment: masked though nothing but the value shows. */
const own: readonly Planted[] = [
  ...variables.map((name) => plant(`variable ${name}`, (it) => it)),
  ...providers.map((id) => plant(`models.providers.${id}.apiKey`, (it) => it)),
  ...[
    "models.providers.mock.apiKey",
    "gateway.auth.token",
    "gateway.remote.token",
    "gateway.remote.password",
    "hooks.token",
    "env.vars",
    "env",
    "typed --token",
  ].map((kind) => plant(kind, (it) => it)),
];
const all = [...strangers, ...own];
const secretOf = (kind: string) => all.find((planted) => planted.kind === kind)?.secret ?? "";

let folder = "";
let gateway: GatewayProcess;
let telegram: FakeTelegram;
let models: ModelServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "planted-"));
  telegram = await startFakeTelegram();
  models = await startModelServer(() => 401);
  await writeFile(join(folder, "secrets.json"), JSON.stringify(all.map(({ text }) => text)));
  await writeFile(
    join(folder, "preload.mjs"),
    // stray errors, as a bug of ours or of a package would throw them
    `import { readFileSync } from "node:fs";
    const texts = JSON.parse(readFileSync(${JSON.stringify(join(folder, "secrets.json"))}, "utf8"));
    if (process.argv.includes("gateway") && process.argv.includes("--verbose")) {
      const make = (text) => Object.assign(new Error(text, { cause: new Error("cause: " + text) }), { code: text });
      setTimeout(() => {
        for (const text of texts) Promise.reject(make(text));
        Promise.reject(new AggregateError(texts.map(make), texts.join(" ")));
        Promise.reject({ token: texts.at(-1), nested: { list: texts } });
      }, 1500);
      setTimeout(() => { throw make(texts.join("\\n")); }, 3500);
    }
    if (process.env.CRASH_AFTER_MS)
      setTimeout(() => { throw new Error(texts.join(" ")); }, Number(process.env.CRASH_AFTER_MS));`,
  );
  const [, token = ""] = telegram.token.split(":");
  telegram.react = ({ method }) =>
    method === "getUpdates"
      ? {
          error: {
            error_code: 500,
            description: `bot${telegram.token} failed: ${all.map(({ text }) => text).join(" ")}`,
          },
        }
      : undefined;
  assert.ok(token.length > 10);
  gateway = await createGatewayProcess({
    args: ["--verbose", "--ws-log", "full", "--raw-stream", "--auth", "token", "--token", secretOf("typed --token")],
    env: {
      NODE_OPTIONS: `--import=${join(folder, "preload.mjs")}`,
      OPENCLAW_GATEWAY_TOKEN: secretOf("typed --token"),
      ...Object.fromEntries(variables.map((name) => [name, secretOf(`variable ${name}`)])),
    },
    config: {
      gateway: {
        mode: "local",
        auth: { mode: "token", token: secretOf("gateway.auth.token") },
        remote: {
          url: "wss://remote.example",
          token: secretOf("gateway.remote.token"),
          password: secretOf("gateway.remote.password"),
        },
      },
      logging: { level: "trace" },
      env: { vars: { ANY: secretOf("env.vars") }, PLAIN: secretOf("env") },
      hooks: { token: secretOf("hooks.token") },
      agents: { defaults: { model: "mock/first" } },
      models: {
        providers: {
          mock: {
            baseUrl: models.baseUrl,
            apiKey: secretOf("models.providers.mock.apiKey"),
            api: "openai-completions",
          },
          ...Object.fromEntries(
            providers.map((id) => [
              id,
              { baseUrl: models.baseUrl, apiKey: secretOf(`models.providers.${id}.apiKey`), api: "openai-completions" },
            ]),
          ),
        },
      },
      channels: { telegram: { botToken: telegram.token, apiRoot: telegram.apiRoot } },
    },
  });
});
after(async () => {
  await gateway?.dispose();
  await telegram?.close();
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

function findIn(text: string): string[] {
  const hits = all.filter(
    ({ secret }) => text.includes(secret) || text.includes(Buffer.from(secret).toString("base64").slice(0, -4)),
  );
  const bot = telegram.token.split(":")[1] ?? "";
  return [...hits.map(({ kind }) => kind), ...(text.includes(bot) ? ["the bot's token"] : [])];
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test(`none of ${all.length} planted secrets is in a log, an error, a console, an answer or a crash (T38)`, async () => {
  assert.ok(all.length >= 50);
  await gateway.start();
  const token = secretOf("typed --token");
  const params = JSON.stringify({
    text: "x",
    auth: { token: secretOf("VENDOR_TOKEN") || word() },
    apiKey: secretOf("models.providers.a.apiKey"),
  });
  const shown: [string, string][] = [];
  const ask = async (...args: string[]) => {
    const { stdout, stderr } = await gateway.cli(...args, "--token", token);
    shown.push([args.join(" "), stdout + stderr]);
  };
  await ask("gateway", "call", "no.such", "--params", params);
  const texts = all.map(({ text }) => text);
  await ask("gateway", "call", "health", "--params", JSON.stringify({ probe: texts, [texts[0] ?? ""]: 1 }));
  await ask("agent", "-m", "hello");
  await until(() => gateway.output().includes("telegram"), 10_000);
  for (const args of [
    ["health"],
    ["health", "--json", "--probe"],
    ["status"],
    ["status", "--json"],
    ["status", "--all"],
    ["status", "--all", "--json"],
    ["gateway", "status", "--deep"],
    ["gateway", "status", "--json"],
    ["gateway", "probe", "--json"],
    ["channels", "status", "--json"],
  ])
    await ask(...args);
  // the planted errors come up meanwhile, and the last one ends the process
  await until(() => gateway.output().includes("an error that nobody caught"), 15_000);
  await ask("logs", "--limit", "5000");
  await ask("logs", "--json", "--limit", "5000", "--max-bytes", "1000000");
  await ask("status", "--all");
  await gateway.stop();

  const logs = await filesIn(join(gateway.folder, "log"));
  const written = (await Promise.all(logs.map((file) => readFile(file, "utf8")))).join("");
  const raw = await filesIn(join(gateway.folder, "state", "logs"));
  const recorded = (await Promise.all(raw.map((file) => readFile(file, "utf8")))).join("");
  assert.ok(written.includes("an error was rejected and nobody caught it") && written.includes("***"), "they came up");
  assert.ok(recorded.includes('"type":"start"'));

  assert.deepEqual(findIn(written), [], "log files");
  assert.deepEqual(findIn(recorded), [], "raw stream");
  assert.deepEqual(findIn(gateway.output()), [], "console and crash");
  for (const [args, text] of shown) assert.deepEqual(findIn(text), [], args);
});

test("a command that crashes says so without secrets, and ends with 1", async () => {
  const child = spawn(process.execPath, [launcher, "logs", "--follow", "--interval", "50"], {
    env: { ...gateway.env, CRASH_AFTER_MS: "1500" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 1);
  assert.match(said, /error: .*\*\*\*/u);
  assert.deepEqual(findIn(said), []);
});
