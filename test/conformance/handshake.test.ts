// Every combination of what a stranger can put into the fields of `connect` that carry a secret, over real sockets: the right secret
// lets in, nothing else does, in both modes.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import { createManualClock } from "../../src/base/clock.ts";
import { openServerKit, secret, type ServerKit } from "../kit/gateway-server.ts";
import { openRawClient, type Frame } from "../kit/raw-client.ts";

const modes = ["token", "password"] as const;
const fields = ["token", "password", "deviceToken"] as const;
const absent = Symbol("absent");
/** What one field may hold: nothing, the secret, and what is nearly one. */
const cells = [absent, "", secret, "wrong", `${secret} `] as const;
type Cell = (typeof cells)[number];

const params = {
  minProtocol: 3,
  maxProtocol: 4,
  client: { id: "gateway-client", version: "1", platform: "linux", mode: "backend" },
  scopes: ["operator.read"],
};
const connectFrame = (authJson: string | undefined, extra: object = {}) => {
  const text = JSON.stringify({ type: "req", id: "1", method: "connect", params: { ...params, ...extra } });
  return authJson === undefined ? text : text.replace('"params":{', `"params":{"auth":${authJson},`);
};
const connectWith = (values: readonly Cell[], extra: object = {}) =>
  connectFrame(
    JSON.stringify(
      Object.fromEntries(fields.map((field, index) => [field, values[index]]).filter(([, it]) => it !== absent)),
    ),
    extra,
  );

interface Door {
  readonly kit: ServerKit;
  /** Sends one first frame; the answer, or undefined when the connection was closed without one. */
  knock(frame: string): Promise<{ answer: Frame | undefined; closed: { code: number; reason: string } | undefined }>;
}

async function openDoor(context: TestContext, mode: (typeof modes)[number]): Promise<Door> {
  const clock = createManualClock();
  const kit = await openServerKit({ mode, clock });
  context.after(() => kit.stop());
  return {
    kit,
    async knock(frame) {
      const client = await openRawClient(kit.port, "");
      client.send(frame);
      const isAnswer = (it: Frame) => it.type === "res";
      await Promise.race([client.wait(isAnswer), client.closed]);
      const answer = client.frames.find(isAnswer);
      const closed = answer?.ok === true ? undefined : await client.closed;
      client.socket.terminate();
      await client.closed;
      // the window of the limiter is over before the next one: here each try is the first
      await clock.advance(60_000);
      return { answer, closed };
    },
  };
}

function assertRefused({ answer, closed }: Awaited<ReturnType<Door["knock"]>>, cell: string): void {
  assert.equal(answer?.ok, false, cell);
  assert.equal(closed?.code, 1008, cell);
  assert.match(answer.error?.message ?? "", /^(?:unauthorized: |invalid connect params: |device )/u, cell);
  assert.ok(!JSON.stringify(answer).includes(secret), cell);
}

for (const mode of modes)
  test(`guarded by a ${mode}, each of the combinations of secrets passes exactly when the right one is in it`, async (context) => {
    const door = await openDoor(context, mode);
    let passed = 0;
    const combinations = cells.flatMap((one) =>
      cells.flatMap((two) => cells.map((three) => [one, two, three] as const)),
    );
    for (const values of combinations) {
      const outcome = await door.knock(connectWith(values));
      const cell = `${mode}: ${values.map(String).join(" | ")}`;
      if (values.includes(secret)) {
        assert.equal(outcome.answer?.ok, true, cell);
        const granted = outcome.answer.payload?.["auth"] as { scopes?: unknown } | undefined;
        assert.deepEqual(granted?.scopes, ["operator.read"]);
        passed += 1;
      } else {
        assertRefused(outcome, cell);
        const isNothing = values.every((value) => value === absent || value === "");
        const code = `AUTH_${mode.toUpperCase()}_${isNothing ? "MISSING" : "MISMATCH"}`;
        assert.equal(outcome.answer?.error?.details?.["code"], code, cell);
      }
    }
    assert.equal(passed, combinations.length - (cells.length - 1) ** fields.length);
    assert.deepEqual([...door.kit.server.connections()], []);
  });

