// POST /v1/embeddings: numbers for texts, by the provider of an agent's model (OpenAI API reference, Embeddings).

import { asObject, asText, asWhole, optional, refuseField } from "../base/fields.ts";
import type { RoutePolicy } from "../conversation/route.ts";
import type { Embed } from "../ports/embedding.ts";
import type { HttpReply, HttpRequest } from "../ports/route.ts";
import { readUser } from "./chat-request.ts";
import { decideTarget } from "./target.ts";

export interface EmbeddingsDependencies {
  readonly routePolicy: () => RoutePolicy;
  readonly embed: Embed;
}

/** As OpenAI has it. */
const maxTexts = 2_048;
const maxDimensions = 65_536;

/** @throws Fault `invalid_params`, `forbidden` or `agent_failed`. */
export async function answerEmbeddings(
  request: HttpRequest,
  reply: HttpReply,
  { routePolicy, embed }: EmbeddingsDependencies,
): Promise<void> {
  const body = asObject(await request.json(), "the body");
  const naming = { model: asText(body["model"], "model"), user: optional(body, "user", readUser) };
  const texts = readTexts(body["input"]);
  const format = optional(body, "encoding_format", readFormat) ?? "float";
  const dimensions = optional(body, "dimensions", asWhole(1, maxDimensions));
  const { agentId, model } = decideTarget(request, { ...naming, family: "openai", fresh: "embeddings" }, routePolicy());
  const found = await embed({ agentId, model, texts, dimensions, signal: request.signal });
  const render = format === "base64" ? toBase64 : (vector: readonly number[]) => vector;
  reply.json(200, {
    object: "list",
    data: found.vectors.map((vector, index) => ({ object: "embedding", index, embedding: render(vector) })),
    model: found.model,
    usage: { prompt_tokens: found.tokens, total_tokens: found.tokens },
  });
}

function readTexts(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length === 0 || texts.length > maxTexts) throw refuseField("input", `must hold 1 to ${maxTexts} texts`);
  return texts.map((text, index) => {
    const field = Array.isArray(value) ? `input[${index}]` : "input";
    if (typeof text !== "string") throw refuseField(field, "must be a text", "send texts instead of tokens");
    if (text === "") throw refuseField(field, "must not be empty");
    return text;
  });
}

function readFormat(value: unknown, field: string): "float" | "base64" {
  if (value !== "float" && value !== "base64") throw refuseField(field, "must be float or base64");
  return value;
}

/** Floats of 32 bits, the lowest byte first. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, number] of vector.entries()) bytes.writeFloatLE(number, index * 4);
  return bytes.toString("base64");
}
