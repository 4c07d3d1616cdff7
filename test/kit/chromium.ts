// A headless Chromium, driven over its own WebSocket. Pages of any origin exist without a server: the browser is told what they hold
// and believes that they came from there.

import { AssertionError } from "node:assert";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { WebSocket } from "ws";

export interface Page {
  /** Runs an async function body in the page; resolves with what it returns, as JSON. @throws what it throws. */
  run(body: string): Promise<unknown>;
  /** A click of the mouse there, in pixels of the view. */
  click(place: { readonly x: number; readonly y: number }): Promise<void>;
  /** Keys, into what has the focus. */
  type(text: string): Promise<void>;
}

export interface Browser {
  /** An empty page of this origin, or of no origin at all (`null`, as in a sandbox). */
  openPage(origin: string): Promise<Page>;
  close(): Promise<void>;
}

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const installMs = 4 * 60_000;

function find(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  places.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The program; on a Debian machine of ours to change it is installed when it is missing. Otherwise: why there is none. */
export function findChromium(): { readonly path: string } | { readonly reason: string } {
  const found = find();
  if (found !== undefined) return { path: found };
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return { reason: "no Chromium here: install it (Debian: apt-get install chromium) and run again" };
  // not our temporary folder: apt reads lists as a user of its own, who may not look into it
  const env = { PATH: process.env["PATH"], DEBIAN_FRONTEND: "noninteractive" };
  const options = { stdio: "pipe", timeout: installMs, env } as const;
  try {
    execFileSync("apt-get", ["update"], options);
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], options);
  } catch (error) {
    return { reason: `no Chromium here, and apt-get cannot install it: ${String(error).slice(0, 300)}` };
  }
  const path = find();
  return path === undefined ? { reason: "apt-get has installed no Chromium" } : { path };
}

/** @throws when it does not start. `hosts` are names that lead to 127.0.0.1, whatever DNS says. */
export async function openChromium(path: string, hosts: readonly string[]): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "chromium-"));
  const child = spawn(
    path,
    [
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--no-first-run",
      "--no-default-browser-check",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      // containers have no user namespaces for its sandbox; nothing but our own pages is shown
      "--no-sandbox",
      // newer browsers protect the machine's own ports by themselves; the Gateway must not need that
      "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,BlockInsecurePrivateNetworkRequests",
      `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",")}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: profile, TMPDIR: profile } },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const remove = () => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const { call, on } = await openDevTools(await readAddress(child)).catch(async (error: unknown) => {
    child.kill("SIGKILL");
    await ended;
    await remove();
    throw error;
  });
  return {
    async openPage(origin) {
      const { targetId } = (await call("Target.createTarget", { url: "about:blank" })) as { targetId: string };
      const attached = await call("Target.attachToTarget", { targetId, flatten: true });
      const { sessionId } = attached as { sessionId: string };
      await call("Page.enable", {}, sessionId);
      const loaded = on("Page.loadEventFired", sessionId);
      const address = `${origin}/__page__`;
      if (origin === "null") await call("Page.navigate", { url: "data:text/html,<p>page</p>" }, sessionId);
      else {
        await call("Fetch.enable", { patterns: [{ urlPattern: `${address}*` }] }, sessionId);
        const paused = on("Fetch.requestPaused", sessionId);
        const navigated = call("Page.navigate", { url: address }, sessionId);
        const { requestId } = (await paused) as { requestId: string };
        const body = Buffer.from("<!doctype html><p>page</p>").toString("base64");
        const responseHeaders = [{ name: "content-type", value: "text/html" }];
        await call("Fetch.fulfillRequest", { requestId, responseCode: 200, responseHeaders, body }, sessionId);
        await navigated;
      }
      await loaded;
      return {
        async run(source) {
          const expression = `(async () => { ${source} })()`;
          const answer = await call(
            "Runtime.evaluate",
            { expression, awaitPromise: true, returnByValue: true },
            sessionId,
          );
          const { result, exceptionDetails } = answer as {
            result: { value?: unknown };
            exceptionDetails?: { exception?: { description?: string } };
          };
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "the page threw");
          return result.value;
        },
        async click({ x, y }) {
          for (const type of ["mousePressed", "mouseReleased"]) {
            const event = { type, x, y, button: "left", clickCount: 1 };
            await call("Input.dispatchMouseEvent", event, sessionId);
          }
        },
        async type(text) {
          await call("Input.insertText", { text }, sessionId);
        },
      };
    },
    async close() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(timer);
      await remove();
    },
  };
}

function readAddress(child: ChildProcess): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const address = /DevTools listening on (ws:\S+)/u.exec(printed)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Chromium ended with ${code}: ${printed.slice(-1_000)}`)));
    setTimeout(() => reject(new Error(`Chromium did not start: ${printed.slice(-1_000)}`)), 30_000).unref();
  });
}

interface DevTools {
  call(method: string, params: object, sessionId?: string): Promise<unknown>;
  /** The next event of this name in this session. */
  on(event: string, sessionId: string): Promise<unknown>;
}

async function openDevTools(address: string): Promise<DevTools> {
  const socket = new WebSocket(address);
  const calls = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  const events = new Map<string, (params: unknown) => void>();
  let count = 0;
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString("utf8")) as {
      id?: number;
      method?: string;
      params?: unknown;
      result?: unknown;
      error?: { message: string };
      sessionId?: string;
    };
    if (message.id === undefined) {
      events.get(`${message.method} ${message.sessionId}`)?.(message.params);
      return;
    }
    const waiting = calls.get(message.id);
    calls.delete(message.id);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return {
    call(method, params, sessionId) {
      const id = ++count;
      return new Promise((resolve, reject) => {
        calls.set(id, { resolve, reject });
        socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      });
    },
    on: (event, sessionId) => new Promise((resolve) => events.set(`${event} ${sessionId}`, resolve)),
  };
}

/** What `body` gives in the page once that is good. @throws AssertionError with what it gave last, after ten seconds. */
export async function untilPage(page: Page, body: string, isGood: (seen: unknown) => boolean): Promise<unknown> {
  let seen: unknown;
  for (let count = 0; count < 200; count += 1) {
    // a page goes away while it is asked
    seen = await page.run(body).catch(String);
    if (isGood(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new AssertionError({ message: `it did not come: ${JSON.stringify(seen)}` });
}
