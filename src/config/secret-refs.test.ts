import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { redactText } from "../platform/redact.ts";
import { redactedConfig, redactedText } from "./answer.ts";
import { evaluateText } from "./evaluate.ts";
import { renderProblem } from "./explain.ts";
import { collectSecrets, createSecretPaths, redactConfig } from "./secret-paths.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "secrets-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const variables: Readonly<Record<string, string>> = { MY_TOKEN: "from the environment" };
const evaluate = (text: string) =>
  evaluateText(text, {
    path: join(folder, "openclaw.json"),
    variable: (name) => (name === "HOME" ? folder : variables[name]),
  });
async function put(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

test("a secret comes from a variable or a file, named by its path, from the home folder or beside the config", async () => {
  await put("bot-token", "123:from a file\n");
  for (const reference of [
    '{ source: "file", path: "bot-token" }',
    '{ source: "file", id: "~/bot-token", provider: "default" }',
    `{ source: "file", path: ${JSON.stringify(join(folder, "bot-token"))} }`,
  ]) {
    const { parsed } = await evaluate(`{
      gateway: { auth: { token: { source: "env", id: "MY_TOKEN" } } },
      channels: { telegram: { botToken: ${reference} } },
    }`);
    assert.ok("config" in parsed, JSON.stringify(parsed));
    assert.equal(parsed.config.gateway.auth.token, "from the environment");
    assert.equal(parsed.config.channels.telegram?.botToken, "123:from a file");
  }
});

test("a secret in a map or a list of the user's own names is found as well", async () => {
  await put("key", "sk-model");
  const { parsed } = await evaluate(
    '{ models: { providers: { mine: { baseUrl: "http://x", apiKey: { source: "file", path: "key" } } } } }',
  );
  assert.ok("config" in parsed, JSON.stringify(parsed));
  assert.equal(parsed.config.models.providers["mine"]?.apiKey, "sk-model");
});

test("what cannot be had is told with its place and the next step, and the file is not taken", async () => {
  await put("empty", " \n");
  await put("huge", "x".repeat(70_000));
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{ source: "env", id: "NOT_SET" }', /NOT_SET is not set/u],
    ['{ source: "env", id: "lower case" }', /must name an environment variable/u],
    ['{ source: "file", path: "nowhere" }', /nowhere cannot be used \(ENOENT\)/u],
    ['{ source: "file", path: "empty" }', /it is empty/u],
    ['{ source: "file", path: "huge" }', /larger than/u],
    ['{ source: "file" }', /cannot come from "file"/u],
    ['{ source: "exec", id: "cat /etc/passwd" }', /botToken/u],
    ['{ source: "file", path: "empty", more: 1 }', /botToken/u],
  ];
  for (const [reference, message] of cases) {
    const { parsed } = await evaluate(`{\n  channels: {\n    telegram: { botToken: ${reference} } } }`);
    assert.ok("problems" in parsed, reference);
    const [problem] = parsed.problems;
    assert.match(`${problem?.path} ${problem?.message}`, message);
    assert.equal(problem?.line, 3, reference);
    assert.ok(problem?.next);
  }
});

test("an object of that form in a place that is no secret is not looked up", async () => {
  const { parsed, secretFiles } = await evaluate('{ gateway: { bind: { source: "file", path: "/etc/passwd" } } }');
  assert.ok("problems" in parsed);
  assert.deepEqual(secretFiles, []);
});

/** Looks like a variable, and is none. */
const spelled = ["a$", "{MY_TOKEN}b"].join("");

test("others who can read the file are told of; what stands in it names no variable", async () => {
  const path = await put("open", spelled, 0o644);
  const { parsed, warnings } = await evaluate('{ gateway: { auth: { token: { source: "file", path: "open" } } } }');
  assert.ok("config" in parsed);
  assert.equal(parsed.config.gateway.auth.token, spelled);
  assert.match(warnings[0]?.next ?? "", new RegExp(`chmod 600 ${path}`, "u"));
  const line = warnings.map((warning) => renderProblem("openclaw.json", warning)).join("\n");
  assert.equal(redactText(line), line, "nothing of it is taken for a secret");
});

test("a new secret in the file is a change of the config, and is not kept with its versions", async () => {
  await put("changing", "one");
  const text = '{ gateway: { auth: { token: { source: "file", path: "changing" } } } }';
  const before_ = await evaluate(text);
  await put("changing", "two");
  const later = await evaluate(text);
  assert.notEqual(before_.partsHash, later.partsHash);
  assert.deepEqual(later.secretFiles, [join(folder, "changing")]);
  assert.deepEqual([later.parts, later.content.parts], [[], []]);
  assert.equal(JSON.stringify(later.content).includes("two"), false);
});

test("answers show where a secret stands, and never the secret", async () => {
  await put("shown", "very secret");
  const text = '{ gateway: { auth: { token: { source: "file", path: "shown" }, password: "plain secret" } } }';
  const { parsed, value, whole } = await evaluate(text);
  assert.ok("config" in parsed);
  const secrets = createSecretPaths();
  const shown = JSON.stringify([
    redactConfig(value, secrets),
    redactedConfig({ config: parsed.config, whole } as Parameters<typeof redactedConfig>[0], secrets),
    redactedText({ text, value }, secrets),
  ]);
  assert.doesNotMatch(shown, /very secret|plain secret/u);
  assert.equal(shown.split("shown").length, 4, "the place itself, in each of the three");
  assert.deepEqual(collectSecrets(parsed.config, secrets), ["very secret", "plain secret"]);
});
