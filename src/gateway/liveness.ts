// Finds connections whose other end is gone without a word: a ping, and by the next one a sign of life.

import type { WebSocket } from "ws";

import type { Clock } from "../base/clock.ts";
import { pingIntervalMs } from "./limits.ts";

type Pingable = Pick<WebSocket, "readyState" | "OPEN" | "bufferedAmount" | "ping" | "terminate"> & {
  on(event: "pong" | "message", listener: () => void): unknown;
};

/**
 * Cuts the connection off when it stayed silent since the last ping. A client that is slow, yet reads what waits for it, is
 * alive: its pong comes after all of that. @returns a function that ends it.
 */
export function watchLiveness(socket: Pingable, clock: Clock): () => void {
  let isAlive = true;
  let unread = 0;
  const note = () => {
    isAlive = true;
  };
  socket.on("pong", note);
  socket.on("message", note);

  const beat = () => {
    const isReading = socket.bufferedAmount < unread;
    if (!isAlive && !isReading) {
      socket.terminate();
      return;
    }
    isAlive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    unread = socket.bufferedAmount;
    timer = clock.after(pingIntervalMs, beat);
  };
  let timer = clock.after(pingIntervalMs, beat);
  return () => timer.cancel();
}
