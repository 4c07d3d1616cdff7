import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectTcp } from "node:net";
import { test, type TestContext } from "node:test";

import { createManualClock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { HttpRequest, Route } from "../../ports/route.ts";
import { openServerKit, secret, type ServerKitOptions } from "../../../test/kit/gateway-server.ts";

const limit = 100_000;

function createEcho(over: Partial<Route> = {}): { route: Route; seen: HttpRequest[] } {
  const seen: HttpRequest[] = [];
  return {
    seen,
    route: {
      name: "echo",
      matches: (path) => path === "/echo",
      example: () => "/echo",
      methods: ["POST"],
      access: { scope: "operator.write" },
      isEnabled: () => true,
      maxBodyBytes: () => limit,
      async answer(request, reply) {
        seen.push(request);
        reply.json(200, { body: await request.json() });
      },
      ...over,
    },
  };
}

async function setUp(context: TestContext, routes: readonly Route[], options: ServerKitOptions = {}) {
  const kit = await openServerKit({ routes, ...options });
  context.after(() => kit.stop());
  const call = (path: string, init: RequestInit = {}, token: string | undefined = secret) =>
    fetch(`http://127.0.0.1:${kit.port}${path}`, {
      ...init,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(init.headers as Record<string, string> | undefined),
      },
    });
  return { kit, call };
}

const errorOf = async (response: Response) => {
  const body = (await response.json()) as { error: { type: string; message: string } };
  return [response.status, body.error.type] as const;
};

test("a route is reached by its path, its method and the Gateway's secret, and by nothing less", async (context) => {
  const { route, seen } = createEcho();
  const { call } = await setUp(context, [route]);
  const good = await call("/echo?a=1&b=%20", { method: "POST", body: '{"x":[1]}' });
  assert.deepEqual([good.status, await good.json()], [200, { body: { x: [1] } }]);
  assert.equal(seen[0]?.query.get("b"), " ");
  assert.deepEqual([seen[0]?.caller?.auth, seen[0]?.caller?.scopes], ["token", ["operator.admin"]]);

  const missing = await fetch(good.url, { method: "POST", body: "{}" });
  assert.equal(missing.headers.get("www-authenticate"), "Bearer");
  assert.deepEqual(await errorOf(missing), [401, "unauthorized"]);
  for (const wrong of ["", "nope", `${secret}x`, "Basic"])
    assert.deepEqual(await errorOf(await call("/echo", { method: "POST", body: "{}" }, wrong)), [401, "unauthorized"]);
  const get = await call("/echo");
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  assert.deepEqual(await errorOf(await call("/echo/", { method: "POST" })), [404, "not_found"]);
  assert.equal(seen.length, 1);
});

test("a route that is switched off does not exist, with the right secret neither", async (context) => {
  const { route } = createEcho({ isEnabled: () => false });
  const { call } = await setUp(context, [route]);
  assert.deepEqual(await errorOf(await call("/echo", { method: "POST", body: "{}" })), [404, "not_found"]);
});

test("R38: wrong paths and methods cost nothing; wrong secrets make their source wait, whatever it shows then", async (context) => {
  const { route } = createEcho();
  const { call } = await setUp(context, [route]);
  for (let count = 0; count < 50; count += 1) {
    assert.equal((await call("/echo", {}, "wrong")).status, 405);
    assert.equal((await call("/nope", { method: "POST" }, "wrong")).status, 404);
  }
  assert.equal((await call("/echo", { method: "POST", body: "{}" })).status, 200);
  for (let count = 0; count < 20; count += 1) await call("/echo", { method: "POST", body: "{}" }, "wrong");
  const locked = await call("/echo", { method: "POST", body: "{}" });
  assert.equal(locked.status, 429);
  assert.ok(Number(locked.headers.get("retry-after")) > 0);
});

test("a route's own token lets in and nothing else does, the Gateway's secret neither", async (context) => {
  const { route, seen } = createEcho({
    access: {
      tokenOf: (headers) => (typeof headers["x-token"] === "string" ? headers["x-token"] : undefined),
      isToken: (text) => text === "hook-token",
    },
  });
  const { call } = await setUp(context, [route]);
  const post = { method: "POST", body: "{}" };
  assert.equal((await call("/echo", { ...post, headers: { "x-token": "hook-token" } }, undefined)).status, 200);
  assert.equal(seen[0]?.caller, undefined);
  assert.equal((await call("/echo", post)).status, 401);
  assert.equal((await call("/echo", { ...post, headers: { "x-token": secret } })).status, 401);
});

