// The text that a device signs, beside the one that the published client builds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { buildDeviceAuthPayload, buildDeviceAuthPayloadV3 } from "@openclaw/gateway-client";
import fc from "fast-check";

import { buildDevicePayload } from "../../src/protocol/device-auth.ts";

// a separator inside is refused by ours, and cannot be meant by anybody
const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[|,]/u.test(text));
const fields = fc.record({
  deviceId: word,
  clientId: word,
  clientMode: word,
  role: word,
  scopes: fc.array(word, { maxLength: 4 }),
  signedAtMs: fc.nat(),
  token: fc.option(fc.string({ minLength: 1, maxLength: 12 }), { nil: null }),
  nonce: word,
  platform: fc.option(word, { nil: undefined }),
  deviceFamily: fc.option(word, { nil: undefined }),
});

test("property: both build the same text from the same fields", () => {
  fc.assert(
    fc.property(fields, (claim) => {
      const { clientId, clientMode, platform, deviceFamily, role, scopes, token } = claim;
      const params = {
        client: { id: clientId, mode: clientMode, platform, deviceFamily },
        role,
        scopes,
        ...(token === null ? {} : { auth: { token } }),
      };
      const device = { id: claim.deviceId, signedAt: claim.signedAtMs, nonce: claim.nonce };
      assert.equal(buildDevicePayload(2, params, device), buildDeviceAuthPayload(claim));
      assert.equal(buildDevicePayload(3, params, device), buildDeviceAuthPayloadV3(claim));
    }),
    { numRuns: 1_000 },
  );
});
