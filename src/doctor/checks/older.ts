// What older programs left: variables, state folders, services. Used in place where only it is there; nothing is renamed here.

import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import type { OtherService } from "../../daemon/others.ts";
import { setAside } from "../../daemon/aside.ts";
import { Fault } from "../../base/fault.ts";
import type { DoctorCheck, DoctorFinding, Fix } from "../finding.ts";
import type { Scene } from "../scene.ts";

const ownNames = [
  "STATE_DIR",
  "CONFIG_PATH",
  "GATEWAY_PORT",
  "GATEWAY_TOKEN",
  "GATEWAY_PASSWORD",
  "PROFILE",
  "LOG_DIR",
];

export function createOlderNamesCheck(scene: Scene): DoctorCheck {
  const { brand, env } = scene;
  return {
    id: "older-names",
    group: "older",
    label: "older names",
    async run() {
      const found: DoctorFinding[] = [];
      for (const name of ownNames) {
        const own = `${brand.envPrefix}_${name}`;
        const other = `${brand.fallbackEnvPrefix}_${name}`;
        const [mine, theirs] = [env.raw(own), env.raw(other)];
        if (theirs === undefined) continue;
        if (mine === undefined)
          found.push({
            id: "older.variable",
            severity: "info",
            message: `${other} counts, since ${own} is not set`,
            next: `nothing, or rename it to ${own}`,
          });
        else if (mine !== theirs)
          found.push({
            id: "older.variable",
            severity: "warning",
            message: `${own} and ${other} differ: programs of each name take their own first`,
            next: `unset ${other}`,
          });
      }
      return [...found, ...(await checkFolders(scene))];
    },
  };
}

async function checkFolders({ brand, paths, home, env, profile }: Scene): Promise<DoctorFinding[]> {
  if (env.get("STATE_DIR") !== undefined) return [];
  const suffix = profile === undefined ? "" : `-${profile}`;
  const own = join(home, `${brand.stateFolder}${suffix}`);
  const others = brand.fallbackStateFolders
    .map((folder) => join(home, `${folder}${suffix}`))
    .filter((path) => path !== own);
  const there: string[] = [];
  for (const path of others) if (await isUsed(path)) there.push(path);
  if (paths.state !== own)
    return [
      {
        id: "older.folder",
        severity: "info",
        message: `the state folder in use has another name than ${brand.stateFolder}: ${paths.state}`,
        next: `nothing needs it; to rename it stop the Gateway, then mv ${paths.state} ${own}`,
      },
    ];
  return there.map((path) => ({
    id: "older.second-folder",
    severity: "warning",
    message: `there is a second state folder, ${path}, beside the one in use, ${paths.state}`,
    next: `look what it holds; what nobody needs can go. To use it, set ${brand.envPrefix}_STATE_DIR`,
  }));
}

/** A link to the folder in use is no second one. */
async function isUsed(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return (await readdir(path).catch(() => [])).length > 0;
}

export function createOtherServicesCheck(scene: Scene): DoctorCheck {
  return {
    id: "other-services",
    group: "service",
    label: "other services",
    async run() {
      const service = await scene.service();
      if (!service) return [];
      try {
        const others = await service.services.others(scene.isDeep);
        return others.map((other) => toFinding(scene, other));
      } catch (error) {
        // schtasks or its like is not there
        if (error instanceof Fault) return [];
        throw error;
      }
    },
  };
}

function toFinding(scene: Scene, other: OtherService): DoctorFinding {
  const { label, detail, scope, legacy, cleanup, platform } = other;
  const isFile = platform !== "win32" && scope === "user" && legacy === true;
  return {
    id: legacy ? "service.legacy" : "service.other",
    severity: "warning",
    message: `${legacy ? "a service of an older name" : "another service that looks like a Gateway"}: ${label} (${detail})`,
    next: cleanup.join(" && "),
    ...(isFile ? { fix: retire(scene, other) } : {}),
  };
}

/** Stopped, and its file set aside: it may hold what somebody wrote into it. */
function retire({ paths, clock, service }: Scene, other: OtherService): Fix {
  const { label, detail, platform } = other;
  const folder = join(paths.state, "removed-services");
  return {
    title: `stop ${label} and keep its file in ${folder}`,
    risk: "asked",
    steps: async () => [
      {
        kind: "act",
        lines: [`stops ${label}`, `moves ${detail} to ${folder}`],
        touches: [detail],
        undoHint:
          platform === "darwin"
            ? `to start it again: launchctl bootstrap gui/$UID ${detail}`
            : `to start it again: systemctl --user enable --now ${basename(detail)}`,
        async run() {
          const found = await service();
          await found?.services.retire(other);
          return [`its file is kept as ${await setAside(detail, { folder, clock })}`];
        },
      },
    ],
  };
}
