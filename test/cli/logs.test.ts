// `logs` and the log itself, with real processes: over rolls, restarts and days, and when the disk refuses.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { until } from "../kit/conversation.ts";
import { connectParams, openRawClient } from "../kit/raw-client.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";

const started: GatewayProcess[] = [];
after(() => Promise.all(started.map((gateway) => gateway.dispose())));

async function create(options: Parameters<typeof createGatewayProcess>[0]): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess(options);
  started.push(gateway);
  await gateway.start();
  return gateway;
}

/** `logs --follow` of it, until `stop`. */
function follow(gateway: GatewayProcess, ...args: string[]) {
  const child = spawn(process.execPath, [launcher, "logs", "--follow", "--interval", "50", ...args], {
    env: gateway.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const shown = { out: "", error: "" };
  child.stdout.on("data", (chunk: Buffer) => (shown.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (shown.error += chunk.toString()));
  return { shown, stop: () => child.kill("SIGKILL") };
}

const logFiles = async (gateway: GatewayProcess) => {
  const folder = join(gateway.folder, "log");
  return (await readdir(folder)).map((name) => join(folder, name));
};

test("following over the Gateway shows every line once while files are put aside, and while it restarts", async () => {
  const gateway = await create({
    config: { logging: { levels: { "gateway/ws": "debug" }, maxFileBytes: 65_536, maxTotalBytes: 4_000_000 } },
  });
  const follower = follow(gateway, "--limit", "5000", "--max-bytes", "1000000", "--json");
  const records = () =>
    follower.shown.out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { type: string; raw?: string; message?: string });
  const shown = () => records().flatMap(({ type, raw }) => (type === "log" && raw ? [raw] : []));
  const written = async () => {
    // those that were put aside have a longer name, and rise
    const byAge = (one: string, other: string) => other.length - one.length || one.localeCompare(other);
    const files = (await logFiles(gateway)).toSorted(byAge);
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
    return texts.join("").split("\n").filter(Boolean);
  };
  /** Everything that is there now gets shown, and nothing else before it. */
  const untilAll = async () => {
    const all = await written();
    await until(() => shown().length >= all.length, 15_000);
    assert.deepEqual(shown().slice(0, all.length), all);
  };
  try {
    await until(() => follower.shown.out.includes('"type":"meta"'), 10_000);
    const client = await openRawClient(gateway.port, gateway.token);
    await client.connect(connectParams(gateway.token));
    for (let index = 0; index < 900; index += 1) await client.request(`no.such.method.${index}`);
    client.close();
    assert.ok((await logFiles(gateway)).length >= 3, "it has rolled");
    await untilAll();
    const notices = records().filter(({ type }) => type === "notice");
    assert.deepEqual(notices, []);

    await gateway.stop();
    await until(() => records().some(({ message }) => message?.includes("does not answer any more") === true), 10_000);
    await gateway.start();
    await untilAll();
  } finally {
    follower.stop();
  }
});

test("files and folder are for their owner alone, and a named profile has files of its own", async () => {
  const gateway = await create({});
  const [file = ""] = await logFiles(gateway);
  assert.match(file, /\/openclaw-\d{4}-\d\d-\d\d\.log$/u);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(gateway.folder, "log"))).mode & 0o777, 0o700);

  const other = await create({ env: { OPENCLAW_PROFILE: "rescue" } });
  assert.match((await logFiles(other))[0] ?? "", /\/openclaw-rescue-\d{4}-\d\d-\d\d\.log$/u);
});

