// What a service is, whatever system keeps it: a program with absolute paths and an environment from an allow-list. Never a secret:
// what is written into a unit goes stale beside the config, and is read by others (R13).

import { join } from "node:path";

import { serviceFamilies, type Brand } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import type { Env } from "../platform/env.ts";
import type { Paths } from "../platform/paths.ts";
import type { ServiceKind, ServiceNames } from "./names.ts";

export interface ServiceDefinition {
  readonly description: string;
  /** Absolute path of the program, then its arguments. */
  readonly program: readonly [string, ...string[]];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its output goes on systems that keep none. */
  readonly output: { readonly stdout: string; readonly stderr: string };
}

/** What was found on the disk. */
export interface InstalledDefinition {
  readonly path: string;
  readonly text: string;
  readonly program: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

export interface PlanOptions {
  readonly brand: Brand;
  readonly version: string;
  readonly env: Env;
  readonly paths: Paths;
  readonly names: ServiceNames;
  readonly kind: ServiceKind;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Node, then the script. */
  readonly launcher: readonly [string, string];
  readonly args: readonly string[];
  readonly profile: string | undefined;
  readonly port?: number;
}

/** Handed on when they are set: language, time zone and trust, nothing that says who somebody is. */
const inherited = ["LANG", "LC_ALL", "LC_CTYPE", "TZ", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
const inheritedOwn = ["LOG_DIR", "ALLOW_INSECURE_PRIVATE_WS"];

/** @throws Fault `usage` when a path or name could not be written into a unit. */
export function planService(options: PlanOptions): ServiceDefinition {
  const { paths, names, home, launcher, args, kind } = options;
  const logs = join(paths.state, "logs");
  const definition: ServiceDefinition = {
    description: names.description,
    program: [...launcher, ...args],
    workingDirectory: home,
    environment: buildEnvironment(options),
    output: { stdout: join(logs, `${kind}.log`), stderr: join(logs, `${kind}.err.log`) },
  };
  for (const text of [...definition.program, home, paths.state, ...Object.values(definition.environment)]) {
    if (unwritable.test(text))
      throw new Fault("usage", `a service cannot be written with a control character in ${JSON.stringify(text)}`, {
        next: "use paths and names without them",
      });
  }
  return definition;
}

/** What one of the forms of a service cannot carry: control characters, halves of a pair, and two that XML leaves out (XML 1.0, 2.2). */
export const unwritable = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;

function buildEnvironment(options: PlanOptions): Record<string, string> {
  const { brand, env, paths, names, kind, platform, home, profile, version } = options;
  const own = (name: string, value: string | undefined) => [`${brand.envPrefix}_${name}`, value] as const;
  const entries: (readonly [string, string | undefined])[] = [
    ...(platform === "win32" ? [] : [["HOME", home] as const, ["PATH", minimalPath(platform, home)] as const]),
    ...inherited.map((name) => [name, env.raw(name)] as const),
    ...inheritedOwn.map((name) => own(name, env.get(name))),
    own("PROFILE", profile),
    own("STATE_DIR", paths.state),
    own("CONFIG_PATH", paths.config),
    own("GATEWAY_PORT", options.port === undefined ? undefined : String(options.port)),
    own("LAUNCHD_LABEL", platform === "darwin" ? names.launchd : undefined),
    own("SYSTEMD_UNIT", platform === "linux" ? names.systemd : undefined),
    own("WINDOWS_TASK_NAME", platform === "win32" ? names.task : undefined),
    ...serviceFamilies.flatMap(([prefix, marker]) => [
      [`${prefix}_SERVICE_MARKER`, marker] as const,
      [`${prefix}_SERVICE_KIND`, kind] as const,
      [`${prefix}_SERVICE_VERSION`, version] as const,
    ]),
  ];
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

/** Programs of the system and of its user; not whatever the shell of this moment has. */
function minimalPath(platform: NodeJS.Platform, home: string): string {
  const own = [`${home}/.local/bin`, `${home}/bin`];
  const system = ["/usr/local/bin", "/usr/bin", "/bin"];
  const folders =
    platform === "darwin" ? [...own, "/opt/homebrew/bin", ...system, "/usr/sbin", "/sbin"] : [...own, ...system];
  return folders.join(":");
}

/** Is this one of ours, and of which kind: by what it says of itself. */
export function kindOf(environment: Readonly<Record<string, string>>): ServiceKind | undefined {
  for (const [prefix, marker] of serviceFamilies) {
    if (environment[`${prefix}_SERVICE_MARKER`] !== marker) continue;
    const kind = environment[`${prefix}_SERVICE_KIND`];
    if (kind === "gateway" || kind === "node") return kind;
  }
  return undefined;
}

/** What an installed service has otherwise than it would get now, for people; empty when nothing. */
export function listDifferences(installed: InstalledDefinition, wanted: ServiceDefinition, text: string): string[] {
  if (installed.text === text) return [];
  const found: string[] = [];
  const was = installed.program.join(" ");
  const willBe = wanted.program.join(" ");
  if (was !== willBe) found.push(`it runs ${was || "nothing"}, now it would run ${willBe}`);
  if (installed.workingDirectory !== wanted.workingDirectory)
    found.push(`it runs in ${installed.workingDirectory ?? "no folder of its own"}, now in ${wanted.workingDirectory}`);
  const names = new Set([...Object.keys(installed.environment), ...Object.keys(wanted.environment)]);
  // names alone: an older unit may hold secrets
  const changed = [...names].filter((name) => installed.environment[name] !== wanted.environment[name]);
  if (changed.length > 0) found.push(`its environment differs: ${changed.join(", ")}`);
  return found.length > 0 ? found : ["its settings are those of another version"];
}
