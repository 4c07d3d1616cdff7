// POST /v1/chat/completions: an agent behind the interface that most programs speak (OpenAI API reference, Chat Completions).

import type { Ids } from "../base/ids.ts";
import type { RunRequest } from "../conversation/run-inbound.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { PublicFetch } from "../platform/egress-public.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import { readChatRequest, type ChatRequest } from "./chat-request.ts";
import { readPictures } from "./pictures.ts";
import { finishReason, streamChat, toCalls, toUsage, type ChatAnswer } from "./chat-stream.ts";
import { followRun, type RunDependencies, type RunEvent } from "./run.ts";
import { toRunRequest } from "./run-request.ts";
import type { SourceLimits } from "./source.ts";
import { decideTarget } from "./target.ts";

export interface ChatDependencies extends RunDependencies {
  readonly ids: Ids;
  readonly routePolicy: () => RoutePolicy;
  readonly fetch: PublicFetch;
  readonly pictures: () => SourceLimits;
}

/** @throws Fault of the request, or of the run until something was said. */
export async function answerChat(
  request: HttpRequest,
  reply: HttpReply,
  dependencies: ChatDependencies,
): Promise<void> {
  const chat = readChatRequest(await request.json(), dependencies.pictures());
  const run = await toRun(request, chat, dependencies);
  const created = Math.floor(dependencies.clock.now() / 1000);
  const head = { id: `chatcmpl_${run.runId}`, created, model: chat.model };
  const events = followRun(run, request.signal, dependencies);
  await (chat.isStreamed ? streamChat : answerAtOnce)(events, { head, hasUsage: chat.hasUsage, reply });
}

async function toRun(request: HttpRequest, chat: ChatRequest, dependencies: ChatDependencies): Promise<RunRequest> {
  const { ids, routePolicy, fetch, pictures } = dependencies;
  const runId = readIdempotencyKey(request) ?? ids.uuid();
  const naming = { model: chat.model, user: chat.user, family: "openai", fresh: runId };
  const target = decideTarget(request, naming, routePolicy());
  const attachments = await readPictures(chat.pictures, pictures(), { fetch, signal: request.signal });
  return toRunRequest({ ...chat, request, runId, target, messages: chat, attachments });
}

/** A request that is sent again with the same key has one effect and the same answer. */
export function readIdempotencyKey({ headers }: HttpRequest): string | undefined {
  const key = headers["idempotency-key"];
  return typeof key === "string" && /^[\w.:-]{1,128}$/u.test(key) ? key.toLowerCase() : undefined;
}

async function answerAtOnce(events: AsyncIterable<RunEvent>, { head, reply }: ChatAnswer): Promise<void> {
  for await (const event of events) {
    if (event.type !== "end") continue;
    const { outcome, text } = event;
    const calls = toCalls(outcome);
    const message = {
      role: "assistant",
      content: text === "" && calls.length > 0 ? null : text,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    reply.json(200, {
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(outcome) }],
      usage: toUsage(outcome),
    });
  }
}
