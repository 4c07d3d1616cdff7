// The A2UI page in a real browser: what the agent pushes is drawn, what is pressed comes into the session, and nobody else takes part.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";

import { openCanvasBrowser, type CanvasBrowser } from "../kit/canvas-browser.ts";
import { findChromium, untilPage, type Browser, type Page } from "../kit/chromium.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import type { RawClient } from "../kit/raw-client.ts";

const chromium = findChromium();
const options = "reason" in chromium ? { skip: chromium.reason } : {};

const mock = new LLMock({ port: 0 });
let opened: CanvasBrowser;
let browser: Browser;
let gateway: GatewayProcess;
let client: RawClient;
let canvasPort = 0;
let capabilityUrl = "";

const form = [
  {
    surfaceUpdate: {
      surfaceId: "main",
      components: [
        { id: "root", component: { Column: { children: { explicitList: ["title", "name", "send"] } } } },
        { id: "title", component: { Text: { text: { literalString: "Who **comes**?" }, usageHint: "h2" } } },
        // its label is another component's id
        { id: "name", component: { TextField: { label: { literalString: "title" }, text: { path: "/name" } } } },
        { id: "label", component: { Text: { text: { literalString: "Send" } } } },
        {
          id: "send",
          component: {
            Button: {
              child: "label",
              action: {
                name: "submit",
                context: [
                  { key: "name", value: { path: "/name" } },
                  { key: "list", value: { literalString: "guests" } },
                ],
              },
            },
          },
        },
      ],
    },
  },
  { dataModelUpdate: { surfaceId: "main", contents: [{ key: "name", valueString: "Ada" }] } },
  { beginRendering: { surfaceId: "main", root: "root" } },
];

const pushCall = {
  name: "canvas",
  id: "call_push",
  arguments: JSON.stringify({ action: "a2ui_push", jsonl: form.map((message) => JSON.stringify(message)).join("\n") }),
};

before(async () => {
  if ("reason" in chromium) return;
  mock.onToolResult("call_push", { content: "The form is there." });
  mock.onMessage(/show a form/u, { toolCalls: [pushCall] });
  mock.onMessage(/./u, { content: "Noted." });
  await mock.start();
  canvasPort = await freePort();
  gateway = await createGatewayProcess({
    env: { OPENCLAW_CANVAS_HOST_PORT: String(canvasPort) },
    config: {
      gateway: { mode: "local" },
      agents: { defaults: { model: "mock/m", timeoutSeconds: 20 } },
      models: { providers: { mock: { baseUrl: `${mock.url}/v1`, apiKey: "k", api: "openai-completions" } } },
    },
  });
  const workspace = join(gateway.folder, ".openclaw", "workspace");
  await mkdir(workspace, { recursive: true });
  await gateway.start();
  const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>';
  await mkdir(join(workspace, "canvas"), { recursive: true });
  await writeFile(join(workspace, "canvas", "dot.svg"), picture);
  opened = await openCanvasBrowser(gateway, chromium.path);
  ({ browser, client, capabilityUrl } = opened);
});
after(async () => {
  await opened?.close();
  await gateway?.dispose();
  await mock.stop();
});

/** All text, fields and buttons below the page, shadow roots included. */
const walk = `
  const all = (node) => [node, ...[...(node.shadowRoot?.childNodes ?? []), ...node.childNodes].flatMap(all)];
  const nodes = all(document.body);
  const texts = nodes.filter((node) => node.nodeType === 3 && !/^(?:STYLE|SCRIPT)$/.test(node.parentNode.nodeName)).map((node) => node.data.trim()).filter(Boolean);
  const find = (selector) => nodes.filter((node) => node.nodeType === 1 && node.matches(selector));`;

const note = 'return document.querySelector("#note").textContent;';

async function openPage(url: string): Promise<Page> {
  const page = await browser.openPage("null");
  await page.run(`location.href = ${JSON.stringify(url)};`).catch(() => undefined);
  await untilPage(page, "return typeof openclawA2UI;", (seen) => seen === "object");
  return page;
}

