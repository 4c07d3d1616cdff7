import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { createManualClock, systemClock, type Clock, type ManualClock } from "../base/clock.ts";
import { faultOf } from "../../test/kit/fault.ts";
import { openServerKit, secret } from "../../test/kit/gateway-server.ts";
import {
  hello,
  ok,
  openScriptedGateway,
  refused,
  welcoming,
  type Script,
  type ScriptedGateway,
} from "../../test/kit/scripted-gateway.ts";
import { openBrowserSocket } from "./browser-socket.ts";
import { openNodeSocket } from "./node-socket.ts";
import { keepConnected, type SteadyClient, type SteadyOptions, type SteadyState } from "./reconnect.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function openServer(script: Script, port = 0): Promise<ScriptedGateway> {
  const server = await openScriptedGateway(script, undefined, port);
  cleanUps.push(() => server.stop());
  return server;
}

interface Watched {
  readonly client: SteadyClient;
  readonly states: SteadyState[];
  /** The next state of this name that was not waited for yet. */
  reach<Name extends SteadyState["state"]>(name: Name): Promise<Extract<SteadyState, { state: Name }>>;
}

let ids = 0;
function keep(url: string, clock: Clock, extra: Partial<SteadyOptions> = {}): Watched {
  const states: SteadyState[] = [];
  const watchers = new Set<() => void>();
  let from = 0;
  const client = keepConnected({
    url,
    openSocket: openNodeSocket,
    auth: { token: secret },
    scopes: ["operator.admin"],
    client: { id: "test", mode: "test", version: "1.0.0", platform: "linux" },
    newId: () => `id-${(ids += 1)}`,
    clock,
    timeoutMs: 5_000,
    random: () => 0.5,
    ...extra,
  });
  client.onState((state) => {
    states.push(state);
    for (const watcher of watchers) watcher();
  });
  cleanUps.push(() => client.close());
  return {
    client,
    states,
    reach: (name) =>
      new Promise((resolve) => {
        const look = () => {
          const at = states.findIndex(({ state }, i) => i >= from && state === name);
          if (at === -1) return;
          from = at + 1;
          watchers.delete(look);
          // found by its name
          resolve(states[at] as Extract<SteadyState, { state: typeof name }>);
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Lets timers run until the state is there; real sockets need real turns in between. */
async function advanceUntil(clock: ManualClock, stepMs: number, reached: Promise<unknown>): Promise<void> {
  let isDone = false;
  void reached.finally(() => (isDone = true));
  while (!isDone) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("it connects, loses the Gateway, waits longer each time, and comes back to the one that is there again", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  const { client, reach } = keep(server.url, clock);
  assert.equal((await reach("connected")).hello.server.version, hello.server.version);
  await clock.advance(10_000);
  await server.stop();

  const delays: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    const waiting = await reach("waiting");
    assert.equal(waiting.fault.code, "unreachable");
    delays.push(waiting.delayMs);
    if (i < 6) await clock.advance(waiting.delayMs);
  }
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);

  const again = await openServer(
    welcoming(({ id }, peer) => peer.send(ok(id, { ok: true }))),
    server.port,
  );
  await clock.advance(29_999);
  assert.equal(again.requests.length, 0);
  await clock.advance(1);
  await reach("connected");
  assert.deepEqual(await client.call("health", {}, { timeoutMs: 1_000 }), { ok: true });
});

test("a Gateway that lets one in and throws one out again is asked less and less often", async () => {
  const clock = createManualClock();
  const server = await openServer((request, peer) => {
    if (request.method !== "connect") return;
    peer.send(ok(request.id, hello));
    peer.close(1008, "slow consumer");
  });
  const { reach } = keep(server.url, clock);
  const delays: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const { delayMs } = await reach("waiting");
    delays.push(delayMs);
    await clock.advance(delayMs);
  }
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000]);
});

test("a line on which nothing comes for two ticks is closed with 4000, at once for whoever waits on it", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  const { client, reach } = keep(server.url, clock);
  await reach("connected");
  const pending = faultOf(client.call("status", {}, { timeoutMs: 0 }));
  await clock.advance(59_999);
  assert.equal(client.state().state, "connected");
  await clock.advance(1);
  assert.match((await pending).message, /4000 .*tick timeout/u);
  assert.deepEqual(await server.peers[0]?.closed, { code: 4000, reason: "tick timeout" });
  const { delayMs } = await reach("waiting");
  await clock.advance(delayMs);
  await reach("connected");
  assert.equal(server.peers.length, 2);
});

test("a tick keeps the line, and so does any other frame (RB-92)", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming(({ id }, peer) => peer.send(ok(id, {}))));
  const { client, reach } = keep(server.url, clock);
  await reach("connected");
  for (let i = 0; i < 4; i += 1) {
    await clock.advance(50_000);
    const ticked = new Promise<void>((resolve) => {
      const stop = client.on("tick", () => {
        stop();
        resolve();
      });
    });
    if (i % 2 === 0) server.peers[0]?.send({ type: "event", event: "tick", payload: { ts: 1 } });
    else await client.callAny("x", {}, { timeoutMs: 0 });
    if (i % 2 === 0) await ticked;
  }
  assert.equal(client.state().state, "connected");
  assert.equal(server.peers.length, 1);
});

