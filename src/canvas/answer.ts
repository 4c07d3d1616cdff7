// Answers a request whose sender may read the canvas. Loaded by the first one.

import { readdir, type FileHandle } from "node:fs/promises";

import { canvasNames } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import { parseSegments, type Address } from "./address.ts";
import { openInside, type OpenedFile } from "./file.ts";
import { mediaTypeOf } from "./media.ts";
import { addLiveScript, liveScript, missingIndexPage, starterPage } from "./pages.ts";

export interface Place {
  readonly root: string;
  readonly isLive: boolean;
  /** The canvas's own port: an origin of its own. On the Gateway's port a page gets no origin at all (S17). */
  readonly isOwnPort: boolean;
}

export interface Asked {
  readonly request: Pick<HttpRequest, "path" | "headers">;
  readonly reply: HttpReply;
  readonly address: Address;
  readonly place: Place;
}

/** A larger page is served as it is, without live reload, bytes. */
const maxInjected = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;

/** @throws Fault `not_found`. */
export async function answerCanvas(asked: Asked): Promise<void> {
  const { address, reply, place } = asked;
  const headers = headersFor(asked);
  if (address.page === "files") return answerFile(asked, headers);
  if (!place.isLive) throw new Fault("not_found", "not found");
  if (address.page === "script") {
    reply.send(200, liveScript, { ...headers, "content-type": "text/javascript; charset=utf-8" });
    return;
  }
  const message = "this address speaks WebSocket";
  reply.json(426, { ok: false, error: { type: "upgrade_required", message } }, { upgrade: "websocket" });
}

/** Pages load what stands beside them and nothing else; other pages load nothing of them. */
function headersFor({ place, address, request }: Asked): Record<string, string> {
  const policy = [
    `sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads${place.isOwnPort ? " allow-same-origin" : ""}`,
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ];
  // a page without an origin is a stranger to its own files: what lets it in is the random part of its path. The A2UI page is one on
  // either port
  const isInvited = address.capability !== undefined;
  const isStranger = isInvited && !place.isOwnPort && request.headers.origin === "null";
  return {
    "content-security-policy": policy.join("; "),
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-resource-policy": isInvited ? "cross-origin" : "same-origin",
    "cross-origin-opener-policy": "same-origin",
    ...(isStranger ? { "access-control-allow-origin": "null" } : {}),
  };
}

async function answerFile(asked: Asked, headers: Record<string, string>): Promise<void> {
  const { address, reply, request, place } = asked;
  const segments = parseSegments(address.rest);
  if (!segments) throw new Fault("not_found", "not found");
  const isFolderPath = segments.at(-1) === "" && address.rest !== "";
  const names = segments.filter((name) => name !== "");
  const found = names.length === 0 ? "folder" : await openInside(place.root, names);
  if (found === "folder") {
    if (isFolderPath) await answerIndex(asked, names, headers);
    else reply.send(308, "", { ...headers, location: `${request.path}/` });
  } else if (found && !isFolderPath) await sendFile(asked, found, headers);
  else {
    await close(found);
    throw new Fault("not_found", "not found");
  }
}

async function answerIndex(asked: Asked, names: readonly string[], headers: Record<string, string>): Promise<void> {
  const index = await openInside(asked.place.root, [...names, "index.html"]);
  if (index && index !== "folder") await sendFile(asked, index, headers);
  else if (names.length === 0 && (await isEmpty(asked.place.root)))
    asked.reply.send(200, withLive(asked, starterPage), { ...headers, "content-type": html });
  else sendMissingIndex(asked, names, headers);
}

/** A folder that is not there has nothing in it. */
const isEmpty = async (folder: string) => (await readdir(folder).catch(() => [])).length === 0;

const html = "text/html; charset=utf-8";

/** It reloads too: the file may come. */
function sendMissingIndex(asked: Asked, names: readonly string[], headers: Record<string, string>): void {
  const page = missingIndexPage([...names, "index.html"].join("/"));
  asked.reply.send(404, withLive(asked, page), { ...headers, "content-type": html });
}

function withLive({ place, address }: Asked, page: string): string {
  return place.isLive ? addLiveScript(page, `${address.prefix}/${canvasNames[0]}`) : page;
}

async function sendFile(asked: Asked, file: OpenedFile, headers: Record<string, string>): Promise<void> {
  const { reply, place } = asked;
  const type = mediaTypeOf(file.path);
  try {
    if (type === html && place.isLive && file.size <= maxInjected) {
      reply.send(200, withLive(asked, await file.handle.readFile("utf8")), { ...headers, "content-type": type });
      return;
    }
    const stream = reply.stream(200, { ...headers, "content-type": type, "content-length": file.size });
    await copy(file, stream.write);
    stream.end();
  } finally {
    await close(file);
  }
}

/** No more than was announced, though the file may grow meanwhile. @throws Fault when it became shorter: the answer breaks off. */
async function copy({ handle, size }: OpenedFile, write: (chunk: Uint8Array) => Promise<boolean>): Promise<void> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await read(handle, at, Math.min(chunkBytes, size - at));
    if (bytesRead === 0) throw new Fault("storage", "the file became shorter while it was sent");
    if (!(await write(buffer.subarray(0, bytesRead)))) return;
    at += bytesRead;
  }
}

const read = (handle: FileHandle, at: number, length: number) => handle.read(Buffer.alloc(length), 0, length, at);

async function close(file: OpenedFile | "folder" | undefined): Promise<void> {
  if (file && file !== "folder") await file.handle.close();
}
