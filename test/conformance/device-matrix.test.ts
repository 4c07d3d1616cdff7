// Every way to be a device x every credential x both roles, over real sockets: only who proves its key and shows a secret that is its
// own for that role comes in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createManualClock } from "../../src/base/clock.ts";
import { createTestDevice, type TestDevice } from "../kit/device.ts";
import { openServerKit, secret } from "../kit/gateway-server.ts";
import { openRawClient, type Frame } from "../kit/raw-client.ts";

type Role = "operator" | "node";

interface Params {
  readonly minProtocol: number;
  readonly maxProtocol: number;
  readonly client: { readonly id: string; readonly version: string; readonly platform: string; readonly mode: string };
  readonly role: Role;
  readonly scopes: string[];
  readonly auth: { readonly token?: string; readonly password?: string; readonly deviceToken?: string };
}

interface Challenge {
  readonly nonce: string;
  readonly ts: number;
}

const paramsOf = (role: Role, auth: Params["auth"]): Params => ({
  minProtocol: 4,
  maxProtocol: 4,
  client: { id: "gateway-client", version: "1", platform: "linux", mode: "backend" },
  role,
  scopes: role === "node" ? [] : ["operator.read"],
  auth,
});

/** How the device shows itself: params with or without `device`, and whether that proves that it is the device. */
type Identity = readonly [name: string, isProof: boolean, show: (params: Params, challenge: Challenge) => object];

function identitiesOf(device: TestDevice, other: TestDevice): readonly Identity[] {
  const change = (params: Params, challenge: Challenge, changes: (signed: { device: object }) => object) => {
    const signed = device.sign(params, challenge);
    return { ...signed, device: { ...signed.device, ...changes(signed) } };
  };
  const late = 11 * 60_000;
  return [
    ["signed in the newest form", true, (params, challenge) => device.sign(params, challenge, 3)],
    ["signed in the form before", true, (params, challenge) => device.sign(params, challenge, 2)],
    ["signed in the oldest form, on this machine", true, (params, { ts }) => device.sign(params, { ts }, 1)],
    ["an altered signature", false, (params, it) => change(params, it, () => ({ signature: "A".repeat(86) }))],
    ["an empty signature", false, (params, it) => change(params, it, () => ({ signature: "=" }))],
    [
      "somebody else's signature",
      false,
      (params, it) => change(params, it, () => pick(other.sign(params, it), "signature")),
    ],
    ["somebody else's key", false, (params, it) => change(params, it, () => ({ publicKey: other.publicKey }))],
    ["somebody else's name", false, (params, it) => change(params, it, () => ({ id: other.id }))],
    [
      "a signature for more scopes",
      false,
      (params, it) =>
        change(params, it, () => pick(device.sign({ ...params, scopes: ["operator.admin"] }, it), "signature")),
    ],
    [
      "a signature for the other role",
      false,
      (params, it) =>
        change(params, it, () =>
          pick(device.sign({ ...params, role: params.role === "node" ? "operator" : "node" }, it), "signature"),
        ),
    ],
    [
      "a signature over another secret",
      false,
      (params, it) =>
        change(params, it, () => pick(device.sign({ ...params, auth: { token: "other" } }, it), "signature")),
    ],
    ["an old signature", false, (params, { nonce, ts }) => device.sign(params, { nonce, ts: ts - late })],
    ["a signature of the future", false, (params, { nonce, ts }) => device.sign(params, { nonce, ts: ts + late })],
    ["another connection's challenge", false, (params, { ts }) => device.sign(params, { nonce: "another", ts })],
    ["a nonce left out after signing", false, (params, it) => change(params, it, () => ({ nonce: undefined }))],
  ];
}

const pick = (signed: { device: object }, key: string) => ({ [key]: (signed.device as Record<string, unknown>)[key] });

type Credential = readonly [name: string, auth: Params["auth"], opens: "all" | Role | "none"];

interface Cell {
  readonly name: string;
  readonly isOpen: boolean;
  /** Of the refusal. */
  readonly code: RegExp;
  readonly build: (challenge: Challenge) => object;
}