test("a field that is written twice counts once: as the last one, like any JSON", async (context) => {
  const door = await openDoor(context, "token");
  const twice = (first: string, second: string) =>
    connectFrame(`{"token":${JSON.stringify(first)},"token":${JSON.stringify(second)}}`);
  assert.equal((await door.knock(twice("wrong", secret))).answer?.ok, true);
  for (const first of [secret, ""]) assertRefused(await door.knock(twice(first, "wrong")), first);
});

test("what is no text is no secret, and auth that is no object opens nothing", async (context) => {
  const door = await openDoor(context, "token");
  const quoted = JSON.stringify(secret);
  const odd = ["null", "0", "true", `[${quoted}]`, `{"toString":${quoted}}`, `{"0":${quoted}}`];
  const auths = [...odd, quoted, ...fields.flatMap((field) => odd.map((value) => `{"${field}":${value}}`))];
  const names = ["Token", "secret", "approvalRuntimeToken", "__proto__"].map((name) => `{"${name}":${quoted}}`);
  const prototype = `{"__proto__":{"token":${quoted}},"constructor":{"token":${quoted}}}`;
  for (const auth of [...auths, ...names, prototype]) assertRefused(await door.knock(connectFrame(auth)), auth);
});

test("whatever else stands beside a wrong secret does not open", async (context) => {
  const wrong: readonly Cell[] = ["wrong", absent, ""];
  const doors = await Promise.all(modes.map((mode) => openDoor(context, mode)));
  const device = fc.record({
    id: fc.constantFrom("a".repeat(64), secret),
    publicKey: fc.constantFrom("A".repeat(43), secret),
    signature: fc.constantFrom("A".repeat(86), secret),
    signedAt: fc.constantFrom(0, 1_700_000_000_000),
    nonce: fc.constantFrom("", "n", secret),
  });
  const extra = fc.record(
    {
      role: fc.constantFrom("operator", "node"),
      scopes: fc.subarray(["operator.admin", "operator.read", secret]),
      device,
      locale: fc.constant(secret.slice(0, 60)),
      userAgent: fc.constant(secret),
      pathEnv: fc.constant(secret),
      caps: fc.constant([secret]),
      maxProtocol: fc.constantFrom(3, 4, 7),
      client: fc.constantFrom(...["cli", "openclaw-control-ui", "node-host"].map((id) => ({ ...params.client, id }))),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...doors),
      fc.shuffledSubarray([...wrong], { minLength: 3 }),
      extra,
      async (door, values, beside) => {
        const { answer, closed } = await door.knock(connectWith(values, beside));
        assert.notEqual(answer?.ok, true);
        assert.equal(closed?.code, 1008);
      },
    ),
    { numRuns: 300 },
  );
  for (const door of doors) assert.deepEqual([...door.kit.server.connections()], []);
});

test("after too many guesses the right secret has to wait as well, and nothing tells which guess was near", async (context) => {
  const clock = createManualClock();
  const kit = await openServerKit({ clock });
  context.after(() => kit.stop());
  const tryWith = async (token: string) => {
    const client = await openRawClient(kit.port, token);
    const answer = await client.connect();
    client.socket.terminate();
    return answer;
  };
  const texts = new Set<string>();
  for (let guess = 0; guess < 20; guess += 1) {
    const { error } = await tryWith(guess % 2 === 0 ? `${secret}${guess}` : `x${guess}`);
    texts.add(JSON.stringify(error));
  }
  assert.equal(texts.size, 1);
  assert.equal((await tryWith(secret)).error?.details?.["code"], "AUTH_RATE_LIMITED");
  await clock.advance(60_000);
  assert.equal((await tryWith(secret)).ok, true);
});
