import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { test } from "node:test";

import fc from "fast-check";

import {
  buildDevicePayload,
  decodeBase64Url,
  encodeBase64Url,
  parsePublicKey,
  toDeviceId,
  toSpki,
  type DevicePayloadVersion,
  type SignedDevice,
  type SignedParams,
} from "./device-auth.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

function isSigned(text: string, signature: string, publicKey: string): boolean {
  const key = createPublicKey({ key: Buffer.from(toSpki(parsePublicKey(publicKey)!)), format: "der", type: "spki" });
  return verify(undefined, Buffer.from(text), key, decodeBase64Url(signature)!);
}

// frames of published programs, seen on the wire
const id = "0f60b7e5fee9fc9ee5ee997bc9844d596461dc13691aab0e04e5e8d5bd13c126";
const publicKey = "mphdo7auOdDmtf2pgZBeFm-vYr4FisbfuYy-T85IH3U";
const terminal = {
  params: {
    client: { id: "openclaw-tui", mode: "ui", platform: "linux", deviceFamily: "Linux" },
    role: "operator",
    scopes: ["operator.admin", "operator.read", "operator.write", "operator.approvals"],
    auth: { token: "X" },
  },
  device: { id, signedAt: 1_795_225_222_727, nonce: "b29f5dfd-b8c9-4a5c-9669-58f569443813" },
  signature: "xm2MDwKTYQDy0cZ1tXm-9ri1Apyzz2EpMpiUYlLq5zaSUKhy_kfvoSfL7DXlI3ZZPCW352hMkuu40s5bCTN_Bg",
};
const nodeHost = {
  params: {
    client: { id: "node-host", mode: "node", platform: "linux", deviceFamily: "Linux" },
    role: "node",
    scopes: [],
    auth: { token: "X" },
  },
  device: { id, signedAt: 1_795_225_100_062, nonce: "529fbbe6-1640-4877-aa08-368fc975dd11" },
  signature: "dhQcSHPPpmoYuZf5wPTckR-mM3vEQoynL-M1AoTJze9_Ve2V6z1H5O_vholkTUCJSFUvUYd1pq_RlF9LafziCQ",
};

test("the signatures of published programs fit the text that is built from their frames", () => {
  assert.equal(toDeviceId(sha256(parsePublicKey(publicKey)!)), id);
  for (const { params, device, signature } of [terminal, nodeHost]) {
    assert.ok(isSigned(buildDevicePayload(3, params, device), signature, publicKey));
    assert.ok(!isSigned(buildDevicePayload(2, params, device), signature, publicKey));
    const other = { ...params, scopes: params.scopes.toReversed(), role: "other" };
    assert.ok(!isSigned(buildDevicePayload(3, other, device), signature, publicKey));
  }
});

test("each version adds its fields at the end, and what is missing is empty", () => {
  const params = { client: { id: "cli", mode: "cli", platform: " Linux ", deviceFamily: undefined } };
  const device = { id: "d", signedAt: 5, nonce: "n" };
  assert.equal(buildDevicePayload(1, params, device), "v1|d|cli|cli|operator||5|");
  assert.equal(buildDevicePayload(2, params, device), "v2|d|cli|cli|operator||5||n");
  assert.equal(buildDevicePayload(3, params, device), "v3|d|cli|cli|operator||5||n|linux|");
});

test("the token signed is the first that is sent; a password is none", () => {
  const signed = (auth: NonNullable<SignedParams["auth"]> & { password?: string }) =>
    buildDevicePayload(1, { client: { id: "c", mode: "m" }, auth }, { id: "d", signedAt: 1 })
      .split("|")
      .at(-1);
  assert.equal(signed({ token: "t", deviceToken: "d", bootstrapToken: "b", password: "p" }), "t");
  assert.equal(signed({ deviceToken: "d", bootstrapToken: "b" }), "d");
  assert.equal(signed({ bootstrapToken: "b" }), "b");
  assert.equal(signed({ password: "p" }), "");
});

const word = fc.string({ maxLength: 6 }).filter((text) => !/[|,]/u.test(text));
const claim = fc.record({
  params: fc.record({
    client: fc.record({ id: word, mode: word, platform: word, deviceFamily: word }),
    role: word,
    // no scope is empty: the protocol's schema wants one character at least
    scopes: fc.array(
      word.filter((text) => text !== ""),
      { maxLength: 3 },
    ),
    auth: fc.record({ token: fc.string({ maxLength: 6 }) }),
  }),
  device: fc.record({ id: word, signedAt: fc.nat(), nonce: word }),
});
const version = fc.constantFrom<DevicePayloadVersion>(1, 2, 3);

