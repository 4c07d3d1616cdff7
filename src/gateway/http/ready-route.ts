// `/readyz`: 200 when the Gateway can do its work, else 503. What is wrong is told to those alone who may read it (S14).

import type { Route } from "../../ports/route.ts";
import type { Readiness } from "../readiness.ts";

const paths: ReadonlySet<string> = new Set(["/readyz", "/ready"]);

export function createReadyRoute(readiness: Pick<Readiness, "check" | "uptimeMs">): Route {
  return {
    name: "ready",
    matches: (path) => paths.has(path),
    example: () => "/readyz",
    methods: ["GET"],
    access: { scope: "operator.read", isOptional: true },
    isEnabled: () => true,
    maxBodyBytes: () => 0,
    async answer({ caller }, reply) {
      const failing = await readiness.check();
      const ready = failing.length === 0;
      const details = {
        failing: failing.map(({ name }) => name),
        reasons: Object.fromEntries(failing.map(({ name, reason }) => [name, reason])),
        uptimeMs: readiness.uptimeMs(),
      };
      reply.json(ready ? 200 : 503, { ready, ...(caller ? details : {}) });
    },
  };
}
