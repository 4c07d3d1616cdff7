// POST /v1/responses, and the stored ones by their id (OpenResponses specification; OpenAI API reference, Responses).

import { Fault } from "../base/fault.ts";
import { noUsage, openingMessages } from "../conversation/messages.ts";
import type { RunRequest } from "../conversation/run-inbound.ts";
import type { Database } from "../platform/database.ts";
import type { PdfLimits, PdfText } from "../platform/pdf.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import type { ContentBlock, TranscriptMessage } from "../ports/transcript.ts";
import { readIdempotencyKey, type ChatDependencies } from "./chat-completions.ts";
import { readItems, type ChatMessages, type Item } from "./chat-messages.ts";
import type { Body } from "../base/fields.ts";
import { isRecord } from "../base/json.ts";
import { readPictures } from "./pictures.ts";
import { readFiles, type FileLimits } from "./response-files.ts";
import { placeOfFile, readInput } from "./response-items.ts";
import { readResponseRequest, type ResponseRequest } from "./response-request.ts";
import { outputOf, responseOfItem, toResource, type ResponseHead } from "./response-resource.ts";
import { deleteResponse, findResponse, insertResponse, type StoredResponse } from "./response-store.ts";
import { streamResponse } from "./response-stream.ts";
import { toRunRequest } from "./run-request.ts";
import { followRun, type RunEvent } from "./run.ts";
import { decideTarget } from "./target.ts";

export interface ResponseDependencies extends ChatDependencies {
  readonly database: Database;
  readonly files: () => FileLimits;
  readonly readPdf: (bytes: Uint8Array, limits: PdfLimits) => Promise<PdfText>;
}

/** @throws Fault of the request, or of the run where nothing is streamed. */
export async function answerResponse(
  request: HttpRequest,
  reply: HttpReply,
  dependencies: ResponseDependencies,
): Promise<void> {
  const { clock, ids, database } = dependencies;
  const asked = readResponseRequest(await request.json());
  const previous = await findPrevious(asked.previousId, database);
  const messages = await readConversation(request, asked, { dependencies, previous });
  const fresh = readIdempotencyKey(request) ?? ids.uuid();
  const run = await toRun({ request, asked, messages, previous, fresh }, dependencies);
  const head: ResponseHead = {
    id: `resp_${fresh}`,
    createdAt: Math.floor(clock.now() / 1000),
    request: asked,
  };
  const finish = async ({ text, outcome }: Extract<RunEvent, { type: "end" }>) => {
    const resource = toResource(head, {
      status: outcome.stopReason === "length" ? "incomplete" : "completed",
      completedAt: Math.floor(clock.now() / 1000),
      output: outputOf(head.id, text, outcome),
      outcome,
    });
    if (asked.isStored) {
      const conversation = [...messages.conversation, ...openingMessages(run, 0), answerOf(text, outcome.calls ?? [])];
      const row = { id: head.id, sessionKey: run.sessionKey, createdAt: clock.now(), conversation, resource };
      await database.write((sql) => insertResponse(sql, row));
    }
    return resource;
  };
  const events = followRun(run, request.signal, dependencies);
  if (asked.isStreamed) await streamResponse(events, { head, reply, finish });
  else for await (const event of events) if (event.type === "end") reply.json(200, await finish(event));
}

/** GET and DELETE of `/v1/responses/<id>`. @throws Fault `not_found` */
export async function answerStored(request: HttpRequest, reply: HttpReply, database: Database): Promise<void> {
  const id = request.path.slice("/v1/responses/".length);
  const isDeletion = request.method === "DELETE";
  const found = isDeletion
    ? await database.write((sql) => deleteResponse(sql, id))
    : await database.read((sql) => findResponse(sql, id));
  if (!found) throw new Fault("not_found", "no response of that id is kept here", { field: "response_id" });
  reply.json(200, found === true ? { id, object: "response", deleted: true } : found.resource);
}

async function findPrevious(id: string | undefined, database: Database): Promise<StoredResponse | undefined> {
  if (id === undefined) return undefined;
  const previous = await database.read((sql) => findResponse(sql, id));
  if (previous) return previous;
  throw new Fault("not_found", "no response of that id is kept here", {
    field: "previous_response_id",
    next: "send the whole conversation as input",
  });
}

interface Reading {
  readonly dependencies: ResponseDependencies;
  readonly previous: StoredResponse | undefined;
}

async function readConversation(
  request: HttpRequest,
  { body }: ResponseRequest,
  { dependencies, previous }: Reading,
): Promise<ChatMessages> {
  const { database, fetch, readPdf } = dependencies;
  const { items, files } = await readInput(body["input"], (id) =>
    database.read((sql) => outputItem(findResponse(sql, responseOfItem(id)), id)),
  );
  const texts = await readFiles(files, dependencies.files(), { fetch, readPdf, signal: request.signal });
  return readItems(texts.length > 0 ? items.map((item) => withFiles(item, texts)) : items, {
    name: "input",
    limits: dependencies.pictures(),
    prior: previous?.conversation ?? [],
  });
}

function outputItem(stored: StoredResponse | undefined, id: string): Body | undefined {
  const output: unknown = stored?.resource["output"];
  return Array.isArray(output) ? output.filter(isRecord).find((item) => item["id"] === id) : undefined;
}

function withFiles(item: Item, texts: readonly string[]): Item {
  const { content } = item.body;
  if (!Array.isArray(content)) return item;
  const places = new Map(texts.map((text, index) => [placeOfFile(index), text]));
  const filled = content.map((part: unknown) => {
    const text = isRecord(part) && typeof part["text"] === "string" ? places.get(part["text"]) : undefined;
    return text === undefined ? part : { type: "text", text };
  });
  return { ...item, body: { content: filled } };
}

interface Running {
  readonly request: HttpRequest;
  readonly asked: ResponseRequest;
  readonly messages: ChatMessages;
  readonly previous: StoredResponse | undefined;
  readonly fresh: string;
}

async function toRun(
  { request, asked, messages, previous, fresh }: Running,
  { routePolicy, fetch, pictures }: ResponseDependencies,
): Promise<RunRequest> {
  const naming = { model: asked.model, user: asked.user, family: "openresponses", fresh };
  const target = decideTarget(request, naming, routePolicy());
  const attachments = await readPictures(messages.pictures, pictures(), { fetch, signal: request.signal });
  return toRunRequest({
    ...asked,
    request,
    runId: `resp:${fresh}`,
    // what goes on from a response stays in its session, unless the client names another
    target: previous && !target.isLasting ? { ...target, sessionKey: previous.sessionKey } : target,
    messages: {
      ...messages,
      instructions: [asked.instructions, messages.instructions].filter(Boolean).join("\n\n"),
    },
    attachments,
  });
}

function answerOf(
  text: string,
  calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: Readonly<Record<string, unknown>>;
  }[],
): TranscriptMessage {
  return {
    role: "assistant",
    content: [
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...calls.map((call): ContentBlock => ({ type: "toolCall", ...call, arguments: { ...call.arguments } })),
    ],
    timestamp: 0,
    provider: "",
    model: "",
    usage: noUsage,
    stopReason: calls.length > 0 ? "tool" : "stop",
  };
}