/** The same, without what the text does not tell apart. */
function meaning(kind: DevicePayloadVersion, { params, device }: { params: SignedParams; device: SignedDevice }) {
  const lower = (text = "") => text.trim().replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
  const { id: clientId, mode, platform, deviceFamily } = params.client;
  const head = [kind, device.id, clientId, mode, params.role, params.scopes, device.signedAt, params.auth?.token];
  if (kind >= 2) head.push(device.nonce);
  return JSON.stringify(kind === 3 ? [...head, lower(platform), lower(deviceFamily)] : head);
}

test("property: two claims have the same text only when they mean the same", () => {
  fc.assert(
    fc.property(version, claim, version, claim, (kindA, a, kindB, b) => {
      const textA = buildDevicePayload(kindA, a.params, a.device);
      const textB = buildDevicePayload(kindB, b.params, b.device);
      assert.equal(textA === textB, meaning(kindA, a) === meaning(kindB, b));
    }),
    { numRuns: 500 },
  );
  // near misses, which chance does not find: a bar that wanders from field to field
  const claimed = (clientId: string, mode: string) => ({ client: { id: clientId, mode } });
  assert.throws(() => buildDevicePayload(1, claimed("a|b", "c"), { id: "d", signedAt: 1 }), { field: "client.id" });
  assert.throws(() => buildDevicePayload(1, claimed("a", "b|c"), { id: "d", signedAt: 1 }), { field: "client.mode" });
});

test("property: a field with a separator is refused by name, a token with one is not", () => {
  const base: SignedParams = {
    client: { id: "c", mode: "m", platform: "p", deviceFamily: "f" },
    role: "r",
    scopes: [],
  };
  const device: SignedDevice = { id: "d", signedAt: 1, nonce: "n" };
  const cases: [string, SignedParams, SignedDevice][] = [
    ["role", { ...base, role: "a|b" }, device],
    ["scopes", { ...base, scopes: ["a|b"] }, device],
    ["scopes", { ...base, scopes: ["a", "b,c"] }, device],
    ["client.platform", { ...base, client: { ...base.client, platform: "|" } }, device],
    ["client.deviceFamily", { ...base, client: { ...base.client, deviceFamily: "a|" } }, device],
    ["device.id", base, { ...device, id: "|d" }],
    ["device.nonce", base, { ...device, nonce: "n|" }],
  ];
  for (const [field, params, signed] of cases)
    assert.throws(() => buildDevicePayload(3, params, signed), { code: "invalid_params", field });
  assert.match(buildDevicePayload(2, { ...base, auth: { token: "a|b" } }, device), /\|a\|b\|n$/u);
});

test("property: bytes survive base64url, and Node reads them the same", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64Url(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64url"));
      assert.deepEqual(decodeBase64Url(text), bytes);
      assert.deepEqual(decodeBase64Url(Buffer.from(bytes).toString("base64")), bytes);
    }),
  );
});

test("property: any text is decoded as Node decodes it, or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      const bytes = decodeBase64Url(text);
      if (bytes) assert.deepEqual(Buffer.from(bytes), Buffer.from(text, "base64"));
      const key = parsePublicKey(text);
      if (key) assert.equal(key.length, 32);
    }),
  );
  for (const text of ["a", "a===", "a b", "AA=A", "é"]) assert.equal(decodeBase64Url(text), undefined, text);
});

test("property: a public key is read in every form that clients send, and what was signed with it verifies", () => {
  fc.assert(
    fc.property(claim, version, ({ params, device }, kind) => {
      const pair = generateKeyPairSync("ed25519");
      const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
      const forms = [
        raw.toString("base64url"),
        raw.toString("base64"),
        String(pair.publicKey.export({ format: "pem", type: "spki" })),
        ` ${raw.toString("base64url")}\n`,
      ];
      for (const form of forms) assert.deepEqual(Buffer.from(parsePublicKey(form) ?? []), raw, form);

      const text = buildDevicePayload(kind, params, device);
      const signature = encodeBase64Url(sign(undefined, Buffer.from(text), pair.privateKey));
      assert.ok(isSigned(text, signature, forms[0]!));
    }),
    { numRuns: 20 },
  );
});

test("a key of another kind, length or wrapping is none", () => {
  const other = generateKeyPairSync("x25519").publicKey.export({ format: "pem", type: "spki" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "pem", type: "spki" });
  const own = generateKeyPairSync("ed25519");
  const secret = own.privateKey.export({ format: "pem", type: "pkcs8" });
  const bare = own.publicKey.export({ format: "der", type: "spki" }).toString("base64");
  for (const text of [
    "",
    "AAAA",
    publicKey.slice(1),
    `${publicKey}A`,
    String(other),
    String(rsa),
    String(secret),
    bare,
  ])
    assert.equal(parsePublicKey(text), undefined, text);
});
