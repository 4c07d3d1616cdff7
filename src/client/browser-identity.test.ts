import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";

import { decodeBase64Url, parsePublicKey, toSpki } from "../protocol/device-auth.ts";
import { createBrowserKeys, toBrowserIdentity } from "./browser-identity.ts";

test("a browser's device signs what Node verifies, and its key stays where it is", async () => {
  const keys = await createBrowserKeys();
  const identity = await toBrowserIdentity(keys);
  const raw = parsePublicKey(identity.publicKey);
  assert.ok(raw);
  assert.equal(identity.deviceId, createHash("sha256").update(raw).digest("hex"));
  const key = createPublicKey({ key: Buffer.from(toSpki(raw)), format: "der", type: "spki" });
  const signature = decodeBase64Url(await identity.sign("v2|grüße"));
  assert.ok(signature && verify(undefined, Buffer.from("v2|grüße"), key, signature));
  await assert.rejects(crypto.subtle.exportKey("pkcs8", keys.privateKey));
  assert.equal((await toBrowserIdentity(keys)).deviceId, identity.deviceId);
});
