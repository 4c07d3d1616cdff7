// Every path of the one port that is no WebSocket, in the order in which they are looked at.

import type { Route } from "../ports/route.ts";
import { createLiveRoutes } from "./http/live-routes.ts";

export function createRoutes(): readonly Route[] {
  return [...createLiveRoutes()];
}
