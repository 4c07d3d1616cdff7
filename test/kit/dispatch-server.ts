// The real dispatcher behind real sockets, for callers of any role, scopes and protocol: who they are is in the address, as if a
// handshake had just found it out. The methods answer with their own names.

import { WebSocket, WebSocketServer } from "ws";

import { systemClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { createConnection } from "../../src/gateway/connection.ts";
import { createDispatch, type AnyHandler } from "../../src/gateway/dispatch.ts";
import { maxConcurrentRequests } from "../../src/gateway/limits.ts";
import type { Caller } from "../../src/ports/method.ts";
import type { Frame } from "./raw-client.ts";

export type Identity = Pick<Caller, "role" | "scopes" | "protocol">;

export interface DispatchServer {
  /** Sends the requests over one new connection, as many at once as one may; resolves with the answers, in the order of the requests. */
  ask(identity: Identity, requests: readonly { method: string; params?: unknown }[]): Promise<Frame[]>;
  stop(): Promise<void>;
}

export async function openDispatchServer(handlers: Readonly<Record<string, AnyHandler>>): Promise<DispatchServer> {
  const dispatch = createDispatch({ handlers, log: silentLog, clock: systemClock, ids: systemIds });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket, request) => {
    const identity = JSON.parse(decodeURIComponent(request.url?.slice(2) ?? "")) as Identity;
    const caller: Caller = {
      ...identity,
      connId: "c",
      principal: "owner",
      client: { id: "test", mode: "test", version: "1" },
      isLocal: true,
      auth: "token",
    };
    const connection = createConnection(socket, caller, 0);
    socket.on("message", (data: Buffer) => dispatch(connection, data.toString("utf8")));
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  return {
    async ask(identity, requests) {
      const query = encodeURIComponent(JSON.stringify(identity));
      const socket = new WebSocket(`ws://127.0.0.1:${address.port}/?${query}`);
      await new Promise((resolve, reject) => {
        socket.once("open", resolve);
        socket.once("error", reject);
      });
      const answers: Frame[] = [];
      for (let from = 0; from < requests.length; from += maxConcurrentRequests)
        answers.push(...(await converse(socket, requests.slice(from, from + maxConcurrentRequests))));
      socket.terminate();
      return answers;
    },
    async stop() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function converse(socket: WebSocket, requests: readonly { method: string; params?: unknown }[]): Promise<Frame[]> {
  const answers: Frame[] = [];
  let missing = requests.length;
  return new Promise((resolve, reject) => {
    socket.once("close", () => reject(new Error("closed")));
    socket.removeAllListeners("message").on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as Frame;
      answers[Number(frame.id)] = frame;
      missing -= 1;
      if (missing === 0) resolve(answers);
    });
    requests.forEach((request, index) => socket.send(JSON.stringify({ type: "req", id: String(index), ...request })));
  });
}
