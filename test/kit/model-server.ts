// A model API (OpenAI's chat completions, streamed) that answers what a test says, for answers and troubles that aimock has not.

import { createServer, type IncomingHttpHeaders } from "node:http";

export interface ModelCall {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

export interface ModelServer {
  readonly baseUrl: string;
  readonly calls: ModelCall[];
  /** Of each call. */
  readonly headers: IncomingHttpHeaders[];
  answer: (call: ModelCall) => Answer | Promise<Answer>;
  close(): Promise<void>;
}

export interface ToolCallAnswer {
  readonly tool: string;
  readonly args: object;
}

export type Answer = string | number | ToolCallAnswer;

const toolCall = ({ tool, args }: ToolCallAnswer, count: number) => ({
  index: 0,
  id: `call-${count}`,
  type: "function",
  function: { name: tool, arguments: JSON.stringify(args) },
});

/** `answer`: a text, a call of a tool, or the HTTP status of an error; at once or later. */
export async function startModelServer(answer: (call: ModelCall) => Answer | Promise<Answer>): Promise<ModelServer> {
  const calls: ModelCall[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", async () => {
      const call = JSON.parse(body) as ModelCall;
      calls.push(call);
      headers.push(request.headers);
      const said = await model.answer(call);
      if (typeof said === "number") {
        response.writeHead(said, { "content-type": "application/json" });
        response.end(JSON.stringify({ error: { message: "secret detail of the provider", type: "error" } }));
        return;
      }
      const chunk = (delta: object, finish: string | null) => {
        const choices = [{ index: 0, delta, finish_reason: finish }];
        const data = { id: "1", object: "chat.completion.chunk", created: 1, model: call.model, choices };
        return `data: ${JSON.stringify(data)}\n\n`;
      };
      response.writeHead(200, { "content-type": "text/event-stream" });
      const isText = typeof said === "string";
      const delta = isText ? { content: said } : { tool_calls: [toolCall(said, calls.length)] };
      const end = chunk({}, isText ? "stop" : "tool_calls");
      response.end(`${chunk({ role: "assistant", ...delta }, null)}${end}data: [DONE]\n\n`);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const model: ModelServer = {
    baseUrl: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v1`,
    calls,
    headers,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return model;
}