test("after a told restart it is back at once, and looks every second until the time is up (RB-77, RB-136, OV-44)", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  const { reach } = keep(server.url, clock, { random: () => 0.999 });
  await reach("connected");
  const shutdown = { reason: "gateway restarting", restartExpectedMs: 5_000 };
  server.peers[0]?.send({ type: "event", event: "shutdown", payload: shutdown });
  server.peers[0]?.close(1012, "service restart");
  const first = await reach("waiting");
  assert.ok(first.delayMs <= 100, String(first.delayMs));

  await server.stop();
  await clock.advance(first.delayMs);
  let waited = first.delayMs;
  for (;;) {
    const { delayMs } = await reach("waiting");
    if (waited >= 5_000) {
      // the ordinary steps begin from the first
      assert.ok(delayMs > 1_000 && delayMs <= 1_200, String(delayMs));
      break;
    }
    assert.ok(delayMs <= 1_000, String(delayMs));
    waited += delayMs;
    await clock.advance(delayMs);
  }
});

test("a Gateway that restarts finds its client again with all that it listens for", async () => {
  const kit = await openServerKit();
  const { client, reach } = keep(kit.url, systemClock);
  const ticks: number[] = [];
  client.on("tick", ({ ts }) => ticks.push(ts));
  const causes: string[] = [];
  client.onRefresh((cause) => causes.push(cause));
  await reach("connected");
  kit.bus.publish("shutdown", { reason: "gateway restarting", restartExpectedMs: 3_000 });
  await kit.stop();
  const waiting = await reach("waiting");
  assert.ok(waiting.delayMs <= 100);

  const again = await openServerKit({ port: kit.port });
  cleanUps.push(() => again.stop());
  await reach("connected");
  again.bus.publish("tick", { ts: 7 });
  await new Promise<void>((resolve) => client.on("tick", () => resolve()));
  assert.deepEqual(ticks, [7]);
  assert.deepEqual(causes, ["connected", "connected"]);
});

test("a wrong secret stops it for good, with what to do", async () => {
  const kit = await openServerKit();
  cleanUps.push(() => kit.stop());
  const { client, states, reach } = keep(kit.url, systemClock, { auth: { token: "wrong" } });
  const early = faultOf(client.call("health", {}, { timeoutMs: 5_000 }));
  const { fault } = await reach("stopped");
  assert.equal(fault?.code, "unauthorized");
  assert.equal(await early, fault);
  assert.equal(await faultOf(client.call("health", {}, { timeoutMs: 5_000 })), fault);
  assert.deepEqual(
    states.map(({ state }) => state),
    ["stopped"],
  );
});

test("a device that waits for approval goes on, and is in as soon as it is approved", async () => {
  const clock = createManualClock();
  const error = {
    code: "NOT_PAIRED",
    message: "pairing required",
    details: { code: "PAIRING_REQUIRED", requestId: "r", pauseReconnect: false },
  };
  const server = await openServer(({ id }, peer) => {
    peer.send(refused(id, error));
    peer.close(1008, "pairing required");
  });
  const { reach } = keep(server.url, clock);
  for (let i = 0; i < 3; i += 1) {
    const { fault, delayMs } = await reach("waiting");
    assert.equal(fault.code, "not_paired");
    assert.equal(fault.details?.["requestId"], "r");
    if (i === 2) server.follow(welcoming());
    await clock.advance(delayMs);
  }
  await reach("connected");
});

test("a limit of tries is waited out, however long it is", async () => {
  const clock = createManualClock();
  const details = { code: "AUTH_RATE_LIMITED" };
  const error = { code: "INVALID_REQUEST", message: "unauthorized: too many failed attempts", details };
  const server = await openServer(({ id }, peer) => peer.send(refused(id, { ...error, retryAfterMs: 77_000 })));
  const { reach } = keep(server.url, clock);
  assert.equal((await reach("waiting")).delayMs, 77_000);
});

test("missed events are told with their numbers; refreshing is asked for once a second at most (RB-94)", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming(({ id }, peer) => peer.send(ok(id, {}))));
  const { client, reach } = keep(server.url, clock);
  const gaps: unknown[] = [];
  const causes: string[] = [];
  client.onGap((gap) => gaps.push(gap));
  client.onRefresh((cause) => causes.push(cause));
  await reach("connected");
  const miss = async (...seqs: number[]) => {
    for (const seq of seqs) server.peers[0]?.send({ type: "event", event: "tick", payload: { ts: 1 }, seq });
    await client.callAny("x", {}, { timeoutMs: 0 });
  };
  await miss(1, 2, 5);
  assert.deepEqual(causes, ["connected", "gap"]);
  await miss(8, 11, 12);
  assert.deepEqual(causes, ["connected", "gap"]);
  await clock.advance(1_000);
  assert.deepEqual(causes, ["connected", "gap", "gap"]);
  await clock.advance(5_000);
  await miss(13);
  assert.deepEqual(causes, ["connected", "gap", "gap"]);
  assert.deepEqual(gaps, [
    { expected: 3, received: 5 },
    { expected: 6, received: 8 },
    { expected: 9, received: 11 },
  ]);
});

