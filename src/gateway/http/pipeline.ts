// Requests in a row on one connection, sent before the first is answered. Node hands over all that came in one read at once, some two
// thousand of them: answering those would hold up everybody else for as long.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Programs that send ahead stay far below. */
const maxAhead = 64;

export interface Pipeline {
  /** False: too many, its connection has ended; nothing is to be done. */
  enter(request: IncomingMessage, response: ServerResponse): boolean;
}

/** `onExcess`: told once of each connection, while its ends are still known. */
export function createPipeline(onExcess: (request: IncomingMessage) => void): Pipeline {
  const waiting = new WeakMap<Socket, number>();
  return {
    enter(request, response) {
      const { socket } = request;
      if (socket.destroyed) return false;
      const ahead = waiting.get(socket) ?? 0;
      if (ahead >= maxAhead) {
        // an answer would have to wait for all those before it, and more would be read meanwhile
        onExcess(request);
        socket.destroy();
        return false;
      }
      waiting.set(socket, ahead + 1);
      response.once("close", () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
      return true;
    },
  };
}
