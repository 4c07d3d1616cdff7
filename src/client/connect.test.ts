import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";

import fc from "fast-check";
import { createManualClock, systemClock, type Clock } from "../base/clock.ts";
import { faultOf } from "../../test/kit/fault.ts";
import {
  ok,
  openScriptedGateway,
  refused,
  welcoming,
  type Script,
  type ScriptedGateway,
} from "../../test/kit/scripted-gateway.ts";
import { connect, type GatewayClient } from "./connect.ts";
import { openNodeSocket } from "./node-socket.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function openServer(script: Script, greeting?: { readonly is: unknown }): Promise<ScriptedGateway> {
  const server = await (greeting ? openScriptedGateway(script, greeting.is) : openScriptedGateway(script));
  cleanUps.push(() => server.stop());
  return server;
}

let ids = 0;
function open(url: string, extra: { clock?: Clock; timeoutMs?: number } = {}): Promise<GatewayClient> {
  return connect({
    url,
    openSocket: openNodeSocket,
    auth: { token: "X" },
    scopes: ["operator.read"],
    client: { id: "cli", mode: "cli", version: "1.0.0", platform: "linux" },
    newId: () => `id-${(ids += 1)}`,
    clock: extra.clock ?? systemClock,
    timeoutMs: extra.timeoutMs ?? 5_000,
  });
}

async function openTo(server: ScriptedGateway, clock?: Clock): Promise<GatewayClient> {
  const client = await open(server.url, clock ? { clock } : {});
  cleanUps.push(() => client.close());
  return client;
}

test("it waits for the challenge, then connects with every protocol version it speaks, its secret and its scopes", async () => {
  const server = await openServer(welcoming(() => {}));
  const client = await openTo(server);
  assert.equal(client.hello.server.version, "2026.1.30");
  assert.deepEqual(
    server.requests.map(({ method, params }) => ({ method, params })),
    [
      {
        method: "connect",
        params: {
          minProtocol: 3,
          maxProtocol: 7,
          client: { id: "cli", mode: "cli", version: "1.0.0", platform: "linux" },
          caps: [],
          role: "operator",
          scopes: ["operator.read"],
          auth: { token: "X" },
        },
      },
    ],
  );
});

test("a Gateway that sends no challenge is greeted 750 ms after the socket opened, not before", async () => {
  const server = await openServer(welcoming(), { is: null });
  const clock = createManualClock();
  const opening = open(server.url, { clock, timeoutMs: 5_000 });
  // the client's own open event comes with or after the server's
  while (server.peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await clock.advance(749);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.requests.length, 0);
  await clock.advance(1);
  const client = await opening;
  cleanUps.push(() => client.close());
  assert.deepEqual(server.requests[0]?.params["auth"], { token: "X" });
});

