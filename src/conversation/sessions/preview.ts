// `sessions.preview`: the last words of several sessions, each read on its own, so that one bad key spoils nothing.

import { Fault } from "../../base/fault.ts";
import type { Database, Sql } from "../../platform/database.ts";
import type { MethodParams, MethodResult } from "../../protocol/contract.ts";
import { findSession } from "../store/sessions.ts";
import { maxPreview, recentPreviews, type Preview } from "../store/transcript.ts";
import { oneLine } from "./render.ts";

const maxKeys = 64;
const maxItems = 50;

type WirePreview = MethodResult<"sessions.preview">["previews"][number];

export async function previewSessions(
  params: MethodParams<"sessions.preview">,
  { database, widen }: { database: Database; widen: (key: string) => string },
): Promise<WirePreview[]> {
  const limit = Math.min(maxItems, params.limit ?? 12);
  const maxChars = Math.min(maxPreview, params.maxChars ?? 240);
  const previews: WirePreview[] = [];
  for (const key of params.keys.slice(0, maxKeys)) {
    const items = await database.read((sql) => read(sql, () => widen(key), limit));
    if (typeof items === "string") previews.push({ key, status: items, items: [] });
    else {
      previews.push({
        key,
        status: items.length === 0 ? "empty" : "ok",
        items: items.map(({ role, text }) => ({ role: roleOf(role), text: oneLine(text, maxChars) })),
      });
    }
  }
  return previews;
}

function read(sql: Sql, key: () => string, limit: number): Preview[] | "missing" | "error" {
  try {
    const session = findSession(sql, key());
    return session ? recentPreviews(sql, session.sessionId, limit).filter(({ text }) => text !== "") : "missing";
  } catch (error) {
    if (error instanceof Fault) return "error";
    throw error;
  }
}

function roleOf(role: Preview["role"]): WirePreview["items"][number]["role"] {
  return role === "toolResult" ? "tool" : role;
}