/** Asks the agent, and waits until its turn is over. */
async function say(sessionKey: string, message: string): Promise<void> {
  const idempotencyKey = randomUUID();
  assert.equal((await client.request("chat.send", { sessionKey, message, idempotencyKey })).ok, true);
  await client.wait(
    ({ event, payload }) => event === "chat" && payload?.["runId"] === idempotencyKey && payload["state"] === "final",
  );
}

/** What the model was told of a person's actions in this session, one for each turn that they caused. */
function actionsSeen(name: string): string[] {
  return mock.getRequests().flatMap(({ body }) => {
    const { messages = [] } = body as {
      readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
    };
    const last = messages.at(-1);
    const text = last?.role === "user" ? JSON.stringify(last.content) : "";
    return text.includes("acted on your A2UI page") && text.includes(name) ? [text] : [];
  });
}

const center = (selector: string) => `${walk}
  const { x, y, width, height } = find(${JSON.stringify(selector)})[0].getBoundingClientRect();
  return { x: x + width / 2, y: y + height / 2 };`;

async function fillIn(page: Page, name: string): Promise<void> {
  await untilPage(page, `${walk} return find("input").length;`, (count) => count === 1);
  await page.run(`${walk} find("input")[0].select();`);
  await page.click((await page.run(center("input"))) as { x: number; y: number });
  await page.run(`${walk} find("input")[0].select();`);
  await page.type(name);
  await page.click((await page.run(center("button"))) as { x: number; y: number });
}

for (const place of ["own port", "Gateway's port"])
  test(
    `RB-13: a form that the agent pushes is drawn on the ${place}, filled in, and its button's action arrives in the session, once though the line breaks`,
    options,
    async () => {
      const session = place === "own port" ? "form-own" : "form-gateway";
      const port = place === "own port" ? canvasPort : gateway.port;
      const base = capabilityUrl.replace(`:${gateway.port}/`, `:${port}/`);
      const url = `${base}/__openclaw__/a2ui/?session=${session}`;
      const early = await openPage(url);
      await untilPage(early, note, (text) => text === "Nothing is shown here yet.");
      await say(session, "show a form");
      const late = await openPage(url);
      const elsewhere = await openPage(url.replace(session, "other"));
      for (const page of [early, late])
        await untilPage(page, `${walk} return texts.join("|");`, (text) => String(text).includes("comes"));
      await untilPage(elsewhere, note, (text) => text === "Nothing is shown here yet.");

      await fillIn(early, `Grace ${place}`);
      await untilPage(early, note, (text) => text === "Sent.");
      await untilPage(early, "return 1;", () => actionsSeen(`Grace ${place}`).length > 0);
      const [seen = ""] = actionsSeen(`Grace ${place}`);
      for (const part of ["submit", "guests", "main", "send"]) assert.ok(seen.includes(part), seen);

      // the line breaks when the action has just gone out, before anything of it comes back
      await late.run(`
        const { send } = WebSocket.prototype;
        window.sent = [];
        WebSocket.prototype.send = function (data) {
          send.call(this, data);
          if (!data.includes('"action"')) return;
          sent.push(data);
          if (sent.length > 1) return;
          // what comes back before the line is down is lost with it
          this.addEventListener("message", (event) => event.stopImmediatePropagation(), { capture: true });
          this.close(4000);
        };`);
      await fillIn(late, `Ada ${place}`);
      await untilPage(late, note, (text) => text === "Sent.");
      const sent = (await late.run("return sent;")) as string[];
      assert.equal(sent.length, 2);
      assert.equal(sent[0], sent[1]);
      await untilPage(late, "return 1;", () => actionsSeen(`Ada ${place}`).length > 0);
      await say(session, "and now?");
      assert.equal(actionsSeen(`Ada ${place}`).length, 1);
      assert.equal(actionsSeen(`Grace ${place}`).length, 1);
    },
  );

