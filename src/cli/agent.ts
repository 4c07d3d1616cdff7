// `agent`: one turn. A person at a terminal sees the reply while it is written.

import { Fault } from "../base/fault.ts";
import type { MethodParams, MethodResult } from "../protocol/contract.ts";
import type { GatewayClient } from "../client/connect.ts";
import type { Invocation, Run } from "./commands.ts";
import { withClient } from "./connection.ts";
import type { Context } from "./context.ts";
import { cleanText, createTextStream, type TextStream } from "./render/text.ts";

const connectTimeoutMs = 10_000;

export const run: Run = async (context, invocation) => {
  const text = (name: string) => invocation.options[name] as string | undefined;
  const message = text("message");
  if (message === undefined || message.trim() === "") {
    throw new Fault("usage", "what should be said?", {
      field: "--message",
      next: `${context.command('agent --message "hello"')}`,
    });
  }
  const answer = await withClient(context, { scopes: ["operator.admin"], timeoutMs: connectTimeoutMs }, (client) =>
    ask(client, context, { message, invocation }),
  );
  if (context.flags.json) context.out.json(answer);
  return answer.status === "ok" ? 0 : 1;
};

interface Asking {
  readonly message: string;
  readonly invocation: Invocation;
}

async function ask(
  client: GatewayClient,
  context: Context,
  { message, invocation }: Asking,
): Promise<MethodResult<"agent">> {
  const { out, flags } = context;
  const runId = context.ids.uuid();
  const seconds = parseSeconds(invocation.options["timeout"] as string | undefined);
  const stream = out.isTerminal && !flags.json ? showStream(client, out, runId) : undefined;
  const call = client.call(
    "agent",
    { message, idempotencyKey: runId, timeout: seconds, ...toParams(invocation) },
    { timeoutMs: seconds === 0 ? 0 : (seconds + 30) * 1000, isFinal: true },
  );
  const answer = await call.catch((error: unknown) => {
    // what was said up to now stays on its own line
    if (stream?.shown()) out.line();
    throw error;
  });
  if (!flags.json) showReply(out, answer, stream?.shown() ?? "");
  return answer;
}

function showReply(out: Context["out"], answer: MethodResult<"agent">, shown: string): void {
  const texts = (answer.result?.payloads ?? []).map((payload) => payload.text ?? "");
  const reply = cleanText(texts.join("\n\n"));
  if (shown === "") out.line(reply);
  else out.line(shown.trim().endsWith(reply.trim()) ? "" : `\n\n${reply}`);
}

/** Prints the text while it comes. */
function showStream(client: GatewayClient, out: Context["out"], runId: string): TextStream {
  const stream = createTextStream(out.write);
  client.on("agent", (event) => {
    const whole = event.data["text"];
    if (event.runId === runId && event.stream === "assistant" && typeof whole === "string") stream.take(whole);
  });
  return stream;
}

const paramOfOption = {
  to: "to",
  sessionId: "sessionId",
  sessionKey: "sessionKey",
  agent: "agentId",
  channel: "channel",
  thinking: "thinking",
};

function toParams({ options }: Invocation): Partial<MethodParams<"agent">> {
  const named = Object.entries(paramOfOption).flatMap(([option, param]) =>
    typeof options[option] === "string" ? [[param, options[option]]] : [],
  );
  return { ...Object.fromEntries(named), ...(options["deliver"] === true ? { deliver: true } : {}) };
}

function parseSeconds(value: string | undefined): number {
  const seconds = value === undefined ? 600 : Number(value);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw new Fault("usage", `not a number of seconds: ${value}`, { field: "--timeout" });
}
