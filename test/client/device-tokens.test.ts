import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";

import fc from "fast-check";

import { createPrivateFiles, isNotWritable } from "../../src/platform/private-files.ts";
import type { DeviceTokens } from "../../src/client/device.ts";
import { createDeviceTokens } from "../../src/client/device-tokens.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  folders.push(folder);
  return join(folder, "identity", "device-auth.json");
}

const openAt = (path: string): DeviceTokens => createDeviceTokens({ path, files: createPrivateFiles(), isNotWritable });
const key = { gateway: "ws://127.0.0.1:18789", deviceId: "d", role: "operator" };
const token = { token: "t", scopes: ["operator.read"] };

test("a token is found again for its Gateway, device and role, and for no other", async () => {
  const path = await newPath();
  await openAt(path).save(key, token);
  const tokens = openAt(path);
  assert.partialDeepStrictEqual(await tokens.load(key), token);
  const others = [
    { gateway: "ws://127.0.0.1:18790" },
    { gateway: "wss://127.0.0.1:18789" },
    { deviceId: "e" },
    { role: "node" },
  ];
  for (const other of others) assert.equal(await tokens.load({ ...key, ...other }), undefined);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("a new token takes the place of the old one; only the token that was refused is removed", async () => {
  const tokens = openAt(await newPath());
  await tokens.save(key, token);
  await tokens.save(key, { ...token, token: "new" });
  await tokens.remove(key, "t");
  assert.equal((await tokens.load(key))?.token, "new");
  await tokens.remove(key, "new");
  assert.equal(await tokens.load(key), undefined);
});

test("saves at the same time are all kept, and the same again writes nothing", async () => {
  const path = await newPath();
  const tokens = openAt(path);
  await Promise.all(Array.from({ length: 10 }, (_, i) => tokens.save({ ...key, gateway: `ws://${i}` }, token)));
  for (let i = 0; i < 10; i += 1) assert.ok(await tokens.load({ ...key, gateway: `ws://${i}` }));
  const { mtimeNs } = await stat(path, { bigint: true });
  await tokens.save({ ...key, gateway: "ws://3" }, token);
  assert.equal((await stat(path, { bigint: true })).mtimeNs, mtimeNs);
});

test("the file does not grow without end: the oldest go", async () => {
  const tokens = openAt(await newPath());
  for (let i = 0; i < 103; i += 1) await tokens.save({ ...key, gateway: `ws://${i}` }, token);
  assert.equal(await tokens.load({ ...key, gateway: "ws://2" }), undefined);
  assert.ok(await tokens.load({ ...key, gateway: "ws://3" }));
});

test("what another program keeps in the file stays, and its tokens are used nowhere", async () => {
  const path = await newPath();
  await mkdir(dirname(path), { recursive: true });
  const theirs = { version: 1, deviceId: "d", tokens: { operator: { token: "theirs", role: "operator", scopes: [] } } };
  await writeFile(path, JSON.stringify(theirs));
  const tokens = openAt(path);
  assert.equal(await tokens.load(key), undefined);
  await tokens.save(key, token);
  assert.partialDeepStrictEqual(JSON.parse(await readFile(path, "utf8")), theirs);
  assert.partialDeepStrictEqual(await tokens.load(key), token);
});

test("a disk that takes no writes costs the token, not the connection", async () => {
  const failing = (code: string) =>
    createDeviceTokens({
      path: "/x",
      files: {
        read: () => Promise.resolve(undefined),
        write: () => Promise.reject(Object.assign(new Error(code), { code })),
        create: () => Promise.resolve(false),
      },
      isNotWritable,
    });
  await failing("EROFS").save(key, token);
  await assert.rejects(failing("EIO").save(key, token), /EIO/u);
});

test("property: any file is read without an exception, and gives only whole tokens", async () => {
  const path = await newPath();
  await mkdir(dirname(path), { recursive: true });
  const entry = fc.dictionary(fc.constantFrom("gateway", "deviceId", "role", "token", "scopes"), fc.jsonValue());
  const file = fc.oneof(
    fc.string(),
    fc.record({ gatewayTokens: fc.oneof(fc.jsonValue(), fc.array(entry)) }).map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      await writeFile(path, text);
      const found = await openAt(path).load(key);
      assert.ok(found === undefined || typeof found.token === "string");
    }),
    { numRuns: 100 },
  );
});
