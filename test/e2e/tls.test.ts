// A real Gateway with TLS on its port: a certificate of its own making, the command line and the published client that pin it, a
// certificate that is renewed, and TLS that is switched off and on in a running Gateway.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect } from "node:tls";

import { GatewayClient } from "@openclaw/gateway-client";

import { certificate, fingerprint, key } from "../kit/certificate.ts";
import { until } from "../kit/conversation.ts";
import { createGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";

const withTls = (tls: object = {}) => ({ gateway: { mode: "local", reload: { debounceMs: 50 }, tls } });

async function open(context: TestContext, tls: object): Promise<GatewayProcess> {
  const gateway = await createGatewayProcess({ config: withTls(tls) });
  context.after(() => gateway.dispose());
  return gateway;
}

const certPath = ({ folder }: GatewayProcess) => join(folder, "state", "gateway", "tls", "gateway-cert.pem");

const statusOf = (port: number, ca: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/healthz", ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });

const shownBy = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });

/** Resolves with the protocol once it is let in. */
function connectPublished({ port, token }: GatewayProcess, tlsFingerprint: string) {
  const hello = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<void>();
  const client = new GatewayClient({
    url: `wss://127.0.0.1:${port}`,
    token,
    tlsFingerprint,
    clientName: "gateway-client",
    mode: "backend",
    deviceIdentity: null,
    scopes: ["operator.read"],
    onHelloOk: (payload: unknown) => hello.resolve((payload as { protocol: number }).protocol),
    onConnectError: (error: Error) => hello.reject(error),
    onClose: () => closed.resolve(),
  });
  client.start();
  return { client, hello: hello.promise, closed: closed.promise };
}

test("it makes its own certificate, and everything on the port is behind it", async (context) => {
  const gateway = await open(context, { enabled: true });
  await gateway.start();
  assert.match(gateway.output(), /listening on wss:\/\/127\.0\.0\.1:/u);
  assert.equal((await stat(certPath(gateway).replace("cert", "key"))).mode & 0o777, 0o600);
  const cert = await readFile(certPath(gateway), "utf8");
  assert.equal(await statusOf(gateway.port, cert), 200);
  await assert.rejects(statusOf(gateway.port, certificate), "another authority");
  await assert.rejects(fetch(`http://127.0.0.1:${gateway.port}/healthz`), "in the clear");

  const own = new X509Certificate(cert).fingerprint256;
  const published = connectPublished(gateway, own);
  assert.equal(await published.hello, 4);
  published.client.stop();
  const refused = connectPublished(gateway, fingerprint);
  await assert.rejects(refused.hello, "another fingerprint");
  refused.client.stop();

  const health = await gateway.cli("health", "--json");
  assert.equal(health.code, 0, health.stderr);
  const status = await gateway.cli("gateway", "status");
  assert.match(
    status.stdout,
    new RegExp(`Probe target: wss://127.0.0.1:${gateway.port}\nTLS: ${own}\nRPC probe: ok`, "u"),
  );

  await gateway.stop();
  await gateway.start();
  assert.equal(await shownBy(gateway.port), own, "it is kept over a restart");
});

test("a client elsewhere pins the fingerprint of its config, and takes no other certificate", async (context) => {
  const gateway = await open(context, { enabled: true });
  await gateway.start();
  const own = new X509Certificate(await readFile(certPath(gateway), "utf8")).fingerprint256;
  const url = `wss://127.0.0.1:${gateway.port}`;
  const elsewhere = (tlsFingerprint: string) =>
    createGatewayProcess({
      config: { gateway: { mode: "remote", remote: { url, tlsFingerprint, token: gateway.token } } },
      env: { OPENCLAW_GATEWAY_PORT: "", OPENCLAW_GATEWAY_TOKEN: gateway.token },
    });
  for (const [pinned, code] of [
    [own, 0],
    [fingerprint, 1],
  ] as const) {
    const client = await elsewhere(pinned);
    context.after(() => client.dispose());
    const health = await client.cli("health", "--json");
    assert.equal(health.code, code, health.stdout + health.stderr);
    if (code !== 0) assert.match(health.stdout + health.stderr, /certificate is another one/u);
  }
});

test("a renewed certificate counts for new connections at once, and a broken one not at all", async (context) => {
  const gateway = await open(context, { enabled: true });
  await gateway.start();
  const before = await shownBy(gateway.port);
  const { client, hello, closed } = connectPublished(gateway, before);
  await hello;
  context.after(() => client.stop());
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  const path = certPath(gateway);
  await writeFile(path, "half a file");
  await until(() => gateway.output().includes("the new certificate cannot be used"), 10_000);
  assert.equal(await shownBy(gateway.port), before);
  await writeFile(path.replace("cert", "key"), key);
  await writeFile(path, certificate);
  await until(async () => (await shownBy(gateway.port)) === fingerprint, 10_000);
  assert.equal(isClosed, false);
  assert.ok(await client.request("health", {}));
  assert.equal((await gateway.cli("health")).code, 0);
});

test("TLS is switched on and off in a running Gateway; files that do not fit are refused and leave it as it was", async (context) => {
  const gateway = await open(context, { enabled: false });
  await gateway.start();
  const config = join(gateway.folder, "state", "openclaw.json");
  const plain = () =>
    fetch(`http://127.0.0.1:${gateway.port}/healthz`, { headers: { connection: "close" } }).then(
      ({ status }) => status,
      () => 0,
    );
  assert.equal(await plain(), 200);
  await writeFile(config, JSON.stringify(withTls({ enabled: true, autoGenerate: false })));
  await until(() => gateway.output().includes("gateway-cert.pem is not there"), 10_000);
  assert.equal(await plain(), 200);
  await writeFile(config, JSON.stringify(withTls({ enabled: true })));
  await until(async () => (await plain()) === 0, 10_000);
  await until(async () => (await gateway.cli("health")).code === 0, 15_000);
  await writeFile(config, JSON.stringify(withTls({ enabled: false })));
  await until(async () => (await plain()) === 200, 10_000);
  assert.equal(gateway.output().match(/started in/gu)?.length, 1, "the port alone was opened anew");
});

test("without files, and told to make none, it does not start and says which key and file", async (context) => {
  const gateway = await open(context, { enabled: true, autoGenerate: false });
  await assert.rejects(gateway.start(), /gateway-cert\.pem is not there/u);
});
