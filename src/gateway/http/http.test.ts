import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { test, type TestContext } from "node:test";

import { systemClock } from "../../base/clock.ts";
import { openServerKit, secret, type ServerKitOptions } from "../../../test/kit/gateway-server.ts";
import { openRawClient } from "../../../test/kit/raw-client.ts";
import { refuseGarbage } from "./refusal.ts";

async function setUp(context: TestContext, options: ServerKitOptions = {}) {
  const kit = await openServerKit(options);
  context.after(() => kit.stop());
  return { kit, open: (headers: Record<string, string> = {}) => openRawClient(kit.port, secret, headers) };
}

test("a foreign page is refused before the upgrade, with the config line, and never reaches a secret", async (context) => {
  const { kit, open } = await setUp(context, { allowedOrigins: ["https://panel.example"] });
  await assert.rejects(open({ origin: "https://evil.example" }), /403/u);
  await assert.rejects(open({ origin: "null" }), /403/u);
  const refused = await fetch(`http://127.0.0.1:${kit.port}/healthz`, { headers: { origin: "https://evil.example" } });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /gateway\.controlUi\.allowedOrigins/u);
  assert.ok(kit.lines.some((line) => /allowedOrigins.*evil\.example/u.test(line)));
  for (const origin of ["https://panel.example", `http://127.0.0.1:${kit.port}`]) {
    const client = await open({ origin });
    assert.equal((await client.connect()).ok, true, origin);
  }
});

test("plain HTTP says that it lives and nothing else", async (context) => {
  const { kit } = await setUp(context);
  const base = `http://127.0.0.1:${kit.port}`;
  const live = await fetch(`${base}/healthz?x=1`);
  assert.deepEqual([live.status, await live.json()], [200, { ok: true, status: "live" }]);
  assert.equal(live.headers.get("x-content-type-options"), "nosniff");
  assert.match(live.headers.get("content-security-policy") ?? "", /default-src 'none'/u);
  assert.equal((await fetch(`${base}/healthz`, { method: "HEAD" })).status, 200);
  const post = await fetch(`${base}/healthz`, { method: "POST", body: "x".repeat(1_000_000) });
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  for (const path of ["/", "/nope", "/healthz/../etc/passwd%00", "//healthz"])
    assert.equal((await fetch(`${base}${path}`)).status, 404, path);
});

test("what is not HTTP, or an upgrade to something else, ends at once and disturbs nobody (RB-143)", async (context) => {
  const { kit, open } = await setUp(context);
  const client = await open();
  await client.connect();
  for (const text of [
    "\u0000\u0001garbage\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 1\r\n\r\n",
  ]) {
    const raw = connectTcp(kit.port, "127.0.0.1");
    raw.on("error", () => undefined);
    raw.write(text);
    raw.resume();
    await once(raw, "close");
  }
  assert.equal((await client.request("nope")).error?.message, "unknown method: nope");
});

test("a connection kept in reserve is closed without a word; one that began a request and never ended it is told", async (context) => {
  const server = createServer({ headersTimeout: 100, connectionsCheckingInterval: 50 });
  context.after(() => server.close());
  // a plain server has sockets of TCP
  server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
    refuseGarbage(socket as Socket, error.code, systemClock),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  for (const [said, heard] of [
    ["", ""],
    ["GET / HTTP/1.1\r\nhost: x\r\n", "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n"],
  ] as const) {
    const raw = connectTcp(address.port, "127.0.0.1");
    let text = "";
    raw.on("data", (chunk: Buffer) => (text += chunk.toString()));
    raw.write(said);
    await once(raw, "close");
    assert.equal(text, heard);
  }
});
