// The canvas of a real Gateway, on its own port and on the Gateway's: who may read it, and what happens when its port is taken.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { WebSocket } from "ws";

import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient } from "../kit/raw-client.ts";

async function setUp(
  context: TestContext,
  options: { config?: object; env?: NodeJS.ProcessEnv; hasWorkspace?: boolean } = {},
) {
  const canvasPort = await freePort();
  const gateway = await createGatewayProcess({
    ...options,
    env: { OPENCLAW_CANVAS_HOST_PORT: String(canvasPort), ...options.env },
  });
  context.after(() => gateway.dispose());
  if (options.hasWorkspace !== false) await mkdir(join(gateway.folder, ".openclaw", "workspace"), { recursive: true });
  await gateway.start();
  await waitFor(async () => /canvas on port/u.test(gateway.output()) || isQuiet(gateway));
  return { gateway, canvasPort, root: join(gateway.folder, ".openclaw", "workspace", "canvas") };
}

/** It starts after the channels; a Gateway that answers health has had time for it. */
async function isQuiet(gateway: GatewayProcess): Promise<boolean> {
  const { code } = await gateway.cli("health", "--json");
  return code === 0;
}

async function waitFor(check: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < 200; count += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail("it did not come");
}

interface Asked {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** As it stands: `fetch` would mend the path and forbid some headers. */
function ask(port: number, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, method, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function capabilityOf(gateway: GatewayProcess, context: TestContext) {
  const client = await openRawClient(gateway.port, gateway.token);
  context.after(() => client.close());
  const hello = await client.connect({ minProtocol: 3, maxProtocol: 3 });
  const url = hello.payload?.["canvasHostUrl"];
  assert.ok(typeof url === "string", JSON.stringify(hello).slice(0, 300));
  return { client, prefix: new URL(url).pathname, url };
}

for (const [root, place] of [
  ["pages", ["state", "pages"]],
  ["~/pages", ["pages"]],
] as const) {
  test(`a root of ${root} is looked for where its owner means it, wherever the Gateway was started`, async (context) => {
    const { gateway, canvasPort } = await setUp(context, { config: { canvasHost: { root } } });
    const folder = join(gateway.folder, ...place);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "hello.html"), "<p>here it is</p>");
    const { status, text } = await ask(canvasPort, "/__openclaw__/canvas/hello.html");
    assert.equal(status, 200);
    assert.match(text, /here it is/u);
  });
}

test("without a workspace the first page is served all the same, and no folder is made for it", async (context) => {
  const { gateway, canvasPort, root } = await setUp(context, { hasWorkspace: false });
  for (const path of ["/__openclaw__/canvas/", "/__openclaw__/canvas/index.html"])
    assert.equal((await ask(canvasPort, path)).status, path.endsWith("/") ? 200 : 404);
  assert.ok(!(await readdir(gateway.folder)).includes(".openclaw"));
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "notes.txt"), "x");
  const page = await ask(canvasPort, "/__openclaw__/canvas/");
  assert.equal(page.status, 404);
  assert.match(page.text, /Create <code>index\.html<\/code>/u);
});

