// Answers requests for the A2UI page: a page of our own with its script and style, which a build made of the renderer package. Loaded
// by the first one.

import { realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Fault } from "../base/fault.ts";
import { openStaticFile } from "../platform/static-files.ts";
import { sendStaticFile } from "../platform/static-reply.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import type { Address } from "./address.ts";
import { renderA2uiPage } from "./pages.ts";

export interface A2uiAsked {
  readonly request: HttpRequest;
  readonly reply: HttpReply;
  readonly address: Address;
  /** The canvas's port, where its pages have an origin, and so could read this page. */
  readonly isOwnPort: boolean;
  /** The secret of this load; undefined for who may not look into sessions. @throws Fault for a session that cannot be. */
  readonly openLoad: () => Promise<string | undefined>;
}

declare const BUILD_VERSION: string | undefined;

/** Beside the bundle's entries; the sources take what was built last. */
const builtRoot = () =>
  fileURLToPath(new URL(typeof BUILD_VERSION === "string" ? "../a2ui" : "../../dist/a2ui", import.meta.url));
const assets: ReadonlySet<string> = new Set(["a2ui.js", "a2ui.css"]);

/**
 * Nothing but its own script runs. With a capability it is of no origin, on either port: pages of the canvas, which the agent writes,
 * cannot look into it, frame it or read it (S17). Without one it knows nothing and belongs to its port. Pictures may come from the canvas.
 */
function headersFor({ capability }: Address): Record<string, string> {
  const policy = [
    `sandbox allow-scripts allow-forms allow-popups${capability === undefined ? " allow-same-origin" : ""}`,
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // the renderer's templates have attributes for what it sets later
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { "content-security-policy": policy.join("; "), "cross-origin-opener-policy": "same-origin" };
}

/** @throws Fault `not_found`. */
export async function answerA2ui(asked: A2uiAsked): Promise<void> {
  const { request, reply, address } = asked;
  const name = address.rest.slice(1);
  const headers = headersFor(address);
  if (address.page === "a2ui-live") {
    const message = "this address speaks WebSocket";
    reply.json(426, { ok: false, error: { type: "upgrade_required", message } }, { upgrade: "websocket" });
  } else if (address.rest === "") {
    reply.send(308, "", { ...headers, location: `${request.path}/` });
  } else if (name === "") {
    const load = isOpened(asked) ? await asked.openLoad() : undefined;
    reply.send(200, renderA2uiPage(load), { ...headers, "content-type": "text/html; charset=utf-8" });
  } else {
    if (!assets.has(name)) throw new Fault("not_found", "not found");
    // a page of no origin is a stranger to its own files
    const sharing = address.capability === undefined ? "same-origin" : "cross-origin";
    const asset = { ...headers, "cross-origin-resource-policy": sharing, "cache-control": "no-cache" };
    await sendStaticFile(await openBuilt(name), { request, reply }, asset);
  }
}

/**
 * A window is opened on it, rather than a script reading it: browsers say so where they trust the way, and scripts cannot say it. Where
 * nothing is said, another page on the canvas's port could read the answer; on the Gateway's port none can.
 */
function isOpened({ request, isOwnPort }: A2uiAsked): boolean {
  const { "sec-fetch-mode": mode, "sec-fetch-dest": place } = request.headers;
  return mode === undefined ? !isOwnPort : mode === "navigate" && place === "document";
}

/** @throws Fault `not_found` when there is no build, with the next step. */
async function openBuilt(name: string) {
  const root = await realpath(builtRoot()).catch(() => undefined);
  const file = root === undefined ? undefined : await openStaticFile(root, [name]);
  if (file === "folder" || !file)
    throw new Fault("not_found", "the A2UI page is not built", { next: "run npm run build, and load the page again" });
  return file;
}