test("numbers begin anew with every connection", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming(({ id }, peer) => peer.send(ok(id, {}))));
  const { client, reach } = keep(server.url, clock);
  const gaps: unknown[] = [];
  client.onGap((gap) => gaps.push(gap));
  for (const seq of [1, 9]) {
    await reach("connected");
    server.peers.at(-1)?.send({ type: "event", event: "tick", payload: { ts: 1 }, seq });
    await client.callAny("x", {}, { timeoutMs: 0 });
    server.peers.at(-1)?.terminate();
    await clock.advance((await reach("waiting")).delayMs);
  }
  assert.deepEqual(gaps, []);
});

test("a call waits for the connection, and goes on with what is left of its time", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  await server.stop();
  const { client, reach } = keep(server.url, clock);
  const { delayMs } = await reach("waiting");
  const health = client.call("health", {}, { timeoutMs: 3_000 });
  await openServer(
    welcoming(({ id }, peer) => peer.send(ok(id, { ok: true }))),
    server.port,
  );
  await clock.advance(delayMs);
  assert.deepEqual(await health, { ok: true });
});

test("a call that finds no connection in time says why there is none", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  await server.stop();
  const { client, reach } = keep(server.url, clock, { waitMs: 1_500 });
  await reach("waiting");
  const long = faultOf(client.call("health", {}, { timeoutMs: 60_000 }));
  const short = faultOf(client.call("health", {}, { timeoutMs: 200 }));
  await clock.advance(200);
  assert.equal((await short).code, "unreachable");
  await advanceUntil(clock, 100, long);
  assert.match((await long).message, /no Gateway answers on ws:.*ECONNREFUSED/u);

  const impatient = keep(server.url, clock, { waitMs: 0 });
  assert.equal((await faultOf(impatient.client.call("health", {}, { timeoutMs: 60_000 }))).code, "unreachable");
});

test("more calls than can wait are refused, and all that wait are told when it is closed", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  await server.stop();
  const { client, reach } = keep(server.url, clock);
  await reach("waiting");
  const waiting = Array.from({ length: 1_000 }, () => faultOf(client.callAny("x", {}, { timeoutMs: 0 })));
  assert.equal((await faultOf(client.callAny("x", {}, { timeoutMs: 0 }))).code, "overloaded");
  client.close();
  for (const fault of await Promise.all(waiting)) assert.equal(fault.code, "unreachable");
  assert.deepEqual(client.state(), { state: "stopped", fault: undefined });
});

test("a call under way when the connection goes is told, and is not sent again", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming((_request, peer) => peer.terminate()));
  const { client, reach } = keep(server.url, clock);
  await reach("connected");
  assert.equal((await faultOf(client.callAny("send", {}, { timeoutMs: 0 }))).code, "unreachable");
  await clock.advance((await reach("waiting")).delayMs);
  await reach("connected");
  assert.equal(server.requests.filter(({ method }) => method === "send").length, 1);
});

test("a person who does not want to wait connects now", async () => {
  const clock = createManualClock();
  const server = await openServer(welcoming());
  await server.stop();
  const { client, reach } = keep(server.url, clock);
  await reach("waiting");
  await openServer(welcoming(), server.port);
  client.connectNow();
  client.connectNow();
  await reach("connected");
  await clock.advance(5_000);
  assert.equal(client.state().state, "connected");
});

test("closing while it connects leaves no socket behind", async () => {
  const server = await openServer(() => {});
  const { client, states } = keep(server.url, systemClock);
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.close();
  client.close();
  await server.peers[0]?.closed;
  assert.deepEqual(states, [{ state: "stopped", fault: undefined }]);
});

test("with the WebSocket of browsers it is the same client", async () => {
  const kit = await openServerKit();
  cleanUps.push(() => kit.stop());
  const { client, reach } = keep(kit.url, systemClock, { openSocket: openBrowserSocket });
  await reach("connected");
  const presence = new Promise((resolve) => client.on("presence", resolve));
  kit.bus.publish("presence", { presence: [] });
  assert.deepEqual(await presence, { presence: [] });
  client.close();
  const wrong = keep(kit.url, systemClock, { openSocket: openBrowserSocket, auth: { token: "wrong" } });
  assert.equal((await wrong.reach("stopped")).fault?.code, "unauthorized");
});
