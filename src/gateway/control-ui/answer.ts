// What a browser gets of the Control UI: files of a built one, its page for each of its views, and what the page needs to begin.

import { realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Fault } from "../../base/fault.ts";
import { openStaticFile, parseStaticPath, type StaticFile } from "../../platform/static-files.ts";
import { sendStaticFile } from "../../platform/static-reply.ts";
import type { HttpReply, HttpRequest } from "../../ports/route.ts";

/** How the assistant is shown. */
export interface Assistant {
  readonly agentId: string;
  readonly name?: string | undefined;
  readonly emoji?: string | undefined;
}

export interface ControlUiPlace {
  /** `/a/b`, or nothing for the top. */
  readonly base: string;
  /** Instead of the built one that comes with the program. */
  readonly root: string | undefined;
  readonly assistant: Assistant;
  readonly product: string;
}

const indexFile = "index.html";

/** No script, style or frame but from files of the page; it may speak to Gateways elsewhere, which it asks about first. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
const pageHeaders = { "content-security-policy": policy, "cache-control": "no-cache" };

/** Names that a bundler makes of the content: `assets/index-BqW3kd_9.js`. */
const hashed = /^assets\/(?:.*\/)?[^/]*[-.][\w-]{8,}\.\w+$/u;
const forEver = "public, max-age=31536000, immutable";

declare const BUILD_VERSION: string | undefined;

/** Beside the bundle's entries; the sources take what was built last. */
const builtRoot = () =>
  fileURLToPath(
    new URL(typeof BUILD_VERSION === "string" ? "../control-ui" : "../../../dist/control-ui", import.meta.url),
  );

/** @throws Fault `not_found` for a file that is not there. */
export async function answerControlUi(request: HttpRequest, reply: HttpReply, place: ControlUiPlace): Promise<void> {
  const { base, assistant, product } = place;
  const path = request.path.slice(base.length);
  if (path === "") {
    const query = request.query.toString();
    reply.send(302, "", { location: `${base}/${query === "" ? "" : `?${query}`}` });
    return;
  }
  if (path === "/bootstrap.json") {
    reply.json(200, { product, basePath: base, assistant });
    return;
  }
  const names = parseStaticPath(path);
  if (!names) throw new Fault("not_found", "not found");
  const root = await realpathIfThere(place.root ?? builtRoot());
  const found = root === undefined ? undefined : await findFile(root, names);
  if (!found) {
    reply.send(503, notBuilt(product), { "content-type": "text/html; charset=utf-8", "retry-after": 60 });
    return;
  }
  const cached = found.isHashed ? { "cache-control": forEver } : {};
  await sendStaticFile(found.file, { request, reply }, { ...pageHeaders, ...cached });
}

/** The file of that name, else the page for what is no file's name. @returns undefined without a page. @throws Fault `not_found` */
async function findFile(
  root: string,
  names: readonly string[],
): Promise<{ readonly file: StaticFile; readonly isHashed: boolean } | undefined> {
  const last = names.at(-1) ?? "";
  const named = last === "" ? undefined : await openFile(root, names);
  if (named) return { file: named, isHashed: hashed.test(names.join("/")) };
  const page = await openFile(root, [indexFile]);
  if (!page || !last.includes(".")) return page && { file: page, isHashed: false };
  await page.close();
  throw new Fault("not_found", "not found");
}

async function openFile(root: string, names: readonly string[]): Promise<StaticFile | undefined> {
  const found = await openStaticFile(root, names);
  return found === "folder" ? undefined : found;
}

async function realpathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    // no folder, or none that may be entered: in either case there is no page
    return undefined;
  }
}

const notBuilt = (product: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${product}: no Control UI</title>
<h1>The Gateway runs, but no Control UI is built for it</h1>
<p>It is looked for in <code>dist/control-ui</code> of the program's own folder: build it into there, so that
<code>dist/control-ui/${indexFile}</code> exists, and load this page again. <code>gateway.controlUi.root</code> in the config names
another folder, <code>gateway.controlUi.enabled: false</code> takes this page away.</p>
<p>Everything else works without it: <code>${product} status</code> shows how the Gateway is.</p>
</html>
`;
