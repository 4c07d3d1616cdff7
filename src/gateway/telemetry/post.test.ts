import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";

import { systemClock } from "../../base/clock.ts";
import { createEgress } from "../../platform/egress.ts";
import { createPost, type Post } from "./post.ts";
import type { Destination } from "./settings.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

interface Kit {
  readonly post: Post;
  readonly count: () => number;
  readonly closing: AbortController;
}

async function openKit(context: TestContext, answer: Answer, more: Partial<Destination> = {}): Promise<Kit> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => answer(request, response, (count += 1)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const egress = createEgress({ clock: systemClock });
  context.after(() => {
    egress.close();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v1/traces`;
  const closing = new AbortController();
  const destination: Destination = {
    url,
    protocol: "http/json",
    headers: {},
    timeoutMs: 5_000,
    isGzip: false,
    ...more,
  };
  const post = createPost(destination, { fetch: egress.fetch, clock: systemClock, closing: closing.signal });
  return { post, count: () => count, closing };
}

const body = Buffer.from("{}");

test("what passes is tried again, when the collector says so", async (context) => {
  let firstAt = 0;
  const kit = await openKit(context, (_, response, count) => {
    if (count > 1) return void response.end();
    firstAt = performance.now();
    response.writeHead(503, { "retry-after": "1" }).end();
  });
  assert.equal(await kit.post(body), undefined);
  assert.equal(kit.count(), 2);
  assert.ok(performance.now() - firstAt >= 990);
});

test("what does not pass is not tried again, and its words are not shown", async (context) => {
  const kit = await openKit(context, (_, response) => response.writeHead(401).end("your key secret-word is wrong"));
  const problem = await kit.post(body);
  assert.equal(problem?.message, "it answers 401");
  assert.match(problem?.next ?? "", /OTEL_EXPORTER_OTLP_HEADERS/u);
  assert.equal(kit.count(), 1);
});

test("a connection that breaks is tried again, up to the end of its time", async (context) => {
  const kit = await openKit(context, (request) => void request.socket.destroy(), { timeoutMs: 1_200 });
  const startedAt = performance.now();
  assert.equal((await kit.post(body))?.message, "ECONNRESET");
  assert.ok(kit.count() >= 2);
  assert.ok(performance.now() - startedAt < 1_500);
});

test("a collector that hangs, or never ends its answer, costs no more than the time it has", async (context) => {
  for (const answer of [() => undefined, (_: IncomingMessage, response: ServerResponse) => void response.write("{")]) {
    const kit = await openKit(context, answer, { timeoutMs: 200 });
    const startedAt = performance.now();
    assert.equal((await kit.post(body))?.message, "no answer within 200 ms");
    assert.ok(performance.now() - startedAt < 1_000);
    assert.equal(kit.count(), 1);
  }
});

test("an endless answer is not read to its end", async (context) => {
  const kit = await openKit(context, (_, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(65_536)));
      response.once("drain", more);
    };
    more();
  });
  assert.equal(await kit.post(body), undefined);
});

test("nothing is waited for once there is no time any more", async (context) => {
  const kit = await openKit(context, () => kit.closing.abort());
  const startedAt = performance.now();
  assert.notEqual(await kit.post(body), undefined);
  assert.ok(performance.now() - startedAt < 1_000);
});
