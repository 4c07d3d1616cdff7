import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import fc from "fast-check";

import { brandOf } from "../base/brand.ts";
import { createEnv } from "../platform/env.ts";
import { derivePaths } from "../platform/paths.ts";
import { kindOf, listDifferences, planService, unwritable, type ServiceDefinition } from "./definition.ts";
import { deriveServiceNames, type ServiceKind } from "./names.ts";
import { parsePlist, renderPlist } from "./plist.ts";
import { parseUnit, renderUnit } from "./systemd-unit.ts";
import { parseTaskScript, renderTaskScript } from "./task-script.ts";

const run = promisify(execFile);

interface Asked {
  brandName?: string;
  profile?: string;
  kind?: ServiceKind;
  platform?: NodeJS.Platform;
  variables?: Record<string, string>;
}

function ask({ brandName = "openclaw", profile, kind = "gateway", platform = "linux", variables = {} }: Asked = {}) {
  const brand = brandOf(brandName);
  const env = createEnv(brand, variables);
  const paths = derivePaths({ brand, env, profile, home: "/home/ann", temporary: "/tmp", exists: () => false });
  const names = deriveServiceNames({ brand, env, profile, kind, version: "1.2.3" });
  const plan = () =>
    planService({
      brand,
      version: "1.2.3",
      env,
      paths,
      names,
      kind,
      platform,
      home: "/home/ann",
      launcher: ["/opt/node/bin/node", "/opt/app/bin/openclaw.mjs"],
      args: ["gateway", "--port", "18789"],
      profile,
      port: 18_789,
    });
  return { names, plan };
}

test("every name follows from program name, profile and kind (RB-34..36, OV-23, MG-11)", () => {
  const table: [Asked, string, string, string][] = [
    [{}, "bot.molt.gateway", "openclaw-gateway.service", "OpenClaw Gateway"],
    [{ profile: "rescue" }, "bot.molt.rescue", "openclaw-gateway-rescue.service", "OpenClaw Gateway (rescue)"],
    [{ brandName: "moltbot" }, "bot.molt.gateway", "moltbot-gateway.service", "Moltbot Gateway"],
    [
      { brandName: "moltbot", profile: "main" },
      "bot.molt.main",
      "moltbot-gateway-main.service",
      "Moltbot Gateway (main)",
    ],
    [{ kind: "node" }, "bot.molt.node", "openclaw-node.service", "OpenClaw Node"],
    [{ kind: "node", profile: "x" }, "bot.molt.node.x", "openclaw-node-x.service", "OpenClaw Node (x)"],
  ];
  for (const [asked, launchd, systemd, task] of table)
    assert.partialDeepStrictEqual(ask(asked).names, { launchd, systemd, task });
  assert.deepEqual(ask({ profile: "p" }).names.legacyLaunchd, ["com.openclaw.p", "com.clawdbot.p"]);
  assert.deepEqual(ask().names.legacySystemd, ["clawdbot-gateway.service"]);
  assert.equal(ask({ profile: "p" }).names.description, "OpenClaw Gateway (profile: p, v1.2.3)");
});

test("names of the environment count, but not those of the service that the command runs in for another one", () => {
  const given = { OPENCLAW_SYSTEMD_UNIT: "mine", OPENCLAW_LAUNCHD_LABEL: "org.mine" };
  assert.partialDeepStrictEqual(ask({ variables: given }).names, { systemd: "mine.service", launchd: "org.mine" });
  const within = {
    OPENCLAW_SYSTEMD_UNIT: "openclaw-gateway-main.service",
    OPENCLAW_PROFILE: "main",
    OPENCLAW_SERVICE_KIND: "gateway",
  };
  assert.equal(ask({ variables: within, profile: "main" }).names.systemd, "openclaw-gateway-main.service");
  assert.equal(ask({ variables: within, profile: "rescue" }).names.systemd, "openclaw-gateway-rescue.service");
  assert.equal(ask({ variables: within, profile: "main", kind: "node" }).names.systemd, "openclaw-node-main.service");
});

