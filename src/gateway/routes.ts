// Every path of the one port that is no WebSocket, in the order in which they are looked at.

import type { InvokeDependencies } from "../agent/invoke.ts";
import { createToolRoute } from "../agent/routes.ts";
import { createHookRoute, type HookDependencies } from "../hooks/routes.ts";
import { createOpenAiRoutes, type OpenAiDependencies } from "../openai-api/routes.ts";
import { createControlUiRoute, type ControlUiDependencies } from "./control-ui/route.ts";
import type { Route } from "../ports/route.ts";

export interface RouteParts {
  /** About the Gateway itself; served in safe mode too. */
  readonly pages: readonly Route[];
  readonly openAi: OpenAiDependencies;
  readonly hooks: HookDependencies;
  readonly tools: InvokeDependencies;
  readonly controlUi: ControlUiDependencies;
}

export function createRoutes({ pages, openAi, hooks, tools, controlUi }: RouteParts): readonly Route[] {
  return [
    ...pages,
    createHookRoute(hooks),
    createToolRoute(tools),
    ...createOpenAiRoutes(openAi),
    createControlUiRoute(controlUi),
  ];
}
