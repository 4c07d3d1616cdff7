// Base ports of this user's other Gateways: those that run, and those that are only configured.

import { listKnownPorts, suggestPort } from "../../setup/port.ts";
import { devProfile } from "../../platform/paths.ts";
import type { Answers } from "../../setup/answers.ts";
import type { Config } from "../../settings/config.ts";
import type { Context } from "../context.ts";
import { openMachine } from "../machine.ts";

export async function findOtherPorts(context: Context): Promise<readonly number[]> {
  const { paths, brand } = context;
  const running = (await openMachine(context).instances.list()).filter(({ state }) => state !== paths.state);
  const configured = await listKnownPorts(paths.home, brand, paths.config);
  return [...new Set([...configured, ...running.map(({ ports }) => ports.gateway)])].toSorted((a, b) => a - b);
}

/** A named profile beside others needs a port of its own; undefined where there is one already, or none is needed. */
export async function choosePort(context: Context, { gateway }: Answers, config: Config): Promise<number | undefined> {
  const { env, paths } = context;
  const isNamed = paths.profile !== undefined && paths.profile !== devProfile;
  if (gateway?.port !== undefined || config.gateway.port !== undefined) return undefined;
  if (!isNamed || env.get("GATEWAY_PORT") !== undefined) return undefined;
  return suggestPort(await findOtherPorts(context));
}
