// Gateways side by side as real processes, started by the very lines of the guides, with free ports in place of theirs.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createCliHome, type CliHome } from "../kit/cli-process.ts";
import { createCommandLine, type CommandLine } from "../kit/command-line.ts";

const skip = process.platform === "win32" ? "the lines are for a POSIX shell" : false;
let home: CliHome;
let shell: CommandLine;
beforeEach(async () => {
  home = await createCliHome();
  shell = await createCommandLine(home, [18_789, 19_001, 19_002, 19_789]);
});
afterEach(async () => {
  await shell.stop();
  await home.dispose();
});

/** What of the commands' JSON is looked into. */
interface Printed {
  readonly gateway: { readonly port: number; readonly reachable: boolean };
  readonly sessions: { readonly count: number };
  readonly logFile: string;
  readonly derivedPorts: { readonly browserControl: number; readonly canvas: number };
  readonly instances: readonly {
    readonly profile?: string;
    readonly conflicts: readonly { readonly kind: string }[];
  }[];
}

async function json(line: string): Promise<Printed> {
  const { code, stdout, stderr } = await shell.type(line);
  assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Printed;
}

const at = (...parts: string[]) => join(home.folder, ...parts);
const logOf = async (prefix: string) => {
  const names = (await readdir(at("log"))).filter((name) => /^(.*)-\d{4}-\d\d-\d\d\.log$/u.exec(name)?.[1] === prefix);
  assert.equal(names.length, 1, `one log of ${prefix}: ${names.join(", ")}`);
  return readFile(at("log", names[0] ?? ""), "utf8");
};

test(
  "two profiles run side by side; each command finds its own; stopping one leaves the other (MG-09, MG-10, MG-32, RB-33, RB-38, OV-17, VG-14)",
  { skip },
  async () => {
    await shell.type("openclaw --profile main setup");
    await shell.type("openclaw --profile rescue setup");
    const main = await shell.start("openclaw --profile main gateway --port 18789");
    const rescue = await shell.start("openclaw --profile rescue gateway --port 19001");

    assert.equal((await shell.type('openclaw --profile rescue agent --message "hello"')).code, 0);
    const seen: Printed[] = [];
    for (const [profile, port] of [
      ["main", 18_789],
      ["rescue", 19_001],
    ] as const) {
      const report = await json(`openclaw --profile ${profile} gateway status --json`);
      seen.push(report);
      assert.partialDeepStrictEqual(report, {
        rpc: { ok: true },
        gateway: { port: shell.port(port) },
        port: { status: "busy", listeners: [{ kind: "gateway" }] },
        config: { cli: { path: at(`.openclaw-${profile}`, "openclaw.json"), exists: true, valid: true } },
        stateDir: at(`.openclaw-${profile}`),
        service: { name: `openclaw-gateway-${profile}.service` },
      });
      assert.match(report.logFile, new RegExp(`/openclaw-${profile}-`, "u"));
      const status = await json(`openclaw --profile ${profile} status --json`);
      assert.equal(status.gateway.reachable, true);
      assert.equal(status.sessions.count, profile === "rescue" ? 1 : 0);
    }
    assert.deepEqual(
      seen.map((report) => report.instances.map(({ profile }) => profile)),
      [["rescue"], ["main"]],
    );
    assert.notEqual(await logOf("openclaw-main"), await logOf("openclaw-rescue"));
    assert.match(await logOf("openclaw-rescue"), /"agent"|hello/u);
    assert.equal(existsSync(at(".openclaw")) && existsSync(at(".openclaw", "openclaw.json")), false, "no third one");

    assert.equal(await main.interrupt(), 0);
    assert.equal((await shell.type("openclaw --profile rescue health")).code, 0);
    assert.equal((await json("openclaw --profile rescue gateway status --json")).instances.length, 0);
    const down = await shell.type("openclaw --profile main health");
    assert.equal(down.code, 1);
    assert.match(down.stderr, /next: start it with openclaw --profile main gateway$/mu);
    assert.equal(await rescue.interrupt(), 0);
  },
);

