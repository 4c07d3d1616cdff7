// What a client tells of a conversation: what was said before, what is new in it, and what its functions gave. The messages of chat
// completions are read here as they are; items of responses are brought into their form first.

import { asList, asObject, asText, refuseField, type Body } from "../base/fields.ts";
import { parseJson, isRecord } from "../base/json.ts";
import { noUsage, resultMessage } from "../conversation/messages.ts";
import type { FunctionResult } from "../ports/message.ts";
import type { ContentBlock, TranscriptMessage } from "../ports/transcript.ts";
import { fromDataUrl, maxPictures, type PictureSource } from "./pictures.ts";
import type { SourceLimits } from "./source.ts";

export interface ChatMessages {
  /** Of `system` and `developer` messages, wherever they stand. */
  readonly instructions: string;
  /** What was said before; empty for a single message. */
  readonly conversation: readonly TranscriptMessage[];
  /** The last message of the user; empty when the functions' results come last. */
  readonly text: string;
  readonly pictures: readonly PictureSource[];
  readonly functionResults: readonly FunctionResult[];
}

/** Messages in one request. */
const maxMessages = 2_000;

/** One message, and where it stands in the request. */
export interface Item {
  readonly role: string;
  readonly body: Body;
  readonly field: string;
}

/** @throws Fault `invalid_params` naming the message. */
export function readMessages(value: unknown, limits: SourceLimits): ChatMessages {
  const items = asList(value, "messages").map((message, index): Item => {
    const field = `messages[${index}]`;
    const body = asObject(message, field);
    return { role: asText(body["role"], `${field}.role`), body, field };
  });
  return readItems(items, { name: "messages", limits, prior: [] });
}

export interface ItemContext {
  /** What the client calls the list. */
  readonly name: string;
  readonly limits: SourceLimits;
  /** What is known to have been said before the first item. */
  readonly prior: readonly TranscriptMessage[];
}

/** @throws Fault `invalid_params` naming the item. */
export function readItems(all: readonly Item[], { name, limits, prior }: ItemContext): ChatMessages {
  if (all.length > maxMessages) throw refuseField(name, `has more than ${maxMessages} entries`);
  const isInstruction = ({ role }: Item) => role === "system" || role === "developer";
  const instructions = all.filter(isInstruction).map((item) => readParts(item).text);
  const items = all.filter((item) => !isInstruction(item));
  const last = items.at(-1);
  if (!last) throw refuseField(name, "holds nothing to answer");

  const firstResult = items.findLastIndex(({ role }) => role !== "tool") + 1;
  const fresh = last.role === "tool" ? firstResult : items.length - 1;
  const calls = namesOfCalls(items, prior);
  const conversation = [...prior, ...items.slice(0, fresh).map((item) => toTranscript(item, calls, limits))];
  const common = { instructions: instructions.filter(Boolean).join("\n\n"), conversation };
  if (last.role === "tool") {
    const results = items.slice(fresh).map((item) => readResult(item, calls));
    checkAnswered(results, conversation.at(-1), name);
    return { ...common, text: "", pictures: [], functionResults: results };
  }
  if (last.role !== "user") throw refuseField(`${last.field}.role`, "of the last message must be user or tool");
  return { ...common, ...readParts(last), functionResults: [] };
}

interface Parts {
  readonly text: string;
  readonly pictures: readonly PictureSource[];
}

function readParts({ body, field }: Item): Parts {
  const { content } = body;
  if (typeof content === "string") return { text: content, pictures: [] };
  if (content === null || content === undefined) return { text: "", pictures: [] };
  const texts: string[] = [];
  const pictures: PictureSource[] = [];
  for (const [index, value] of asList(content, `${field}.content`).entries()) {
    const at = `${field}.content[${index}]`;
    const part = asObject(value, at);
    switch (part["type"]) {
      case "text":
      case "input_text":
      case "output_text":
        texts.push(asText(part["text"], `${at}.text`));
        break;
      case "refusal":
        texts.push(asText(part["refusal"], `${at}.refusal`));
        break;
      case "image_url": {
        const image = isRecord(part["image_url"]) ? part["image_url"]["url"] : part["image_url"];
        pictures.push({ url: asText(image, `${at}.image_url.url`), field: `${at}.image_url` });
        break;
      }
      default:
        throw refuseField(`${at}.type`, "is not one that is understood here", "use text or image_url");
    }
  }
  return { text: texts.join("\n"), pictures };
}