test("a Tailscale identity reads and writes, and administers nothing", async (context) => {
  const write = createEcho();
  const admin = createEcho({ matches: (path) => path === "/admin", access: { scope: "operator.admin" } });
  const options = { tailscaleLogin: async () => "ann@example.com" };
  const { kit } = await setUp(context, [write.route, admin.route], options);
  const post = (path: string) => fetch(`http://127.0.0.1:${kit.port}${path}`, { method: "POST", body: "{}" });
  assert.equal((await post("/echo")).status, 200);
  assert.equal(write.seen[0]?.caller?.auth, "tailscale");
  assert.deepEqual(await errorOf(await post("/admin")), [403, "forbidden"]);
});

test("a body is refused for its size before it is read, and while it comes when it hides its size", async (context) => {
  const { route, seen } = createEcho();
  const { kit, call } = await setUp(context, [route]);
  const large = JSON.stringify("x".repeat(limit));
  assert.deepEqual(await errorOf(await call("/echo", { method: "POST", body: large })), [413, "too_large"]);
  assert.equal(seen.length, 0);

  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest(
      { port: kit.port, path: "/echo", method: "POST", headers: { authorization: `Bearer ${secret}` } },
      (response: IncomingMessage) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    request.on("error", reject);
    const chunk = "x".repeat(10_000);
    const feed = (left: number) => {
      if (left > 0) request.write(chunk, () => feed(left - 1));
      else request.end();
    };
    feed(50);
  });
  assert.equal(status, 413);
});

test("S25: a body that does not say its length may be eight megabytes large; one that says it, as large as the route takes", async (context) => {
  const size = 9 * 1024 * 1024;
  const { route } = createEcho({
    maxBodyBytes: () => 20 * 1024 * 1024,
    async answer(request, reply) {
      reply.json(200, { size: (await request.body()).byteLength });
    },
  });
  const { call } = await setUp(context, [route]);
  const announced = await call("/echo", { method: "POST", body: "x".repeat(size) });
  assert.deepEqual(await announced.json(), { size });
  const stream = (bytes: number) =>
    new ReadableStream({
      start(controller) {
        for (let left = bytes; left > 0; left -= 65_536) controller.enqueue(Buffer.alloc(Math.min(left, 65_536), "x"));
        controller.close();
      },
    });
  const ask = (bytes: number) => call("/echo", { method: "POST", body: stream(bytes), duplex: "half" } as RequestInit);
  assert.deepEqual(await (await ask(8 * 1024 * 1024)).json(), { size: 8 * 1024 * 1024 });
  const refused = await ask(size);
  assert.equal(refused.status, 413);
  assert.match(await refused.text(), /Content-Length/u);
});

test("S25: bodies under way are bounded together, until their requests are answered; who comes then is told to wait", async (context) => {
  let inside = 0;
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { route } = createEcho({
    maxBodyBytes: () => 20 * 1024 * 1024,
    async answer(request, reply) {
      await request.body();
      inside += 1;
      if (request.query.has("hold")) await held;
      reply.json(200, {});
    },
  });
  const { call } = await setUp(context, [route]);
  const body = Buffer.alloc(20_000_000, "x");
  const first = [1, 2, 3].map(() => call("/echo?hold=1", { method: "POST", body }));
  while (inside < first.length) await new Promise((resolve) => setTimeout(resolve, 10));
  const refused = await call("/echo", { method: "POST", body });
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "2"]);
  assert.equal((await call("/echo", { method: "POST", body: "small" })).status, 200);
  letGo();
  assert.deepEqual(
    (await Promise.all(first)).map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal((await call("/echo", { method: "POST", body })).status, 200);
});

