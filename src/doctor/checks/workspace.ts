// The folder that the agent works in: is it a folder, and may it be written to.

import { access, constants, stat } from "node:fs/promises";

import { expandHome } from "../../platform/paths.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

export function createWorkspaceCheck(scene: Scene): DoctorCheck {
  return {
    id: "workspace",
    group: "files",
    label: "workspace",
    async run() {
      const { agents, gateway } = await scene.config();
      if (gateway.mode === "remote") return [];
      const { home, paths } = scene;
      const named = [
        agents.defaults.workspace ?? paths.workspace,
        ...agents.list.flatMap(({ workspace }) => workspace ?? []),
      ];
      const folders = [...new Set(named.map((path) => expandHome(path, home)))];
      return (await Promise.all(folders.map((path) => checkFolder(path, paths.state)))).flat();
    },
  };
}

async function checkFolder(path: string, state: string): Promise<DoctorFinding[]> {
  const found = await stat(path).catch(() => undefined);
  // it is made when it is needed
  if (!found) return [];
  const error = { id: "files.workspace", severity: "error" } as const;
  if (!found.isDirectory())
    return [{ ...error, message: `the workspace is no folder: ${path}`, next: "move that file away" }];
  if (path === state) {
    const message = `the workspace is the state folder itself, ${path}: the agent may read the secrets in it`;
    return [{ ...error, message, next: "set agents.defaults.workspace to a folder of its own" }];
  }
  const isWritable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isWritable) return [];
  return [{ ...error, message: `the workspace cannot be written to: ${path}`, next: `chmod u+rwx ${path}` }];
}
