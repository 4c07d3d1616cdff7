// Every path of the port, taken from the code, against real Gateways: one where all is on, one where all is off, one in safe mode, and one
// that stops. What each must refuse it refuses in its own form, whoever added it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { systemClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { createCanvas, type CanvasDependencies } from "../../src/canvas/canvas.ts";
import { createPages, createRoutes, type PageParts, type RouteParts } from "../../src/gateway/routes.ts";
import { readHooks } from "../../src/hooks/section.ts";
import type { Route } from "../../src/ports/route.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { openServerKit, secret } from "../kit/gateway-server.ts";
import { askHttp, type Answered } from "../kit/raw-http.ts";

const hooks = { enabled: true, token: "a-token-of-the-hooks-alone" };
const endpoints = { chatCompletions: { enabled: true }, responses: { enabled: true } };
const allOn = { gateway: { mode: "local", http: { endpoints } }, hooks };
const allOff = {
  gateway: { mode: "local", controlUi: { enabled: false } },
  canvasHost: { enabled: false },
};
/** What a stranger may ask, and nothing else. */
const open = ["live", "ready", "canvas-capability", "control-ui"];
/** What nobody can switch off. */
const always = ["live", "ready", "metrics", "tools-invoke"];

/** The list of the code, in which no room is behind a route: what is refused never gets there. */
function listRoutes(): readonly Route[] {
  const nothing: unknown = new Proxy({}, { get: () => undefined });
  // only what a route is judged by is real
  const pages = createPages(nothing as PageParts);
  const canvas = createCanvas({
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    root: () => "",
    isEnabled: () => true,
    isLive: () => false,
  } as CanvasDependencies);
  const clock = systemClock;
  const parts = {
    pages,
    canvas,
    openAi: { clock, config: () => ({ endpoints }) },
    hooks: { clock, state: () => readHooks(hooks, "") },
    tools: {},
    controlUi: { section: () => ({ enabled: true, allowedOrigins: [] }) },
  };
  return createRoutes(parts as unknown as RouteParts);
}
const routes = listRoutes();

let on: GatewayProcess;
let off: GatewayProcess;
let safe: GatewayProcess;
before(async () => {
  [on, off, safe] = await Promise.all([
    startGatewayProcess({ config: allOn }),
    startGatewayProcess({ config: allOff }),
    startGatewayProcess({ config: { gateway: { mode: "local", prot: 1 } } }),
  ]);
});
after(() => Promise.all([on, off, safe].map((gateway) => gateway?.dispose())));

const urlOf = ({ port }: { port: number }, { example }: Route) => `http://127.0.0.1:${port}${example()}`;
const isOpen = ({ access }: Route) => access === "open" || ("scope" in access && access.isOptional === true);
const credential = ({ access }: Route, token: string) => ({
  authorization: `Bearer ${access !== "open" && "isToken" in access ? hooks.token : token}`,
});
const firstMethod = ({ methods }: Route) => methods[0] ?? "GET";

/** Headers that every answer has, and none that would open it to other pages. */
function checkHeaders(name: string, { headers }: Answered): void {
  assert.equal(headers["x-content-type-options"], "nosniff", name);
  assert.ok(headers["content-security-policy"], name);
  assert.ok(headers["referrer-policy"], name);
  for (const header of Object.keys(headers)) assert.doesNotMatch(header, /^access-control-/u, name);
}

