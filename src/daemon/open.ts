// From the machine to its services: the manager of this platform for one service, and where others are looked for.

import { access } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Brand } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Env } from "../platform/env.ts";
import type { Paths } from "../platform/paths.ts";
import type { ProcessResult, RunProcess } from "../platform/process.ts";
import { createLaunchdManager } from "./launchd.ts";
import { ensureLinger } from "./linger.ts";
import type { ServiceManager } from "./service.ts";
import { deriveServiceNames, type ServiceKind, type ServiceNames } from "./names.ts";
import { findOtherServices, findOtherTasks, type OtherService } from "./others.ts";
import { createTaskManager } from "./schtasks.ts";
import { createSystemdManager } from "./systemd.ts";
import { createTool, currentUser, said } from "./tool.ts";

export interface ServicesOptions {
  readonly brand: Brand;
  readonly env: Env;
  readonly paths: Paths;
  readonly profile: string | undefined;
  readonly version: string;
  readonly kind: ServiceKind;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly clock: Clock;
  readonly run: RunProcess;
}

export interface Services {
  readonly names: ServiceNames;
  readonly manager: ServiceManager;
  /** Lets the service live without a session, where that needs a word. @returns what is left to do. */
  stayAfterLogout(): Promise<string | undefined>;
  /** Other services that look like a Gateway; `isDeep` looks beyond the user's own. */
  others(isDeep: boolean): Promise<readonly OtherService[]>;
  /** Stops one of them for good; its file stays where it is. @throws Fault when it does not stop. */
  retire(other: OtherService): Promise<void>;
}

const systemUnits = "/etc/systemd/system";

/** @throws Fault `usage` on a platform without any of the three systems. */
export async function openServices(options: ServicesOptions): Promise<Services> {
  const { platform } = options;
  const names = deriveServiceNames(options);
  if (platform === "linux") return openSystemd(options, names);
  if (platform === "darwin") return openLaunchd(options, names);
  if (platform === "win32") return openTasks(options, names);
  throw new Fault("usage", `services are not managed on ${platform}`, {
    next: "run the Gateway in the foreground under the supervisor of your system",
  });
}

async function openSystemd(options: ServicesOptions, names: ServiceNames): Promise<Services> {
  const { env, home, run, clock } = options;
  const folder = join(home, ".config", "systemd", "user");
  const user = currentUser();
  const tools = { env, run, runtimeFolder: `/run/user/${user.uid}` };
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  // an administrator may have made it a service of the whole machine
  const isSystem = !(await isThere(join(folder, names.systemd))) && (await isThere(join(systemUnits, names.systemd)));
  const systemctl = createTool("systemctl", tools);
  const manager = createSystemdManager({
    unit: names.systemd,
    scope: isSystem ? "system" : "user",
    folder: isSystem ? systemUnits : folder,
    legacyUnits: names.legacySystemd,
    systemctl,
    journalctl: createTool("journalctl", tools),
    clock,
    user,
    isWsl: env.raw("WSL_DISTRO_NAME") !== undefined,
    // as sd_booted(3) looks
    isBooted: () => isThere("/run/systemd/system"),
    aside: aside(options),
  });
  const system = [systemUnits, "/usr/lib/systemd/system", "/lib/systemd/system"];
  return {
    names,
    manager,
    stayAfterLogout: () =>
      isSystem ? Promise.resolve(undefined) : ensureLinger(createTool("loginctl", tools), user.name),
    others: (isDeep) => findOthers(options, { manager, folder, system: isDeep ? system : [] }),
    retire: async ({ detail }) => mustStop(await systemctl("--user", "disable", "--now", basename(detail)), detail),
  };
}

function openLaunchd(options: ServicesOptions, names: ServiceNames): Services {
  const { env, home, run, clock, paths, kind } = options;
  const folder = join(home, "Library", "LaunchAgents");
  const logs = join(paths.state, "logs");
  const { uid } = currentUser();
  const launchctl = createTool("launchctl", { env, run });
  const manager = createLaunchdManager({
    label: names.launchd,
    folder,
    legacyLabels: names.legacyLaunchd,
    uid,
    launchctl,
    clock,
    aside: aside(options),
    output: { stdout: join(logs, `${kind}.log`), stderr: join(logs, `${kind}.err.log`) },
  });
  const system = ["/Library/LaunchAgents", "/Library/LaunchDaemons"];
  return {
    names,
    manager,
    stayAfterLogout: () => Promise.resolve(undefined),
    others: (isDeep) => findOthers(options, { manager, folder, system: isDeep ? system : [] }),
    retire: async ({ label }) => mustStop(await launchctl("bootout", `gui/${uid}/${label}`), label),
  };
}

function openTasks(options: ServicesOptions, names: ServiceNames): Services {
  const { env, run, paths, kind, brand } = options;
  const schtasks = createTool("schtasks", { env, run });
  const manager = createTaskManager({ name: names.task, path: join(paths.state, `${kind}.cmd`), schtasks });
  return {
    names,
    manager,
    stayAfterLogout: () => Promise.resolve(undefined),
    others: (isDeep) => (isDeep ? findOtherTasks(schtasks, brand, names.task) : Promise.resolve([])),
    retire: async ({ label }) => mustStop(await schtasks("/Delete", "/F", "/TN", label), label),
  };
}

/** One that the system does not know is stopped. */
function mustStop(result: ProcessResult, name: string): void {
  const text = said(result);
  if (result.exitCode === 0 || /no such process|could not find|not loaded|does not exist|cannot find/iu.test(text))
    return;
  throw new Fault("unreachable", `${name} could not be stopped: ${text.split("\n")[0] ?? ""}`, {
    next: "stop it by hand, and try again",
  });
}

const aside = ({ paths, clock }: ServicesOptions) => ({ folder: join(paths.state, "removed-services"), clock });

function findOthers(
  { brand, platform }: ServicesOptions,
  { manager, folder, system }: { manager: ServiceManager; folder: string; system: readonly string[] },
): Promise<OtherService[]> {
  return findOtherServices({
    brand,
    platform,
    known: [manager.path],
    folders: [{ path: folder, scope: "user" }, ...system.map((path) => ({ path, scope: "system" as const }))],
  });
}
