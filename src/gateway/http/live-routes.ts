// The pages that need no credential: they say that the process runs, nothing about it (S14).

import type { Route } from "../../ports/route.ts";

const livePaths: ReadonlySet<string> = new Set(["/healthz", "/health"]);

export function createLiveRoutes(): readonly Route[] {
  return [
    {
      name: "live",
      matches: (path) => livePaths.has(path),
      example: () => "/healthz",
      methods: ["GET"],
      access: "open",
      isEnabled: () => true,
      maxBodyBytes: () => 0,
      async answer(_request, reply) {
        reply.json(200, { ok: true, status: "live" });
      },
    },
  ];
}
