// `/metrics`, for Prometheus. Figures tell much about a person's day: only whoever may read sees them.

import type { Route } from "../../ports/route.ts";
import type { Metrics } from "./metrics.ts";
import { readState, type StateDependencies } from "./state.ts";
import { contentType, renderPage } from "./text.ts";

export function createMetricsRoute(metrics: Pick<Metrics, "families">, state: StateDependencies): Route {
  return {
    name: "metrics",
    matches: (path) => path === "/metrics",
    example: () => "/metrics",
    methods: ["GET"],
    access: { scope: "operator.read" },
    isEnabled: () => true,
    maxBodyBytes: () => 0,
    async answer(_request, reply) {
      const families = [...(await readState(state)), ...metrics.families()];
      reply.send(200, renderPage(families), { "content-type": contentType });
    },
  };
}