function namesOfCalls(items: readonly Item[], prior: readonly TranscriptMessage[]): ReadonlyMap<string, string> {
  const known = prior.flatMap(({ content }) => content.filter((block) => block.type === "toolCall"));
  const names = new Map(known.map((call) => [call.id, call.name]));
  for (const { body, field } of items) {
    if (body["tool_calls"] === undefined || body["tool_calls"] === null) continue;
    for (const [index, value] of asList(body["tool_calls"], `${field}.tool_calls`).entries()) {
      const at = `${field}.tool_calls[${index}]`;
      const call = asObject(value, at);
      names.set(
        asText(call["id"], `${at}.id`),
        asText(asObject(call["function"], `${at}.function`)["name"], `${at}.name`),
      );
    }
  }
  return names;
}

function readResult(item: Item, names: ReadonlyMap<string, string>): FunctionResult {
  const callId = asText(item.body["tool_call_id"], `${item.field}.tool_call_id`);
  const name = names.get(callId);
  if (name === undefined) throw refuseField(`${item.field}.tool_call_id`, "answers no call that stands before it");
  return { callId, name, output: readParts(item).text, isError: false };
}

function checkAnswered(results: readonly FunctionResult[], before: TranscriptMessage | undefined, name: string): void {
  const asked = new Set(before?.content.flatMap((block) => (block.type === "toolCall" ? [block.id] : [])));
  const stray = results.find(({ callId }) => !asked.has(callId));
  if (stray) throw refuseField(name, `holds a result of ${stray.callId} that does not follow its call`);
}

/** `timestamp` 0: when it was said nobody knows, and the same request is the same text. */
function toTranscript(item: Item, names: ReadonlyMap<string, string>, limits: SourceLimits): TranscriptMessage {
  const { text, pictures } = readParts(item);
  const said: ContentBlock[] = text === "" ? [] : [{ type: "text", text }];
  switch (item.role) {
    case "user":
      return { role: "user", content: [...said, ...pictures.slice(0, maxPictures).map(toBlock(limits))], timestamp: 0 };
    case "assistant":
      return {
        role: "assistant",
        content: [...said, ...readCalls(item)],
        timestamp: 0,
        provider: "",
        model: "",
        usage: noUsage,
        stopReason: "stop",
      };
    case "tool":
      return resultMessage(readResult(item, names), 0);
    default:
      throw refuseField(`${item.field}.role`, "must be system, developer, user, assistant or tool");
  }
}

/** A picture of an earlier message: one that would have to be fetched again is only mentioned. */
const toBlock =
  (limits: SourceLimits) =>
  (source: PictureSource): ContentBlock => {
    if (!source.url.startsWith("data:")) return { type: "text", text: "[a picture]" };
    const { mimeType, base64 } = fromDataUrl(source, limits);
    return { type: "image", mimeType, data: base64 };
  };

function readCalls({ body, field }: Item): ContentBlock[] {
  const calls = body["tool_calls"] ?? [];
  return asList(calls, `${field}.tool_calls`).map((value, index) => {
    const at = `${field}.tool_calls[${index}]`;
    const call = asObject(value, at);
    const inner = asObject(call["function"], `${at}.function`);
    const args = parseJson(asText(inner["arguments"] ?? "{}", `${at}.function.arguments`) || "{}");
    return {
      type: "toolCall",
      id: asText(call["id"], `${at}.id`),
      name: asText(inner["name"], `${at}.function.name`),
      arguments: isRecord(args) ? args : {},
    };
  });
}