test("S25: a body that almost stops is told so, in the sender's own connection", async (context) => {
  const clock = createManualClock();
  const { route } = createEcho({ maxBodyBytes: () => 20_000_000 });
  const { kit } = await setUp(context, [route], { clock });
  const raw = connectTcp(kit.port, "127.0.0.1");
  raw.write(`POST /echo HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${secret}\r\ncontent-length: 9999\r\n\r\n`);
  const answered = once(raw, "data") as Promise<[Buffer]>;
  for (let count = 0; count < 3; count += 1) {
    raw.write("x".repeat(3_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(2_000);
  }
  // so far it kept its pace
  const early = await Promise.race([answered, new Promise((resolve) => setTimeout(() => resolve("none"), 50))]);
  assert.equal(early, "none");
  await clock.advance(5_000);
  const [answer] = await answered;
  assert.match(answer.toString(), /^HTTP\/1\.1 408 .*connection: close.*too_slow/isu);
  raw.destroy();
});

test("what is not JSON, or nests too deep, is told so; nothing at all is an empty object", async (context) => {
  const { route } = createEcho();
  const { call } = await setUp(context, [route]);
  for (const body of ["{", "nope", "[".repeat(100) + "]".repeat(100)])
    assert.deepEqual(await errorOf(await call("/echo", { method: "POST", body })), [400, "invalid_params"]);
  const empty = await call("/echo", { method: "POST" });
  assert.deepEqual(await empty.json(), { body: {} });
});

test("a Fault is the answer, in the route's own form where it has one; a bug is a number that the log knows", async (context) => {
  const form = createEcho({
    renderError: (fault) => ({ mine: fault.code }),
    answer: () => Promise.reject(new Fault("overloaded", "later", { retryAfterMs: 1_500 })),
  });
  const bug = createEcho({
    matches: (path) => path === "/bug",
    answer: () => Promise.reject(new Error("a secret detail")),
  });
  const { kit, call } = await setUp(context, [form.route, bug.route]);
  const later = await call("/echo", { method: "POST" });
  assert.deepEqual(
    [later.status, later.headers.get("retry-after"), await later.json()],
    [429, "2", { mine: "overloaded" }],
  );
  const broken = await call("/bug", { method: "POST" });
  const text = await broken.text();
  assert.equal(broken.status, 500);
  assert.doesNotMatch(text, /secret detail/u);
  const [reportId] = /[0-9a-f]{8}/u.exec(text) ?? [];
  assert.ok(reportId && kit.lines.some((line) => line.includes("a route broke") && line.includes(reportId)));
});

test("while the Gateway stops, looking goes on and changing waits", async (context) => {
  const { route } = createEcho({ methods: ["GET", "POST"] });
  const { call } = await setUp(context, [route], { isDraining: () => true });
  assert.equal((await call("/echo")).status, 200);
  const refused = await call("/echo", { method: "POST", body: "{}" });
  assert.deepEqual(await errorOf(refused), [503, "shutting_down"]);
});

test("a stream is sent as it is made, breaks off when its route breaks, and ends its work when its reader goes", async (context) => {
  let gone = false;
  const { route } = createEcho({
    methods: ["GET"],
    async answer(request, reply) {
      const stream = reply.stream(200, { "content-type": "text/plain" });
      await stream.write("first\n");
      if (request.query.has("break")) throw new Error("in the middle");
      if (!request.query.has("forever")) {
        stream.end();
        return;
      }
      while (await stream.write("x".repeat(100_000)));
      gone = request.signal.aborted;
    },
  });
  const { kit, call } = await setUp(context, [route]);
  assert.equal(await (await call("/echo")).text(), "first\n");
  await assert.rejects(async () => (await call("/echo?break=1")).text());
  const controller = new AbortController();
  const endless = await call("/echo?forever=1", { signal: controller.signal });
  await endless.body?.getReader().read();
  controller.abort();
  for (let count = 0; !gone && count < 200; count += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(gone, true);
  assert.equal((await call("/echo", { method: "HEAD" })).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${kit.port}/healthz`)).status, 200);
});

test("a client that asks first is told to go on only when its body will be read", async (context) => {
  const { route } = createEcho();
  const { kit } = await setUp(context, [route]);
  const ask = async (token: string) => {
    const raw = connectTcp(kit.port, "127.0.0.1");
    raw.write(
      `POST /echo HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n`,
    );
    const [first] = (await once(raw, "data")) as [Buffer];
    raw.destroy();
    return first.toString().split("\r\n")[0];
  };
  assert.equal(await ask(secret), "HTTP/1.1 100 Continue");
  assert.equal(await ask("wrong"), "HTTP/1.1 401 Unauthorized");
});

test("each answer is told once, with its route, for the figures", async (context) => {
  const answered: unknown[] = [];
  const { route } = createEcho();
  const { call } = await setUp(context, [route], {
    onAnswered: ({ route: name, status }) => answered.push([name, status]),
  });
  await (await call("/echo", { method: "POST", body: "{}" })).text();
  await (await call("/nope")).text();
  for (let count = 0; answered.length < 2 && count < 100; count += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(answered, [
    ["echo", 200],
    ["none", 404],
  ]);
});
