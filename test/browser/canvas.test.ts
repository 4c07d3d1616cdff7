// The canvas in a real browser: a page reloads when its file changes, on both ports, and another origin gets nothing of it.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openCanvasBrowser, type CanvasBrowser } from "../kit/canvas-browser.ts";
import { findChromium, untilPage, type Browser, type Page } from "../kit/chromium.ts";
import { createGatewayProcess, freePort, type GatewayProcess } from "../kit/gateway-process.ts";

const chromium = findChromium();
const options = "reason" in chromium ? { skip: chromium.reason } : {};

let opened: CanvasBrowser;
let browser: Browser;
let gateway: GatewayProcess;
let canvasPort = 0;
let capabilityUrl = "";
const root = () => join(gateway.folder, ".openclaw", "workspace", "canvas");

before(async () => {
  if ("reason" in chromium) return;
  canvasPort = await freePort();
  gateway = await createGatewayProcess({ env: { OPENCLAW_CANVAS_HOST_PORT: String(canvasPort) } });
  await mkdir(root(), { recursive: true });
  await gateway.start();
  opened = await openCanvasBrowser(gateway, chromium.path);
  ({ browser, capabilityUrl } = opened);
});
after(async () => {
  await opened?.close();
  await gateway?.dispose();
});

const until = (page: Page, body: string, wanted: unknown) => untilPage(page, body, (seen) => seen === wanted);

const pageOf = (text: string) =>
  `<!doctype html><title>${text}</title><body><script>document.body.dataset.inline = "ran"</script><script type="module" src="part.js"></script></body>`;

for (const place of ["own port", "Gateway's port"])
  test(
    `a page on the ${place} runs what stands beside it and reloads when its file changes, or a new one comes`,
    options,
    async () => {
      await writeFile(
        join(root(), "part.js"),
        "fetch('data.txt').then((a) => a.text()).then((text) => { document.body.dataset.part = text; });",
      );
      await writeFile(join(root(), "data.txt"), "first");
      await writeFile(join(root(), "index.html"), pageOf("one"));
      const base = place === "own port" ? `http://127.0.0.1:${canvasPort}` : capabilityUrl;
      const page = await browser.openPage("null");
      await page.run(`location.href = ${JSON.stringify(`${base}/__openclaw__/canvas/`)};`).catch(() => undefined);
      const look = "return [document.title, document.body.dataset.inline, document.body.dataset.part].join(' ');";
      await until(page, look, "one ran first");
      assert.equal(await page.run("return self.origin;"), place === "own port" ? base : "null");
      // it listens before anything changes
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await writeFile(join(root(), "index.html"), pageOf("two"));
      await until(page, look, "two ran first");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await page.run("window.isOld = true;");
      await writeFile(join(root(), `new ${place}.txt`), "x");
      await until(page, "return window.isOld === undefined && document.title;", "two");
    },
  );

test(
  "S17: a page of another origin gets nothing of the canvas: no text, no script, no frame, no socket",
  options,
  async () => {
    await writeFile(join(root(), "leak.js"), "window.leaked = true;");
    const own = `http://127.0.0.1:${canvasPort}`;
    for (const origin of ["http://attacker.test", `http://127.0.0.1:${gateway.port}`, "null"]) {
      const page = await browser.openPage(origin);
      const got = await page.run(`
      const own = ${JSON.stringify(own)};
      const text = await fetch(own + "/__openclaw__/canvas/").then((a) => a.text(), () => "none");
      const script = document.createElement("script");
      script.src = own + "/__openclaw__/canvas/leak.js";
      document.head.append(script);
      await new Promise((resolve) => { script.onload = resolve; script.onerror = resolve; });
      const socket = new WebSocket(own.replace("http", "ws") + "/__openclaw__/ws");
      const isOpen = await new Promise((resolve) => { socket.onopen = () => resolve(true); socket.onerror = () => resolve(false); });
      return { text, leaked: window.leaked === true, isOpen };`);
      assert.deepEqual(got, { text: "none", leaked: false, isOpen: false }, origin);
    }
    const page = await browser.openPage(own);
    assert.match(String(await page.run("return (await fetch('/__openclaw__/canvas/')).text();")), /<title>two/u);
  },
);
