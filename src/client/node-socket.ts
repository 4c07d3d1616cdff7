// Node's WebSocket for the client.

import { WebSocket } from "ws";

import type { ClientSocket } from "./socket.ts";

const maxPayload = 64 * 1024 * 1024;
// a peer that does not answer the close must not hold the process; not in the package's types yet (8.18.2), hence no literal
const options = { perMessageDeflate: false, maxPayload, closeTimeout: 1_000 };

export function openNodeSocket(url: string): ClientSocket {
  const socket = new WebSocket(url, options);
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    onOpen: (listener) => socket.on("open", listener),
    // text frames arrive as one buffer
    onMessage: (listener) => socket.on("message", (data) => listener(data.toString())),
    onClose: (listener) => socket.on("close", (code, reason) => listener(code, reason.toString())),
    onError: (listener) => socket.on("error", listener),
  };
}
