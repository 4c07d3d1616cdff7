// What the service is called by each of the systems, for a profile; and what it was called by older versions.

import { legacyLaunchdLabels, legacySystemdUnits, type Brand } from "../base/brand.ts";
import type { Env } from "../platform/env.ts";

export type ServiceKind = "gateway" | "node";

export interface ServiceNames {
  readonly launchd: string;
  /** With `.service`. */
  readonly systemd: string;
  readonly task: string;
  /** For people. */
  readonly description: string;
  readonly legacyLaunchd: readonly string[];
  readonly legacySystemd: readonly string[];
}

export interface NameOptions {
  readonly brand: Brand;
  readonly env: Env;
  readonly profile: string | undefined;
  readonly kind: ServiceKind;
  readonly version: string;
}

/** The environment may give a name of its own: LAUNCHD_LABEL, SYSTEMD_UNIT, WINDOWS_TASK_NAME. */
export function deriveServiceNames(options: NameOptions): ServiceNames {
  const { profile, version } = options;
  const given = (name: string) => (isOfAnother(options) ? undefined : options.env.get(name));
  const { title, unit, label } = options.kind === "gateway" ? gatewayNames(options) : nodeNames(options);
  const suffix = toSuffix(profile);
  const systemd = given("SYSTEMD_UNIT") ?? `${unit}${suffix}`;
  const about = [...(profile === undefined ? [] : [`profile: ${profile}`]), `v${version}`].join(", ");
  const isGateway = options.kind === "gateway";
  return {
    launchd: given("LAUNCHD_LABEL") ?? label,
    systemd: systemd.endsWith(".service") ? systemd : `${systemd}.service`,
    task: given("WINDOWS_TASK_NAME") ?? (profile === undefined ? title : `${title} (${profile})`),
    description: `${title} (${about})`,
    legacyLaunchd: isGateway ? legacyLaunchdLabels.map((prefix) => `${prefix}.${profile ?? "gateway"}`) : [],
    legacySystemd: isGateway ? legacySystemdUnits.map((name) => `${name}${suffix}.service`) : [],
  };
}

const toSuffix = (profile: string | undefined) => (profile === undefined ? "" : `-${profile}`);

const gatewayNames = ({ brand, profile }: NameOptions) => ({
  title: brand.windowsTask,
  unit: brand.systemdUnit,
  label: `${brand.launchdLabel}.${profile ?? "gateway"}`,
});

/** Profiles have no dots in their names, so no profile's Gateway is called like a node's. */
const nodeNames = ({ brand, profile }: NameOptions) => ({
  title: `${brand.product} Node`,
  unit: `${brand.name}-node`,
  label: `${brand.launchdLabel}.node${profile === undefined ? "" : `.${profile}`}`,
});

/** What runs within a service has that one's names in its environment, and may be asking about another profile's, or a node's. */
function isOfAnother({ env, profile, kind }: NameOptions): boolean {
  const running = env.get("SERVICE_KIND");
  return running !== undefined && (running !== kind || env.get("PROFILE") !== profile);
}
