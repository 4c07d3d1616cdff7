// `/metrics`, for Prometheus. Figures tell much about a person's day: only whoever may read sees them.

import type { Route } from "../../ports/route.ts";
import type { Family } from "./family.ts";
import { contentType, renderPage } from "./text.ts";

export function createMetricsRoute(readFigures: () => Promise<readonly Family[]>): Route {
  return {
    name: "metrics",
    matches: (path) => path === "/metrics",
    example: () => "/metrics",
    methods: ["GET"],
    access: { scope: "operator.read" },
    isEnabled: () => true,
    maxBodyBytes: () => 0,
    async answer(_request, reply) {
      reply.send(200, renderPage(await readFigures()), { "content-type": contentType });
    },
  };
}
