// Every path of the one port that is no WebSocket, in the order in which they are looked at.

import { createOpenAiRoutes, type OpenAiDependencies } from "../openai-api/routes.ts";
import type { Route } from "../ports/route.ts";
import { createLiveRoutes } from "./http/live-routes.ts";

export function createRoutes(dependencies: OpenAiDependencies): readonly Route[] {
  return [...createLiveRoutes(), ...createOpenAiRoutes(dependencies)];
}
