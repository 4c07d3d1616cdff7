// The conversations that older programs kept in files: one list of sessions for each agent, one transcript for each session.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { isRecord, parseJson } from "../base/json.ts";
import { parseSessionKey, type SessionKey } from "../base/ids.ts";
import type { OlderSession } from "../conversation/import.ts";
import { readTextIfExists } from "../platform/files.ts";
import type { ContentBlock, TranscriptMessage } from "../ports/transcript.ts";

export interface ListedSession {
  readonly key: SessionKey;
  readonly sessionId: string;
  readonly agentId: string;
  readonly updatedAt: number;
  readonly entry: Record<string, unknown>;
  /** Of its transcript. */
  readonly file: string;
}

/** A longer one is left to its owner. */
const maxFileBytes = 64 * 1024 * 1024;
/** The newest ones of a conversation. */
const maxMessages = 5_000;

/** `folder`: of an agent's sessions. What cannot be read as a session is left out. */
export async function listOlderSessions(folder: string, agentId: string): Promise<ListedSession[]> {
  const list = parseJson((await readTextIfExists(join(folder, "sessions.json"))) ?? "");
  if (!isRecord(list)) return [];
  const found = await Promise.all(
    Object.entries(list).map(([name, entry]) =>
      isRecord(entry) ? findSession({ folder, agentId, key: toKey(name, agentId), entry }) : [],
    ),
  );
  return found.flat();
}

interface Candidate {
  readonly folder: string;
  readonly agentId: string;
  readonly key: SessionKey | undefined;
  readonly entry: Record<string, unknown>;
}

async function findSession({ folder, agentId, key, entry }: Candidate): Promise<ListedSession[]> {
  const { sessionId, updatedAt } = entry;
  if (!key || typeof sessionId !== "string" || !/^[\w-]{1,128}$/u.test(sessionId)) return [];
  const file = join(folder, `${sessionId}.jsonl`);
  const known = await stat(file).catch(() => undefined);
  if (!known?.isFile() || known.size === 0 || known.size > maxFileBytes) return [];
  return [{ key, sessionId, agentId, entry, file, updatedAt: Number(updatedAt) || Math.round(known.mtimeMs) }];
}

function toKey(name: string, agentId: string): SessionKey | undefined {
  const lower = name.trim().toLowerCase();
  const whole = lower.startsWith("agent:") || lower === "global" ? lower : `agent:${agentId.toLowerCase()}:${lower}`;
  try {
    return parseSessionKey(whole);
  } catch {
    // a Fault: no key of ours; the conversation stays in its file
    return undefined;
  }
}

/** With what was said, in words: calls of tools that this program may not have stay in the old file. */
export async function readOlderSession(listed: ListedSession): Promise<OlderSession> {
  const lines = (await readFile(listed.file, "utf8")).split("\n");
  const messages = lines.flatMap((line) => toMessage(parseJson(line))).slice(-maxMessages);
  const { key, sessionId, agentId, updatedAt, entry } = listed;
  return { key, sessionId, agentId, updatedAt, messages, ...toRoute(key, entry) };
}

function toRoute(key: SessionKey, entry: Record<string, unknown>): Pick<OlderSession, "route" | "chatKind"> {
  const text = (name: string) => (typeof entry[name] === "string" && entry[name] !== "" ? entry[name] : undefined);
  const chatKind = key.includes(":group:") ? "group" : "direct";
  const [channel, to] = [text("lastChannel"), text("lastTo")];
  if (!channel || !to || channel === "webchat") return { route: undefined, chatKind };
  const chatId = to.replace(/^(?:telegram|tg|whatsapp):(?:group:)?/u, "");
  return { route: { channel, account: text("lastAccountId") ?? "default", chatId }, chatKind };
}

function toMessage(line: unknown): TranscriptMessage[] {
  if (!isRecord(line) || line["type"] !== "message" || !isRecord(line["message"])) return [];
  const { role, content, ...rest } = line["message"];
  const blocks = toBlocks(content);
  if (blocks.length === 0) return [];
  const timestamp = toTime(rest["timestamp"] ?? line["timestamp"]);
  if (role === "user") return [{ role, content: blocks, timestamp }];
  if (role !== "assistant") return [];
  const text = (name: string, fallback: string) => (typeof rest[name] === "string" ? rest[name] : fallback);
  return [
    {
      role,
      content: blocks,
      timestamp,
      provider: text("provider", "unknown"),
      model: text("model", "unknown"),
      usage: toUsage(rest["usage"]),
      stopReason: text("stopReason", "stop"),
    },
  ];
}

function toBlocks(content: unknown): ContentBlock[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown): ContentBlock[] => {
    if (!isRecord(block)) return [];
    const { type, text, data, mimeType } = block;
    if (type === "text" && typeof text === "string" && text !== "") return [{ type, text }];
    if (type === "image" && typeof data === "string" && typeof mimeType === "string") return [{ type, data, mimeType }];
    return [];
  });
}

/** Ms since the epoch, or a date as text. */
function toTime(value: unknown): number {
  const time = typeof value === "string" ? Date.parse(value) : Number(value);
  return Number.isFinite(time) && time > 0 ? time : 0;
}

function toUsage(usage: unknown) {
  const count = (name: string) => {
    const value = isRecord(usage) ? usage[name] : undefined;
    return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
  };
  const [input, output, cacheRead, cacheWrite] = [
    count("input"),
    count("output"),
    count("cacheRead"),
    count("cacheWrite"),
  ];
  const totalTokens = count("totalTokens") || input + output + cacheRead + cacheWrite;
  return { input, output, cacheRead, cacheWrite, totalTokens };
}
