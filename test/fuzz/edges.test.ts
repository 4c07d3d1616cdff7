// Frames at the edges of what is allowed, against a real Gateway process (T19): each is answered or refused in its way, and others are
// answered meanwhile.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGatewayProcess();
});
after(() => gateway.dispose());

async function enter(): Promise<{ client: RawClient; maxPayload: number }> {
  const client = await openRawClient(gateway.port, gateway.token);
  const hello = await client.connect();
  const { maxPayload } = (hello.payload?.["policy"] ?? {}) as { maxPayload?: number };
  assert.ok(maxPayload, JSON.stringify(hello.error));
  return { client, maxPayload };
}

/** A good request of exactly so many bytes. */
function requestOf(bytes: number): string {
  const empty = JSON.stringify({ type: "req", id: "big", method: "health", params: { pad: "" } });
  return empty.replace('"pad":""', `"pad":"${"x".repeat(bytes - empty.length)}"`);
}

test("the largest frame that the policy allows is answered, one byte more is closed with 1009", async () => {
  for (const [extra, isAllowed] of [
    [-1, true],
    [0, true],
    [1, false],
  ] as const) {
    const { client, maxPayload } = await enter();
    client.send(requestOf(maxPayload + extra));
    if (isAllowed) {
      assert.equal((await client.wait(({ id }) => id === "big")).ok, true);
      client.close();
    }
    const { code } = await client.closed;
    assert.equal(code === 1009, !isAllowed, String(extra));
  }
});

test("a million keys, ten thousand levels, half characters and names of every object's own do no harm", async () => {
  const witness = (await enter()).client;
  const { client } = await enter();
  const keys = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join();
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  const cases: readonly (readonly [name: string, params: string, ok: boolean])[] = [
    ["a million keys", `{${keys}}`, true],
    ["a million items", `{"list":[${"0,".repeat(1_000_000)}0]}`, true],
    ["half characters", '{"a":"\\ud800","\\udc00":1}', true],
    ["prototype keys", '{"__proto__":{"probe":1},"constructor":{"prototype":{"probe":1}},"prototype":1}', true],
    ["escaped prototype keys", '{"\\u005f_proto__":{"probe":1}}', true],
    ["ten thousand levels", deep, false],
    ["huge numbers", '{"a":1e400,"b":-1e400,"c":123456789012345678901234567890}', true],
  ];
  for (const [name, params, ok] of cases) {
    const id = `edge ${name}`;
    client.send(`{"type":"req","id":"${id}","method":"health","params":${params}}`);
    const startedAt = performance.now();
    assert.equal((await witness.request("health")).ok, true);
    assert.ok(performance.now() - startedAt < 5_000, name);
    const answer = await client.wait((frame) => frame.type === "res" && (frame.id === id || frame.id === "invalid"));
    assert.equal(answer.ok, ok, `${name}: ${JSON.stringify(answer).slice(0, 300)}`);
    assert.equal(answer.id, ok ? id : "invalid", name);
    client.frames.length = 0;
  }
  client.close();
  witness.close();
  assert.equal(await gateway.stop(), 0);
});