test("levels, styles and limits count as soon as the config is saved", async () => {
  const gateway = await create({ config: { gateway: { mode: "local", reload: { debounceMs: 0 } } } });
  const set = async (path: string, value: string, isSeen: () => boolean | Promise<boolean>) => {
    assert.equal((await gateway.cli("config", "set", path, value)).code, 0);
    for (let attempt = 0; attempt < 40 && !(await isSeen()); attempt += 1) await gateway.cli("health");
    assert.ok(await isSeen(), `${path} ${value}`);
  };
  const text = async () =>
    (await Promise.all((await logFiles(gateway)).map((file) => readFile(file, "utf8")))).join("");
  assert.doesNotMatch(await text(), /client connected/u);
  await set("logging.level", "debug", async () => /client connected/u.test(await text()));
  await set("logging.consoleStyle", "json", () => /^\{"time":".*"level":"info"/mu.test(gateway.output()));
  await set("logging.consoleLevel", "debug", () => /"message":"client connected"/u.test(gateway.output()));
});

test("diagnostics flags write and show debug lines of their part alone", async () => {
  const gateway = await create({ env: { OPENCLAW_DIAGNOSTICS: "ws,telegram.*" } });
  await gateway.cli("health");
  await until(() => /⇄ res ✓ health/u.test(gateway.output()), 5_000);
  assert.doesNotMatch(gateway.output(), /client connected/u);
});

test("a disk that is full stops nothing: health says so, and a device stays as it is (T7)", async (t) => {
  if (process.platform !== "linux") return t.skip("needs /dev/full");
  const full = await create({ config: { logging: { file: "/dev/full" } } });
  const { mode } = await stat("/dev/full");
  // a snapshot that was made before is shown for a second
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { code, stdout } = await full.cli("health");
  assert.equal(code, 0);
  assert.match(
    stdout,
    /problem: the log cannot be written \(ENOSPC.*\); \d+ lines are lost so far\n {2}next: make room/u,
  );
  assert.equal((await full.cli("agent", "-m", "hello")).code, 0);
  assert.equal((await stat("/dev/full")).mode, mode, "a device stays as it is");
  assert.match(full.output(), /the log file cannot be written/u);
  assert.equal(await full.stop(), 0);
});

test("a console that is gone does not end the Gateway", async () => {
  const gateway = await createGatewayProcess({ args: ["--verbose"] });
  started.push(gateway);
  const child = spawn(process.execPath, [launcher, "gateway", "--verbose"], {
    env: gateway.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        if (chunk.includes("next:")) resolve();
      });
    });
    child.stdout.destroy();
    child.stderr.destroy();
    for (let index = 0; index < 3; index += 1) assert.equal((await gateway.cli("health")).code, 0);
    assert.equal(child.exitCode, null);
  } finally {
    child.kill("SIGKILL");
  }
});

test("trouble is an object on stderr for programs, and ends with 1", async () => {
  const gateway = await createGatewayProcess();
  started.push(gateway);
  const { code, stdout, stderr } = await gateway.cli("logs", "--json", "--url", `ws://127.0.0.1:${gateway.port}`);
  assert.deepEqual([code, stdout], [1, ""]);
  const told = JSON.parse(stderr) as Record<string, unknown>;
  assert.deepEqual(Object.keys(told), ["type", "message", "error", "hint"]);
  assert.equal(told["type"], "error");
  for (const args of [
    ["--limit", "5001"],
    ["--limit", "0"],
    ["--max-bytes", "x"],
    ["--interval", "-1"],
  ])
    assert.equal((await gateway.cli("logs", ...args)).code, 2, args.join(" "));
});

test("--local-time and --max-bytes", async () => {
  const gateway = await create({ env: { TZ: "Asia/Ho_Chi_Minh" } });
  const { stdout } = await gateway.cli("logs", "--local-time");
  assert.match(stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00 info gateway /mu);
  const short = await gateway.cli("logs", "--max-bytes", "300");
  assert.ok(short.stdout.trim().split("\n").length <= 2, short.stdout);
});

test("what launchd captures of the output is cut at the start, and goes on after its newest lines (R32)", async () => {
  const gateway = await createGatewayProcess();
  started.push(gateway);
  const path = join(gateway.folder, "state", "logs", "gateway.log");
  await mkdir(join(gateway.folder, "state", "logs"));
  const old = Array.from(
    { length: 150_000 },
    (_, index) => `an old line of the service, number ${index} ${"x".repeat(40)}\n`,
  );
  await writeFile(path, old.join(""));
  const output = await open(path, "a");
  const child = spawn(process.execPath, [launcher, "gateway"], {
    env: { ...gateway.env, OPENCLAW_SERVICE_MARKER: "openclaw", OPENCLAW_SERVICE_KIND: "gateway" },
    stdio: ["ignore", output.fd, output.fd],
  });
  try {
    const text = () => readFile(path, "utf8");
    await until(async () => (await text()).includes("next: in another terminal"), 10_000);
    const lines = (await text()).split("\n");
    assert.ok((await stat(path)).size < 2 * 1024 * 1024);
    assert.match(lines[0] ?? "", /^an old line of the service, number \d+ x{40}$/u);
    const last = lines.findLastIndex((line) => line.startsWith("an old line"));
    assert.match(lines[last] ?? "", /number 149999 /u);
    assert.match(lines.slice(last + 1).join("\n"), /listening on ws:/u);
  } finally {
    child.kill("SIGKILL");
    await output.close();
  }
});

test("the start is told in steps with their times, the model, the address, the files and what to do next (R21)", async () => {
  const gateway = await create({});
  await until(() => gateway.output().includes("next:"), 5_000);
  const output = gateway.output();
  for (const words of [
    /\[gateway\] agent model: offline\/demo$/mu,
    /listening on ws:\/\/127\.0\.0\.1:\d+ \(pid \d+\) ms=\d+$/mu,
    /started in \d+ ms: config \d+, lock \d+, port \d+, rooms \d+$/mu,
    /log file: \/.*openclaw-\d{4}-\d\d-\d\d\.log$/mu,
    /config: \/.*openclaw\.json$/mu,
    /next: in another terminal, openclaw agent --message "hello"$/mu,
  ])
    assert.match(output, words);
});
