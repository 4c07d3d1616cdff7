// `<base>/avatar/<agentId>`: the picture of an agent, if its config names a file of its workspace; `?meta=1`: where its picture is.

import type { Route } from "../../ports/route.ts";
import type { Config } from "../../settings/config.ts";
import type { AvatarOwner } from "./avatar.ts";
import { toBase } from "./route.ts";

export interface AvatarDependencies {
  readonly section: () => Pick<Config["gateway"]["controlUi"], "basePath" | "enabled">;
  /** undefined: there is no such agent. */
  readonly owner: (agentId: string) => AvatarOwner | undefined;
}

export function createAvatarRoute({ section, owner }: AvatarDependencies): Route {
  const folder = () => `${toBase(section().basePath)}/avatar/`;
  return {
    name: "avatar",
    matches: (path) => path.startsWith(folder()) && /^[^/]+$/u.test(path.slice(folder().length)),
    example: () => `${folder()}main`,
    methods: ["GET"],
    access: { scope: "operator.read" },
    isEnabled: () => section().enabled !== false,
    maxBodyBytes: () => 0,
    async answer(request, reply) {
      const { answerAvatar } = await import("./avatar.ts");
      await answerAvatar(request, reply, { folder: folder(), owner });
    },
  };
}
