// Requests over bare sockets, counted. The client side is the same for the Gateway and for its floor.

import { WebSocket } from "ws";

export interface Line {
  /** Resolves with the payload. @throws when the answer is not ok. */
  call(method: string, params: object): Promise<unknown>;
  close(): void;
}

interface Answer {
  readonly type: string;
  readonly id?: string;
  readonly ok?: boolean;
  readonly payload?: unknown;
}

export async function openLine(url: string): Promise<Line> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const waiting = new Map<string, { resolve: (payload: unknown) => void; reject: (error: Error) => void }>();
  let count = 0;
  socket.on("message", (data) => {
    const answer = JSON.parse(data.toString()) as Answer;
    const pending = answer.type === "res" ? waiting.get(answer.id ?? "") : undefined;
    if (!pending) return;
    waiting.delete(answer.id ?? "");
    if (answer.ok) pending.resolve(answer.payload);
    else pending.reject(new Error(`refused: ${data.toString().slice(0, 300)}`));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("close", (code, reason) => {
    for (const { reject } of waiting.values()) reject(new Error(`closed: ${code} ${reason.toString()}`));
    waiting.clear();
  });
  return {
    call(method, params) {
      const id = `b${++count}`;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ type: "req", id, method, params }));
      });
    },
    close: () => socket.close(),
  };
}

export const connectParams = (token: string) => ({
  minProtocol: 3,
  maxProtocol: 7,
  // what the command line says of itself: it is not listed as present
  client: { id: "cli", version: "bench", platform: process.platform, mode: "cli" },
  role: "operator",
  scopes: ["operator.admin"],
  auth: { token },
});

export async function connectLine(url: string, token: string): Promise<Line> {
  const line = await openLine(url);
  await line.call("connect", connectParams(token));
  return line;
}

/** Requests a second over these lines with `inFlight` of them on the way on each, for `durationMs` after a warm-up of a third. */
export async function measureRate(
  lines: readonly Line[],
  options: { inFlight: number; durationMs: number },
): Promise<number> {
  let answered = 0;
  let isOver = false;
  const loops = lines.flatMap((line) =>
    Array.from({ length: options.inFlight }, async () => {
      while (!isOver) {
        await line.call("health", {});
        answered++;
      }
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, options.durationMs / 3));
  const [startedAt, before] = [performance.now(), answered];
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  const rate = ((answered - before) / (performance.now() - startedAt)) * 1000;
  isOver = true;
  await Promise.all(loops);
  return rate;
}
