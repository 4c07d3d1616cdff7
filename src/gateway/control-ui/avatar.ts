// What an agent's avatar is: a picture elsewhere, a file of the agent's workspace, or some letters, which are no picture.

import { realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";

import { Fault } from "../../base/fault.ts";
import { resolveFrom } from "../../platform/paths.ts";
import { openStaticFile, parseStaticPath, type StaticFile } from "../../platform/static-files.ts";
import { sendStaticFile } from "../../platform/static-reply.ts";
import type { HttpReply, HttpRequest } from "../../ports/route.ts";

export interface AvatarOwner {
  /** As the config has it: an address, a path, letters. */
  readonly avatar: string | undefined;
  readonly workspace: string;
  /** What `~` means. */
  readonly home: string;
}

export interface AvatarPlace {
  /** `/a/b/avatar/` */
  readonly folder: string;
  readonly owner: (agentId: string) => AvatarOwner | undefined;
}

/** A larger file is no picture to be shown beside each message, bytes. */
const maxBytes = 5 * 1024 * 1024;
const elsewhere = /^(?:https?:\/\/|data:image\/)/iu;
/** A drawing may hold scripts: opened by itself it has no origin, and runs none. */
const headers = {
  "cache-control": "private, no-cache",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
};

/** @throws Fault `not_found` for an agent that is not there, or has no picture here. */
export async function answerAvatar(
  request: HttpRequest,
  reply: HttpReply,
  { folder, owner }: AvatarPlace,
): Promise<void> {
  const id = parseStaticPath(request.path.slice(folder.length))?.[0]?.toLowerCase() ?? "";
  const found = owner(id);
  if (!found) throw new Fault("not_found", "there is no such agent");
  const { avatar } = found;
  const isMeta = request.query.get("meta") === "1";
  if (isMeta && avatar !== undefined && elsewhere.test(avatar)) {
    reply.json(200, { avatarUrl: avatar }, { "cache-control": "no-store" });
    return;
  }
  const file = await openPicture(found);
  if (isMeta) {
    await file?.close();
    const avatarUrl = file ? `${folder}${encodeURIComponent(id)}` : null;
    reply.json(200, { avatarUrl }, { "cache-control": "no-store" });
    return;
  }
  if (!file) throw new Fault("not_found", "this agent has no picture here");
  await sendStaticFile(file, { request, reply }, headers);
}

/** @returns undefined for what is no picture, too large, hidden, or outside of the workspace, wherever its links lead. */
async function openPicture({ avatar, workspace, home }: AvatarOwner): Promise<StaticFile | undefined> {
  if (avatar === undefined || elsewhere.test(avatar)) return undefined;
  const inside = relative(workspace, resolveFrom(workspace, avatar, home));
  if (inside === "" || isAbsolute(inside)) return undefined;
  const names = parseStaticPath(inside.toWellFormed().split(sep).map(encodeURIComponent).join("/"));
  const root = names && (await realpath(workspace).catch(() => undefined));
  const file = root === undefined ? undefined : await openStaticFile(root, names ?? []);
  if (file === undefined || file === "folder") return undefined;
  if (file.mimeType.startsWith("image/") && file.size <= maxBytes) return file;
  await file.close();
  return undefined;
}
