// The bundle for bug reports, made by the real command beside real Gateways in every state; and what was planted is in none of it.

import assert from "node:assert/strict";
import { mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { createGatewayProcess, mockProvider, type GatewayProcess } from "../kit/gateway-process.ts";
import { startModelServer, type ModelServer } from "../kit/model-server.ts";
import { startFakeTelegram, type FakeTelegram } from "../kit/telegram-server.ts";
import { unzip } from "../kit/unzip.ts";

interface Manifest {
  readonly files: readonly { readonly file: string }[];
  readonly failed: readonly { readonly file: string; readonly reason: string }[];
  readonly leftOut: readonly string[];
}
interface Made {
  readonly files: ReadonlyMap<string, string>;
  readonly manifest: Manifest;
  readonly printed: string;
  readonly ms: number;
}

async function make(gateway: GatewayProcess, ...args: string[]): Promise<Made> {
  const startedAt = performance.now();
  const { code, stdout, stderr } = await gateway.cli("gateway", "diagnostics", "export", "--json", ...args);
  const ms = performance.now() - startedAt;
  assert.equal(code, 0, stderr);
  const { path, bytes, manifest } = JSON.parse(stdout) as { path: string; bytes: number; manifest: Manifest };
  const found = await stat(path);
  assert.deepEqual([found.mode & 0o777, found.size], [0o600, bytes]);
  return { files: unzip(await readFile(path)), manifest, printed: stdout + stderr, ms };
}

const read = <T>({ files }: Made, file: string): T => JSON.parse(files.get(file) ?? "null") as T;
const failedIn = ({ manifest }: Made) => manifest.failed.map(({ file }) => file);
const within = 8_000;

describe("a bundle", () => {
  let gateway: GatewayProcess;
  before(async () => {
    gateway = await createGatewayProcess({ config: { agents: { defaults: { model: "mock/none" } } } });
  });
  after(() => gateway?.dispose());
  const config = () => join(gateway.folder, "state", "openclaw.json");

  test("before the first start it tells that there is nothing, and makes no state (R45)", async () => {
    const made = await make(gateway, "--output", join(gateway.folder, "first.zip"));
    assert.deepEqual(failedIn(made), ["health/gateway-health.json"]);
    assert.match(made.files.get("summary.md") ?? "", /does not run.*no life is on record/u);
    assert.deepEqual(read<{ exists: boolean }>(made, "database.json").exists, false);
  });

  test("with the Gateway up all of it is there, within seconds, and the page says how it is (R45)", async () => {
    await gateway.start();
    const made = await make(gateway);
    assert.deepEqual(failedIn(made), []);
    assert.ok(made.ms < within, `${made.ms} ms`);
    assert.deepEqual(
      [...made.files.keys()].toSorted(),
      [
        "config/sanitized.json",
        "config/timeline.json",
        "database.json",
        "disk.json",
        "doctor.json",
        "environment.json",
        "health/gateway-health.json",
        "logs/gateway-sanitized.jsonl",
        "manifest.json",
        "service.json",
        "status/gateway-status.json",
        "summary.md",
        "timeline/minutes.jsonl",
        "timeline/timeline.json",
      ].toSorted(),
    );
    const summary = made.files.get("summary.md") ?? "";
    assert.match(summary, /^- Gateway: runs since \d{4}-/mu);
    assert.match(summary, /^- Health: ok$/mu);
    assert.match(summary, /^- Database: whole/mu);
    assert.match(summary, /served after \d+ ms \(config \d+, lock \d+, port \d+, rooms \d+\); runs/u);
    const { migrations } = read<{ migrations: { id: string }[] }>(made, "database.json");
    assert.ok(migrations.some(({ id }) => id === "conversation-1"));
    const { used } = read<{ used: { place: string; entries: { name: string }[] }[] }>(made, "disk.json");
    assert.ok(used[0]?.entries.some(({ name }) => name === "gateway.sqlite"));
  });

  test("for people it says what is in it, what is not, and what to look at before it is shared (R45)", async () => {
    const { code, stdout } = await gateway.cli("diagnostics");
    assert.equal(code, 0);
    assert.match(stdout, /logs\/support\/openclaw-diagnostics-.*\.zip \(/u);
    assert.match(stdout, /summary\.md: read this first/u);
    assert.match(stdout, /messages, prompts, replies and what tools gave: never in it/u);
    assert.match(stdout, /Look through it before you share it/u);
  });

  test("what is no bundle is not written over, and numbers must be numbers (R45)", async () => {
    const text = await readFile(config(), "utf8");
    const refused = await gateway.cli("diagnostics", "export", "--output", config());
    assert.deepEqual([refused.code, await readFile(config(), "utf8")], [2, text]);
    assert.match(refused.stderr, /is there already/u);
    for (const bad of [
      ["--hours", "0"],
      ["--hours", "x"],
      ["--log-lines", "-1"],
    ])
      assert.equal((await gateway.cli("diagnostics", ...bad)).code, 2);
    assert.equal((await gateway.cli("diagnostics", "import")).code, 2);
  });

  test("a change of the config is on its timeline by its keys, a refused one too (R45)", async () => {
    const text = await readFile(config(), "utf8");
    await writeFile(
      config(),
      JSON.stringify({ ...(JSON.parse(text) as object), messages: { responsePrefix: "planted" } }),
    );
    const timeline = join(gateway.folder, "state", "logs", "timeline.jsonl");
    await until(async () => (await readFile(timeline, "utf8")).includes('"kind":"config"'), 10_000);
    await writeFile(config(), "{ broken: [");
    await until(async () => (await readFile(timeline, "utf8")).includes("config-refused"), 15_000);
    const made = await make(gateway);
    assert.deepEqual(failedIn(made), []);
    const summary = made.files.get("summary.md") ?? "";
    assert.match(summary, /by file: messages\.responsePrefix \(hot\)/u);
    assert.match(summary, /a saved file was \*\*refused\*\*/u);
    assert.match(summary, /^- Config: \*\*has errors\*\*$/mu);
    const { versions } = read<{ versions: { paths: string[] | null }[] }>(made, "config/timeline.json");
    assert.ok(versions.some(({ paths }) => paths?.includes("messages.responsePrefix")));
    assert.doesNotMatch([...made.files.values()].join("\n"), /planted/u);
  });

  test("after kill -9, with the config still broken, it tells that the life ended without a word (R45)", async () => {
    await gateway.stop("SIGKILL");
    const made = await make(gateway, "--hours", "2");
    assert.ok(made.ms < within, `${made.ms} ms`);
    assert.deepEqual(failedIn(made), ["health/gateway-health.json"]);
    const summary = made.files.get("summary.md") ?? "";
    assert.match(summary, /\*\*does not run\*\*; its last life \*\*ended without a word\*\*/u);
    assert.match(summary, /\*\*1 ended without a word\*\* \(crash, kill or power\)/u);
    assert.match(summary, /the last 120 min|the last 2 h/u);
  });

  test("with a database that nobody can read, and a start that fails with it (R45)", async () => {
    await writeFile(config(), JSON.stringify({ gateway: { mode: "local" } }));
    const database = join(gateway.folder, "state", "gateway.sqlite");
    for (const ending of ["-wal", "-shm"]) await truncate(`${database}${ending}`).catch(() => undefined);
    await writeFile(database, randomBytes(20_000));
    await assert.rejects(gateway.start());
    const made = await make(gateway);
    const { integrity, problems, unread } = read<{ integrity: string; problems: string[]; unread: string }>(
      made,
      "database.json",
    );
    assert.equal(integrity, "not whole");
    assert.match(problems[0] ?? "", /not a database/u);
    assert.match(unread, /not a database/u);
    const summary = made.files.get("summary.md") ?? "";
    assert.match(summary, /Database: \*\*not whole\*\*/u);
    assert.match(summary, /never served; \*\*failed to start\*\* \(storage: /u);
    assert.ok(made.manifest.leftOut.some((what) => what.includes("database could not be read")));
    assert.deepEqual((await make(gateway, "--no-stability-bundle")).files.has("timeline/timeline.json"), false);
  });
});

/** Words of people and secrets, by where they were planted. */
const planted = new Map<string, string>();
const plant = (where: string, invent = () => `C4n4ry${randomBytes(10).toString("hex")}`): string => {
  const word = invent();
  planted.set(where, word);
  return word;
};
const letters = () =>
  `Q${randomBytes(9)
    .toString("hex")
    .replaceAll(/\d/gu, (digit) => String.fromCharCode(103 + Number(digit)))}`;
const digits = () => `7${String(randomBytes(5).readUIntBE(0, 5)).padStart(12, "4").slice(-9)}`;
const person = (where: string) => plant(where, letters);
const number = (where: string) => plant(where, digits);

describe("what is planted", () => {
  let gateway: GatewayProcess;
  let telegram: FakeTelegram;
  let models: ModelServer;
  /** All of it in words that the program has itself. */
  const plain = ["please move the other file to the folder", "the answer is in the second line of the list"];
  const state = () => join(gateway.folder, "state");

  before(async () => {
    telegram = await startFakeTelegram();
    models = await startModelServer(({ messages }) =>
      JSON.stringify(messages.at(-1)?.content).includes("break") ? 400 : `${person("a reply")} ${plain[1]}`,
    );
    const sender = Number(number("id of a sender"));
    const variables = ["ANTHROPIC_API_KEY", "DB_PASSWORD", "VENDOR_TOKEN", "SOME_SECRET", "LEGACY_KEY", "PLAIN_SECRET"];
    const token = plant("gateway.auth.token");
    gateway = await createGatewayProcess({
      env: {
        OPENCLAW_GATEWAY_TOKEN: token,
        ...Object.fromEntries(variables.map((name) => [name, plant(`variable ${name}`)])),
      },
      config: {
        gateway: {
          mode: "local",
          auth: { mode: "token", token },
          remote: { url: `wss://${person("a host")}.example.org`, token: plant("gateway.remote.token") },
        },
        env: { vars: { ANY: plant("env.vars") } },
        hooks: { enabled: true, token: plant("hooks.token"), path: "/hooks" },
        agents: {
          defaults: { model: "mock/first", workspace: `/srv/${person("a folder of a workspace")}` },
          list: [{ id: "main", name: person("name of an agent"), identity: { name: person("identity"), emoji: "🦞" } }],
        },
        models: {
          providers: {
            ...mockProvider(models.baseUrl),
            ...Object.fromEntries(
              ["a", "b", "c"].map((id) => [
                id,
                { baseUrl: models.baseUrl, apiKey: plant(`key of ${id}`), api: "openai-completions" },
              ]),
            ),
          },
        },
        messages: { responsePrefix: person("a prefix") },
        channels: {
          telegram: {
            botToken: telegram.token,
            apiRoot: telegram.apiRoot,
            allowFrom: [String(sender), number("id in allowFrom"), `@${person("name in allowFrom")}`],
            groups: { [`-100${number("id of a group")}`]: { requireMention: true } },
          },
        },
      },
    });
    planted.set("the bot's token", telegram.token.split(":")[1] ?? "");
    planted.set("a user's folder", gateway.folder);
    await plantFiles();
    await gateway.start();
    await say(sender, `${person("a text")} ${plain[0]}`, {
      first_name: person("first name"),
      username: person("username"),
    });
    await say(Number(number("id of a stranger")), person("a stranger's text"), { first_name: person("a stranger") });
    await until(() => telegram.calls.filter(({ method }) => method === "sendMessage").length >= 2, 15_000);
    await say(sender, "break it", { first_name: "Mark", last_name: "Rose" });
    const path = join(state(), "openclaw.json");
    const value = JSON.parse(await readFile(path, "utf8")) as { messages: object };
    await writeFile(path, JSON.stringify({ ...value, messages: { responsePrefix: person("a later prefix") } }));
    const timeline = () => readFile(join(state(), "logs", "timeline.jsonl"), "utf8");
    await until(async () => (await timeline()).includes("messages.responsePrefix"), 10_000);
  });
  after(async () => {
    await gateway?.dispose();
    await telegram?.close();
    await models?.close();
  });

  async function say(id: number, text: string, names: object): Promise<void> {
    telegram.addMessage({ chatId: id, text });
    const update = telegram.updates.at(-1) as unknown as { message: { from: object; chat: object } };
    Object.assign(update.message.from, names);
    Object.assign(update.message.chat, names);
  }

  /** What older programs, services and bugs may have left. */
  async function plantFiles(): Promise<void> {
    const put = async (path: string, text: string) => {
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, text);
    };
    const forms = [
      (it: string) => `Authorization: Bearer ${it}`,
      (it: string) => `Cookie: session=${it}`,
      (it: string) => `password: "two words ${it}"`,
      (it: string) => `https://me:${it}@proxy.example/x`,
      (it: string) => `https://api.telegram.org/bot123456789:${it}/getMe`,
      (it: string) => `-----BEGIN PRIVATE KEY-----\n${it}\n-----END PRIVATE KEY-----`,
      (it: string) => `sk-${it}`,
      (it: string) => `ghp_${it}`,
      (it: string) => `xoxb-${it}`,
      (it: string) => `eyJhbGciOiJIUzI1NiJ9.${it}.${it}`,
      (it: string) => `run --token ${it} now`,
      (it: string) => it,
    ].map((form, index) => form(plant(`form ${index}`)));
    const talk = [
      `dropped a message of ${person("name in the log")} (+49 170 ${number("phone in the log")})`,
      `chat ${number("chat in the log")}: "${person("text in the log")}"`,
      `cannot open /home/${person("user in the log")}/${person("folder in the log")}/notes.txt`,
      `C:\\Users\\${person("user of windows")}\\AppData`,
      `mail to ${person("mail name")}@${person("mail host")}.com from 203.0.113.${77}`,
      `asked https://${person("host in a URL")}.net/${person("path of a URL")}?q=${person("query")}`,
      ...forms,
    ];
    const at = (index: number) => new Date(Date.now() - 60_000 + index).toISOString();
    const lines = talk.flatMap((text, index) => [
      JSON.stringify({ time: at(index), level: "error", subsystem: "channels/telegram", message: text }),
      JSON.stringify({
        time: at(index),
        level: "warn",
        subsystem: "gateway",
        message: "it failed",
        sender: text,
        chatId: Number(number(`number ${index}`)),
        error: { name: "Error", message: text, stack: `at f (${text})`, cause: { message: text } },
        text: plain[0],
        list: [text, { [text]: 1 }],
      }),
      text.replaceAll("\n", " "),
    ]);
    lines.push(JSON.stringify({ time: at(99), level: "info", subsystem: "agent", message: `it said: ${plain[0]}` }));
    lines.push(JSON.stringify({ "0": plain[1], _meta: { logLevelName: "INFO" }, time: at(100) }));
    const now = new Date();
    const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
      .map((part) => String(part).padStart(2, "0"))
      .join("-");
    await put(join(gateway.folder, "log", `openclaw-${day}.log`), `${lines.join("\n")}\n`);
    const timeline = talk.map((reason, index) =>
      JSON.stringify({
        at: Date.now() - 50_000 + index,
        kind: "channel",
        pid: 1,
        channel: "telegram",
        account: reason,
        event: "trouble",
        reason,
      }),
    );
    const failed = { at: Date.now() - 40_000, kind: "failed", pid: 1, code: "internal", reason: talk.join(" ") };
    const start = {
      at: Date.now() - 45_000,
      kind: "start",
      pid: 1,
      version: talk[0],
      node: "24",
      config: "file",
      isFirst: true,
    };
    await put(
      join(state(), "logs", "timeline.jsonl"),
      `${[...timeline, JSON.stringify(start), JSON.stringify(failed)].join("\n")}\n`,
    );
    await put(
      join(gateway.folder, ".config", "systemd", "user", "openclaw-gateway.service"),
      `[Unit]\nDescription=${person("in a unit")}\n[Service]\nExecStart=/usr/bin/node /opt/${person("folder in a unit")}/openclaw.mjs gateway --token ${plant("token in a unit")}\nEnvironment=OPENCLAW_GATEWAY_TOKEN=${plant("variable in a unit")}\nEnvironment="GREETING=${person("greeting in a unit")}"\n`,
    );
    await put(
      join(state(), "identity", "device-auth.json"),
      JSON.stringify({ tokens: { x: { token: plant("token of a device") } } }),
    );
    const starts = { at: Date.now(), id: "x", source: "file", isTold: true, reason: `TypeError: ${talk.join(" ")}` };
    await put(join(state(), "config-history", "starts.json"), JSON.stringify({ failed: [starts], proven: [] }));
    const older = JSON.stringify({
      hooks: { token: plant("an older token") },
      logging: { file: person("an older file") },
    });
    await put(join(state(), "config-history", `1700000000000-0123456789abcdef-kept.json5`), older);
  }

  function findIn({ files, printed }: Made): string[] {
    const texts = [...files, ["printed", printed] as const];
    return texts.flatMap(([file, text]) => {
      const plainDigits = text.replaceAll(/[^\d]/gu, "");
      const hits = [...planted].filter(
        ([, word]) =>
          text.toLowerCase().includes(word.toLowerCase()) ||
          text.includes(Buffer.from(word).toString("base64").slice(0, -4)) ||
          (/^\d+$/u.test(word) && plainDigits.includes(word)),
      );
      return hits.map(([where]) => `${where} in ${file}`);
    });
  }
  const output = () => join(gateway.folder, "out.zip");
  /** What is printed names the file that was asked for. */
  const makeHere = async (): Promise<Made> => {
    const made = await make(gateway, "--output", output());
    return { ...made, printed: made.printed.replaceAll(gateway.folder, "") };
  };

  test("none of it is in a bundle of a running Gateway, nor are words of people that the program has, too (R45, T38)", async () => {
    assert.ok(planted.size >= 50, `${planted.size}`);
    const made = await makeHere();
    assert.deepEqual(failedIn(made), []);
    assert.deepEqual(findIn(made), []);
    const all = [...made.files.values()].join("\n");
    for (const text of plain) assert.ok(!all.includes(text.slice(7, 30)), text);
    assert.doesNotMatch(all, /\b(?:Mark|Rose)\b/u);
    // and it is of use all the same
    assert.match(made.files.get("summary.md") ?? "", /Queue: 0 run|Health: ok/u);
    const log = made.files.get("logs/gateway-sanitized.jsonl") ?? "";
    assert.match(log, /started in \d+ ms: config \d+/u);
    assert.match(log, /dropped a message of …/u);
    const counts = read<{ counts: { inbox: Record<string, number>; outbox: Record<string, number> } }>(
      made,
      "database.json",
    );
    assert.ok((counts.counts.inbox["accepted"] ?? 0) >= 1);
    assert.ok((counts.counts.outbox["sent"] ?? 0) >= 1);
    const service = made.files.get("service.json") ?? "";
    assert.match(service, /<home\/\.config\/systemd\/user\/openclaw-gateway\.service>/u);
    assert.match(service, /GREETING|<key:/u);
  });

  test("nor with the Gateway down and the config broken, nor with a database that nobody can read (R45, T38)", async () => {
    await gateway.stop("SIGKILL");
    const path = join(state(), "openclaw.json");
    await writeFile(path, `${(await readFile(path, "utf8")).slice(0, -2)} "${person("in a broken config")}": [`);
    assert.deepEqual(findIn(await makeHere()), []);
    await writeFile(path, JSON.stringify({ gateway: { port: person("a wrong value"), [person("a wrong key")]: 1 } }));
    assert.deepEqual(findIn(await makeHere()), []);
    for (const ending of ["-wal", "-shm"]) await truncate(join(state(), `gateway.sqlite${ending}`));
    await writeFile(join(state(), "gateway.sqlite"), randomBytes(8_192));
    const made = await makeHere();
    assert.deepEqual(findIn(made), []);
    assert.ok(made.manifest.leftOut.some((what) => what.includes("could not be read")));
  });
});
