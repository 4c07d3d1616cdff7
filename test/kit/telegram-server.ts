// A Bot API server whose answers a test chooses, for the troubles that a well-behaved server never has.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface BotCall {
  readonly method: string;
  readonly token: string;
  readonly body: Record<string, unknown>;
}

/** What to do with a call: answer as the API does, with anything else, or not at all. */
export type Reaction =
  | { readonly result: unknown }
  | { readonly error: { error_code: number; description: string; parameters?: object } }
  | { readonly raw: { status: number; body: string } }
  | { readonly hang: true }
  /** Does the work, then drops the connection without an answer. */
  | { readonly drop: true };

export interface FakeTelegram {
  readonly apiRoot: string;
  readonly token: string;
  readonly calls: BotCall[];
  /** Updates not yet confirmed by an offset. */
  readonly updates: { update_id: number }[];
  /** Decides about a call; undefined: the ordinary answer. */
  react: (call: BotCall) => Reaction | undefined;
  /** False: empty polls are answered at once. */
  isPatient: boolean;
  addMessage(message: { chatId: number; text: string; updateId?: number }): void;
  close(): Promise<void>;
}

/** `token`: of one bot among several; its id is in it, as with Telegram. */
export async function startFakeTelegram(
  token = "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  username = "the_bot",
): Promise<FakeTelegram> {
  const botId = Number(token.split(":")[0]);
  const calls: BotCall[] = [];
  const updates: { update_id: number; message: object }[] = [];
  const waiting = new Set<() => void>();
  let nextUpdate = 1;
  let nextMessage = 1;

  const ordinary = (call: BotCall): Reaction => {
    switch (call.method) {
      case "getMe":
        return { result: { id: botId, is_bot: true, first_name: "Bot", username } };
      case "getUpdates": {
        const offset = Number(call.body["offset"] ?? 0);
        while (updates[0] && updates[0].update_id < offset) updates.shift();
        return { result: updates.slice(0, Number(call.body["limit"] ?? 100)) };
      }
      case "sendMessage":
        return {
          result: { message_id: (nextMessage += 1), date: 1, chat: { id: call.body["chat_id"], type: "private" } },
        };
      default:
        return { result: true };
    }
  };

  const answer = async (call: BotCall, response: ServerResponse) => {
    let reaction = fake.react(call) ?? ordinary(call);
    const mayWait = fake.isPatient && call.method === "getUpdates" && Number(call.body["timeout"] ?? 0) > 0;
    if (mayWait && "result" in reaction && (reaction.result as unknown[]).length === 0) {
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        setTimeout(resolve, 200);
      });
      reaction = fake.react(call) ?? ordinary(call);
    }
    write(reaction, response);
  };

  const server = createServer((request: IncomingMessage, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const call: BotCall = {
        token: /^\/bot([^/]*)\//u.exec(request.url ?? "")?.[1] ?? "",
        method: (request.url ?? "").split("/").at(-1) ?? "",
        body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
      };
      calls.push(call);
      void answer(call, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;

  const fake: FakeTelegram = {
    apiRoot: `http://127.0.0.1:${port}`,
    token,
    calls,
    updates,
    react: () => undefined,
    isPatient: true,
    addMessage({ chatId, text, updateId }) {
      const id = updateId ?? nextUpdate;
      nextUpdate = id + 1;
      const person = { id: chatId, is_bot: false, first_name: "Person" };
      updates.push({
        update_id: id,
        message: {
          message_id: (nextMessage += 1),
          date: 1,
          chat: { id: chatId, type: "private" },
          from: person,
          text,
        } as object,
      });
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return fake;
}

function write(reaction: Reaction, response: ServerResponse): void {
  if ("hang" in reaction) return;
  if ("drop" in reaction) response.socket?.destroy();
  else if ("raw" in reaction)
    response.writeHead(reaction.raw.status, { "content-type": "text/html" }).end(reaction.raw.body);
  else {
    const isError = "error" in reaction;
    const body = isError ? { ok: false, ...reaction.error } : { ok: true, result: reaction.result };
    response
      .writeHead(isError ? reaction.error.error_code : 200, { "content-type": "application/json" })
      .end(JSON.stringify(body));
  }
}
