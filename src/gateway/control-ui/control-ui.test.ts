import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import type { Route } from "../../ports/route.ts";
import { openServerKit } from "../../../test/kit/gateway-server.ts";
import { createControlUiRoute, toBase } from "./route.ts";

async function setUp(
  context: TestContext,
  { basePath = "", isEnabled = true, root = "built", routes = [] as readonly Route[] } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "control-ui-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const route = createControlUiRoute({
    section: () => ({ enabled: isEnabled, allowedOrigins: [], basePath, root }),
    assistant: () => ({ agentId: "main", name: "Molly" }),
    product: "openclaw",
    folder,
    home: join(folder, "home"),
  });
  const kit = await openServerKit({ routes: [...routes, route] });
  context.after(() => kit.stop());
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${kit.port}${path}`, { redirect: "manual", ...init });
  const build = async () => {
    await mkdir(join(folder, "built", "assets"), { recursive: true });
    await writeFile(join(folder, "built", "index.html"), "<p>the page</p>");
    await writeFile(join(folder, "built", "favicon.svg"), "<svg/>");
    await writeFile(join(folder, "built", "assets", "index-BqW3kd_9.js"), "x".repeat(400_000));
    await writeFile(join(folder, "secret.txt"), "secret");
    await symlink("../secret.txt", join(folder, "built", "link.txt"));
  };
  return { folder, get, build };
}

test("without a built one, 503 with a page that says what to do; with one, its page, and the page again for each view", async (context) => {
  const { get, build } = await setUp(context);
  const none = await get("/");
  assert.deepEqual([none.status, none.headers.get("content-type")], [503, "text/html; charset=utf-8"]);
  assert.match(await none.text(), /dist\/control-ui.*gateway\.controlUi\.root/su);
  await build();
  for (const path of ["/", "/chat", "/sessions/agent:main:main", "/deep/folder/", "/index.html"]) {
    const page = await get(path);
    assert.deepEqual([page.status, await page.text()], [200, "<p>the page</p>"], path);
    assert.equal(page.headers.get("cache-control"), "no-cache");
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self';/u);
    assert.doesNotMatch(page.headers.get("content-security-policy") ?? "", /unsafe|\*/u);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  }
});

test("assets: what is named after its content stays for ever, what is missing or outside is 404", async (context) => {
  const { get, build } = await setUp(context);
  await build();
  const script = await get("/assets/index-BqW3kd_9.js?v=1");
  assert.equal(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.equal(script.headers.get("content-length"), "400000");
  assert.equal((await script.text()).length, 400_000);
  assert.equal((await get("/favicon.svg")).headers.get("content-type"), "image/svg+xml");
  const wrong =
    "/assets/none.js /link.txt /%2e%2e/secret.txt /..%2fsecret.txt /.env //index.html /%00.html /a%5c..%5cb /%zz";
  for (const path of wrong.split(" ")) assert.equal((await get(path)).status, 404, path);
});

test("who has a file already is told so, HEAD has no body, and what changes a thing is not there", async (context) => {
  const { get, build } = await setUp(context);
  await build();
  for (const path of ["/", "/assets/index-BqW3kd_9.js"]) {
    const etag = (await get(path)).headers.get("etag") ?? "";
    assert.match(etag, /^".+"$/u);
    for (const mark of [etag, `"other", W/${etag}`, "*"]) {
      const again = await get(path, { headers: { "if-none-match": mark } });
      assert.deepEqual([again.status, again.headers.get("content-length"), await again.text()], [304, null, ""], mark);
    }
    assert.equal((await get(path, { headers: { "if-none-match": '"other"' } })).status, 200);
    const head = await get(path, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("etag"), await head.text()], [200, etag, ""]);
  }
  const post = await get("/", { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await get("/chat", { method: "POST", body: "x" })).status, 404);
});

test("below a base path: the redirect keeps the query, and nothing above it is there", async (context) => {
  const { get, build } = await setUp(context, { basePath: "/panel/one/" });
  await build();
  const led = await get("/panel/one?session=a%20b&x=1");
  assert.deepEqual([led.status, led.headers.get("location")], [302, "/panel/one/?session=a+b&x=1"]);
  assert.equal((await get("/panel/one/chat")).status, 200);
  assert.equal((await get("/panel/one/chat", { method: "POST" })).status, 405);
  for (const path of ["/", "/panel", "/panel/onex", "/assets/index-BqW3kd_9.js"])
    assert.equal((await get(path)).status, 404, path);
  const begun = await get("/panel/one/bootstrap.json");
  assert.deepEqual(await begun.json(), {
    product: "openclaw",
    basePath: "/panel/one",
    assistant: { agentId: "main", name: "Molly" },
  });
  assert.equal(begun.headers.get("cache-control"), "no-store");
});

test("it takes no path of a program's interface, on or off, and is gone when it is switched off", async (context) => {
  const off: Route = {
    name: "off",
    matches: (path) => path === "/mine",
    example: () => "/mine",
    methods: ["GET"],
    access: "open",
    isEnabled: () => false,
    maxBodyBytes: () => 0,
    answer: async () => undefined,
  };
  const { get, build } = await setUp(context, { routes: [off] });
  await build();
  for (const path of ["/mine", "/v1/nope", "/tools/x", "/hooks", "/api/x", "/__openclaw__/canvas/", "/metrics"])
    assert.equal((await get(path)).status, 404, path);
  assert.deepEqual(await (await get("/healthz")).json(), { ok: true, status: "live" });
  const other = await setUp(context, { isEnabled: false });
  await other.build();
  for (const path of ["/", "/bootstrap.json"]) assert.equal((await other.get(path)).status, 404);
});

test("a base path is the same with slashes around it or without", () => {
  assert.deepEqual(["/", "", undefined, " ", "a/b", "//a/b//"].map(toBase), ["", "", "", "", "/a/b", "/a/b"]);
});

test("a root of the config may begin with ~, and lies in the state folder otherwise", async (context) => {
  for (const [root, where] of [
    ["~/pages", join("home", "pages")],
    ["pages", "pages"],
    ["~pages", "~pages"],
  ] as const) {
    const { folder, get } = await setUp(context, { root });
    await mkdir(join(folder, where), { recursive: true });
    await writeFile(join(folder, where, "index.html"), root);
    assert.equal(await (await get("/")).text(), root);
  }
});
