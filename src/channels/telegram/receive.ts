// Telegram update -> Inbound. Pure; never throws, whatever the update holds. Trip (a): poll -> here -> conversation/intake.

import { isRecord } from "../../base/json.ts";
import type { ChatRef, Inbound, SenderRef } from "../../ports/message.ts";

export interface Me {
  readonly id: number;
  readonly username: string | undefined;
}

export interface ReceiveContext {
  readonly account: string;
  /** Undefined until the bot knows its own name. */
  readonly me: Me | undefined;
}

const generalTopic = "1";

/** @returns undefined for updates that carry no message of a person: edits, channel posts, bots, joins and the like. */
export function toInbound(update: unknown, { account, me }: ReceiveContext): Inbound | undefined {
  if (!isRecord(update) || !isRecord(update["message"])) return undefined;
  const message = update["message"];
  const chat = toChat(message);
  // what a channel or a group says through its own name has no person behind it whom the gate could know
  const sender = isRecord(message["sender_chat"]) ? undefined : toSender(message["from"]);
  const text = textOf(message);
  const ids = toIds(update, message);
  if (!chat || !sender || text === undefined || !ids) return undefined;
  return {
    channel: "telegram",
    account,
    // update ids may begin anew after a week without updates: the message keeps two such events apart
    eventId: `${ids.update}:${chat.id}:${ids.message}`,
    chat,
    sender,
    text: stripBotName(text, me),
    isMentioned: chat.kind === "group" ? isMentioned(message, text, me) : undefined,
    messageId: String(ids.message),
    sentAt: typeof message["date"] === "number" ? message["date"] * 1000 : undefined,
    trust: "channel",
  };
}

function toIds(
  { update_id: update }: Record<string, unknown>,
  { message_id: message }: Record<string, unknown>,
): { update: number; message: number } | undefined {
  return typeof update === "number" && typeof message === "number" ? { update, message } : undefined;
}

function toChat(message: Record<string, unknown>): ChatRef | undefined {
  const { chat } = message;
  if (!isRecord(chat) || typeof chat["id"] !== "number") return undefined;
  const { id, type, title } = chat;
  const isGroup = type === "group" || type === "supergroup";
  if (!isGroup && type !== "private") return undefined;
  return {
    kind: isGroup ? "group" : "direct",
    id: String(id),
    threadId: isGroup ? topicOf(chat, message) : threadOf(message),
    title: typeof title === "string" ? title : undefined,
  };
}

function threadOf({ message_thread_id: thread }: Record<string, unknown>): string | undefined {
  return typeof thread === "number" ? String(thread) : undefined;
}

/** A thread id means a topic only where the group is a forum; a forum's messages without one are in General. */
function topicOf(chat: Record<string, unknown>, message: Record<string, unknown>): string | undefined {
  return chat["is_forum"] === true ? (threadOf(message) ?? generalTopic) : undefined;
}

function toSender(from: unknown): SenderRef | undefined {
  if (!isRecord(from) || from["is_bot"] === true || typeof from["id"] !== "number") return undefined;
  const name = [from["first_name"], from["last_name"]]
    .filter((part) => typeof part === "string" && part !== "")
    .join(" ");
  return {
    id: String(from["id"]),
    ...(name ? { name } : {}),
    ...(typeof from["username"] === "string" ? { username: from["username"] } : {}),
  };
}

const mediaKinds = [
  "photo",
  "video",
  "animation",
  "audio",
  "voice",
  "video_note",
  "document",
  "sticker",
  "location",
  "contact",
  "poll",
  "dice",
  "story",
  "paid_media",
  "checklist",
];

/** Text or caption; a placeholder for media without words; undefined for messages of the service. */
function textOf(message: Record<string, unknown>): string | undefined {
  if (typeof message["text"] === "string") return message["text"];
  const kind = mediaKinds.find((name) => message[name] !== undefined);
  if (!kind) return undefined;
  const caption = message["caption"];
  return typeof caption === "string" && caption !== "" ? `<media:${kind}>\n${caption}` : `<media:${kind}>`;
}

/** `/status@the_bot now` means `/status now`. */
function stripBotName(text: string, me: Me | undefined): string {
  if (!me?.username) return text;
  const match = /^(\/[A-Za-z0-9_]+)@([A-Za-z0-9_]+)/u.exec(text);
  if (match?.[2]?.toLowerCase() !== me.username.toLowerCase()) return text;
  return `${match[1]}${text.slice(match[0].length)}`;
}

function isMentioned(message: Record<string, unknown>, text: string, me: Me | undefined): boolean {
  if (!me) return false;
  if (isReplyToUs(message["reply_to_message"], me)) return true;
  const entities = message["entities"] ?? message["caption_entities"];
  const list: readonly unknown[] = Array.isArray(entities) ? entities : [];
  const source =
    typeof message["text"] === "string"
      ? message["text"]
      : typeof message["caption"] === "string"
        ? message["caption"]
        : text;
  return list.some((entity) => isRecord(entity) && namesUs(entity, source, me));
}

/** In a topic that we opened every message claims to answer the one that opened it. */
function isReplyToUs(reply: unknown, me: Me): boolean {
  if (!isRecord(reply) || reply["forum_topic_created"] !== undefined) return false;
  return isRecord(reply["from"]) && reply["from"]["id"] === me.id;
}

function namesUs(entity: Record<string, unknown>, text: string, me: Me): boolean {
  const { type, offset, length, user } = entity;
  if (type === "text_mention") return isRecord(user) && user["id"] === me.id;
  if (
    (type !== "mention" && type !== "bot_command") ||
    typeof offset !== "number" ||
    typeof length !== "number" ||
    !me.username
  )
    return false;
  const named = text.slice(offset, offset + length).split("@")[1];
  return named?.toLowerCase() === me.username.toLowerCase();
}
