// Ctrl-C while a command waits for an answer: each command is a process of its own, and so are its signals.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";

import { launcher } from "../kit/gateway-process.ts";
import {
  hello,
  ok,
  openScriptedGateway,
  refused,
  welcoming,
  type Script,
  type ScriptedGateway,
  type ScriptedRequest,
} from "../kit/scripted-gateway.ts";

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Running {
  readonly server: ScriptedGateway;
  /** Resolves with the request of this method, received or still to come. */
  asked(method: string): Promise<ScriptedRequest>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

async function startAgent(script: Script, ...args: string[]): Promise<Running> {
  const watchers = new Set<() => void>();
  const server = await openScriptedGateway((request, peer) => {
    script(request, peer);
    for (const watcher of watchers) watcher();
  });
  const folder = await mkdtemp(join(tmpdir(), "interrupt-"));
  const child = spawn(process.execPath, [launcher, "agent", "-m", "hi", "--url", server.url, "--token", "X", ...args], {
    env: { PATH: process.env["PATH"], HOME: folder, OPENCLAW_STATE_DIR: folder, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  cleanUps.push(async () => {
    child.kill("SIGKILL");
    await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    server,
    asked: (method) =>
      new Promise((resolve) => {
        const look = () => {
          const request = server.requests.find((other) => other.method === method);
          if (request) resolve(request);
        };
        watchers.add(look);
        look();
      }),
    kill: (signal) => child.kill(signal),
    ended: once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
      stdout,
      stderr,
    })),
  };
}

const mainSession = {
  ...hello,
  snapshot: {
    ...hello.snapshot,
    sessionDefaults: { mainSessionKey: "agent:main:main", mainKey: "main", defaultAgentId: "main" },
  },
};
const greeted: Script = ({ id }, peer) => peer.send(ok(id, mainSession));

/** Accepts the run and never ends it, until it is stopped. */
function stoppable(onAbort: Script): Script {
  return (request, peer) => {
    const runId = request.params["idempotencyKey"];
    if (request.method === "connect") greeted(request, peer);
    else if (request.method === "agent") peer.send(ok(request.id, { runId, status: "accepted", acceptedAt: 1 }));
    else if (request.method === "chat.abort") onAbort(request, peer);
  };
}
const stops: Script = ({ id, params }, peer) =>
  peer.send(ok(id, { ok: true, aborted: true, runIds: [params["runId"]] }));

test("Ctrl-C stops the run in the Gateway and exits with 130", async () => {
  const running = await startAgent(stoppable(stops));
  const { params } = await running.asked("agent");
  running.kill("SIGINT");
  const abort = await running.asked("chat.abort");
  assert.deepEqual(abort.params, { sessionKey: "agent:main:main", runId: params["idempotencyKey"] });
  assert.deepEqual(await running.ended, { code: 130, signal: null, stdout: "", stderr: "stopped\n" });
});

test("the session is the one that the run's events name, and a request that was not taken up yet is stopped too", async () => {
  let asked = 0;
  const script = stoppable(({ id, params }, peer) => {
    asked += 1;
    peer.send(ok(id, { ok: true, aborted: asked === 2, runIds: asked === 2 ? [params["runId"]] : [] }));
  });
  const running = await startAgent(script, "--to", "123");
  const { params } = await running.asked("agent");
  const event = { runId: params["idempotencyKey"], seq: 1, stream: "lifecycle", ts: 1, data: {} };
  running.server.peers[0]?.send({ type: "event", event: "agent", payload: { ...event, sessionKey: "agent:main:x" } });
  // its own answer comes after the event on the same line
  await new Promise((resolve) => setTimeout(resolve, 100));
  running.kill("SIGTERM");
  const { code } = await running.ended;
  assert.equal(code, 143);
  const aborts = running.server.requests.filter(({ method }) => method === "chat.abort");
  assert.deepEqual(
    aborts.map((request) => request.params["sessionKey"]),
    ["agent:main:x", "agent:main:x"],
  );
});

test("a run that waits in line is stopped too: the first answer names its session", async () => {
  const script = stoppable(stops);
  const running = await startAgent(
    (request, peer) => {
      if (request.method !== "agent") return script(request, peer);
      const runId = request.params["idempotencyKey"];
      return peer.send(ok(request.id, { runId, status: "accepted", sessionKey: "agent:main:queued" }));
    },
    "--to",
    "123",
  );
  await running.asked("agent");
  await new Promise((resolve) => setTimeout(resolve, 100));
  running.kill("SIGINT");
  assert.equal((await running.asked("chat.abort")).params["sessionKey"], "agent:main:queued");
  assert.equal((await running.ended).code, 130);
});

test("a run that cannot be stopped is told to go on, and the exit code is the same", async () => {
  const error = { code: "INVALID_REQUEST", message: "missing scope: operator.write" };
  const running = await startAgent(stoppable(({ id }, peer) => peer.send(refused(id, error))));
  await running.asked("agent");
  running.kill("SIGINT");
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.match(stderr, /^not stopped: the run \S+ goes on in the Gateway\n$/u);
});

test("a second Ctrl-C ends the command at once", async () => {
  const running = await startAgent(stoppable(() => {}));
  await running.asked("agent");
  running.kill("SIGINT");
  await running.asked("chat.abort");
  running.kill("SIGINT");
  assert.equal((await running.ended).signal, "SIGINT");
});

test("without an interruption nothing of it is seen", async () => {
  const running = await startAgent(
    welcoming(({ id, params }, peer) => {
      const answer = { runId: params["idempotencyKey"], status: "ok", summary: "completed" };
      const result = { payloads: [{ text: "hello", mediaUrl: null }], meta: { durationMs: 1 } };
      peer.send(ok(id, { ...answer, result }));
    }),
  );
  assert.deepEqual(await running.ended, { code: 0, signal: null, stdout: "hello\n", stderr: "" });
});