test(
  "a.json and b.json in one folder, a state folder each: nothing of one is the other's (RB-55, MG-02, MG-03, MG-30, MG-31)",
  { skip },
  async () => {
    const lines = {
      a: "OPENCLAW_CONFIG_PATH=~/.openclaw/a.json OPENCLAW_STATE_DIR=~/.openclaw-a openclaw",
      b: "OPENCLAW_CONFIG_PATH=~/.openclaw/b.json OPENCLAW_STATE_DIR=~/.openclaw-b openclaw",
    };
    for (const name of ["a", "b"] as const) {
      assert.equal((await shell.type(`${lines[name]} config set gateway.mode local`)).code, 0);
      assert.equal((await shell.type(`${lines[name]} config set agents.defaults.workspace '~/space-${name}'`)).code, 0);
    }
    const gateways = {
      a: await shell.start(`${lines.a} gateway --port 19001`),
      b: await shell.start(`${lines.b} gateway --port 19002`),
    };
    assert.doesNotMatch(gateways.b.output(), /workspace .* is also|log .* is also|config .* is also/u);

    for (const [name, port] of [
      ["a", 19_001],
      ["b", 19_002],
    ] as const) {
      const report = await json(`${lines[name]} gateway status --json`);
      assert.partialDeepStrictEqual(report, {
        rpc: { ok: true },
        gateway: { port: shell.port(port) },
        config: { cli: { path: at(".openclaw", `${name}.json`) } },
        stateDir: at(`.openclaw-${name}`),
      });
    }
    // the files of one folder: a change of one, through its Gateway, and all that is kept of the text before
    const b = await readFile(at(".openclaw", "b.json"), "utf8");
    for (const level of ["debug", "info", "warn"])
      assert.equal((await shell.type(`${lines.a} config set logging.level ${level}`)).code, 0);
    const names = (await readdir(at(".openclaw"))).toSorted();
    assert.ok(names.includes("a.json.bak"), names.join(" "));
    for (const name of names.filter((it) => it.startsWith("b.json"))) {
      const text = await readFile(at(".openclaw", name), "utf8");
      assert.doesNotMatch(text, /space-a|logging/u, name);
    }
    assert.equal(await readFile(at(".openclaw", "b.json"), "utf8"), b);
    for (const name of ["a", "b"]) assert.ok((await readdir(at(`.openclaw-${name}`))).includes("gateway.sqlite"));
    assert.match(await logOf("openclaw-a"), new RegExp(`:${shell.port(19_001)} `, "u"));
    assert.doesNotMatch(await logOf("openclaw-b"), new RegExp(`listening on .*:${shell.port(19_001)} `, "u"));

    assert.equal(await gateways.a.interrupt(), 0);
    assert.equal((await shell.type(`${lines.b} health`)).code, 0);
  },
);

test(
  "what two Gateways share is told at the start of the second, and in gateway status (MG-06, MG-07, MG-25, RB-53, MG-04, MG-05, MG-26)",
  { skip },
  async () => {
    const line = (state: string) => `OPENCLAW_STATE_DIR=~/${state} OPENCLAW_CONFIG_PATH=~/one.json openclaw`;
    await writeFile(
      at("one.json"),
      '{ gateway: { mode: "local" }, canvasHost: { port: 40001 }, browser: { cdpUrl: "ws://b.example/?token=canary-1" } }',
    );
    await shell.start(`${line("one")} gateway --port 18789`);
    const second = await shell.start(`${line("two")} gateway --port 19789`);
    assert.match(
      second.output(),
      /the config \S+one\.json is also that of the Gateway in \S+\/one \(pid \d+, port \d+\)/u,
    );
    assert.match(second.output(), /the workspace \S+ is also/u);
    assert.match(second.output(), /the log \S+ is also/u);
    assert.match(second.output(), /ports that .* uses as well: 40001 \(canvas\)/u);
    const report = await json(`${line("two")} gateway status --json`);
    assert.deepEqual(
      report.instances[0]?.conflicts.map(({ kind }) => kind),
      ["config", "workspace", "log", "browser", "ports"],
    );
    assert.doesNotMatch(JSON.stringify(report), /canary-1/u);
    assert.equal(report.derivedPorts.canvas, 40_001);
    const text = (await shell.type(`${line("two")} gateway status`)).stdout;
    assert.match(
      text,
      /^Derived ports: browser control \d+, extension relay \d+, canvas 40001, browser profiles \d+-\d+$/mu,
    );
    assert.match(text, /^Other Gateways on this machine:\n {2}the Gateway in \S+\/one /mu);
  },
);

