// A real browser with a page of somebody else's: whatever it tries against the Gateway on this machine has no effect, and it reads no
// answer (S2, T39). The Gateway's own pages, and those that the config lists, work.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { WebSocketServer } from "ws";

import { findChromium, openChromium, type Browser, type Page } from "../kit/chromium.ts";
import { startGatewayProcess, type GatewayProcess } from "../kit/gateway-process.ts";
import { connectParams, openRawClient, type RawClient } from "../kit/raw-client.ts";

const chromium = findChromium();
const options = "reason" in chromium ? { skip: chromium.reason } : {};
const reboundHost = "rebound.attacker.test";
const listedOrigin = "http://localhost:4321";

let browser: Browser;
let gateway: GatewayProcess;
let witness: RawClient;
before(async () => {
  if ("reason" in chromium) return;
  gateway = await startGatewayProcess({
    config: { gateway: { mode: "local", controlUi: { allowedOrigins: [listedOrigin] } } },
  });
  browser = await openChromium(chromium.path, [reboundHost, "attacker.test"]);
  witness = await openRawClient(gateway.port, gateway.token);
  assert.equal((await witness.connect()).ok, true);
});
after(async () => {
  witness?.close();
  await browser?.close();
  await gateway?.dispose();
});

/** Opens a WebSocket, connects with the token, posts a note that presence would show. All frames that the page could read. */
const overWebSocket = (url: string, token: string | undefined) => `
  const frames = [];
  let isOpen = false;
  await new Promise((resolve) => {
    let socket;
    try {
      socket = new WebSocket(${JSON.stringify(url)});
    } catch (error) {
      // an https page may not even try where the name is not this machine's
      return resolve();
    }
    socket.onopen = () => {
      isOpen = true;
      const params = ${JSON.stringify(connectParams("", { auth: token === undefined ? undefined : { token } }))};
      socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
      socket.send(JSON.stringify({ type: "req", id: "2", method: "system-event", params: { text: "a page was here" } }));
    };
    socket.onmessage = ({ data }) => {
      frames.push(JSON.parse(data));
      if (frames.some(({ id }) => id === "2")) socket.close();
    };
    socket.onclose = resolve;
    socket.onerror = resolve;
    setTimeout(resolve, 3000);
  });
  return { isOpen, frames };`;

/** Every way of a page to send a request over HTTP; what it could read of the answers. */
const overHttp = (base: string, token: string) => `
  const read = [];
  const attempt = async (name, action) => {
    try {
      const answer = await action();
      if (answer !== undefined) read.push({ name, status: answer.status, text: (await answer.text()).slice(0, 300) });
    } catch (error) {}
  };
  const body = JSON.stringify({ type: "req", id: "1", method: "system-event", params: { text: "a page was here" } });
  const paths = ["/", "/healthz", "/api/system-event", "/v1/chat/completions", "/tools/invoke", "/hooks/wake"];
  await Promise.all(paths.map(async (path) => {
    const url = ${JSON.stringify(base)} + path;
    const authorization = "Bearer " + ${JSON.stringify(token)};
    await attempt("GET " + path, () => fetch(url));
    await attempt("GET with token " + path, () => fetch(url, { headers: { authorization } }));
    await attempt("POST " + path, () => fetch(url, { method: "POST", body }));
    await attempt("POST json " + path, () => fetch(url, { method: "POST", body, headers: { "content-type": "application/json", authorization } }));
    await attempt("no-cors " + path, async () => void (await fetch(url, { method: "POST", body, mode: "no-cors", credentials: "include" })));
    navigator.sendBeacon(url, body);
    const frame = document.createElement("iframe");
    frame.name = "target" + path;
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: url, enctype: "text/plain", target: frame.name });
    const input = document.createElement("input");
    Object.assign(input, { name: body.slice(0, -1) + ',"x":"', value: '"}' });
    form.append(input);
    document.body.append(form);
    const loaded = new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 1000); });
    form.submit();
    await loaded;
    try {
      const text = frame.contentDocument?.body?.innerText ?? "";
      if (text !== "" && frame.contentWindow.location.href !== "about:blank") read.push({ name: "form " + path, text });
    } catch (error) {}
    const image = new Image();
    await new Promise((resolve) => { image.onload = resolve; image.onerror = resolve; image.src = url; });
    const events = new EventSource(url);
    await new Promise((resolve) => { events.onopen = () => { read.push({ name: "events " + path }); resolve(); }; events.onerror = resolve; });
    events.close();
  }));
  return read;`;

