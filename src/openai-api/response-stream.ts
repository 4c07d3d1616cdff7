// A response in parts: the events of the OpenResponses specification, in their order, each with its number.

import { Fault, renderFault } from "../base/fault.ts";
import type { HttpReply } from "../ports/route.ts";
import {
  callItem,
  itemId,
  messageItem,
  outputOf,
  textPart,
  toResource,
  type OutputItem,
  type ResponseHead,
} from "./response-resource.ts";
import type { RunEvent } from "./run.ts";

export interface ResponseStreaming {
  readonly head: ResponseHead;
  readonly reply: HttpReply;
  /** Makes the finished resource and stores it. */
  readonly finish: (event: Extract<RunEvent, { type: "end" }>) => Promise<Record<string, unknown>>;
}

/** Begins at once; whatever goes wrong afterwards is `response.failed`. */
export async function streamResponse(events: AsyncIterable<RunEvent>, streaming: ResponseStreaming): Promise<void> {
  const { head, reply } = streaming;
  const stream = reply.stream(200, { "content-type": "text/event-stream; charset=utf-8" });
  let number = 0;
  const send: Send = async (type, data) => {
    const event = { type, sequence_number: number, ...data };
    number += 1;
    // a client that has gone aborts the run; there is nothing else to do about it
    await stream.write(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const started = { response: toResource(head, { status: "in_progress" }) };
  await send("response.created", started);
  await send("response.in_progress", started);
  const words = createWords(head.id, send);
  try {
    for await (const event of events) {
      if (event.type === "waiting") await stream.write(": still working\n\n");
      else if (event.type === "taken-back") {
        if (words.isBegun()) throw new Fault("agent_failed", "the model broke off in the middle of its answer");
      } else if (event.type === "text") await words.add(event.delta);
      else await tellEnd(event, { ...streaming, words, send });
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const response = toResource(head, {
      status: "failed",
      error: {
        code: error.code === "overloaded" ? "rate_limit_exceeded" : "server_error",
        message: renderFault(error),
      },
    });
    await send("response.failed", { response });
  }
  await stream.write("data: [DONE]\n\n");
  stream.end();
}

type Send = (type: string, data: object) => Promise<void>;

interface Ending extends ResponseStreaming {
  readonly words: Words;
  readonly send: Send;
}

async function tellEnd(
  event: Extract<RunEvent, { type: "end" }>,
  { head, words, send, finish }: Ending,
): Promise<void> {
  const output = outputOf(head.id, event.text, event.outcome);
  for (const [index, item] of output.entries()) {
    if (item.type === "message") await words.end(item, event.text);
    else await tellCall(item, { index, send, callId: String(item["call_id"]) });
  }
  const response = await finish(event);
  await send(response["status"] === "incomplete" ? "response.incomplete" : "response.completed", { response });
}

async function tellCall(
  item: OutputItem,
  { index, send, callId }: { readonly index: number; readonly send: Send; readonly callId: string },
): Promise<void> {
  const place = { item_id: item.id, output_index: index };
  const args = String(item["arguments"]);
  const name = String(item["name"]);
  const begun = callItem(item.id, { id: callId, name }, { args: "", status: "in_progress" });
  await send("response.output_item.added", { output_index: index, item: begun });
  await send("response.function_call_arguments.delta", { ...place, delta: args });
  await send("response.function_call_arguments.done", { ...place, name, arguments: args });
  await send("response.output_item.done", { output_index: index, item });
}

interface Words {
  isBegun(): boolean;
  add(delta: string): Promise<void>;
  /** Also for a message without any. */
  end(item: OutputItem, text: string): Promise<void>;
}

/** The message of a response: always its first item. */
function createWords(responseId: string, send: Send): Words {
  const id = itemId(responseId, "msg", 0);
  const place = { item_id: id, output_index: 0, content_index: 0 };
  let isBegun = false;
  const begin = async () => {
    if (isBegun) return;
    isBegun = true;
    await send("response.output_item.added", { output_index: 0, item: messageItem(id, undefined, "in_progress") });
    await send("response.content_part.added", { ...place, part: textPart("") });
  };
  return {
    isBegun: () => isBegun,
    async add(delta) {
      await begin();
      await send("response.output_text.delta", { ...place, delta, logprobs: [] });
    },
    async end(item, text) {
      await begin();
      await send("response.output_text.done", { ...place, text, logprobs: [] });
      await send("response.content_part.done", { ...place, part: textPart(text) });
      await send("response.output_item.done", { output_index: 0, item });
    },
  };
}
