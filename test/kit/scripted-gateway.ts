// A Gateway that says what a test tells it to, over real sockets: for what a real one does rarely, late or never.

import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { WebSocketServer, type WebSocket } from "ws";

export interface ScriptedRequest {
  readonly type: "req";
  readonly id: string;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export interface ScriptedPeer {
  send(frame: unknown): void;
  sendText(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  /** How the client closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** Answers one request. */
export type Script = (request: ScriptedRequest, peer: ScriptedPeer) => void;

export interface ScriptedGateway {
  readonly port: number;
  readonly url: string;
  readonly requests: ScriptedRequest[];
  readonly peers: ScriptedPeer[];
  /** Replaces the script. */
  follow(script: Script): void;
  stop(): Promise<void>;
}

// the smallest hello that published programs accept
export const hello = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "2026.1.30", connId: "7b9840f8-993a-4e43-ac65-64b0e0214e4d" },
  features: { methods: ["health", "status"], events: ["tick", "presence"] },
  snapshot: { presence: [], health: {}, stateVersion: { presence: 1, health: 1 }, uptimeMs: 1234 },
  policy: { maxPayload: 524_288, maxBufferedBytes: 1_572_864, tickIntervalMs: 30_000 },
};
export const challenge = {
  type: "event",
  event: "connect.challenge",
  payload: { nonce: "241c9a5f-ed36-4436-b984-26c3bbebeb13", ts: 1_795_227_134_201 },
};

export const ok = (id: string, payload: unknown) => ({ type: "res", id, ok: true, payload });
export const refused = (id: string, error: unknown) => ({ type: "res", id, ok: false, error });

/** Lets everybody in, then follows the script. */
export const welcoming =
  (script: Script = () => {}): Script =>
  (request, peer) => {
    if (request.method === "connect") peer.send(ok(request.id, hello));
    else script(request, peer);
  };

/** `greeting` is the first frame of every connection: an object, a text, or `null` for none. */
export async function openScriptedGateway(
  first: Script,
  greeting: unknown = challenge,
  port = 0,
): Promise<ScriptedGateway> {
  const server = new WebSocketServer({ port, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  let script = first;
  const found: ScriptedGateway = {
    port: address.port,
    url: `ws://127.0.0.1:${address.port}`,
    requests: [],
    peers: [],
    follow: (next) => (script = next),
    async stop() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", (socket: WebSocket) => {
    const peer: ScriptedPeer = {
      send: (frame) => socket.send(JSON.stringify(frame)),
      sendText: (text) => socket.send(text),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
      closed: new Promise((resolve) =>
        socket.on("close", (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() })),
      ),
    };
    found.peers.push(peer);
    socket.on("message", (data: Buffer) => {
      const request = JSON.parse(data.toString()) as ScriptedRequest;
      found.requests.push(request);
      script(request, peer);
    });
    if (typeof greeting === "string") peer.sendText(greeting);
    else if (greeting !== null) peer.send(greeting);
  });
  return found;
}
