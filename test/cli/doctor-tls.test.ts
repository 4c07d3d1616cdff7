// What `doctor` says of the certificate of the port. No Gateway runs.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { createCertificate } from "../../src/platform/certificate.ts";
import { certificate, key } from "../kit/certificate.ts";
import { createDoctorHome, type DoctorFinding, type DoctorHome } from "../kit/doctor-home.ts";

const dayMs = 24 * 3_600_000;
const inDays = (days: number) => Date.now() + days * dayMs;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

let machine: DoctorHome;
beforeEach(async () => {
  machine = await createDoctorHome();
});
afterEach(() => machine.dispose());

const at = (name: string) => join(machine.state, "gateway", "tls", name);
const configure = (tls: object) =>
  machine.put(machine.config, JSON.stringify({ gateway: { mode: "local", tls: { enabled: true, ...tls } } }));

async function put(pems: { readonly cert: string; readonly key: string }): Promise<void> {
  await machine.put(at("gateway-cert.pem"), pems.cert, 0o644);
  await machine.put(at("gateway-key.pem"), pems.key);
}
const from = (start: number, until: number) =>
  createCertificate({ commonName: "box", hosts: ["localhost"], from: start, until });

async function findings(): Promise<readonly DoctorFinding[]> {
  const before = await machine.picture();
  const answer = await machine.doctor(["--only", "access.tls,access.tls-early,access.tls-expired,access.tls-soon"]);
  assert.deepEqual(await machine.picture(), before, "looking changes nothing");
  return answer.findings;
}

test("a certificate that counts is no finding, nor is one that the next start makes, nor one that nobody uses", async () => {
  await configure({});
  assert.deepEqual(await findings(), [], "there is none yet");
  await put(from(inDays(-1), inDays(20)));
  assert.deepEqual(await findings(), []);
  await put(from(inDays(-9), inDays(-5)));
  await configure({ enabled: false });
  assert.deepEqual(await findings(), []);
});

test("one that ran out, one that does so soon and one that does not count yet are told with the day", async () => {
  await configure({});
  for (const [id, severity, start, end, told] of [
    ["access.tls-expired", "error", -9, -1, `ran out on ${dayOf(inDays(-1))}`],
    ["access.tls-soon", "warning", -9, 13, `runs out on ${dayOf(inDays(13))}`],
    ["access.tls-early", "error", 2, 99, `counts from ${dayOf(inDays(2))} on`],
  ] as const) {
    await put(from(inDays(start), inDays(end)));
    const [finding, ...rest] = await findings();
    assert.deepEqual([finding?.id, finding?.severity, rest], [id, severity, []]);
    assert.ok(finding?.message.includes(told), finding?.message);
    assert.ok(finding?.next);
  }
});

test("files that cannot be used are an error that names the file, what to do, and the key of the config", async () => {
  const elsewhere = createCertificate({ commonName: "x", hosts: [], from: inDays(-1), until: inDays(90) });
  const cases: readonly (readonly [string, object, () => Promise<unknown>, RegExp, RegExp])[] = [
    [
      "another key",
      {},
      () => put({ cert: certificate, key: elsewhere.key }),
      /gateway-key\.pem is not the key of .*gateway-cert\.pem/u,
      /two files that belong together \(gateway\.tls\.keyPath\)/u,
    ],
    ["no PEM", {}, () => put({ cert: "nonsense", key }), /gateway-cert\.pem is no certificate/u, /PEM.*certPath/u],
    [
      "no key",
      {},
      () => put({ cert: certificate, key: "nonsense" }),
      /gateway-key\.pem is no private key/u,
      /keyPath/u,
    ],
    [
      "a folder",
      { certPath: "~/folder" },
      () => Promise.all([mkdir(join(machine.home, "folder")), put({ cert: certificate, key })]),
      /folder cannot be read/u,
      /right to \(gateway\.tls\.certPath\)/u,
    ],
    [
      "half a pair",
      {},
      () => machine.put(at("gateway-cert.pem"), certificate),
      /gateway-key\.pem is not there/u,
      /keyPath/u,
    ],
    [
      "none, and none made",
      { autoGenerate: false },
      async () => undefined,
      /gateway-cert\.pem is not there/u,
      /certPath/u,
    ],
    [
      "no authority",
      { caPath: "~/ca.pem" },
      () => put({ cert: certificate, key }),
      /ca\.pem is not there/u,
      /gateway\.tls\.caPath/u,
    ],
  ];
  for (const [name, tls, plant, message, next] of cases) {
    await machine.dispose();
    machine = await createDoctorHome();
    await configure(tls);
    await plant();
    const [finding, ...rest] = await findings();
    assert.deepEqual([finding?.id, finding?.severity, rest], ["access.tls", "error", []], name);
    assert.match(finding?.message ?? "", message);
    assert.match(finding?.next ?? "", next);
    assert.doesNotMatch(JSON.stringify(finding), /PRIVATE KEY/u);
  }
});
