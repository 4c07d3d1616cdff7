// The Control UI's place on the port: everything below its base path that nobody else has. It stands last.

import { resolveFrom } from "../../platform/paths.ts";
import type { Route } from "../../ports/route.ts";
import type { Config } from "../../settings/config.ts";
import type { Assistant } from "./answer.ts";

export interface ControlUiDependencies {
  readonly section: () => Config["gateway"]["controlUi"];
  /** Who answers unless a message goes elsewhere; shown to strangers. */
  readonly assistant: () => Assistant;
  readonly product: string;
  /** Where a relative `root` begins. */
  readonly folder: string;
  /** What `~` stands for in it. */
  readonly home: string;
}

/** Interfaces of programs: where one of them is off, or has no such path, no page answers in its place. */
const forPrograms = /^\/(?:v1|api|tools|hooks|metrics|__[^/]+__)(?:\/|$)/u;

export function createControlUiRoute({ section, assistant, product, folder, home }: ControlUiDependencies): Route {
  const base = () => toBase(section().basePath);
  return {
    name: "control-ui",
    matches(path, method) {
      const at = base();
      if (at !== "") return path === at || path.startsWith(`${at}/`);
      // at the top, what is asked of nobody by another method is not there at all
      return path === "/" || ((method === "GET" || method === "HEAD") && !forPrograms.test(path));
    },
    example: () => `${base()}/`,
    methods: ["GET"],
    access: "open",
    isEnabled: () => section().enabled !== false,
    maxBodyBytes: () => 0,
    async answer(request, reply) {
      const { answerControlUi } = await import("./answer.ts");
      const { root } = section();
      await answerControlUi(request, reply, {
        base: base(),
        root: root === undefined ? undefined : resolveFrom(folder, root, home),
        assistant: assistant(),
        product,
      });
    },
  };
}

/** `/a/b`, or nothing for the top. */
export function toBase(basePath: string | undefined): string {
  const inner = basePath?.trim().replaceAll(/^\/+|\/+$/gu, "") ?? "";
  return inner === "" ? "" : `/${inner}`;
}
