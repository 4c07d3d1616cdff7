import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";

import fc from "fast-check";

import { systemClock } from "../../src/base/clock.ts";
import { createPrivateFiles } from "../../src/platform/private-files.ts";
import { decodeBase64Url, parsePublicKey, toSpki } from "../../src/protocol/device-auth.ts";
import type { DeviceIdentity } from "../../src/client/device.ts";
import { openDeviceIdentity } from "../../src/client/device-identity.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "identity-"));
  folders.push(folder);
  return join(folder, "identity", "device.json");
}

const openAt = (path: string): Promise<DeviceIdentity> =>
  openDeviceIdentity({ path, files: createPrivateFiles(), clock: systemClock });

async function writeAt(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

test("an identity is made once, stays the same, and signs what its public key verifies", async () => {
  const path = await newPath();
  const first = await openAt(path);
  const second = await openAt(path);
  assert.deepEqual([second.deviceId, second.publicKey], [first.deviceId, first.publicKey]);
  const raw = parsePublicKey(first.publicKey);
  assert.ok(raw);
  assert.equal(first.deviceId, createHash("sha256").update(raw).digest("hex"));
  const key = createPublicKey({ key: Buffer.from(toSpki(raw)), format: "der", type: "spki" });
  const signature = decodeBase64Url(await second.sign("gruß|1"));
  assert.ok(signature && verify(undefined, Buffer.from("gruß|1"), key, signature));
  assert.ok(!verify(undefined, Buffer.from("gruß|2"), key, signature));
});

test("the file is its owner's alone, and says who it is", async () => {
  const path = await newPath();
  const { deviceId, publicKey } = await openAt(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
  const file = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  assert.deepEqual([file["deviceId"], file["publicKey"]], [deviceId, publicKey]);
  assert.deepEqual(await readdir(dirname(path)), ["device.json"]);
});

test("processes that make it at the same time end with one identity", async () => {
  const path = await newPath();
  const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const code = `
    const { openDeviceIdentity } = await import(${url("../../src/client/device-identity.ts")});
    const { createPrivateFiles } = await import(${url("../../src/platform/private-files.ts")});
    const options = { path: ${JSON.stringify(path)}, files: createPrivateFiles(), clock: Date };
    const all = await Promise.all(Array.from({ length: 5 }, () => openDeviceIdentity(options)));
    console.log(all.map(({ deviceId }) => deviceId).join("\\n"));`;
  const outputs = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (data: Buffer) => (output += data.toString()));
      await once(child, "close");
      return output.trim().split("\n");
    }),
  );
  const seen = outputs.flat();
  assert.equal(seen.length, 20);
  assert.equal(new Set(seen).size, 1);
  assert.equal((await openAt(path)).deviceId, seen[0]);
});

test("a file with a key alone is enough; the rest follows from it", async () => {
  const path = await newPath();
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeAt(path, JSON.stringify({ privateKeyPem: privateKey.export({ format: "pem", type: "pkcs8" }) }));
  assert.match((await openAt(path)).deviceId, /^[0-9a-f]{64}$/u);
});

test("a broken file is named with the next step, and stays as it is", async () => {
  const path = await newPath();
  await openAt(path);
  const good = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const { privateKey } = generateKeyPairSync("x25519");
  const texts = [
    "",
    "{",
    "[]",
    "null",
    JSON.stringify({ ...good, deviceId: "0".repeat(64) }),
    JSON.stringify({ ...good, privateKeyPem: 1 }),
    JSON.stringify({ privateKeyPem: privateKey.export({ format: "pem", type: "pkcs8" }) }),
  ];
  for (const text of texts) {
    await writeAt(path, text);
    await assert.rejects(openAt(path), { code: "storage", next: /move it away/u }, text);
    assert.equal(await readFile(path, "utf8"), text);
  }
});

test("property: no text makes it throw anything but a Fault, and none shows in the message", async () => {
  const path = await newPath();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      await writeAt(path, text);
      await assert.rejects(openAt(path), { code: "storage", message: `${path} holds no Ed25519 key pair of a device` });
    }),
    { numRuns: 50 },
  );
});
