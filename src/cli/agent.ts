// `agent`: one turn. A person at a terminal sees the reply while it is written.

import { sleep } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { MethodParams, MethodResult } from "../protocol/contract.ts";
import type { GatewayClient } from "../client/connect.ts";
import type { Invocation, Run } from "./commands.ts";
import { withClient } from "./connection.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
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
  const opening = { scopes: ["operator.admin"], timeoutMs: connectTimeoutMs, needsValidConfig: true };
  const answer = await withClient(context, opening, (client) => ask(client, context, { message, invocation }));
  if (typeof answer === "number") return answer;
  if (context.flags.json) context.out.json(answer);
  return answer.status === "ok" ? 0 : 1;
};

interface Asking {
  readonly message: string;
  readonly invocation: Invocation;
}

/** @returns the exit code when a person stopped it. */
async function ask(
  client: GatewayClient,
  context: Context,
  { message, invocation }: Asking,
): Promise<MethodResult<"agent"> | number> {
  const { out, flags, clock } = context;
  const runId = context.ids.uuid();
  const seconds = parseSeconds(invocation.options["timeout"] as string | undefined);
  const stream = out.isTerminal && !flags.json ? showStream(client, out, runId) : undefined;
  const params = { message, idempotencyKey: runId, timeout: seconds, ...toParams(invocation) };
  const turn = watchRun(client, params, clock);
  const timeoutMs = seconds === 0 ? 0 : (seconds + 30) * 1000;
  const call = () => client.call("agent", params, { timeoutMs, isFinal: true, onAccepted: turn.accepted });
  const answer = await interruptible(call, turn.abort).catch((error: unknown) => {
    // what was said up to now stays on its own line
    if (stream?.shown()) out.line();
    throw error;
  });
  if ("exitCode" in answer) {
    if (stream?.shown()) out.line();
    out.error(answer.outcome ? "stopped" : `not stopped: the run ${runId} goes on in the Gateway`);
    return answer.exitCode;
  }
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

/** Time for the Gateway to say that the run is stopped. */
const abortMs = 2_000;

/** Learns which session the run is in, for that is what stopping it needs. */
function watchRun(client: GatewayClient, params: MethodParams<"agent">, clock: Context["clock"]) {
  const runId = params.idempotencyKey;
  let sessionKey = guessSession(client, params);
  client.on("agent", (event) => {
    if (event.runId === runId && event.sessionKey !== undefined) sessionKey = event.sessionKey;
  });
  return {
    accepted(answer: Readonly<Record<string, unknown>>) {
      if (typeof answer["sessionKey"] === "string") sessionKey = answer["sessionKey"];
    },
    /** @returns false when it goes on, or nobody knows. */
    async abort(): Promise<boolean> {
      const until = clock.monotonic() + abortMs;
      while (sessionKey !== undefined && clock.monotonic() < until) {
        const answer = await client.call("chat.abort", { sessionKey, runId }, { timeoutMs: abortMs });
        if (answer.aborted) return true;
        // the request may not have been taken up yet
        await sleep(clock, 100);
      }
      return false;
    },
  };
}

/** Until the first answer or event tells. @returns undefined where only the Gateway knows. */
function guessSession(client: GatewayClient, params: MethodParams<"agent">): string | undefined {
  const { sessionKey, sessionId, to, agentId } = params;
  if (sessionKey !== undefined) return sessionKey;
  if (sessionId !== undefined || to !== undefined) return undefined;
  const main = client.hello.snapshot.sessionDefaults?.mainSessionKey;
  return agentId === undefined || main === "global" ? main : `agent:${agentId}:main`;
}

const paramOfOption = {
  to: "to",
  sessionId: "sessionId",
  sessionKey: "sessionKey",
  agent: "agentId",
  channel: "channel",
  replyTo: "replyTo",
  replyChannel: "replyChannel",
  replyAccount: "replyAccountId",
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
