// A browser's WebSocket for the client; Node has the same one, under the same name.

import type { ClientSocket } from "./socket.ts";

export function openBrowserSocket(url: string): ClientSocket {
  const socket = new WebSocket(url);
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    onOpen: (listener) => socket.addEventListener("open", () => listener()),
    onMessage: (listener) => socket.addEventListener("message", ({ data }) => listener(String(data))),
    onClose: (listener) => socket.addEventListener("close", ({ code, reason }) => listener(code, reason)),
    // why it failed is hidden from pages
    onError: (listener) => socket.addEventListener("error", () => listener(new Error("connection failed"))),
  };
}
