// `agent`: one turn. A person at a terminal sees the reply while it is written.

import { Fault } from "../base/fault.ts";
import type { MethodResult } from "../protocol/contract.ts";
import type { GatewayClient } from "../client/connect.ts";
import type { Invocation, Run } from "./commands.ts";
import { withClient } from "./connection.ts";
import type { Context } from "./context.ts";

const connectTimeoutMs = 10_000;

export const run: Run = async (context, invocation) => {
  const text = (name: string) => invocation.options[name] as string | undefined;
  const message = text("message");
  if (message === undefined || message.trim() === "") {
    throw new Fault("usage", "what should be said?", { field: "--message", next: `${context.command('agent --message "hello"')}` });
  }
  const answer = await withClient(context, { scopes: ["operator.admin"], timeoutMs: connectTimeoutMs }, (client) =>
    ask(client, context, { message, invocation }),
  );
  if (context.flags.json) context.out.json(answer);
  return answer.status === "ok" ? 0 : 1;
};

async function ask(client: GatewayClient, context: Context, { message, invocation }: { message: string; invocation: Invocation }) {
  const { out, flags } = context;
  const runId = context.ids.uuid();
  const text = (name: string) => invocation.options[name] as string | undefined;
  const seconds = parseSeconds(text("timeout"));
  const isLive = out.isTerminal && !flags.json;
  let shown = "";
  if (isLive) {
    client.on("agent", (event) => {
      const whole = event.data["text"];
      if (event.runId !== runId || event.stream !== "assistant" || typeof whole !== "string") return;
      // text that was taken back is not shown again: the whole reply follows at the end
      if (whole.startsWith(shown)) out.write(whole.slice(shown.length));
      shown = whole;
    });
  }
  const optional = (name: string, value: unknown) => (value === undefined ? {} : { [name]: value });
  const answer: MethodResult<"agent"> = await client.call(
    "agent",
    {
      message,
      idempotencyKey: runId,
      timeout: seconds,
      ...optional("to", text("to")),
      ...optional("sessionId", text("sessionId")),
      ...optional("sessionKey", text("sessionKey")),
      ...optional("agentId", text("agent")),
      ...optional("channel", text("channel")),
      ...optional("thinking", text("thinking")),
      ...(invocation.options["deliver"] === true ? { deliver: true } : {}),
    },
    { timeoutMs: seconds === 0 ? 0 : (seconds + 30) * 1000, isFinal: true },
  );
  if (!flags.json) {
    const reply = (answer.result?.payloads ?? []).map((payload) => payload.text).join("\n\n");
    if (isLive && shown !== "" && shown.trim().endsWith(reply.trim())) out.line();
    else out.line(isLive && shown !== "" ? `\n${reply}` : reply);
  }
  return answer;
}

function parseSeconds(value: string | undefined): number {
  const seconds = value === undefined ? 600 : Number(value);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw new Fault("usage", `not a number of seconds: ${value}`, { field: "--timeout" });
}