test(
  "S17: a page of another origin, or of the canvas, sees nothing of what a session shows, and presses nothing",
  options,
  async () => {
    await say("secret-form", "show a form");
    const asked = mock.getRequests().length;
    const canvasUrl = `${capabilityUrl}/__openclaw__/canvas/`;
    await writeFile(
      join(gateway.folder, ".openclaw", "workspace", "canvas", "index.html"),
      "<!doctype html><p>canvas</p>",
    );
    const ownBase = capabilityUrl.replace(`:${gateway.port}/`, `:${canvasPort}/`);
    const places = [
      ["http://attacker.test", capabilityUrl],
      ["null", capabilityUrl],
      [canvasUrl, capabilityUrl],
      [`${ownBase}/__openclaw__/canvas/`, ownBase],
    ] as const;
    for (const [origin, base] of places) {
      const page = await browser.openPage(origin.startsWith("http://127") ? "null" : origin);
      if (origin.startsWith("http://127")) {
        await page.run(`location.href = ${JSON.stringify(origin)};`).catch(() => undefined);
        await untilPage(page, "return document.body?.textContent.trim();", (text) => text === "canvas");
      }
      const got = (await page.run(`
      const base = ${JSON.stringify(base)};
      const url = base + "/__openclaw__/a2ui/?session=secret-form";
      const load = await fetch(url).then((a) => a.text(), () => "").then((text) => /data-load="(\\w+)"/.exec(text)?.[1] ?? "none");
      const opened = window.open(url);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      let inside = "none";
      try { inside = opened.document.body.dataset.load; } catch {}
      const frame = document.createElement("iframe");
      frame.src = url;
      document.body.append(frame);
      await new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 1000); });
      try { if (frame.contentDocument.body.dataset.load) inside = "frame"; } catch {}
      const frames = [];
      const socket = new WebSocket(base.replace("http", "ws") + "/__openclaw__/a2ui/ws");
      await new Promise((resolve) => {
        socket.onopen = () => {
          socket.send(JSON.stringify({ type: "hello", load: "${"0".repeat(64)}", version: -1 }));
          socket.send(JSON.stringify({ type: "action", id: "12345678", userAction: { name: "submit", surfaceId: "main", sourceComponentId: "send", timestamp: "now", context: {} } }));
        };
        socket.onmessage = ({ data }) => frames.push(data);
        socket.onclose = resolve;
        setTimeout(resolve, 3000);
      });
      opened?.close();
      return { load, inside, frames };`)) as object;
      assert.deepEqual(got, { load: "none", inside: "none", frames: [] }, origin);
    }
    await say("secret-form", "and now?");
    assert.equal(mock.getRequests().length, asked + 1);
  },
);

