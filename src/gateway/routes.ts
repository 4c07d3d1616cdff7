// Every path of the one port that is no WebSocket, in the order in which they are looked at.

import type { InvokeDependencies } from "../agent/invoke.ts";
import { createToolRoute } from "../agent/routes.ts";
import { createLiveRoutes } from "./http/live-routes.ts";
import { createReadyRoute } from "./http/ready-route.ts";
import type { Family } from "./metrics/family.ts";
import { createMetricsRoute } from "./metrics/route.ts";
import type { Readiness } from "./readiness.ts";
import type { Canvas } from "../canvas/canvas.ts";
import { createHookRoute, type HookDependencies } from "../hooks/routes.ts";
import { createOpenAiRoutes, type OpenAiDependencies } from "../openai-api/routes.ts";
import { createAvatarRoute, type AvatarDependencies } from "./control-ui/avatar-route.ts";
import { createControlUiRoute, type ControlUiDependencies } from "./control-ui/route.ts";
import type { Route } from "../ports/route.ts";

export interface PageParts {
  readonly readiness: Pick<Readiness, "check" | "uptimeMs">;
  readonly figures: () => Promise<readonly Family[]>;
}

/** About the Gateway itself. */
export function createPages({ readiness, figures }: PageParts): readonly Route[] {
  return [...createLiveRoutes(), createReadyRoute(readiness), createMetricsRoute(figures)];
}

export interface RouteParts {
  readonly canvas: Canvas;
  /** Served in safe mode too. */
  readonly pages: readonly Route[];
  readonly openAi: OpenAiDependencies;
  readonly hooks: HookDependencies;
  readonly tools: InvokeDependencies;
  readonly controlUi: ControlUiDependencies & AvatarDependencies;
}

export function createRoutes({ pages, canvas, openAi, hooks, tools, controlUi }: RouteParts): readonly Route[] {
  return [
    ...pages,
    createHookRoute(hooks),
    createToolRoute(tools),
    ...createOpenAiRoutes(openAi),
    // before the one that answers whatever is left
    ...canvas.routes({ isOwnPort: false, access: { scope: "operator.read" } }),
    createAvatarRoute(controlUi),
    createControlUiRoute(controlUi),
  ];
}