test("a Gateway that never answers is given up at the time limit, and its socket is closed", async () => {
  const server = await openServer(() => {}, { is: null });
  const clock = createManualClock();
  const opening = faultOf(open(server.url, { clock, timeoutMs: 700 }));
  while (server.peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(700);
  const fault = await opening;
  assert.equal(fault.code, "timeout");
  assert.match(fault.message, /no Gateway answered on ws:.* within 700 ms/u);
  await server.peers[0]?.closed;
  assert.deepEqual(server.requests, []);
});

test("calls that overlap get their own answers, in whatever order these come", async () => {
  const waiting: { id: string; method: string }[] = [];
  const server = await openServer(
    welcoming((request, peer) => {
      waiting.push(request);
      if (waiting.length < 3) return;
      for (const { id, method } of waiting.toReversed()) peer.send(ok(id, { method }));
    }),
  );
  const client = await openTo(server);
  const answers = await Promise.all(["a", "b", "c"].map((name) => client.callAny(name, {}, { timeoutMs: 5_000 })));
  assert.deepEqual(answers, [{ method: "a" }, { method: "b" }, { method: "c" }]);
});

test("a method that answers twice gives the first answer, or the final one when that is asked for", async () => {
  const server = await openServer(
    welcoming(({ id }, peer) => {
      peer.send(ok(id, { runId: "r", status: "accepted", acceptedAt: 1 }));
      peer.send(ok(id, { runId: "r", status: "ok", summary: "completed" }));
    }),
  );
  const client = await openTo(server);
  const first = await client.callAny("agent", {}, { timeoutMs: 5_000 });
  const final = await client.callAny("agent", {}, { timeoutMs: 5_000, isFinal: true });
  assert.deepEqual(
    [first, final].map((answer) => (answer as { status: string }).status),
    ["accepted", "ok"],
  );
});

test("a run that fails after it was accepted rejects with the Gateway's words", async () => {
  const server = await openServer(
    welcoming(({ id }, peer) => {
      peer.send(ok(id, { runId: "r", status: "accepted", acceptedAt: 1 }));
      const error = { code: "UNAVAILABLE", message: "no model could answer" };
      peer.send({ type: "res", id, ok: false, payload: { runId: "r", status: "error" }, error });
    }),
  );
  const client = await openTo(server);
  const fault = await faultOf(client.callAny("agent", {}, { timeoutMs: 5_000, isFinal: true }));
  assert.equal(fault.message, "no model could answer");
  assert.equal(fault.details?.["wireCode"], "UNAVAILABLE");
});

test("our own Gateway's finer code, field, next step and waiting time reach the caller", async () => {
  const server = await openServer(
    welcoming(({ id }, peer) => {
      const details = { reason: "unsupported_channel", field: "channel", next: "use telegram" };
      const error = { code: "INVALID_REQUEST", message: "unsupported channel: fax", details, retryAfterMs: 1_500 };
      peer.send(refused(id, error));
    }),
  );
  const client = await openTo(server);
  const fault = await faultOf(client.callAny("send", {}, { timeoutMs: 5_000 }));
  assert.equal(fault.code, "unsupported_channel");
  assert.equal(fault.field, "channel");
  assert.equal(fault.next, "use telegram");
  assert.equal(fault.retryAfterMs, 1_500);
});

test("codes of the wire become codes of ours; one that nobody knows is a bug somewhere", async () => {
  const expected = {
    NOT_LINKED: "not_linked",
    NOT_PAIRED: "not_paired",
    AGENT_TIMEOUT: "agent_timeout",
    INVALID_REQUEST: "invalid_params",
    FORBIDDEN: "forbidden",
    SOMETHING_NEW: "internal",
    constructor: "internal",
  };
  const server = await openServer(
    welcoming(({ id, params }, peer) => peer.send(refused(id, { code: params["code"], message: "no" }))),
  );
  const client = await openTo(server);
  const faults = await Promise.all(
    Object.keys(expected).map((code) => faultOf(client.callAny("x", { code }, { timeoutMs: 5_000 }))),
  );
  assert.deepEqual(
    faults.map((fault) => fault.code),
    Object.values(expected),
  );
});

test("a refused secret is told as such, also by a Gateway of the published generations", async () => {
  const message = "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)";
  const server = await openServer(({ id }, peer) => {
    peer.send(refused(id, { code: "INVALID_REQUEST", message }));
    peer.close(1008, message.slice(0, 120));
  });
  const fault = await faultOf(open(server.url));
  assert.equal(fault.code, "unauthorized");
  assert.equal(fault.message, message);
});

test("a Gateway that shares no version says so", async () => {
  const server = await openServer(({ id }, peer) => {
    const details = { expectedProtocol: 2 };
    peer.send(refused(id, { code: "INVALID_REQUEST", message: "protocol mismatch", details }));
    peer.close(1002, "protocol mismatch");
  });
  const fault = await faultOf(open(server.url));
  assert.equal(fault.code, "protocol_mismatch");
  assert.equal(fault.details?.["expectedProtocol"], 2);
});

test("a close without an answer keeps its code, the code's name and the reason", async () => {
  const server = await openServer((_request, peer) => peer.close(1008, "unauthorized: token missing"));
  const fault = await faultOf(open(server.url));
  assert.equal(fault.code, "unauthorized");
  assert.equal(fault.message, "gateway closed (1008 policy violation): unauthorized: token missing");
});

test("a connection that breaks fails what is under way, and every call after it", async () => {
  const server = await openServer(welcoming((_request, peer) => peer.terminate()));
  const client = await openTo(server);
  const first = await faultOf(client.callAny("health", {}, { timeoutMs: 0 }));
  const second = await faultOf(client.callAny("health", {}, { timeoutMs: 0 }));
  assert.equal(first.code, "unreachable");
  assert.match(first.message, /gateway closed \(1006 abnormal closure\)/u);
  assert.equal(second, first);
});

test("a Gateway that restarts is worth another try", async () => {
  const server = await openServer(welcoming((_request, peer) => peer.close(1012, "service restart")));
  const client = await openTo(server);
  const fault = await faultOf(client.callAny("health", {}, { timeoutMs: 0 }));
  assert.match(fault.message, /1012 service restart/u);
  assert.match(fault.next ?? "", /try again/u);
});

test("a call ends at its own time limit and leaves the connection in use", async () => {
  const server = await openServer(
    welcoming(({ id, method }, peer) => {
      if (method === "health") peer.send(ok(id, { ok: true }));
    }),
  );
  const clock = createManualClock();
  const client = await openTo(server, clock);
  const slow = faultOf(client.callAny("status", {}, { timeoutMs: 200 }));
  await clock.advance(200);
  assert.equal((await slow).code, "timeout");
  assert.match((await slow).message, /status: no answer within 200 ms/u);
  assert.deepEqual(await client.callAny("health", {}, { timeoutMs: 0 }), { ok: true });
});

test("nobody listening is told with the address", async () => {
  const server = await openServer(() => {});
  const port = Number(new URL(server.url).port);
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  const fault = await faultOf(open(`ws://127.0.0.1:${port}`));
  assert.equal(fault.code, "unreachable");
  assert.match(fault.message, new RegExp(`no Gateway answers on ws://127.0.0.1:${port}: .*ECONNREFUSED`, "u"));
});

test("a web server that is no Gateway is told as such", async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => void server.close());
  const fault = await faultOf(open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`));
  assert.equal(fault.code, "unreachable");
  assert.match(fault.message, /404/u);
});

test("whatever a foreign server greets with, connecting fails with a Fault and nothing else is thrown", async () => {
  for (const greeting of ["hello!", "[1,2]", "null", "{", '"text"']) {
    const server = await openServer(() => {}, { is: greeting });
    const fault = await faultOf(open(server.url));
    assert.equal(fault.code, "unreachable", greeting);
    assert.match(fault.message, /not a Gateway/u);
  }
});

test("frames of any other shape are ignored", async () => {
  const server = await openServer(welcoming(({ id }, peer) => peer.send(ok(id, { ok: true }))));
  const client = await openTo(server);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom("type", "id", "ok", "event", "seq", "error"), fc.jsonValue()),
      async (frame) => {
        server.peers[0]?.send(frame);
        assert.deepEqual(await client.callAny("health", {}, { timeoutMs: 5_000 }), { ok: true });
      },
    ),
    { numRuns: 100 },
  );
});

test("names that are objects with a toString of their own are no names", async () => {
  const odd = { toString: "" };
  const server = await openServer(
    welcoming((request, peer) => {
      peer.send({ type: "res", id: odd, ok: true });
      peer.send({ type: "event", event: odd, payload: {} });
      peer.send({
        type: "res",
        id: request.id,
        ok: false,
        error: { code: odd, message: "no", details: { reason: odd } },
      });
    }),
  );
  const fault = await faultOf((await openTo(server)).callAny("health", {}, { timeoutMs: 5_000 }));
  assert.deepEqual([fault.code, fault.message], ["internal", "no"]);
});

test("events reach who listens for them, until they stop listening", async () => {
  const server = await openServer(
    welcoming(({ id, params }, peer) => {
      const payload = { runId: "r", seq: 1, stream: "assistant", ts: 1, data: { text: params["text"], delta: "" } };
      peer.send({ type: "event", event: "tick", payload: { ts: 1 } });
      peer.send({ type: "event", event: "agent", payload });
      peer.send(ok(id, {}));
    }),
  );
  const client = await openTo(server);
  const texts: unknown[] = [];
  const stop = client.on("agent", (event) => texts.push(event.data["text"]));
  await client.callAny("x", { text: "one" }, { timeoutMs: 5_000 });
  stop();
  await client.callAny("x", { text: "two" }, { timeoutMs: 5_000 });
  assert.deepEqual(texts, ["one"]);
});

test("a gap in the numbers of events is told once, with both numbers; events without a number do not count (RB-94)", async () => {
  const server = await openServer(
    welcoming(({ id }, peer) => {
      for (const seq of [1, 2, undefined, 5, 6]) peer.send({ type: "event", event: "tick", payload: { ts: 1 }, seq });
      peer.send(ok(id, {}));
    }),
  );
  const client = await openTo(server);
  const gaps: unknown[] = [];
  client.onGap((gap) => gaps.push(gap));
  await client.callAny("x", {}, { timeoutMs: 5_000 });
  assert.deepEqual(gaps, [{ expected: 3, received: 5 }]);
});

test("closing ends the connection on the other side too", async () => {
  const server = await openServer(welcoming(() => {}));
  const client = await openTo(server);
  const pending = faultOf(client.callAny("x", {}, { timeoutMs: 0 }));
  client.close();
  await server.peers[0]?.closed;
  assert.equal((await pending).code, "unreachable");
});