test(
  "the same line twice, and two lines with one port: the second ends at once with 1 and says why (MG-07, R14, RB-03, MG-05)",
  { skip },
  async () => {
    await shell.type("openclaw --profile main setup");
    const first = await shell.start("openclaw --profile main gateway --port 18789");
    const beganAt = performance.now();
    const again = await shell.type("openclaw --profile main gateway --port 18789");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^error: another Gateway runs on this state folder \(pid \d+, port \d+\)$/mu);
    const same = await shell.type("openclaw --profile other gateway --port 18789 --allow-unconfigured");
    assert.equal(same.code, 1);
    assert.match(
      same.stderr,
      /^error: port \d+ is in use by openclaw gateway main :\d+ \(pid \d+, user \S+, profile main\)$/mu,
    );
    assert.match(same.stderr, /^next: the Gateway of profile main .*openclaw --profile other gateway --force/mu);
    assert.ok(performance.now() - beganAt < 10_000);
    assert.equal(await first.interrupt(), 0);
  },
);

test("OV-17, RB-53: who was killed is forgotten, and its place is free at once", { skip }, async () => {
  const first = await shell.start("openclaw --profile main gateway --port 18789 --allow-unconfigured");
  await shell.stop();
  assert.match(first.output(), /listening/u);
  const report = await json("openclaw --profile rescue gateway status --json");
  assert.deepEqual(report.instances, []);
  await shell.start("openclaw --profile main gateway --port 18789 --allow-unconfigured");
});

test(
  "RB-40..48, OV-18, OV-19: the dev lines of the runbook work as they stand, on port 19001, and touch nothing of the main one",
  { skip },
  async () => {
    const setup = await shell.type("openclaw --dev setup");
    assert.equal(setup.code, 0, setup.stderr);
    assert.match(await readFile(at(".openclaw-dev", "openclaw.json"), "utf8"), /workspace-dev/u);
    assert.ok(existsSync(at(".openclaw", "workspace-dev")));
    assert.equal(existsSync(at(".openclaw", "openclaw.json")), false);
    const { gateway, derivedPorts } = await json("openclaw --dev gateway status --no-probe --json");
    assert.deepEqual([gateway.port, derivedPorts.browserControl, derivedPorts.canvas], [19_001, 19_003, 19_005]);
    // the port itself may be somebody's on this machine: the variable of the same rank moves it
    const line = `OPENCLAW_GATEWAY_PORT=19001 openclaw --dev`;
    await shell.start(`${line} gateway --allow-unconfigured`);
    assert.equal((await json("openclaw --dev status --json")).gateway.reachable, true);
    assert.equal((await shell.type("openclaw --dev health")).code, 0);
    const other = await shell.type("openclaw status --json");
    assert.equal((JSON.parse(other.stdout) as Printed).gateway.reachable, false);
  },
);

test(
  "MG-12, MG-13: from the rescue bot's terminal the main bot's config is mended while that is down (RB-38, VG-14)",
  { skip },
  async () => {
    await shell.type("openclaw setup");
    await shell.type("openclaw --profile rescue setup");
    await shell.start("openclaw --profile rescue gateway --port 19789");
    await writeFile(at(".openclaw", "openclaw.json"), '{ gateway: { mode: "local", port: "many" } }');
    assert.equal((await shell.type("openclaw config validate")).code, 1);
    assert.equal((await shell.type("openclaw config set gateway.port 18789")).code, 0);
    assert.equal((await shell.type("openclaw config validate")).code, 0);
    await shell.start("openclaw gateway");
  },
);