test("no secret of the shell gets into a unit, a plist or a script (R13)", () => {
  const secrets = {
    OPENCLAW_GATEWAY_TOKEN: "canary-token",
    OPENCLAW_GATEWAY_PASSWORD: "canary-password",
    CLAWDBOT_GATEWAY_TOKEN: "canary-sibling",
    ANTHROPIC_API_KEY: "canary-key",
    TELEGRAM_BOT_TOKEN: "canary-bot",
    AWS_SECRET_ACCESS_KEY: "canary-aws",
    NODE_OPTIONS: "--require=/canary.js",
    LD_PRELOAD: "/canary.so",
    PATH: "/canary/bin",
    TZ: "Europe/Berlin",
  };
  for (const platform of ["linux", "darwin", "win32"] as const) {
    const definition = ask({ variables: secrets, platform }).plan();
    const texts = [renderUnit(definition), renderPlist("x", definition), renderTaskScript(definition)];
    for (const text of texts) {
      assert.doesNotMatch(text, /canary/u);
      assert.match(text, /Europe\/Berlin/u);
    }
  }
});

test("a service says what it is to programs of both names, and where it looks (RB-37)", () => {
  const { environment } = ask({ profile: "rescue", brandName: "moltbot" }).plan();
  assert.partialDeepStrictEqual(environment, {
    OPENCLAW_SERVICE_MARKER: "openclaw",
    CLAWDBOT_SERVICE_MARKER: "moltbot",
    CLAWDBOT_SERVICE_KIND: "gateway",
    CLAWDBOT_SERVICE_VERSION: "1.2.3",
    CLAWDBOT_PROFILE: "rescue",
    CLAWDBOT_STATE_DIR: "/home/ann/.clawdbot-rescue",
    CLAWDBOT_CONFIG_PATH: "/home/ann/.clawdbot-rescue/moltbot.json",
    CLAWDBOT_GATEWAY_PORT: "18789",
    CLAWDBOT_SYSTEMD_UNIT: "moltbot-gateway-rescue.service",
  });
  assert.equal(kindOf(environment), "gateway");
  assert.equal(kindOf({ OPENCLAW_SERVICE_KIND: "gateway" }), undefined);
});

test("the unit is the one that the manual shows, with what keeps it alive (RB-122..124)", () => {
  assert.equal(
    renderUnit(ask().plan()).split("\nEnvironment=")[0],
    `[Unit]
Description=OpenClaw Gateway (v1.2.3)
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/opt/node/bin/node /opt/app/bin/openclaw.mjs gateway --port 18789
WorkingDirectory=/home/ann
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=30
SuccessExitStatus=143
UMask=0077`,
  );
  assert.match(renderUnit(ask().plan()), /\n\[Install\]\nWantedBy=default\.target\n$/u);
});

/** Any text that may stand in a path or a variable; the plan refuses all others. */
const text = fc.string({ unit: "binary", minLength: 1 }).filter((it) => !unwritable.test(it));
const variable = fc.stringMatching(/^[A-Z][A-Z_]{0,12}$/u);
const definitions = fc.record<ServiceDefinition>({
  description: text,
  program: fc
    .tuple(text, fc.array(text, { maxLength: 4 }))
    .map(([first, rest]) => [`/${first.replaceAll("$", "")}`, ...rest] as [string, ...string[]]),
  workingDirectory: text.map((it) => `/${it.trim()}`),
  environment: fc.dictionary(variable, text, { maxKeys: 5 }),
  output: fc.record({ stdout: text, stderr: text }),
});
const read = ({ program, workingDirectory, environment }: ReturnType<typeof parseUnit>) => ({
  program,
  workingDirectory,
  environment,
});
const wanted = ({ program, workingDirectory, environment }: ServiceDefinition) => ({
  program: [...program],
  workingDirectory,
  environment: { ...environment },
});

test("what is written is read back as it was: units, property lists and scripts", () => {
  fc.assert(
    fc.property(definitions, (definition) => {
      assert.deepEqual(read(parseUnit(renderUnit(definition))), wanted(definition));
      assert.deepEqual(read(parsePlist(renderPlist("a.b", definition))), wanted(definition));
    }),
  );
  const cmd = (it: string) => it.replaceAll('"', "");
  fc.assert(
    fc.property(definitions, (it) => {
      const definition: ServiceDefinition = {
        ...it,
        description: cmd(it.description),
        program: it.program.map((arg) => cmd(arg)) as [string, ...string[]],
        workingDirectory: cmd(it.workingDirectory),
        environment: Object.fromEntries(Object.entries(it.environment).map(([key, value]) => [key, cmd(value)])),
      };
      assert.deepEqual(read(parseTaskScript(renderTaskScript(definition))), wanted(definition));
    }),
  );
});

