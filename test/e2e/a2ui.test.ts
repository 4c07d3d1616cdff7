// The agent's `canvas` tool on a real Gateway: what reaches the screen of a node, what reaches pages, and what is kept for later.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { WebSocket } from "ws";

import { createTestDevice } from "../kit/device.ts";
import { createGatewayProcess, freePort, launcher, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

let gateway: GatewayProcess;
let canvasPort = 0;
const clients: RawClient[] = [];
const root = () => join(gateway.folder, ".openclaw", "workspace", "canvas");
before(async () => {
  canvasPort = await freePort();
  gateway = await createGatewayProcess({
    env: { OPENCLAW_CANVAS_HOST_PORT: String(canvasPort) },
    config: { gateway: { mode: "local", nodes: { denyCommands: ["canvas.navigate"] } } },
  });
  await mkdir(root(), { recursive: true });
  await gateway.start();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
after(() => gateway?.dispose());

interface Answer {
  readonly status: number;
  /** Of the tool. */
  readonly details: Record<string, unknown>;
  readonly error: { readonly type: string; readonly message: string; readonly field?: string };
}

async function use(args: object, { sessionKey = "main", key = randomUUID() as string } = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/tools/invoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}`, "idempotency-key": key },
    body: JSON.stringify({ tool: "canvas", args, sessionKey }),
  });
  const body = (await response.json()) as { result?: { details: Record<string, unknown> }; error?: Answer["error"] };
  const none = { type: "", message: "" };
  return { status: response.status, details: body.result?.details ?? {}, error: body.error ?? none };
}

type Asked = { readonly command: string; readonly params: unknown };

/** A tablet that does whatever it is asked, and remembers it. */
async function joinTablet(name: string, answer: (command: string) => object = () => ({ ok: true })) {
  const device = createTestDevice();
  const client = await openRawClient(gateway.port, gateway.token);
  clients.push(client);
  const challenge = await client.wait((frame) => frame.event === "connect.challenge");
  const { nonce, ts } = challenge.payload as { nonce: string; ts: number };
  const canvas = ["present", "hide", "navigate", "eval", "snapshot", "a2ui.push", "a2ui.pushJSONL", "a2ui.reset"];
  const params = {
    minProtocol: 3,
    maxProtocol: 3,
    client: {
      id: "openclaw-ios",
      displayName: name,
      version: "1",
      platform: "iOS 18.2",
      deviceFamily: "iPad",
      mode: "node",
    },
    caps: ["canvas"],
    commands: canvas.map((command) => `canvas.${command}`),
    auth: { token: gateway.token },
    role: "node",
    scopes: [],
  };
  const hello = await client.request("connect", device.sign(params, { nonce, ts }));
  assert.equal(hello.ok, true, JSON.stringify(hello.error));
  const asked: Asked[] = [];
  client.socket.on("message", (data: Buffer) => {
    const { event, payload } = JSON.parse(data.toString("utf8")) as {
      event?: string;
      payload?: Record<string, string>;
    };
    if (event !== "node.invoke.request" || !payload) return;
    const { id, command = "", paramsJSON } = payload;
    asked.push({ command, params: paramsJSON === undefined ? undefined : JSON.parse(paramsJSON) });
    const said = answer(command);
    const isError = "code" in said;
    client.send({
      type: "req",
      id: randomUUID(),
      method: "node.invoke.result",
      params: {
        id,
        nodeId: device.id,
        ok: !isError,
        ...(isError ? { error: said } : { payloadJSON: JSON.stringify(said) }),
      },
    });
  });
  return { asked, canvasUrl: String(hello.payload?.["canvasHostUrl"]) };
}

async function openOwner(scopes: readonly string[] = ["operator.admin"]) {
  const client = await openRawClient(gateway.port, gateway.token);
  clients.push(client);
  const hello = await client.connect({ minProtocol: 3, maxProtocol: 3, scopes });
  return String(hello.payload?.["canvasHostUrl"]);
}

/** `fetch` would say itself what it reads for. */
function read(url: string, mode: "navigate" | "cors" | "unsaid"): Promise<string> {
  const place = mode === "cors" ? "empty" : "document";
  const headers = mode === "unsaid" ? {} : { "sec-fetch-mode": mode, "sec-fetch-dest": place };
  return new Promise((resolve, reject) => {
    const asked = get(url, { headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    asked.on("error", reject);
  });
}

/** The page as a browser opens it: its secret, and what its socket is told. */
async function openPage(base: string, session = "main") {
  const page = await read(`${base}/__openclaw__/a2ui/?session=${session}`, "navigate");
  const load = /data-load="(\w+)"/u.exec(page)?.[1];
  const socket = new WebSocket(`${base.replace("http", "ws")}/__openclaw__/a2ui/ws`, { origin: "null" });
  const told: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    told.push(JSON.parse(data.toString("utf8")) as Record<string, unknown>);
    for (const look of waiting) look();
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.send(JSON.stringify({ type: "hello", load, version: -1 }));
  const wait = (type: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const look = () => {
        const found = told.find((frame) => frame["type"] === type);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      socket.once("close", (code, reason) => reject(new Error(`closed: ${code} ${reason.toString()}`)));
      look();
    });
  return { load, socket, wait };
}

const surface = (id: string, text = "Hello") =>
  [
    {
      surfaceUpdate: {
        surfaceId: id,
        components: [{ id: "t", component: { Text: { text: { literalString: text } } } }],
      },
    },
    { beginRendering: { surfaceId: id, root: "t" } },
  ]
    .map((message) => JSON.stringify(message))
    .join("\n");

test("with no node and no page the agent is told what to do, and what it pushed is there later, also after a restart", async () => {
  for (const action of ["present", "hide", "eval", "snapshot"]) {
    const { status, error } = await use({ action, javaScript: "1" });
    assert.deepEqual([status, error.type], [502, "unreachable"], action);
    assert.match(error.message, /no connected node can do canvas\.\w+ \(tell the owner to open the app/u);
  }
  const pushed = await use({ action: "a2ui_push", jsonl: surface("one") }, { sessionKey: "later" });
  assert.equal(pushed.status, 200, pushed.error.message);
  const { next, ...rest } = pushed.details;
  assert.deepEqual(rest, { surfaces: ["one"], pages: 0, shown: false });
  assert.match(String(next), /`openclaw canvas open --session agent:main:later`/u);

  await gateway.stop("SIGKILL");
  await gateway.start();
  const page = await openPage(await openOwner(), "later");
  const state = await page.wait("state");
  assert.match(JSON.stringify(state["messages"]), /"surfaceId":"one".*"Hello"/u);
  const more = await use({ action: "a2ui_push", jsonl: surface("two") }, { sessionKey: "later" });
  assert.deepEqual(more.details, { surfaces: ["one", "two"], pages: 1 });
  assert.match(JSON.stringify(await page.wait("update")), /"surfaceId":"two"/u);
  const other = await openPage(await openOwner(), "main");
  assert.deepEqual((await other.wait("state"))["messages"], []);
  for (const { socket } of [page, other]) socket.close();
});

test("a push that is wrong shows nothing and says what is wrong", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      '{"version":"v0.9","createSurface":{"surfaceId":"s","catalogId":"c"}}',
      /v0\.9 or later \(createSurface\).*draws v0\.8/u,
    ],
    ["not json", /message 1 is not JSON/u],
    [surface("s").replace('"root":"t"', '"root":"gone"'), /"gone", which is no component/u],
  ];
  for (const [jsonl, message] of cases) {
    const { status, error } = await use({ action: "a2ui_push", jsonl }, { sessionKey: "wrong" });
    assert.deepEqual([status, error.type, error.field], [400, "invalid_params", "jsonl"]);
    assert.match(error.message, message);
  }
  const page = await openPage(await openOwner(), "wrong");
  const { version, messages } = await page.wait("state");
  assert.deepEqual([version, messages], [0, []]);
  page.socket.close();
});

test("a node with a canvas does what the tool says, as the policy allows, and shows what is pushed", async () => {
  const picture = Buffer.from("a picture, as far as anybody here knows");
  const { asked } = await joinTablet("Kitchen", (command) => {
    if (command === "canvas.snapshot") return { format: "png", base64: picture.toString("base64") };
    return command === "canvas.eval" ? { result: "42" } : { ok: true };
  });
  assert.deepEqual((await use({ action: "present", url: "/hello.html", x: 1, width: 300 })).details, {
    node: "Kitchen",
    result: { ok: true },
  });
  assert.deepEqual((await use({ action: "eval", javaScript: "6 * 7", node: "kitchen" })).details["result"], {
    result: "42",
  });
  await use({ action: "hide" });
  const snapshot = await use({ action: "snapshot", outputFormat: "png", maxWidth: 800 });
  assert.deepEqual(await readFile(join(root(), String(snapshot.details["file"]))), picture);
  const key = randomUUID();
  for (const _ of [1, 2])
    assert.equal((await use({ action: "a2ui_push", jsonl: surface("s") }, { key })).details["node"], "Kitchen");
  await use({ action: "a2ui_reset" });
  assert.deepEqual(asked, [
    { command: "canvas.present", params: { url: "/hello.html", placement: { x: 1, width: 300 } } },
    { command: "canvas.eval", params: { javaScript: "6 * 7" } },
    { command: "canvas.hide", params: undefined },
    { command: "canvas.snapshot", params: { format: "png", maxWidth: 800 } },
    { command: "canvas.a2ui.pushJSONL", params: { jsonl: surface("s") } },
    { command: "canvas.a2ui.reset", params: undefined },
  ]);
  const denied = await use({ action: "navigate", url: "https://example.com/" });
  assert.match(denied.error.message, /no connected node can do canvas\.navigate/u);
  for (const url of ["javascript:alert(1)", "file:///etc/passwd", "//evil.example/", "data:text/html,x"])
    assert.match((await use({ action: "present", url })).error.message, /no address that can be shown/u, url);
  assert.equal(asked.length, 6);
});

test("of several nodes one is named, and what a node cannot do is told", async () => {
  const kitchen = await joinTablet("Kitchen", () => ({
    code: "NODE_BACKGROUND_UNAVAILABLE",
    message: "bring me to the front",
  }));
  const hall = await joinTablet("Hall");
  const unclear = await use({ action: "present" });
  assert.match(unclear.error.message, /several nodes can do canvas\.present: .*Kitchen.*name one of them/su);
  assert.match((await use({ action: "present", node: "Attic" })).error.message, /of that name.*these can: /u);
  assert.equal((await use({ action: "present", node: "Hall" })).status, 200);
  const failed = await use({ action: "present", node: "Kitchen" });
  assert.deepEqual([failed.error.type, failed.error.message], ["node_failed", "bring me to the front"]);
  // kept for pages all the same
  const pushed = await use({ action: "a2ui_push", jsonl: surface("s"), node: "Kitchen" });
  assert.deepEqual(
    [pushed.details["surfaces"], pushed.details["nodeTrouble"]],
    [["s"], "Kitchen: bring me to the front"],
  );
  assert.deepEqual([kitchen.asked.length, hall.asked.length], [2, 1]);
});

test("S17: only an operator's address opens a session's page: not a node's, not without one, not for a script; who may read presses nothing", async () => {
  const { canvasUrl } = await joinTablet("Kitchen");
  const stranger = await openPage(canvasUrl);
  assert.equal(stranger.load, undefined);
  await assert.rejects(stranger.wait("state"), /closed: 1008/u);
  const url = await openOwner(["operator.read"]);
  assert.match(await read(`${url}/__openclaw__/a2ui/`, "navigate"), /data-load/u);
  assert.doesNotMatch(await read(`${url}/__openclaw__/a2ui/`, "cors"), /data-load/u);
  // a browser says nothing over plain HTTP from another machine; there a page of the canvas's own port could read it
  const ownPort = url.replace(`:${gateway.port}/`, `:${canvasPort}/`);
  assert.match(await read(`${url}/__openclaw__/a2ui/`, "unsaid"), /data-load/u);
  assert.doesNotMatch(await read(`${ownPort}/__openclaw__/a2ui/`, "unsaid"), /data-load/u);
  assert.match(await read(`${ownPort}/__openclaw__/a2ui/`, "navigate"), /data-load/u);
  const foreign = new WebSocket(`${url.replace("http", "ws")}/__openclaw__/a2ui/ws`, {
    origin: "https://evil.example",
  });
  const [refusal] = (await new Promise((resolve) => foreign.once("error", (...error) => resolve(error)))) as [Error];
  assert.match(refusal.message, /403/u);

  const jsonl = [
    {
      surfaceUpdate: {
        surfaceId: "s",
        components: [
          { id: "go", component: { Button: { child: "label", action: { name: "erase" } } } },
          { id: "label", component: { Text: { text: { literalString: "Go" } } } },
        ],
      },
    },
    { beginRendering: { surfaceId: "s", root: "go" } },
  ]
    .map((message) => JSON.stringify(message))
    .join("\n");
  await use({ action: "a2ui_push", jsonl }, { sessionKey: "read" });
  const page = await openPage(url, "read");
  assert.equal((await page.wait("state"))["mayAct"], false);
  const userAction = { name: "erase", surfaceId: "s", sourceComponentId: "go", timestamp: "now", context: {} };
  page.socket.send(JSON.stringify({ type: "action", id: "12345678", userAction }));
  const { ok, error } = await page.wait("result");
  assert.equal(ok, false);
  assert.match(String(error), /looked at and not used/u);
  page.socket.close();
});

test("canvas open prints a page's address that works until the command ends", async (context) => {
  await use({ action: "a2ui_push", jsonl: surface("typed") }, { sessionKey: "typed" });
  const args = ["canvas", "open", "--session", "typed", "--no-open", "--json"];
  const child = spawn(process.execPath, [launcher, ...args], {
    env: gateway.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  const { url, opened } = JSON.parse(chunk.toString("utf8")) as { url: string; opened: boolean };
  assert.equal(opened, false);
  const base = url.replace("/__openclaw__/a2ui/?session=typed", "");
  const page = await openPage(base, "typed");
  assert.match(JSON.stringify(await page.wait("state")), /"surfaceId":"typed"/u);
  assert.match(await read(url, "navigate"), /data-load/u);
  const closed = once(page.socket, "close");
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [0, null]);
  await closed;
  // a page that comes back is told that it is over, rather than left to try for ever
  await assert.rejects((await openPage(base, "typed")).wait("state"), /closed: 1008/u);
  assert.doesNotMatch(await read(url, "navigate"), /data-load/u);
});

test("a page that is sent away and speaks garbage then disturbs nobody", async () => {
  for (const port of [gateway.port, canvasPort]) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const path = `/__openclaw__/cap/${"0".repeat(64)}/__openclaw__/a2ui/ws`;
    const head = ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"];
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    socket.write([`GET ${path} HTTP/1.1`, `host: 127.0.0.1:${port}`, ...head, key, "", ""].join("\r\n"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /u);
    socket.write(Buffer.alloc(4_096, 0xff));
    await once(socket, "close");
  }
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/healthz`)).status, 200);
});
