// The agent's tools over plain HTTP. What answers is loaded by the first request.

import type { Route } from "../ports/route.ts";
import type { InvokeDependencies } from "./invoke.ts";

const maxBodyBytes = 2 * 1024 * 1024;

export function createToolRoute(dependencies: InvokeDependencies): Route {
  return {
    name: "tools-invoke",
    matches: (path) => path === "/tools/invoke",
    example: () => "/tools/invoke",
    methods: ["POST"],
    access: { scope: "operator.admin" },
    isEnabled: () => true,
    maxBodyBytes: () => maxBodyBytes,
    async answer(request, reply) {
      const { answerInvoke } = await import("./invoke.ts");
      await answerInvoke(request, reply, dependencies);
    },
  };
}