test("an app around the page feeds it by the product's name, and gets what is pressed", options, async () => {
  const own = `http://127.0.0.1:${canvasPort}`;
  const bases = [own, capabilityUrl, capabilityUrl.replace(String(gateway.port), String(canvasPort))];
  for (const base of bases) {
    const page = await openPage(`${base}/${base === own ? "__moltbot__" : "__openclaw__"}/a2ui/`);
    assert.equal(await page.run("return self.origin;"), base === own ? own : "null");
    // a session's page shows that first
    await untilPage(page, note, (text) => text !== "");
    const applied = await page.run(`
      window.told = [];
      window.problems = [];
      addEventListener("securitypolicyviolation", (event) => problems.push(event.violatedDirective + " " + event.blockedURI));
      window.openclawCanvasA2UIAction = { postMessage: (text) => told.push(JSON.parse(text)) };
      return moltbotA2UI.applyMessages(${JSON.stringify(form)});`);
    assert.deepEqual(applied, { ok: true, surfaces: ["main"] });
    await untilPage(page, `${walk} return texts.join("|");`, (seen) => String(seen).includes("comes"));
    const seen = await page.run(`${walk}
      return { texts, heading: find("h2").map((node) => node.textContent), value: find("input")[0].value, problems };`);
    assert.deepEqual(seen, {
      texts: ["Who", "comes", "?", "title", "Send"],
      heading: ["Who comes?"],
      value: "Ada",
      problems: [],
    });
    const told = await page.run(`${walk}
      const [input] = find("input");
      input.value = "Grace";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      find("button")[0].click();
      dispatchEvent(new CustomEvent("openclaw:a2ui-action-status", { detail: { id: told[0].userAction.id, ok: true } }));
      return { told, said: document.querySelector("#note").textContent };`);
    const {
      told: [{ userAction: action }],
      said,
    } = told as { told: [{ userAction: Record<string, unknown> }]; said: string };
    assert.deepEqual(
      [action["name"], action["surfaceId"], action["sourceComponentId"], action["context"], said],
      ["submit", "main", "send", { name: "Grace", list: "guests" }, ""],
    );
    assert.ok(typeof action["id"] === "string" && !Number.isNaN(Date.parse(String(action["timestamp"]))));
    if (base !== own) {
      const picture = { Image: { url: { literalString: "../canvas/dot.svg" } } };
      const components = [{ id: "p", component: picture }];
      const messages = [
        { surfaceUpdate: { surfaceId: "p", components } },
        { beginRendering: { surfaceId: "p", root: "p" } },
      ];
      await page.run(`openclawA2UI.applyMessages(${JSON.stringify(messages)});`);
      await untilPage(page, `${walk} return find("img")[0]?.naturalWidth;`, (width) => width === 7);
    }
    assert.deepEqual(await page.run("return openclawA2UI.reset() && openclawA2UI.getSurfaces();"), []);
    await untilPage(page, `${walk} return texts.join("|");`, (text) => text === "");
  }
});

test("fields that nothing was pushed for are empty and not invalid, and icons are signs", options, async () => {
  const page = await openPage(`http://127.0.0.1:${canvasPort}/__openclaw__/a2ui/`);
  const names = ["seat", "day", "name", "guests"];
  const context = names.map((name) => ({ key: name, value: { path: `/${name}` } }));
  const bound = { seat: { path: "/seat" }, day: { path: "day" }, name: { path: "/name" }, guests: { path: "/guests" } };
  const components = [
    { id: "root", component: { Column: { children: { explicitList: ["icon", ...names, "go"] } } } },
    { id: "icon", component: { Icon: { name: { literalString: "mail" } } } },
    { id: "seat", component: { CheckBox: { label: { literalString: "Window" }, value: bound.seat } } },
    { id: "day", component: { DateTimeInput: { value: bound.day, enableDate: true } } },
    { id: "name", component: { TextField: { label: { literalString: "Name" }, text: bound.name } } },
    { id: "guests", component: { Slider: { value: bound.guests, minValue: 2, maxValue: 9 } } },
    { id: "go", component: { Button: { child: "label", action: { name: "book", context } } } },
    { id: "label", component: { Text: { text: { literalString: "Book" } } } },
  ];
  const messages = [
    { surfaceUpdate: { surfaceId: "s", components } },
    { dataModelUpdate: { surfaceId: "s", contents: [{ key: "other", valueString: "x" }] } },
    { beginRendering: { surfaceId: "s", root: "root" } },
  ];
  await page.run(`
    window.told = [];
    window.openclawCanvasA2UIAction = { postMessage: (text) => told.push(JSON.parse(text).userAction.context) };
    openclawA2UI.applyMessages(${JSON.stringify(messages)});`);
  await untilPage(page, `${walk} return find("input").length;`, (count) => count === 4);
  const texts = String(await page.run(`${walk} return texts.join("|");`));
  assert.ok(texts.includes("✉") && !/invalid/iu.test(texts), texts);
  const told = await page.run(
    `${walk} find("input[type=checkbox]")[0].click(); find("button")[0].click(); return told;`,
  );
  assert.deepEqual(told, [{ seat: true, day: "", name: "", guests: 2 }]);
});