test("RB-17, OV-29: the canvas is on its own port under all its names, with a first page, folders, kinds of files and reading only", async (context) => {
  const { gateway, canvasPort, root } = await setUp(context);
  for (const name of ["__openclaw__", "__moltbot__", "__clawdbot__"]) {
    const page = await ask(canvasPort, `/${name}/canvas/`);
    assert.equal(page.status, 200);
    assert.match(page.text, /<h1>Canvas<\/h1>/u);
    assert.match(page.text, /<script src="\/__openclaw__\/live\.js" defer><\/script>/u);
  }
  assert.match(await readFile(join(root, "index.html"), "utf8"), /Canvas/u);
  await writeFile(join(root, "data.json"), '{"a":1}');
  const data = await ask(canvasPort, "/__openclaw__/canvas/data.json");
  assert.deepEqual([data.text, data.headers["content-type"]], ['{"a":1}', "application/json; charset=utf-8"]);
  assert.deepEqual(
    [data.headers["x-content-type-options"], data.headers["cross-origin-resource-policy"]],
    ["nosniff", "same-origin"],
  );
  assert.match(String(data.headers["content-security-policy"]), /^sandbox .*default-src 'self'/u);
  const moved = await ask(canvasPort, "/__openclaw__/canvas");
  assert.deepEqual([moved.status, moved.headers["location"]], [308, "/__openclaw__/canvas/"]);
  assert.equal((await ask(canvasPort, "/__openclaw__/canvas/", {}, "HEAD")).text, "");
  const post = await ask(canvasPort, "/__openclaw__/canvas/", {}, "POST");
  assert.deepEqual([post.status, post.headers["allow"]], [405, "GET, HEAD"]);
  assert.equal((await ask(canvasPort, "/__openclaw__/ws")).status, 426);
  for (const path of [
    "/",
    "/healthz",
    "/v1/models",
    "/__openclaw__/canvas/none",
    "/__openclaw__/canvas/../../openclaw.json",
    "/__openclaw__/canvas/%2e%2e/AGENTS.md",
  ])
    assert.equal((await ask(canvasPort, path)).status, 404, path);
  await writeFile(join(root, "index.html"), "<p>mine");
  assert.match((await ask(canvasPort, "/__openclaw__/canvas/")).text, /<p>mine\n<script/u);
  const { code, stdout } = await gateway.cli("health", "--json");
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /canvas:/u);
});

test("RB-13: A2UI is on the canvas's port and on the Gateway's, under all names, with what it loads beside it", async (context) => {
  const { gateway, canvasPort } = await setUp(context);
  const { prefix } = await capabilityOf(gateway, context);
  const places = [`${canvasPort}`, `${canvasPort}${prefix}`, `${gateway.port}${prefix}`];
  for (const [index, place] of places.entries())
    for (const name of ["__openclaw__", "__moltbot__", "__clawdbot__"]) {
      const [port = "", ...rest] = place.split("/");
      const base = [["", ...rest].join("/"), name, "a2ui"].join("/").replace("//", "/");
      const moved = await ask(Number(port), base);
      assert.deepEqual([moved.status, moved.headers["location"]], [308, `${base}/`]);
      const page = await ask(Number(port), `${base}/`);
      assert.match(page.text, /<script src="a2ui\.js" defer>/u);
      const policy = String(page.headers["content-security-policy"]);
      assert.match(policy, /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/u);
      assert.equal(policy.includes("allow-same-origin"), index === 0);
      const script = await ask(Number(port), `${base}/a2ui.js`);
      assert.deepEqual([script.status, script.headers["content-type"]], [200, "text/javascript; charset=utf-8"]);
      assert.match(String((await ask(Number(port), `${base}/a2ui.css`)).headers["content-type"]), /^text\/css/u);
      assert.equal((await ask(Number(port), `${base}/ws`)).status, 426);
      for (const none of ["other.js", "a2ui.js/", "..%2fcli.js", "%2e%2e/cli.js", "../cli.js"])
        assert.equal((await ask(Number(port), `${base}/${none}`)).status, 404, none);
    }
  assert.equal((await ask(gateway.port, "/__openclaw__/a2ui/")).status, 401);
  assert.equal((await ask(gateway.port, `/__openclaw__/cap/${"0".repeat(64)}/__openclaw__/a2ui/`)).status, 404);
});

