// The command line when no Gateway answers, or one that answers badly: it says what to do and it ends.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { WebSocketServer } from "ws";

import { createDoctorHome } from "../kit/doctor-home.ts";
import { createGatewayProcess, launcher, type GatewayProcess } from "../kit/gateway-process.ts";

let machine: GatewayProcess;
const logFile = (day: string) => join(machine.folder, "log", `openclaw-${day}.log`);
const record = (message: string) =>
  `${JSON.stringify({ time: "2026-01-02T03:04:05.678Z", level: "info", subsystem: "a/b", message })}\n`;

before(async () => {
  // never started: a folder, a port nobody listens on, an environment
  machine = await createGatewayProcess();
});
beforeEach(async () => {
  await mkdir(join(machine.folder, "log"), { recursive: true });
});
after(() => machine?.dispose());

/** The file the command would read today, whatever the day and zone. */
async function today(): Promise<string> {
  const { stdout } = await machine.cli("logs", "--json");
  const meta = stdout.split("\n").find((line) => line.includes('"meta"')) ?? "{}";
  return String((JSON.parse(meta) as { file: string }).file);
}

test("nobody answering is told with the address, where the port came from, and how to start it (RB-134, RB-142)", async () => {
  const { code, stdout, stderr } = await machine.cli("health");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^error: no Gateway answers on ws:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*port from environment/u);
  assert.match(stderr, /\nnext: start it with openclaw gateway\n$/u);
});

test("status and gateway status report it and end well", async () => {
  for (const args of [["status"], ["gateway", "status"]]) {
    const { code, stdout, stderr } = await machine.cli(...args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /not reachable|RPC probe: failed/u);
    assert.match(stdout, /next: start it with openclaw gateway/u);
  }
});

test("with errors in the config nothing is said or sent; looking is still possible", async () => {
  const path = join(machine.folder, "state", "openclaw.json");
  await rename(path, `${path}.good`);
  await writeFile(path, "{ gatway: {} }");
  try {
    for (const args of [
      ["agent", "-m", "hi"],
      ["message", "send", "-t", "1", "-m", "hi"],
    ]) {
      const { code, stdout, stderr } = await machine.cli(...args);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^error: Config invalid:\n {2}.*openclaw\.json:1:\d+/u);
    }
    assert.match((await machine.cli("health")).stderr, /^warning: [\s\S]*error: no Gateway answers/u);
  } finally {
    await rename(`${path}.good`, path);
  }
});

