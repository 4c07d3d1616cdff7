// Every path of the one port that is no WebSocket, in the order in which they are looked at.

import type { InvokeDependencies } from "../agent/invoke.ts";
import { createToolRoute } from "../agent/routes.ts";
import { createHookRoute, type HookDependencies } from "../hooks/routes.ts";
import { createOpenAiRoutes, type OpenAiDependencies } from "../openai-api/routes.ts";
import type { Route } from "../ports/route.ts";
import { createLiveRoutes } from "./http/live-routes.ts";

export interface RouteParts {
  readonly openAi: OpenAiDependencies;
  readonly hooks: HookDependencies;
  readonly tools: InvokeDependencies;
}

export function createRoutes({ openAi, hooks, tools }: RouteParts): readonly Route[] {
  return [...createLiveRoutes(), createHookRoute(hooks), createToolRoute(tools), ...createOpenAiRoutes(openAi)];
}