test("S16: on the Gateway's port, and for whoever speaks for somebody elsewhere, nothing but a session's path or the secret lets in", async (context) => {
  const { gateway, canvasPort } = await setUp(context);
  const page = "/__openclaw__/canvas/";
  const { client, prefix } = await capabilityOf(gateway, context);
  // another client at the same address has an open connection, and that lets nobody in
  const forwarded = { "x-forwarded-for": "203.0.113.9" };
  assert.equal((await ask(gateway.port, page)).status, 401);
  assert.equal((await ask(gateway.port, page, forwarded)).status, 401);
  assert.equal((await ask(canvasPort, page, forwarded)).status, 401);
  for (const port of [gateway.port, canvasPort]) {
    const bearer = { authorization: `Bearer ${gateway.token}`, ...forwarded };
    assert.equal((await ask(port, page, bearer)).status, 200);
    assert.equal((await ask(port, page, { ...forwarded, authorization: "Bearer wrong" })).status, 401);
    const mine = await ask(port, `${prefix}${page}`, forwarded);
    assert.equal(mine.status, 200);
    assert.ok(mine.text.includes(`src="${prefix}/__openclaw__/live.js"`));
    assert.equal((await ask(port, `${prefix.slice(0, -1)}x${page}`, forwarded)).status, 404);
    assert.equal((await ask(port, `/__openclaw__/cap/${"0".repeat(64)}${page}`, forwarded)).status, 404);
  }
  const sandboxed = await ask(gateway.port, `${prefix}${page}`, { origin: "null" });
  assert.equal(sandboxed.headers["access-control-allow-origin"], "null");
  assert.doesNotMatch(String(sandboxed.headers["content-security-policy"]), /allow-same-origin/u);
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${prefix}/__openclaw__/ws`, { origin: "null" });
  await once(socket, "open");
  const closed = once(socket, "close");
  client.close();
  await closed;
  assert.equal((await ask(gateway.port, `${prefix}${page}`)).status, 404);
});

test("a page of another origin, a frame and a rebound name get nothing; a link from elsewhere is followed", async (context) => {
  const { gateway, canvasPort } = await setUp(context);
  const page = "/__openclaw__/canvas/";
  const browser = { "user-agent": "Mozilla/5.0" };
  const own = `http://127.0.0.1:${canvasPort}`;
  const refused: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://127.0.0.1:${gateway.port}` },
    { ...browser, host: "evil.example" },
    { ...browser, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    { ...browser, "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  ];
  for (const headers of refused) {
    assert.equal((await ask(canvasPort, page, headers)).status, 403, JSON.stringify(headers));
    const socket = new WebSocket(`ws://127.0.0.1:${canvasPort}/__openclaw__/ws`, { headers });
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /403/u);
  }
  const led = {
    ...browser,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  assert.equal((await ask(canvasPort, page, led)).status, 200);
  assert.equal((await ask(canvasPort, page, { origin: own, "sec-fetch-site": "same-origin" })).status, 200);
  const plain = new WebSocket(`ws://127.0.0.1:${gateway.port}/__openclaw__/ws`);
  assert.match(((await once(plain, "error")) as [Error])[0].message, /403/u);
});

test("RB-51: a canvas port that somebody else has stops nothing: health says so, and the Gateway's port still has the canvas", async (context) => {
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  context.after(() => new Promise((resolve) => stranger.close(resolve)));
  const address = stranger.address();
  assert.ok(typeof address === "object" && address !== null);
  const { gateway } = await setUp(context, { env: { OPENCLAW_CANVAS_HOST_PORT: String(address.port) } });
  await waitFor(async () => {
    const { code, stdout } = await gateway.cli("health", "--json");
    return code === 0 && stdout.includes(`canvas: port ${address.port} is in use`);
  });
  const { prefix } = await capabilityOf(gateway, context);
  assert.equal((await ask(gateway.port, `${prefix}/__openclaw__/canvas/`)).status, 200);
});

test("RB-18: the canvas is switched off by the environment and by the config", async (context) => {
  const settings = [{ env: { OPENCLAW_SKIP_CANVAS_HOST: "1" } }, { config: { canvasHost: { enabled: false } } }];
  for (const setting of settings) {
    const { gateway, canvasPort } = await setUp(context, setting);
    await assert.rejects(ask(canvasPort, "/__openclaw__/canvas/"));
    const bearer = { authorization: `Bearer ${gateway.token}` };
    assert.equal((await ask(gateway.port, "/__openclaw__/canvas/", bearer)).status, 404);
    const client = await openRawClient(gateway.port, gateway.token);
    const hello = await client.connect({ minProtocol: 3, maxProtocol: 3 });
    client.close();
    assert.equal(hello.payload?.["canvasHostUrl"], undefined);
  }
});
