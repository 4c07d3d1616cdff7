import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import fc from "fast-check";

import { openDevicesKit, type DevicesKit } from "../../../test/kit/devices.ts";
import { createManualClock, type ManualClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { systemIds } from "../../base/ids.ts";
import { coversScopes } from "../auth/scopes.ts";
import type { Knock } from "./admit.ts";
import { tokenLifeMs } from "./devices.ts";
import { requestTtlMs } from "./requests.ts";
import { createTokenKeys } from "./token-key.ts";

let clock: ManualClock;
let kit: DevicesKit;
let events: { event: string; payload: unknown }[];
beforeEach(() => {
  clock = createManualClock();
  events = [];
  kit = openDevicesKit({ clock, publish: (event, payload) => void events.push({ event, payload }) });
});
afterEach(() => kit.close());

const knock = (changes: Partial<Knock> = {}): Knock => ({
  deviceId: "d1",
  publicKey: "k1",
  details: { platform: "linux", clientId: "gateway-client" },
  role: "operator",
  scopes: ["operator.read"],
  isOwnerPresent: false,
  ...changes,
});
const admin = { scopes: ["operator.admin"], connId: "c1" };
const names = () => events.map(({ event }) => event);

async function admitted(changes: Partial<Knock> = {}) {
  const admission = await kit.devices.admit(knock(changes));
  assert.ok(admission.outcome === "admitted", "it was not admitted");
  return admission;
}
async function pending(changes: Partial<Knock> = {}) {
  const admission = await kit.devices.admit(knock(changes));
  assert.ok(admission.outcome === "pending", "it was admitted");
  return admission.request;
}
const isFault = (code: string, message?: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === code && (message?.test(error.message) ?? true);

test("a device asks once however often it knocks, is approved, and has the same token from then on", async () => {
  const first = await pending();
  assert.equal((await pending()).requestId, first.requestId);
  assert.deepEqual(names(), ["device.pair.requested"]);
  await kit.devices.approve(first.requestId, admin);
  assert.deepEqual(names(), ["device.pair.requested", "device.pair.resolved"]);
  const { token } = await admitted();
  assert.equal((await admitted()).token, token);
  assert.equal(await kit.devices.isToken("d1", "operator", token), true);
  assert.equal(await kit.devices.isToken("d2", "operator", token), false);
  assert.equal(await kit.devices.isToken("d1", "node", token), false);
});

test("no table holds a token", async () => {
  const { token } = await admitted({ isOwnerPresent: true });
  for (const suffix of ["", "-wal"]) {
    const bytes = readFileSync(join(kit.folder, `gateway.sqlite${suffix}`));
    assert.equal(bytes.includes(token), false, suffix);
  }
});

test("more than was approved needs another approval; less does not", async () => {
  await admitted({ isOwnerPresent: true, scopes: ["operator.write"] });
  await admitted({ scopes: ["operator.read"] });
  assert.equal((await pending({ scopes: ["operator.admin"] })).reason, "scope-upgrade");
  assert.equal((await pending({ role: "node", scopes: [] })).reason, "role-upgrade");
  assert.equal((await pending({ publicKey: "k2" })).reason, "not-paired");
});

test("an approver passes on what it holds and no more", async () => {
  const { requestId } = await pending({ scopes: ["operator.admin"] });
  const helper = { scopes: ["operator.pairing"], connId: "c2" };
  await assert.rejects(kit.devices.approve(requestId, helper), isFault("forbidden", /operator\.admin/u));
  await kit.devices.approve(requestId, admin);
  await admitted({ scopes: ["operator.admin"] });
  await assert.rejects(kit.devices.rotate({ deviceId: "d1", role: "operator" }, helper), isFault("forbidden"));
  await assert.rejects(kit.devices.revoke("d1", "operator", helper), isFault("forbidden"));
});

test("a new token ends the old one and its connections", async () => {
  const { token } = await admitted({ isOwnerPresent: true });
  const issued = await kit.devices.rotate({ deviceId: "d1", role: "operator" }, admin);
  assert.notEqual(issued.token, token);
  assert.equal(await kit.devices.isToken("d1", "operator", token), false);
  assert.equal(await kit.devices.isToken("d1", "operator", issued.token), true);
  assert.equal((await admitted()).token, issued.token);
  assert.deepEqual(kit.ended, [{ deviceId: "d1", role: "operator", reason: "device token rotated" }]);
  await assert.rejects(
    kit.devices.rotate({ deviceId: "d1", role: "operator", scopes: ["operator.admin"] }, admin),
    isFault("invalid_params", /not approved for these scopes/u),
  );
});

test("what was revoked or removed needs an approval to come back, and comes back with another token", async () => {
  const { token } = await admitted({ isOwnerPresent: true });
  await kit.devices.revoke("d1", "operator", admin);
  assert.equal(await kit.devices.isToken("d1", "operator", token), false);
  const { requestId } = await pending();
  await kit.devices.approve(requestId, admin);
  const second = await admitted();
  assert.notEqual(second.token, token);

  await kit.devices.remove("d1", admin);
  assert.equal((await pending()).reason, "not-paired");
  const third = await admitted({ isOwnerPresent: true });
  assert.ok(![token, second.token].includes(third.token));
  assert.deepEqual(
    kit.ended.map(({ reason }) => reason),
    ["device token revoked", "device removed"],
  );
});

test("requests fade after five minutes, tokens after half a year without use", async () => {
  const { requestId } = await pending();
  await clock.advance(requestTtlMs + 1);
  assert.deepEqual((await kit.devices.list()).pending, []);
  await assert.rejects(kit.devices.approve(requestId, admin), isFault("not_found", /unknown requestId/u));

  const { token } = await admitted({ isOwnerPresent: true });
  await clock.advance(tokenLifeMs + 1);
  assert.equal(await kit.devices.isToken("d1", "operator", token), false);
  assert.notEqual((await admitted()).token, token);
});

test("a rejected device may ask again", async () => {
  const first = await pending();
  assert.equal((await kit.devices.reject(first.requestId)).deviceId, "d1");
  assert.notEqual((await pending()).requestId, first.requestId);
  await assert.rejects(kit.devices.reject(first.requestId), isFault("not_found"));
});

test("whatever happens, nobody is in with more than somebody who held it has approved", async () => {
  const scopes = ["operator.read", "operator.write", "operator.approvals", "operator.pairing", "operator.admin"];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ asked: fc.subarray(scopes), approver: fc.subarray(scopes) }), { maxLength: 8 }),
      async (steps) => {
        const own = openDevicesKit({ clock });
        const held: string[] = [];
        for (const { asked, approver } of steps) {
          const admission = await own.devices.admit(knock({ scopes: asked }));
          if (admission.outcome === "admitted") {
            assert.ok(coversScopes(held, asked));
            continue;
          }
          const { requestId, scopes: wanted } = admission.request;
          const approving = own.devices.approve(requestId, { scopes: approver, connId: "c" });
          if (coversScopes(approver, wanted)) {
            await approving;
            held.push(...wanted);
          } else await assert.rejects(approving, isFault("forbidden"));
        }
        await own.close();
      },
    ),
    { numRuns: 40 },
  );
});

test("a key of tokens that cannot be made is tried again, and says what to do (R32)", async () => {
  const folder = join(kit.folder, "closed");
  writeFileSync(folder, "no folder");
  const find = createTokenKeys(join(folder, "device-key"), systemIds);
  await assert.rejects(find(), isFault("storage", /neither read nor made.*device-key/u));
  rmSync(folder);
  const key = await find();
  assert.equal(key, await find());
});
