// Two bots of one Gateway on local Bot API servers of their own, a model that repeats what it is told, and what people were sent.

import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LLMock } from "@copilotkit/aimock";
import { startTelegramServer, type StartedTelegramServer } from "@openclaw/crabline";

import { mockProvider } from "./gateway-process.ts";

export interface SentText {
  readonly chat: string;
  readonly text: string;
}

export interface Bot {
  readonly username: string;
  readonly token: string;
  readonly apiRoot: string;
  /** What it sent, in order. */
  readonly sent: SentText[];
  /** A person writes to it. */
  say(chatId: number, text: string): Promise<void>;
  close(): Promise<void>;
}

/** `maxWaiting`: messages that may wait for a Gateway that is down. */
export async function startBot(username: string, maxWaiting = 100): Promise<Bot> {
  const sent: SentText[] = [];
  const botId = randomInt(1_000_000, 9_999_999);
  const server: StartedTelegramServer = await startTelegramServer({
    botUsername: username,
    botId,
    botToken: `${botId}:${randomUUID().replaceAll("-", "")}xyz`,
    maxPendingInboundEvents: maxWaiting,
    recorderPath: join(tmpdir(), `crabline-${randomUUID()}.jsonl`),
    onEvent(event) {
      if (!event.path.endsWith("/sendMessage")) return;
      const body = event.body as { chat_id: number | string; text: string };
      sent.push({ chat: String(body.chat_id), text: body.text });
    },
  });
  const { botToken: token, endpoints, adminToken } = server.manifest;
  return {
    username,
    token,
    apiRoot: endpoints.apiRoot,
    sent,
    async say(chatId, text) {
      const response = await fetch(endpoints.adminInboundUrl, {
        method: "POST",
        headers: { "content-type": "application/json", "x-crabline-admin-token": adminToken },
        body: JSON.stringify({ chatId, fromId: chatId, text, fromName: "Person" }),
      });
      assert.equal(response.status, 200, await response.text());
    },
    close: () => server.close(),
  };
}

/** A model that answers `re <what was said>`, and the config that has agents ask it. */
export async function startEcho() {
  const model = new LLMock({ port: 0 });
  model.onMessage(/.*/u, (request: { messages: { role: string; content: unknown }[] }) => {
    const said = request.messages.findLast(({ role }) => role === "user")?.content;
    const text = typeof said === "string" ? said : (said as { text: string }[]).map((part) => part.text).join("");
    return { content: `re ${text}` };
  });
  await model.start();
  const config = {
    agents: { defaults: { model: "mock/test-model" } },
    models: { providers: mockProvider(`${model.url}/v1`) },
  };
  return { config, close: () => model.stop() };
}
