// Other instances of this user: each needs its own port, workspace and accounts. By their config files, whether they run or not.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { createEnv } from "../../platform/env.ts";
import { derivePaths, decidePort, parseProfile } from "../../platform/paths.ts";
import { findPortClashes, fullSpacing, planPorts, renderClash, type PortPlan } from "../../platform/port-plan.ts";
import { createConfigWriter } from "../../config/write.ts";
import { botsOf, settingsOf, tokenPlaces } from "../../config/accounts.ts";
import type { Config } from "../../settings/config.ts";
import { fingerprint } from "../fingerprint.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

interface Instance {
  readonly state: string;
  readonly ports: PortPlan;
  readonly workspace: string;
  readonly botTokens: ReadonlySet<string>;
}

export function createInstancesCheck(scene: Scene): DoctorCheck {
  return {
    id: "instances",
    group: "instances",
    label: "other instances",
    async run() {
      const config = await scene.config();
      if (config.gateway.mode === "remote") return [];
      const { port } = await scene.port();
      const ours = toInstance(scene.paths, config, planPorts({ base: port, env: scene.env, config }));
      const others = await findOthers(scene);
      return others.flatMap((other) => compare(ours, other));
    },
  };
}

type Places = Pick<Instance, "state" | "workspace">;

function toInstance({ state, workspace }: Places, config: Config, ports: PortPlan): Instance {
  const { telegram } = config.channels;
  const bots = telegram ? botsOf(telegram, undefined).filter((id) => settingsOf(telegram, id).enabled !== false) : [];
  const tokens = bots.flatMap((id) => {
    const [place] = tokenPlaces(telegram, id, undefined);
    return place?.kind === "token" ? [place.value] : [];
  });
  return {
    state,
    ports,
    workspace: config.agents.defaults.workspace ?? workspace,
    botTokens: new Set(tokens),
  };
}

/** State folders of all profiles, under either name, that hold a config. */
async function findOthers(scene: Scene): Promise<Instance[]> {
  const { home, brand, paths } = scene;
  const folders = [brand.stateFolder, ...brand.fallbackStateFolders];
  const names = await readdir(home).catch(() => []);
  const found = names.filter((name) => folders.some((folder) => name === folder || name.startsWith(`${folder}-`)));
  const states = found.map((name) => join(home, name)).filter((state) => state !== paths.state);
  return (await Promise.all(states.map((state) => readInstance(scene, state)))).flat();
}

async function readInstance({ brand, home, env, clock }: Scene, state: string): Promise<Instance[]> {
  const variables = { [`${brand.envPrefix}_STATE_DIR`]: state };
  const theirs = createEnv(brand, variables);
  const name = /-([^-/\\][^/\\]*)$/u.exec(state)?.[1];
  const { existsSync } = await import("node:fs");
  const paths = derivePaths({
    brand,
    env: theirs,
    profile: name === undefined ? undefined : profileOf(name),
    home,
    temporary: "/tmp",
    exists: existsSync,
  });
  // it may need variables of its own shell
  const variable = (key: string) => env.raw(key) ?? "unknown";
  const source = await createConfigWriter({ files: { path: paths.config, variable }, clock }).read();
  const { config } = source;
  if (!source.exists || !config || config.gateway.mode === "remote") return [];
  const { port } = decidePort({ env: theirs, configured: config.gateway.port, profile: paths.profile });
  return [toInstance(paths, config, planPorts({ base: port, env: theirs, config }))];
}

/** undefined for a folder that no profile can have made. */
function profileOf(name: string): string | undefined {
  return /^[a-z0-9][a-z0-9_-]{0,63}$/u.test(name) ? parseProfile(name) : undefined;
}

function compare(ours: Instance, other: Instance): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const clashes = findPortClashes(ours.ports, other.ports).filter(({ isSoft }) => !isSoft);
  if (clashes.length > 0)
    found.push({
      id: "instances.port",
      severity: "warning",
      message: `the instance in ${other.state} wants ports of this one: ${clashes.map(renderClash).join(", ")}`,
      next: `set gateway.port in one of them, 20 or better ${fullSpacing} away; they cannot run side by side`,
    });
  if (ours.workspace === other.workspace)
    found.push({
      id: "instances.workspace",
      severity: "warning",
      message: `the instance in ${other.state} works in the same folder: ${other.workspace}`,
      next: "set agents.defaults.workspace in one of them",
    });
  for (const token of [...ours.botTokens].filter((it) => other.botTokens.has(it)))
    found.push({
      id: "instances.account",
      severity: "error",
      message: `the instance in ${other.state} polls with the same Telegram bot (${fingerprint(token)}): they take each other's messages`,
      next: "make a bot of its own for one of them with @BotFather",
    });
  return found;
}
