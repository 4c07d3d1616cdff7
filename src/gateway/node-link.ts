// A connection of role node as the nodes room sees it.

import type { NodeLink } from "../ports/node-link.ts";
import type { Connection } from "./connection.ts";

export function toNodeLink(connection: Connection): NodeLink {
  const { caller } = connection;
  return {
    nodeId: caller.deviceId ?? caller.client.id,
    connId: caller.connId,
    caller,
    notify: (event, payload) => connection.notify(event, payload),
    close: (code, reason) => connection.close(code, reason),
  };
}
