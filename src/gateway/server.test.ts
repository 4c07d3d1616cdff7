import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { createManualClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { validate_event, validate_hello, validate_response } from "../protocol/generated/answers.js";
import { openServerKit, secret, type ServerKitOptions } from "../../test/kit/gateway-server.ts";
import { openRawClient, type RawClient } from "../../test/kit/raw-client.ts";
import { handshakeTimeoutMs, maxUnauthenticatedPerAddress } from "./limits.ts";

async function setUp(context: TestContext, options: ServerKitOptions = {}) {
  const kit = await openServerKit(options);
  context.after(() => kit.stop());
  const open = (token = secret, headers: Record<string, string> = {}) => openRawClient(kit.port, token, headers);
  return {
    kit,
    open,
    async hello(params: object = {}): Promise<RawClient> {
      const client = await open();
      const answer = await client.connect(params);
      assert.equal(answer.ok, true, JSON.stringify(answer.error));
      return client;
    },
  };
}

const isEvent = (name: string) => (frame: { event?: string }) => frame.event === name;

test("the first frame is the challenge, the answer to a good connect is hello-ok, then presence", async (context) => {
  const { open } = await setUp(context);
  const client = await open();
  const challenge = await client.wait(isEvent("connect.challenge"));
  assert.equal(client.frames[0], challenge);
  assert.match(String(challenge.payload?.["nonce"]), /^[0-9a-f-]{36}$/u);
  assert.ok(Number.isInteger(challenge.payload?.["ts"]));
  assert.equal(challenge.seq, undefined);

  const hello = await client.connect({ minProtocol: 7, maxProtocol: 7, scopes: undefined });
  assert.ok(validate_hello(hello.payload), JSON.stringify(validate_hello.errors));
  assert.equal(hello.payload?.["protocol"], 7);
  assert.deepEqual(hello.payload?.["auth"], { role: "operator", scopes: ["operator.admin"] });
  const snapshot = hello.payload?.["snapshot"] as Record<string, unknown>;
  assert.deepEqual(snapshot["policy"], hello.payload?.["policy"]);
  assert.equal(snapshot["stateDir"], "/var/state");

  const presence = await client.wait(isEvent("presence"));
  assert.equal(presence.seq, 1);
  assert.equal(client.frames.indexOf(presence), 2);
  assert.equal((presence.payload?.["presence"] as unknown[] | undefined)?.length, 2);
  assert.ok(client.frames.filter(({ type }) => type === "event").every((frame) => validate_event(frame)));
});

test("where the state lies is told to admins only", async (context) => {
  const { open } = await setUp(context);
  const client = await open();
  const hello = await client.connect({ scopes: ["operator.read"] });
  const snapshot = hello.payload?.["snapshot"] as Record<string, unknown>;
  assert.equal(snapshot["configPath"], undefined);
  assert.equal(snapshot["stateDir"], undefined);
});

test("what a refused connect is answered, and how its socket is closed", async (context) => {
  const { open } = await setUp(context);
  const connect = (changes: object) => JSON.stringify({ type: "req", id: "1", method: "connect", params: changes });
  const good = { minProtocol: 3, maxProtocol: 4, client: { id: "t", version: "1", platform: "p", mode: "test" } };
  const cases: [frame: string | Buffer, code: number, reason: RegExp, error?: RegExp][] = [
    ["hello", 1000, /^$/u],
    [Buffer.from([0, 159, 146, 150]), 1000, /^$/u],
    ['{"type":"event","event":"x"}', 1008, /^invalid request frame$/u],
    [`{"a":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, 1008, /^invalid request frame$/u],
    [
      '{"type":"req","id":"1","method":"health"}',
      1008,
      /^invalid handshake: first request must be connect$/u,
      /^invalid handshake: first request must be connect$/u,
    ],
    [
      connect({ ...good, client: {} }),
      1008,
      /^invalid connect params: /u,
      /at \/client: must have required property 'id'/u,
    ],
    [connect({ ...good, maxProtocol: "4" }), 1008, /^invalid connect params: /u, /at \/maxProtocol: must be integer/u],
    [connect({ ...good, minProtocol: 8, maxProtocol: 9 }), 1002, /^protocol mismatch$/u, /^protocol mismatch$/u],
    [connect({ ...good, role: "king" }), 1008, /^invalid role$/u, /^invalid role$/u],
    [connect(good), 1008, /^unauthorized: gateway token missing/u, /^unauthorized: gateway token missing/u],
    [
      connect({ ...good, auth: { token: "wrong" } }),
      1008,
      /^unauthorized: gateway token mismatch/u,
      /^unauthorized: gateway token mismatch/u,
    ],
    [
      connect({ ...good, role: "node", auth: { token: secret } }),
      1008,
      /^device identity required$/u,
      /^device identity required$/u,
    ],
  ];
  for (const [frame, code, reason, error] of cases) {
    const client = await open();
    client.send(frame);
    const closed = await client.closed;
    assert.equal(closed.code, code, String(frame));
    assert.match(closed.reason, reason);
    const answers = client.frames.filter(({ type }) => type === "res");
    assert.equal(answers.length, error ? 1 : 0, String(frame));
    if (!error) continue;
    assert.match(answers[0]?.error?.message ?? "", error);
    assert.ok(validate_response(answers[0]), JSON.stringify(validate_response.errors));
  }
});

test("frames sent right behind connect are answered after it, in order; too many are not kept", async (context) => {
  const { open } = await setUp(context, { handlers: { health: async () => "fine" } });
  const client = await open();
  const connected = client.connect();
  const answers = ["a", "b", "c"].map((id) => client.request("health", {}, id));
  assert.equal((await connected).ok, true);
  await Promise.all(answers);
  assert.deepEqual(
    client.frames
      .filter(({ type }) => type === "res")
      .map(({ id }) => id)
      .slice(1),
    ["a", "b", "c"],
  );
});

test("before hello a connection may send 64 KiB in all, and is told so while the rest still comes", async (context) => {
  const { open, hello } = await setUp(context, {
    handlers: { health: async ({ params }) => JSON.stringify(params).length },
  });
  for (const frame of ["x".repeat(10_000_000), Buffer.alloc(200_000)]) {
    const client = await open();
    client.send(frame);
    assert.equal((await client.closed).code, 1009);
  }
  const client = await open();
  client.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: { pad: "x".repeat(70_000) } }));
  assert.equal((await client.closed).code, 1009);

  const trusted = await hello();
  const answer = await trusted.request("health", { pad: "x".repeat(5_000_000) });
  assert.equal(answer.payload, 5_000_010);
});

test("an authenticated client's frame of more than 25 MiB is closed with 1009", async (context) => {
  const { hello } = await setUp(context);
  const client = await hello();
  client.send("x".repeat(25 * 1024 * 1024 + 1));
  assert.equal((await client.closed).code, 1009);
});

test("who does not connect within ten seconds is closed with 1000; who did stays", async (context) => {
  const clock = createManualClock();
  const { open, hello } = await setUp(context, { clock });
  const idle = await open();
  const busy = await hello();
  await clock.advance(handshakeTimeoutMs);
  assert.deepEqual(await idle.closed, { code: 1000, reason: "" });
  assert.equal(busy.socket.readyState, busy.socket.OPEN);
});

test("two hundred honest clients that come back at once are all let in", async (context) => {
  const { kit, hello } = await setUp(context);
  const clients = await Promise.all(Array.from({ length: 200 }, () => hello()));
  assert.equal([...kit.server.connections()].length, 200);
  for (const client of clients) client.socket.terminate();
});

test("strangers have so many places, which they give back; clients keep theirs", async (context) => {
  const { open, hello } = await setUp(context);
  const trusted = await hello();
  const strangers = await Promise.all(Array.from({ length: maxUnauthenticatedPerAddress }, () => open()));
  await assert.rejects(open(), /503/u);
  // another source has its own places
  const proxied = await open(secret, { "x-forwarded-for": "203.0.113.1" });
  assert.equal((await proxied.connect()).ok, true);
  assert.equal((await trusted.request("system-presence")).type, "res");

  const [first, second] = strangers;
  assert.equal((await first?.connect())?.ok, true, "one of them shows the secret and gives its place back");
  const late = await open();
  second?.socket.terminate();
  late.socket.terminate();
  for (const stranger of strangers) stranger.socket.terminate();
});

test("broken WebSocket frames end their own connection and no other", async (context) => {
  const { open, hello, kit } = await setUp(context);
  const client = await hello();
  for (const bytes of [
    // reserved bits, unmasked frame, invalid UTF-8 in a text frame, a close code that nobody may send
    [0xf1, 0x80, 0, 0, 0, 0],
    [0x81, 0x01, 0x41],
    [0x81, 0x81, 0, 0, 0, 0, 0xff],
    [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01],
  ]) {
    const bad = await open();
    // the underlying connection is not part of the client's interface
    (bad.socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(Buffer.from(bytes));
    await bad.closed;
  }
  assert.equal((await client.request("nope")).ok, false);
  assert.ok(!kit.lines.some((line) => line.startsWith("error")));
});

test("a method's errors come in the dialect of the client's protocol", async (context) => {
  const { hello } = await setUp(context, {
    handlers: { send: async () => "sent", health: () => Promise.reject(new Fault("channel_unavailable", "down")) },
  });
  const old = await hello({ minProtocol: 3, maxProtocol: 3, scopes: ["operator.read"] });
  const recent = await hello({ scopes: ["operator.read"] });
  const params = { to: "x", message: "m", idempotencyKey: "k" };
  assert.deepEqual((await old.request("send", params)).error?.code, "INVALID_REQUEST");
  assert.deepEqual((await recent.request("send", params)).error?.code, "FORBIDDEN");
  const failed = await recent.request("health");
  assert.deepEqual([failed.error?.code, failed.error?.message], ["UNAVAILABLE", "down"]);
  for (const frame of [...old.frames, ...recent.frames].filter(({ type }) => type === "res"))
    assert.ok(validate_response(frame), JSON.stringify(validate_response.errors));
});

test("a client that leaves is gone for all, its handlers are told, and its row says so", async (context) => {
  let aborted: (() => void) | undefined;
  const told = new Promise<void>((resolve) => (aborted = resolve));
  const { kit, hello } = await setUp(context, {
    handlers: {
      health: ({ signal }) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            aborted?.();
            resolve("late");
          }),
        ),
    },
  });
  const stays = await hello();
  const leaves = await hello({ client: { id: "app", version: "1", platform: "p", mode: "ui", instanceId: "leaver" } });
  leaves.send({ type: "req", id: "1", method: "health" });
  await stays.wait((frame) => JSON.stringify(frame.payload ?? {}).includes("leaver"));
  leaves.close();
  await told;
  await stays.wait((frame) => /"instanceId":"leaver","reason":"disconnect"/u.test(JSON.stringify(frame.payload ?? {})));
  assert.equal([...kit.server.connections()].length, 1);
});

test("at the end everybody hears shutdown, then 1012, and nobody comes in any more (RB-77, RB-136)", async (context) => {
  const { kit, open, hello } = await setUp(context);
  const client = await hello();
  const stranger = await open();
  const waiting = assert.rejects(client.wait(isEvent("never")), /closed with 1012/u);
  kit.bus.publish("shutdown", { reason: "gateway restarting", restartExpectedMs: 1_500 });
  kit.server.closeAll();
  assert.deepEqual(await client.closed, { code: 1012, reason: "service restart" });
  assert.equal(client.frames.at(-1)?.event, "shutdown");
  assert.deepEqual(client.frames.at(-1)?.payload, { reason: "gateway restarting", restartExpectedMs: 1_500 });
  assert.equal((await stranger.closed).code, 1012);
  await waiting;
  await assert.rejects(client.request("health"), /closed/u);
  await assert.rejects(open(), /503/u);
});

test("a client that never answers the close does not hold up the end", async (context) => {
  const { kit, hello } = await setUp(context);
  const client = await hello();
  client.socket.pause();
  const startedAt = performance.now();
  await kit.stop();
  assert.ok(performance.now() - startedAt < 8_000);
  client.socket.terminate();
});
