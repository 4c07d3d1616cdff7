// Tools of the conversation room: look at the session, and write to a chat. Side effects carry the call's effect key, so a
// turn that resumes after a crash does not repeat them.

import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Database } from "../platform/database.ts";
import type { Tool, ToolContext } from "../ports/tool.ts";
import { chunkMarkdown } from "./chunk.ts";
import type { Sending } from "./send.ts";
import type { SendPolicy } from "./send-policy.ts";
import { insertOutbox } from "./store/outbox.ts";
import { findSession } from "./store/sessions.ts";
import { countTurns } from "./store/turns.ts";

export interface ToolDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly sending: Sending;
  readonly onOutbox: () => void;
  readonly sendPolicy: SendPolicy;
}

export function createConversationTools(dependencies: ToolDependencies): readonly Tool[] {
  return [createSessionStatusTool(dependencies), createMessageTool(dependencies)];
}

function createSessionStatusTool({ database, clock }: ToolDependencies): Tool {
  return {
    name: "session_status",
    description:
      "Shows this conversation's state: the model in use, tokens used, number of turns, and the current time.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    effect: "read",
    async run(_params, context) {
      const now = clock.now();
      const { session, work } = await database.read((sql) => ({
        session: findSession(sql, context.sessionKey),
        work: countTurns(sql, now),
      }));
      const lines = [
        `time: ${new Date(now).toISOString()}`,
        `session: ${context.sessionKey}`,
        `agent: ${context.agentId}`,
        `model: ${context.model}`,
        `turns answered: ${session?.turns ?? 0}`,
        `tokens used: ${session?.totalTokens ?? 0} (input ${session?.inputTokens ?? 0}, output ${session?.outputTokens ?? 0})`,
        `queue: ${work.running} running, ${work.queued} waiting`,
      ];
      return lines.join("\n");
    },
  };
}

function createMessageTool(dependencies: ToolDependencies): Tool {
  return {
    name: "message",
    description:
      "Sends a message to a chat, besides the reply of this turn. Without a target it goes to the chat that this conversation is held in.",
    parameters: {
      type: "object",
      properties: {
        action: { type: "string", enum: ["send"], description: "What to do." },
        message: { type: "string", minLength: 1, description: "The text, in Markdown." },
        channel: { type: "string", description: "Channel id, such as telegram; the current one when left out." },
        accountId: {
          type: "string",
          description: "Account of the channel to send from; the one of this conversation when left out.",
        },
        target: {
          type: "string",
          description: "Chat to write to, as the channel writes it; the current one when left out.",
        },
      },
      required: ["action", "message"],
    },
    effect: "send",
    run: (params, context) => sendMessage(params, context, dependencies),
  };
}

async function sendMessage(
  params: Record<string, unknown>,
  context: ToolContext,
  dependencies: ToolDependencies,
): Promise<string> {
  const text = typeof params["message"] === "string" ? params["message"] : "";
  const { channel, target } = resolveTarget(params, context, dependencies.sending);
  const chunks = chunkMarkdown(text, channel.textLimit(target.account));
  if (chunks.length === 0) throw new Fault("invalid_params", "message is empty", { field: "message" });

  await dependencies.database.write((sql) => {
    dependencies.sendPolicy.check(sql, context.sessionKey);
    for (const [index, chunk] of chunks.entries()) {
      insertOutbox(sql, {
        effectKey: `${context.effectKey}:${index}`,
        runId: context.runId,
        source: "tool",
        target,
        payload: { text: chunk },
        now: dependencies.clock.now(),
        trace: context.trace,
      });
    }
  });
  dependencies.onOutbox();
  return `queued for ${target.channel}:${target.chatId}`;
}

function resolveTarget(params: Record<string, unknown>, { origin }: ToolContext, sending: Sending) {
  const text = (name: string) => {
    const value = params[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const named = text("channel");
  const target = text("target");
  const here = named === undefined || named === origin?.channel ? origin : undefined;
  const account = text("accountId") ?? here?.account;
  if (target !== undefined) {
    const channel = sending.resolveChannel(named ?? origin?.channel);
    return { channel, target: channel.parseTarget(target, account) };
  }
  if (!here) {
    throw new Fault("invalid_params", "this conversation is not held in a chat", {
      field: "target",
      next: "name a channel and a target",
    });
  }
  const channel = sending.resolveChannel(here.channel);
  // another account may not know the chat: its platform says so then
  const chat = channel.parseTarget(here.chatId, account);
  return { channel, target: here.threadId ? { ...chat, threadId: here.threadId } : chat };
}
