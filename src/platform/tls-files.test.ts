import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { test, type TestContext } from "node:test";

import fc from "fast-check";

import { certificate, fingerprint, key } from "../../test/kit/certificate.ts";
import { silentLog } from "../base/log.ts";
import { createCertificate } from "./certificate.ts";
import { openListener } from "./listen.ts";
import { loadTls, readFingerprint } from "./tls-files.ts";

const request = {
  commonName: "a-gateway",
  hosts: ["localhost", "box.example", "127.0.0.1", "::1", "fd7a:115c::1:2"],
  from: Date.parse("2026-01-01T00:00:00Z"),
  until: Date.parse("2036-01-01T00:00:00Z"),
};

async function setUp(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "tls-"));
  context.after(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  return { at, files: { certPath: at("new/cert.pem"), keyPath: at("new/key.pem"), caPath: undefined } };
}

test("a certificate of our making is one to others: names, dates, key, signature", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("1990-01-01"), max: new Date("2090-01-01"), noInvalidDate: true }), (date) => {
      const until = Math.floor(date.getTime() / 1000) * 1000;
      const pems = createCertificate({ ...request, until });
      const read = new X509Certificate(pems.cert);
      assert.equal(read.subject, "CN=a-gateway");
      assert.ok(read.verify(read.publicKey), "it signed itself");
      assert.equal(Date.parse(read.validTo), until);
      assert.match(read.serialNumber, /^[4-7][0-9A-F]{31}$/u);
      for (const host of ["localhost", "box.example"]) assert.equal(read.checkHost(host), host);
      for (const ip of ["127.0.0.1", "::1", "fd7a:115c::1:2"]) assert.ok(read.checkIP(ip), ip);
      assert.equal(read.checkHost("elsewhere.example"), undefined);
    }),
    { numRuns: 30 },
  );
});

test("both are made once, the key for its owner alone", async (context) => {
  const { files } = await setUp(context);
  const made = await loadTls(files, request);
  assert.equal((await stat(files.keyPath)).mode & 0o777, 0o600);
  assert.equal((await stat(join(files.keyPath, ".."))).mode & 0o777, 0o700);
  assert.deepEqual(await loadTls(files, request), made);
  assert.equal(await readFingerprint(files.certPath), made.fingerprint);
});

test("what is wrong is told with its key of the config, and nothing is made in its place", async (context) => {
  const { at, files } = await setUp(context);
  const refuses = (pattern: RegExp, field: string, over: object = {}, made?: typeof request) =>
    assert.rejects(loadTls({ ...files, ...over }, made), { message: pattern, field: `gateway.tls.${field}` });
  await refuses(/is not there/u, "certPath");
  await writeFile(at("cert.pem"), certificate);
  await writeFile(at("key.pem"), key);
  await writeFile(at("text"), "nonsense");
  const pair = { certPath: at("cert.pem"), keyPath: at("key.pem") };
  assert.equal((await loadTls({ ...files, ...pair }, undefined)).fingerprint, fingerprint);
  await refuses(/is not there/u, "keyPath", { certPath: at("cert.pem") }, request);
  await refuses(/no certificate/u, "certPath", { ...pair, certPath: at("text") });
  await refuses(/no private key/u, "keyPath", { ...pair, keyPath: at("text") });
  await refuses(/is not there/u, "caPath", { ...pair, caPath: at("none") });
  await loadTls(files, request);
  await refuses(/is not the key of/u, "keyPath", { ...pair, keyPath: files.keyPath });
  assert.equal(await readFingerprint(at("text")), undefined);
  if (process.getuid?.() !== 0) {
    await chmod(at("key.pem"), 0);
    await refuses(/cannot be read/u, "keyPath", pair);
  }
  assert.equal(await readFile(at("cert.pem"), "utf8"), certificate);
});

test("the listener takes TLS from 1.2 on, another certificate without closing, and nothing in the clear", async (context) => {
  const { files } = await setUp(context);
  const first = await loadTls(files, request);
  const listener = await openListener({ host: "127.0.0.1", port: 0, log: silentLog, tls: first });
  context.after(() => listener.close());
  listener.serve((server) => void server.on("request", (_request, response) => response.end("hello")));
  const ask = (ca: string, agent?: Agent) =>
    new Promise<string>((resolve, reject) => {
      const asked = get({ host: "127.0.0.1", port: listener.port, ca, ...(agent ? { agent } : {}) }, (response) => {
        response.on("data", (chunk: Buffer) => resolve(chunk.toString()));
      });
      asked.on("error", reject);
    });
  const versionOf = (minVersion: SecureVersion, maxVersion: SecureVersion) =>
    new Promise<string | null>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: listener.port, ca: first.cert, minVersion, maxVersion };
      const socket = connect({ ...options, ciphers: "DEFAULT@SECLEVEL=0" }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", reject);
    });
  assert.equal(await versionOf("TLSv1.2", "TLSv1.2"), "TLSv1.2");
  assert.equal(await versionOf("TLSv1.2", "TLSv1.3"), "TLSv1.3");
  await assert.rejects(versionOf("TLSv1.1", "TLSv1.1"));
  await assert.rejects(fetch(`http://127.0.0.1:${listener.port}/`));

  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => kept.destroy());
  assert.equal(await ask(first.cert, kept), "hello");
  listener.renew({ cert: certificate, key, ca: undefined });
  assert.equal(await ask(first.cert, kept), "hello");
  await assert.rejects(ask(first.cert));
  const fresh = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: listener.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
  assert.equal(fresh, fingerprint);
});