test("units, lists and scripts of strangers are read without harm", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (any) => {
      for (const parse of [parseUnit, parsePlist, parseTaskScript]) assert.ok(Array.isArray(parse(any).program));
    }),
  );
  const unit = parseUnit(`[Service]\nExecStart=-/usr/bin/env \\\n  node 'a b'\nEnvironment=A=1 "B=two words" C=\n`);
  assert.deepEqual(unit.program, ["/usr/bin/env", "node", "a b"]);
  assert.deepEqual(unit.environment, { A: "1", B: "two words", C: "" });
});

test("a path with a line break is refused: it would be a line of its own", () => {
  for (const folder of ["/tmp/a\nExecStartPre=/bin/x", "/tmp/a\uffff"])
    assert.throws(() => ask({ variables: { OPENCLAW_STATE_DIR: folder } }).plan(), {
      code: "usage",
      message: /control character/u,
    });
  const definition = ask().plan();
  assert.throws(() => renderTaskScript({ ...definition, workingDirectory: 'C:\\a" & calc & "' }), { code: "usage" });
});

test("differences are told by name, without a value of the environment", () => {
  const definition = ask().plan();
  const text_ = renderUnit(definition);
  const installed = (changed: string) => ({ path: "/x", text: changed, ...parseUnit(changed) });
  assert.deepEqual(listDifferences(installed(text_), definition, text_), []);
  const older = text_
    .replace("--port 18789", "--port 19000")
    .replace("Environment=", 'Environment="OPENCLAW_GATEWAY_TOKEN=canary"\nEnvironment=');
  const told = listDifferences(installed(older), definition, text_);
  assert.match(told.join("\n"), /19000.*18789\n.*OPENCLAW_GATEWAY_TOKEN/su);
  assert.doesNotMatch(told.join("\n"), /canary/u);
  assert.deepEqual(listDifferences(installed(text_.replace("RestartSec=5", "RestartSec=1")), definition, text_), [
    "its settings are those of another version",
  ]);
});

const hasPython = await run("python3", ["-c", "import plistlib"]).then(
  () => true,
  () => false,
);

test(
  "the property list is what Python's plistlib reads, for any text (RB-95)",
  { skip: hasPython ? false : "python3 is not on this machine" },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "plist-"));
    try {
      const samples = [ask({ platform: "darwin" }).plan(), ...fc.sample(definitions, 50)];
      const files = samples.map((_, index) => join(folder, `${index}.plist`));
      await Promise.all(
        samples.map((sample, index) => writeFile(files[index]!, renderPlist("bot.molt.gateway", sample))),
      );
      const script = "import plistlib,json,sys\nprint(json.dumps([plistlib.load(open(f,'rb')) for f in sys.argv[1:]]))";
      const { stdout } = await run("python3", ["-c", script, ...files]);
      const parsed = JSON.parse(stdout) as Record<string, unknown>[];
      for (const [index, sample] of samples.entries()) {
        assert.deepEqual(parsed[index], {
          Label: "bot.molt.gateway",
          Comment: sample.description,
          RunAtLoad: true,
          KeepAlive: true,
          ProgramArguments: [...sample.program],
          WorkingDirectory: sample.workingDirectory,
          StandardOutPath: sample.output.stdout,
          StandardErrorPath: sample.output.stderr,
          EnvironmentVariables: { ...sample.environment },
          ThrottleInterval: 5,
          ExitTimeOut: 30,
          Umask: 63,
        });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

const hasAnalyze =
  process.platform === "linux" &&
  (await run("systemd-analyze", ["--version"]).then(
    () => true,
    () => false,
  ));

test(
  "systemd finds nothing wrong with the unit (RB-122..124)",
  { skip: hasAnalyze ? false : "systemd-analyze is not on this machine" },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "unit-"));
    try {
      const file = join(folder, "openclaw-gateway.service");
      const definition = ask({ profile: "rescue" }).plan();
      const strange = join(folder, 'a "b" %h $HOME');
      const program = [process.execPath, strange, "gateway", "--port", "18789"] as const;
      await writeFile(file, renderUnit({ ...definition, program: [...program], workingDirectory: "/" }));
      const { stdout, stderr } = await run("systemd-analyze", ["--man=no", "verify", file]);
      const about = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("openclaw-gateway.service"));
      assert.deepEqual(about, []);
      // that it would find something
      await writeFile(
        file,
        renderUnit({ ...definition, program: ["/nowhere/node"] }).replace("RestartSec=5", "RestartSec=x"),
      );
      const failed = await run("systemd-analyze", ["--man=no", "verify", file]).catch((error: unknown) => error);
      assert.match((failed as { stderr: string }).stderr, /RestartSec|nowhere/u);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
