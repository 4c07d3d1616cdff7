// Where this installation is, for what keeps, replaces and removes it.

import type { Places } from "../../backup/places.ts";
import { readConfig } from "../connection.ts";
import type { Context } from "../context.ts";

/** Workspaces of agents too; those of a config with errors are those that were last good. */
export async function findPlaces(context: Context): Promise<Places> {
  const { paths } = context;
  const { config } = await readConfig(context);
  const agents = config.agents.list ?? [];
  const named = [config.agents.defaults.workspace, ...agents.map(({ workspace }) => workspace)];
  const unnamed = agents.map(({ id }) => `${paths.workspace}-${id}`);
  const workspaces = new Set([paths.workspace, ...named, ...unnamed].filter(isPath));
  return { state: paths.state, config: paths.config, workspaces: [...workspaces] };
}

const isPath = (path: string | undefined): path is string => path !== undefined && path !== "";
