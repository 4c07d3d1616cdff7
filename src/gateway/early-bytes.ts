// Bytes of a connection before `hello-ok` are counted on the raw socket, so that a huge frame is stopped while it arrives.

import type { Socket } from "node:net";

/**
 * Calls `onExcess` once, after which nothing that arrives is looked at any more. `isCountedFrom` is `socket.bytesRead` when the
 * connection's own bytes began. @returns a function that ends the counting.
 */
export function limitEarlyBytes(
  socket: Pick<Socket, "bytesRead" | "on" | "off" | "prependListener" | "removeAllListeners" | "resume">,
  limit: { readonly isCountedFrom: number; readonly maxBytes: number },
  onExcess: () => void,
): () => void {
  const look = () => {
    if (socket.bytesRead - limit.isCountedFrom <= limit.maxBytes) return;
    onExcess();
    // What still comes is thrown away rather than left unread: unread bytes turn the close into a reset, which the peer would see
    // instead of the close code.
    socket.removeAllListeners("data");
    socket.on("data", () => undefined);
    socket.resume();
  };
  // before the WebSocket reads the same bytes, or the frame that is too much would still be judged
  socket.prependListener("data", look);
  return () => socket.off("data", look);
}
