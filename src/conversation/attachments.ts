// Attachments as clients send them (base64 or a data URL) to our own form; pictures only, bounded before anything is decoded.

import { findBase64Problem, parseDataUrl } from "../base/base64.ts";
import { Fault } from "../base/fault.ts";
import { isRecord } from "../base/json.ts";
import type { Attachment } from "../ports/message.ts";

/** Bytes of one picture, decoded. */
const maxBytes = 5_000_000;
const maxCount = 16;

/** @throws Fault `invalid_params` naming the attachment that is not a picture, too large or not base64. */
export function parseAttachments(values: readonly unknown[] | undefined): Attachment[] {
  if (values === undefined) return [];
  if (values.length > maxCount) throw refuse("attachments", `at most ${maxCount} attachments`);
  return values.map((value, index) => parseAttachment(value, `attachments[${index}]`));
}

function parseAttachment(value: unknown, field: string): Attachment {
  if (!isRecord(value) || typeof value["content"] !== "string")
    throw refuse(field, "an attachment needs `content`, base64 or a data URL");
  const content = value["content"];
  const url = parseDataUrl(content);
  const data = url?.data ?? content;
  const problem = findBase64Problem(data, maxBytes);
  if (problem !== undefined)
    throw refuse(field, problem === "too-large" ? `larger than ${maxBytes} bytes` : "not base64");

  const mimeType = (typeof value["mimeType"] === "string" ? value["mimeType"] : (url?.mimeType ?? "")).toLowerCase();
  if (!mimeType.startsWith("image/")) throw refuse(field, "only pictures can be attached");
  const fileName = value["fileName"];
  return { mimeType, base64: data, ...(typeof fileName === "string" ? { fileName } : {}) };
}

function refuse(field: string, reason: string): Fault {
  return new Fault("invalid_params", `${field}: ${reason}`, { field });
}
