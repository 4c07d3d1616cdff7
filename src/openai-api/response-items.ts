// The `input` of a response, item by item, in the form of messages: OpenResponses items, OpenAI's, and those of older servers.

import { asList, asObject, asText, refuseField, type Body } from "../base/fields.ts";
import { isRecord } from "../base/json.ts";
import type { Item } from "./chat-messages.ts";
import type { FileSource } from "./response-files.ts";
import { sourceUrl } from "./source.ts";

/** A file stands where its text will be put. */
export interface ReadInput {
  readonly items: readonly Item[];
  readonly files: readonly FileSource[];
}

/** Finds an item of an earlier response by its id. */
export type FindItem = (id: string) => Promise<Body | undefined>;

/** @throws Fault `invalid_params` naming the item. */
export async function readInput(input: unknown, findItem: FindItem): Promise<ReadInput> {
  if (typeof input === "string")
    return { items: [{ role: "user", body: { content: input }, field: "input" }], files: [] };
  const items: Item[] = [];
  const files: FileSource[] = [];
  for (const [index, value] of asList(input, "input").entries()) {
    const field = `input[${index}]`;
    add(items, await resolve(asObject(value, field), field, findItem), { field, files });
  }
  return { items, files };
}

/** @throws Fault when a reference leads nowhere. */
async function resolve(item: Body, field: string, findItem: FindItem): Promise<Body> {
  if (item["type"] !== "item_reference") return item;
  const id = asText(item["id"], `${field}.id`);
  const found = await findItem(id);
  if (!found) throw refuseField(`${field}.id`, "is no item of a response that is kept here");
  return found;
}

interface Adding {
  readonly field: string;
  readonly files: FileSource[];
}

function add(items: Item[], item: Body, { field, files }: Adding): void {
  switch (item["type"] ?? "message") {
    case "message": {
      const content = toParts(item["content"], { field, files });
      items.push({ role: asText(item["role"], `${field}.role`), body: { content }, field });
      return;
    }
    case "function_call": {
      const id = asText(item["call_id"] ?? item["id"], `${field}.call_id`);
      const call = { id, function: { name: item["name"], arguments: item["arguments"] ?? "{}" } };
      addCall(items, call, field);
      return;
    }
    case "function_call_output": {
      const body = { tool_call_id: item["call_id"], content: toOutput(item["output"], field) };
      items.push({ role: "tool", body, field });
      return;
    }
    case "reasoning":
      // what a model thought is of no use to another one
      return;
    default:
      throw refuseField(
        `${field}.type`,
        "is not one that is understood here",
        "use message, function_call, function_call_output, reasoning or item_reference",
      );
  }
}

/** Calls that stand one behind the other were made at once. */
function addCall(items: Item[], call: object, field: string): void {
  const last = items.at(-1);
  const before = last?.body["tool_calls"];
  if (last && Array.isArray(before)) items[items.length - 1] = { ...last, body: { tool_calls: [...before, call] } };
  else items.push({ role: "assistant", body: { tool_calls: [call] }, field });
}

function toOutput(output: unknown, field: string): unknown {
  if (typeof output === "string") return output;
  return asList(output, `${field}.output`).map((value, index) => {
    const part = asObject(value, `${field}.output[${index}]`);
    return { type: "text", text: asText(part["text"], `${field}.output[${index}].text`) };
  });
}

function toParts(content: unknown, { field, files }: Adding): unknown {
  if (typeof content === "string") return content;
  return asList(content, `${field}.content`).map((value, index) => {
    const at = `${field}.content[${index}]`;
    const part = asObject(value, at);
    switch (part["type"]) {
      case "input_image":
        return { type: "image_url", image_url: { url: imageUrl(part, at) } };
      case "input_file": {
        files.push({ part, field: at, index: files.length });
        return { type: "text", text: placeOfFile(files.length - 1) };
      }
      default:
        return part;
    }
  });
}

/** Stands for the text of a file until it is there; no client can write it by chance. */
export const placeOfFile = (index: number): string => `\u0000file ${index}\u0000`;

function imageUrl(part: Body, field: string): string {
  const { image_url: image, source } = part;
  if (typeof image === "string") return image;
  if (isRecord(image)) return asText(image["url"], `${field}.image_url.url`);
  if (isRecord(source)) return sourceUrl(source, `${field}.source`);
  throw refuseField(`${field}.image_url`, "must be a URL or a data URL", "pictures are sent with the request");
}