/** An error as the route's clients read it. */
function checkRefusal({ name, renderError }: Route, answer: Answered, status: number): void {
  assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`);
  checkHeaders(name, answer);
  const body = JSON.parse(answer.text) as { ok?: boolean; error: Record<string, unknown> };
  assert.equal(typeof body.error["message"], "string", name);
  assert.equal(typeof body.error["type"], "string", name);
  assert.equal("param" in body.error && "code" in body.error, renderError !== undefined, answer.text);
  assert.equal(body.ok, renderError === undefined ? false : undefined, name);
}

test("each route says where it is found, and is found there", () => {
  assert.ok(routes.length >= 12);
  for (const route of routes) {
    const owner = routes.find(({ matches }) => matches(route.example(), firstMethod(route)));
    assert.equal(owner?.name, route.name);
  }
});

test("without a credential nobody gets anywhere, but for the pages that are open", async () => {
  assert.deepEqual(
    routes.filter(isOpen).map(({ name }) => name),
    open,
  );
  for (const route of routes) {
    for (const authorization of [undefined, "Bearer", "Basic dGVzdDp0ZXN0"]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await askHttp(urlOf(on, route), { method: firstMethod(route), headers });
      if (isOpen(route)) {
        assert.notEqual(answer.status, 401, route.name);
        checkHeaders(route.name, answer);
      } else {
        checkRefusal(route, answer, 401);
        assert.equal(answer.headers["www-authenticate"], "Bearer");
      }
    }
  }
});

test("another method is refused with those that there are, whoever asks", async () => {
  for (const route of routes) {
    const known = new Set<string>(route.methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])));
    const wrong = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"].filter(
      (method) => !known.has(method),
    );
    for (const method of wrong)
      for (const headers of [{}, credential(route, on.token)]) {
        const answer = await askHttp(urlOf(on, route), { method, headers });
        assert.equal(answer.status, 405, `${method} ${route.name}`);
        assert.deepEqual(new Set(answer.headers.allow?.split(", ")), known, route.name);
        checkHeaders(route.name, answer);
      }
  }
});

test("what is switched off is not there, for who holds the secret either", async () => {
  for (const route of routes) {
    const answer = await askHttp(urlOf(off, route), {
      method: firstMethod(route),
      headers: credential(route, off.token),
    });
    if (always.includes(route.name)) assert.notEqual(answer.status, 404, route.name);
    else assert.equal(answer.status, 404, route.name);
    checkHeaders(route.name, answer);
  }
});

test("a body that is too large is refused before it comes, and while it comes", async () => {
  for (const route of routes) {
    const method = firstMethod(route);
    const headers = credential(route, on.token);
    const limit = route.maxBodyBytes();
    const announced = await askHttp(urlOf(on, route), { method, headers: { ...headers, "content-length": limit + 1 } });
    checkRefusal(route, announced, 413);
    assert.equal(announced.headers.connection, "close", route.name);
    if (limit === 0) continue;
    const body = Buffer.alloc(Math.min(limit, 8 * 1024 * 1024) + 1, "x");
    const chunked = await askHttp(urlOf(on, route), {
      method,
      headers: { ...headers, "transfer-encoding": "chunked" },
      body,
    });
    checkRefusal(route, chunked, 413);
  }
});

test("a body that is not JSON is told so, whatever it is said to be; JSON is taken, whatever it is said to be", async () => {
  for (const route of routes.filter(({ methods }) => methods.includes("POST"))) {
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded", "a/b; charset=utf-16"]) {
      const headers = { ...credential(route, on.token), "content-type": type };
      for (const body of ["{", "a=b", "\uFEFF{}", "[".repeat(1_000)])
        checkRefusal(route, await askHttp(urlOf(on, route), { method: "POST", headers, body }), 400);
      const { text } = await askHttp(urlOf(on, route), { method: "POST", headers, body: "{}" });
      assert.doesNotMatch(text, /JSON/u, `${route.name} ${type}`);
    }
  }
});

test("pages of elsewhere get nothing, and are not told that they might", async () => {
  const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
  for (const route of routes) {
    for (const origin of ["https://evil.example", "null"])
      for (const method of [firstMethod(route), "OPTIONS"]) {
        const headers = { ...credential(route, on.token), ...preflight, origin };
        const answer = await askHttp(urlOf(on, route), { method, headers });
        assert.equal(answer.status, 403, `${method} ${route.name}`);
        checkHeaders(route.name, answer);
      }
    const own = { origin: `http://127.0.0.1:${on.port}` };
    const answer = await askHttp(urlOf(on, route), { method: "OPTIONS", headers: { ...own, ...preflight } });
    assert.equal(answer.status, 405, route.name);
    checkHeaders(route.name, answer);
  }
});

test("while it stops, what changes something is told to come again", async (context) => {
  const kit = await openServerKit({ routes: routes.slice(1), isDraining: () => true });
  context.after(() => kit.stop());
  for (const route of routes.filter(({ methods }) => methods.includes("POST"))) {
    const headers = credential(route, secret);
    const answer = await askHttp(urlOf(kit, route), { method: "POST", headers, body: "{}" });
    checkRefusal(route, answer, 503);
    assert.ok(Number(answer.headers["retry-after"]) > 0, route.name);
    assert.equal((await askHttp(urlOf(kit, route), { method: "POST", body: "{}" })).status, 401, route.name);
  }
});

test("in safe mode the pages about the Gateway answer, and interfaces of programs say that it will come back", async () => {
  for (const route of routes) {
    const method = firstMethod(route);
    const answer = await askHttp(urlOf(safe, route), { method, headers: credential(route, safe.token) });
    checkHeaders(route.name, answer);
    const isPage = ["live", "ready", "metrics"].includes(route.name);
    if (isPage) assert.equal(answer.status, route.name === "ready" ? 503 : 200, route.name);
    else if (route.access === "open" || "isToken" in route.access) assert.equal(answer.status, 404, route.name);
    else {
      checkRefusal(route, answer, 503);
      assert.match(answer.text, /safe mode/u);
      checkRefusal(route, await askHttp(urlOf(safe, route), { method }), 401);
    }
  }
});