function cellsOf(identities: readonly Identity[], credentials: readonly Credential[]): Cell[] {
  const roles = ["operator", "node"] as const;
  return credentials.flatMap(([credential, auth, opens]) =>
    roles.flatMap((role): Cell[] => {
      const params = paramsOf(role, auth);
      const withDevice = identities.map(([name, isProof, show]): Cell => ({
        name: `${name}, ${credential}, ${role}`,
        isOpen: isProof && (opens === "all" || opens === role),
        code: isProof ? /^AUTH_/u : /^DEVICE_AUTH_/u,
        build: (challenge) => show(params, challenge),
      }));
      // without a device nobody is a node, and a device's token is nothing
      const isOpen = opens === "all" && role === "operator";
      const name = `no device, ${credential}, ${role}`;
      return [...withDevice, { name, isOpen, code: /^(?:AUTH_|DEVICE_IDENTITY_REQUIRED$)/u, build: () => params }];
    }),
  );
}

test("only a proven device with its own token for the role, or the secret, comes in", async (context) => {
  const clock = createManualClock();
  const kit = await openServerKit({ clock });
  context.after(() => kit.stop());

  const knock = async (build: (challenge: Challenge) => object): Promise<Frame> => {
    const client = await openRawClient(kit.port, "");
    const challenge = await client.wait(({ event }) => event === "connect.challenge");
    const answer = await client.request("connect", build(challenge.payload as unknown as Challenge));
    if (answer.ok === true) client.socket.terminate();
    else assert.equal((await client.closed).code, 1008);
    await client.closed;
    // each try is the first for the limiter
    await clock.advance(60_000);
    return answer;
  };
  const pair = async (device: TestDevice, role: Role): Promise<string> => {
    const hello = await knock((challenge) => device.sign(paramsOf(role, { token: secret }), challenge));
    const { deviceToken } = (hello.payload?.["auth"] ?? {}) as { deviceToken?: string };
    assert.ok(deviceToken, JSON.stringify(hello));
    return deviceToken;
  };

  const [device, other, revoked] = [createTestDevice(), createTestDevice(), createTestDevice()];
  const own: Record<Role, string> = { operator: await pair(device, "operator"), node: await pair(device, "node") };
  const others = await pair(other, "operator");
  const stale = await pair(revoked, "operator");
  const admin = await openRawClient(kit.port, secret);
  assert.equal((await admin.connect()).ok, true);
  assert.equal((await admin.request("device.token.revoke", { deviceId: revoked.id, role: "operator" })).ok, true);
  admin.close();
  await admin.closed;

  const credentials: readonly Credential[] = [
    ["the secret", { token: secret }, "all"],
    ["the secret as a password", { password: secret }, "all"],
    ["nothing", {}, "none"],
    ["an empty text", { token: "", deviceToken: "" }, "none"],
    ["a wrong secret", { token: "wrong" }, "none"],
    ["its token as an operator", { deviceToken: own.operator }, "operator"],
    ["the same where older clients put it", { token: own.operator }, "operator"],
    ["the same twice", { token: own.operator, deviceToken: own.operator }, "operator"],
    ["the same beside a wrong secret", { token: "wrong", deviceToken: own.operator }, "operator"],
    ["its token as a node", { deviceToken: own.node }, "node"],
    ["another device's token", { deviceToken: others }, "none"],
    ["a revoked token", { deviceToken: stale }, "none"],
    ["nearly its token", { deviceToken: own.operator.slice(0, -1) }, "none"],
  ];
  const secrets = [secret, own.operator, own.node, others, stale];
  const cells = cellsOf(identitiesOf(device, other), credentials);
  for (const { name, isOpen, code, build } of cells) {
    const answer = await knock(build);
    const text = JSON.stringify(answer);
    assert.equal(answer.ok, isOpen, `${name}: ${text}`);
    if (isOpen) continue;
    assert.match(String(answer.error?.details?.["code"]), code, name);
    assert.ok(!secrets.some((it) => text.includes(it)), name);
  }

  const again = await knock((challenge) => revoked.sign(paramsOf("operator", { deviceToken: stale }), challenge));
  assert.equal(again.error?.details?.["code"], "AUTH_DEVICE_TOKEN_MISMATCH");
  context.diagnostic(`${cells.length} cells`);
  assert.deepEqual([...kit.server.connections()], []);
});
