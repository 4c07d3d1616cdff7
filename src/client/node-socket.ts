// Node's WebSocket for the client.

import { WebSocket } from "ws";

import type { ClientSocket } from "./connect.ts";

const maxPayload = 64 * 1024 * 1024;

export function openNodeSocket(url: string): ClientSocket {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload });
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    // text frames arrive as one buffer
    onMessage: (listener) => socket.on("message", (data) => listener(data.toString())),
    onClose: (listener) => socket.on("close", (code, reason) => listener(code, reason.toString())),
    onError: (listener) => socket.on("error", listener),
  };
}