test("a Gateway that falls silent does not hold the command beyond its time limit", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  try {
    // nothing is read from the socket any more: the close is never answered
    server.on("connection", (socket) => socket.pause());
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const begun = performance.now();
    const { code, stderr } = await machine.cli("health", "--url", url, "--timeout", "300");
    assert.equal(code, 1);
    assert.match(stderr, /within 300 ms/u);
    assert.ok(performance.now() - begun < 5_000);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

test("a config with errors does not stop a look at the Gateway, and is shown with its place", async () => {
  const path = join(machine.folder, "state", "openclaw.json");
  await writeFile(path, '{\n  "gateway": { "port": "many" }\n}');
  try {
    const { code, stdout } = await machine.cli("gateway", "status");
    assert.equal(code, 0);
    assert.match(stdout, /has errors/u);
    assert.match(stdout, /openclaw\.json:2:\d+/u);
  } finally {
    await writeFile(path, '{ "gateway": { "mode": "local" } }');
  }
});

test("pairing without a database says what to start", async () => {
  const { code, stderr } = await machine.cli("--profile", "x", "pairing", "list");
  assert.equal(code, 1);
  assert.match(stderr, /next: start one with openclaw --profile x gateway\n$/u);
});

test("a profile by a slip of the hand is not made by asking for it", async (context) => {
  const home = await createDoctorHome();
  context.after(home.dispose);
  const first = await home.picture();
  for (const words of ["status", "health", "logs --limit 1", "sessions", "agent --message hi", "gateway call health"]) {
    const { stderr } = await home.cli(["--profile", "slip", ...words.split(" ")]);
    assert.doesNotMatch(stderr, /ENOENT/u, words);
    assert.deepEqual(await home.picture(), first, words);
  }
});

test("logs come from the file, with what they are told about why (OV-48)", async () => {
  const file = await today();
  await writeFile(file, record("first \u001B[31mred"));
  const { code, stdout, stderr } = await machine.cli("logs");
  assert.equal(code, 0);
  assert.equal(stdout, "2026-01-02T03:04:05.678Z info a/b first red\n");
  assert.match(stderr, /the Gateway cannot be asked .*reading the file\nLog file: /u);
});

test("a message of several lines cannot pass for another line of the log, and no log at all is told", async () => {
  const file = await today();
  const forged = "hello\n2026-01-02T03:04:05.678Z error gateway all is lost";
  await writeFile(file, record(forged));
  const { stdout } = await machine.cli("logs");
  assert.equal(stdout, `2026-01-02T03:04:05.678Z info a/b ${forged.replace("\n", "\n    ")}\n`);
  assert.doesNotMatch((await machine.cli("logs")).stderr, /nothing is written/u);
  await rm(file);
  assert.match((await machine.cli("logs")).stderr, /nothing is written there yet/u);
});

test("logs of a Gateway elsewhere are never read from a file here", async () => {
  const { code, stdout } = await machine.cli("logs", "--url", `ws://127.0.0.1:${machine.port}`);
  assert.deepEqual([code, stdout], [1, ""]);
});

test("following a file goes on by itself, tells each line once, and changes to the file of a new day (RB-100, OV-21, VG-13)", async () => {
  const file = await today();
  // the Gateway ended on an earlier day
  await writeFile(file, record("old one"));
  await rename(file, logFile("2000-01-01"));

  const child = spawn(process.execPath, [launcher, "logs", "--follow", "--interval", "20", "--plain"], {
    env: machine.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    let printed = "";
    const messages = () => [...printed.matchAll(/a\/b (.+)/gu)].map(([, message]) => message);
    const seen = (message: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (messages().includes(message)) resolve();
          else child.stdout.once("data", look);
        };
        look();
      });
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await seen("old one");
    await appendFile(logFile("2000-01-01"), record("old two"));
    await seen("old two");
    await writeFile(file, record("new one"));
    await seen("new one");
    await appendFile(file, record("new two"));
    await seen("new two");
    assert.deepEqual(messages(), ["old one", "old two", "new one", "new two"]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("a follower ends when nobody reads it any more", async () => {
  const file = await today();
  await writeFile(file, record("one"));
  const child = spawn(process.execPath, [launcher, "logs", "--follow", "--interval", "20"], {
    env: machine.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await once(child.stdout, "data");
    const exited = once(child, "exit");
    child.stdout.destroy();
    // the broken pipe shows at the next line
    await appendFile(file, record("two"));
    const [code] = (await exited) as [number | null];
    assert.equal(code, 0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("a log file that the config names is the one that is read and shown", async () => {
  const named = join(machine.folder, "mine.log");
  await writeFile(join(machine.folder, "state", "openclaw.json"), JSON.stringify({ logging: { file: named } }));
  await writeFile(named, record("in the named file"));
  const { stdout } = await machine.cli("logs", "--json");
  assert.match(stdout, /in the named file/u);
  assert.equal(
    (JSON.parse(stdout.split("\n").find((line) => line.includes('"meta"')) ?? "{}") as { file: string }).file,
    named,
  );
  assert.match((await machine.cli("gateway", "status", "--no-probe")).stdout, /Log: .*mine\.log/u);
});

test("one that has the port and does not answer is told apart from one that is not there", async () => {
  const silent = createServer(() => undefined).listen(machine.port, "127.0.0.1");
  await once(silent, "listening");
  try {
    const { code, stderr } = await machine.cli("health", "--timeout", "300");
    assert.equal(code, 1);
    assert.match(stderr, /^error: no Gateway answered on ws:.* within 300 ms/u);
    assert.match(stderr, /\nnext: it is busy or stuck: openclaw gateway status names the process/u);
  } finally {
    silent.close();
  }
});