interface Read {
  readonly name: string;
  readonly status?: number;
  readonly text?: string;
}

/** Nobody new is there, and no note of a page. */
async function assertNoEffect(): Promise<void> {
  const { payload } = await witness.request("system-presence");
  const rows = payload as unknown as { text?: string; reason?: string }[];
  assert.ok(!JSON.stringify(rows).includes("a page was here"));
  assert.equal(rows.filter(({ reason }) => reason === "connect").length, 1, "the witness alone is connected");
}

async function tryWebSocket(page: Page, url: string, token: string | undefined) {
  return (await page.run(overWebSocket(url, token))) as { isOpen: boolean; frames: Record<string, unknown>[] };
}

test("a foreign page gets nowhere: not with the right token, not with a guess, not with none", options, async () => {
  const origins = [
    "http://localhost:4322",
    "http://127.0.0.1:4322",
    "http://attacker.test",
    "https://attacker.test",
    `http://${reboundHost}:${gateway.port}`,
    "null",
  ];
  for (const origin of origins) {
    const page = await browser.openPage(origin);
    for (const host of ["127.0.0.1", "localhost", reboundHost])
      for (const token of [gateway.token, "guess", undefined]) {
        const { isOpen, frames } = await tryWebSocket(page, `ws://${host}:${gateway.port}`, token);
        assert.deepEqual({ isOpen, frames }, { isOpen: false, frames: [] }, `${origin} to ${host}`);
      }
    await assertNoEffect();
  }
});

test("nor over HTTP: no effect, and no answer that it could read", options, async () => {
  for (const origin of ["http://localhost:4322", "http://attacker.test", "null"]) {
    const page = await browser.openPage(origin);
    for (const host of ["127.0.0.1", reboundHost])
      assert.deepEqual(
        await page.run(overHttp(`http://${host}:${gateway.port}`, gateway.token)),
        [],
        `${origin} to ${host}`,
      );
    await assertNoEffect();
  }
});

test("a host name that was rebound to this machine is told nothing", options, async () => {
  const page = await browser.openPage(`http://${reboundHost}:${gateway.port}`);
  const read = (await page.run(overHttp(`http://${reboundHost}:${gateway.port}`, gateway.token))) as Read[];
  for (const { name, status, text } of read) {
    const isRefused = status === 403 || (name.startsWith("form") && (text ?? "").includes("origin not allowed"));
    assert.ok(isRefused, JSON.stringify({ name, status, text }));
  }
  await assertNoEffect();
});

test("the Gateway's own page and a listed one work, with the right token only", options, async () => {
  const own = [`http://127.0.0.1:${gateway.port}`, `http://localhost:${gateway.port}`];
  for (const origin of [...own, listedOrigin]) {
    const page = await browser.openPage(origin);
    const url = origin === listedOrigin ? `ws://127.0.0.1:${gateway.port}` : origin.replace("http", "ws");
    const good = await tryWebSocket(page, url, gateway.token);
    const hello = good.frames.find(({ id }) => id === "1");
    assert.equal(hello?.["ok"], true, `${origin}: ${JSON.stringify(good.frames).slice(0, 300)}`);
    for (const token of ["guess", undefined]) {
      const { isOpen, frames } = await tryWebSocket(page, url, token);
      assert.equal(isOpen, true);
      assert.ok(frames.every(({ ok }) => ok !== true));
    }
    if (origin !== listedOrigin)
      assert.equal(await page.run("return (await fetch('/healthz')).json().then(({ ok }) => ok);"), true);
  }
});

test(
  "the browser itself would let a foreign page through: a server without the rule is reached and read",
  options,
  async (context) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "access-control-allow-origin": "*" });
      response.end("readable");
    });
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) => socket.on("message", () => socket.send('{"id":"2"}')));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    context.after(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    for (const origin of ["http://localhost:4322", "http://attacker.test", "https://attacker.test", "null"]) {
      const page = await browser.openPage(origin);
      for (const host of ["127.0.0.1", reboundHost]) {
        if (origin.startsWith("https") && host === reboundHost) continue; // mixed content
        const { isOpen, frames } = await tryWebSocket(page, `ws://${host}:${address.port}`, undefined);
        assert.ok(isOpen && frames.length > 0, `${origin} to ${host}`);
        const text = await page.run(`return (await fetch("http://${host}:${address.port}/")).text();`);
        assert.equal(text, "readable");
      }
    }
  },
);
