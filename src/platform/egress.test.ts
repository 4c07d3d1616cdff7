import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { after, test } from "node:test";

import { systemClock } from "../base/clock.ts";
import { createEgress, type EgressError } from "./egress.ts";

const egress = createEgress({ clock: systemClock });
const closers: (() => void)[] = [];
after(() => {
  egress.close();
  for (const close of closers) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

test("method, headers and body arrive, status, headers and body come back", async () => {
  const url = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () =>
      response.writeHead(201, { "x-echo": String(request.headers["x-test"]) }).end(`${request.method} ${body}`),
    );
  });
  for (const body of ["text", new TextEncoder().encode("text"), new Blob(["text"])]) {
    const response = await egress.fetch(url, { method: "POST", headers: new Headers({ "x-test": "1" }), body });
    assert.deepEqual([response.status, response.headers.get("x-echo"), await response.text()], [201, "1", "POST text"]);
  }
});

test("a body can be read while it comes", async () => {
  const url = await serve((_request, response) => {
    response.write("one");
    setTimeout(() => response.end("two"), 30);
  });
  const response = await egress.fetch(url);
  const chunks: string[] = [];
  for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString());
  assert.deepEqual(chunks, ["one", "two"]);
});

test("a redirect is not followed", async () => {
  const url = await serve((_request, response) =>
    response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
  );
  assert.equal((await egress.fetch(url)).status, 302);
});

test("a failure tells whether the request had left", async () => {
  const refused = await serve(() => undefined);
  closers.pop()?.();
  await assert.rejects(
    egress.fetch(refused),
    (error: EgressError) => error.isRequestSent === false && error.code === "ECONNREFUSED",
  );
  const dropped = await serve((_request, response) => response.socket?.destroy());
  await assert.rejects(
    egress.fetch(dropped, { method: "POST", body: "x" }),
    (error: EgressError) => error.isRequestSent === true,
  );
});

test("an abort ends a request that waits and a body that streams", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/stream") response.write("begin");
  });
  await assert.rejects(egress.fetch(`${url}/wait`, { signal: AbortSignal.timeout(50) }));
  const controller = new AbortController();
  const response = await egress.fetch(`${url}/stream`, { signal: controller.signal });
  setTimeout(() => controller.abort(), 30);
  await assert.rejects(response.text());
  await assert.rejects(egress.fetch(url, { signal: AbortSignal.abort() }));
});
