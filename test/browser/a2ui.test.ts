// The A2UI page in a real browser: what the agent pushes is drawn, what is pressed comes into the session, and nobody else takes part.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { findChromium, openChromium, type Browser, type Page } from "../kit/chromium.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";
import { openRawClient, type RawClient } from "../kit/raw-client.ts";

const chromium = findChromium();
const options = "reason" in chromium ? { skip: chromium.reason } : {};

let browser: Browser;
let gateway: GatewayProcess;
let client: RawClient;
let canvasPort = 0;
let capabilityUrl = "";

before(async () => {
  if ("reason" in chromium) return;
  canvasPort = await freePort();
  gateway = await createGatewayProcess({ env: { OPENCLAW_CANVAS_HOST_PORT: String(canvasPort) } });
  const workspace = join(gateway.folder, ".openclaw", "workspace");
  await mkdir(workspace, { recursive: true });
  await gateway.start();
  const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>';
  await mkdir(join(workspace, "canvas"), { recursive: true });
  await writeFile(join(workspace, "canvas", "dot.svg"), picture);
  browser = await openChromium(chromium.path, ["attacker.test"]);
  client = await openRawClient(gateway.port, gateway.token);
  const { payload } = await client.connect({ minProtocol: 3, maxProtocol: 3 });
  capabilityUrl = String(payload?.["canvasHostUrl"]);
});
after(async () => {
  client?.close();
  await browser?.close();
  await gateway?.dispose();
});

/** All text, fields and buttons below the page, shadow roots included. */
const walk = `
  const all = (node) => [node, ...[...(node.shadowRoot?.childNodes ?? []), ...node.childNodes].flatMap(all)];
  const nodes = all(document.body);
  const texts = nodes.filter((node) => node.nodeType === 3 && !/^(?:STYLE|SCRIPT)$/.test(node.parentNode.nodeName)).map((node) => node.data.trim()).filter(Boolean);
  const find = (selector) => nodes.filter((node) => node.nodeType === 1 && node.matches(selector));`;

async function until(page: Page, body: string, isGood: (seen: unknown) => boolean): Promise<unknown> {
  let seen: unknown;
  for (let count = 0; count < 200; count += 1) {
    seen = await page.run(body).catch(String);
    if (isGood(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new assert.AssertionError({ message: `it did not come: ${JSON.stringify(seen)}` });
}

async function openPage(url: string): Promise<Page> {
  const page = await browser.openPage("null");
  await page.run(`location.href = ${JSON.stringify(url)};`).catch(() => undefined);
  await until(page, "return typeof openclawA2UI;", (seen) => seen === "object");
  return page;
}

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

test("an app around the page feeds it by the product's name, and gets what is pressed", options, async () => {
  const own = `http://127.0.0.1:${canvasPort}`;
  const bases = [own, capabilityUrl, capabilityUrl.replace(String(gateway.port), String(canvasPort))];
  for (const base of bases) {
    const page = await openPage(`${base}/${base === own ? "__moltbot__" : "__openclaw__"}/a2ui/`);
    assert.equal(await page.run("return self.origin;"), base === own ? own : "null");
    const applied = await page.run(`
      window.told = [];
      window.problems = [];
      addEventListener("securitypolicyviolation", (event) => problems.push(event.violatedDirective + " " + event.blockedURI));
      window.openclawCanvasA2UIAction = { postMessage: (text) => told.push(JSON.parse(text)) };
      return moltbotA2UI.applyMessages(${JSON.stringify(form)});`);
    assert.deepEqual(applied, { ok: true, surfaces: ["main"] });
    await until(page, `${walk} return texts.join("|");`, (seen) => String(seen).includes("comes"));
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
      return { told, note: document.querySelector("#note").textContent };`);
    const {
      told: [{ userAction: action }],
      note,
    } = told as { told: [{ userAction: Record<string, unknown> }]; note: string };
    assert.deepEqual(
      [action["name"], action["surfaceId"], action["sourceComponentId"], action["context"], note],
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
      await until(page, `${walk} return find("img")[0]?.naturalWidth;`, (width) => width === 7);
    }
    assert.deepEqual(await page.run("return openclawA2UI.reset() && openclawA2UI.getSurfaces();"), []);
    await until(page, `${walk} return texts.join("|");`, (text) => text === "");
  }
});
