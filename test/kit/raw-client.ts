// The protocol by hand over a bare WebSocket: frames in, frames out, nothing hidden. Not our client, so it can be a witness.

import { randomUUID } from "node:crypto";

import { WebSocket } from "ws";

export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly ok?: boolean;
  readonly event?: string;
  readonly payload?: Record<string, unknown>;
  readonly error?: { code: string; message: string; details?: Record<string, unknown> };
  readonly seq?: number;
}

export interface RawClient {
  readonly socket: WebSocket;
  /** Every frame received so far. */
  readonly frames: Frame[];
  send(frame: unknown): void;
  /** The first frame, received or still to come, for which `test` holds. @throws when the socket closes before it comes. */
  wait(test: (frame: Frame) => boolean, timeoutMs?: number): Promise<Frame>;
  /** Sends a request; resolves with its first answer. */
  request(method: string, params?: unknown, id?: string): Promise<Frame>;
  connect(params?: object): Promise<Frame>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

export const connectParams = (token: string, extra: object = {}) => ({
  minProtocol: 4,
  maxProtocol: 4,
  client: { id: "test", version: "1.0.0", platform: "linux", mode: "test" },
  scopes: ["operator.admin"],
  auth: { token },
  ...extra,
});

/** `at`: a port of 127.0.0.1, or a whole URL. */
export async function openRawClient(
  at: number | string,
  token: string,
  headers: Record<string, string> = {},
): Promise<RawClient> {
  const url = typeof at === "number" ? `ws://127.0.0.1:${at}/` : at;
  // a certificate that signed itself is as good as any here
  const socket = new WebSocket(url, { headers, rejectUnauthorized: false });
  const frames: Frame[] = [];
  const watchers = new Set<() => void>();
  const losers = new Set<(reason: Error) => void>();
  socket.on("message", (data) => {
    frames.push(JSON.parse(data.toString()) as Frame);
    for (const watcher of watchers) watcher();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      for (const lose of losers) lose(new Error(`closed with ${code} ${reason.toString()}`));
      resolve({ code, reason: reason.toString() });
    });
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });

  const wait = (test: (frame: Frame) => boolean, timeoutMs = 10_000) =>
    new Promise<Frame>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        watchers.delete(look);
        losers.delete(lose);
      };
      const look = () => {
        const found = frames.find(test);
        if (!found) return;
        end();
        resolve(found);
      };
      const lose = (reason: Error) => {
        end();
        const last = JSON.stringify(frames.slice(-3)).slice(0, 600);
        reject(new Error(`no such frame: ${reason.message}; last: ${last}`));
      };
      const timer = setTimeout(() => lose(new Error(`none within ${timeoutMs} ms`)), timeoutMs);
      watchers.add(look);
      losers.add(lose);
      look();
      if (socket.readyState === WebSocket.CLOSED) lose(new Error("the socket is closed"));
    });
  const send = (frame: unknown) =>
    socket.send(typeof frame === "string" || frame instanceof Buffer ? frame : JSON.stringify(frame));
  const request = (method: string, params: unknown = {}, id: string = randomUUID()) => {
    send({ type: "req", id, method, params });
    return wait((frame) => frame.type === "res" && frame.id === id);
  };
  return {
    socket,
    frames,
    send,
    wait,
    request,
    closed,
    connect: (params = {}) => request("connect", connectParams(token, params)),
    close: () => socket.close(),
  };
}
