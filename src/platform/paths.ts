// Where everything lives, derived from the name, the profile and the environment. Pure but for the question whether a path
// exists. A sibling's older folder is used in place when only it exists; it is never renamed, nor a new one made in it.

import { basename, dirname, join, resolve } from "node:path";

import { instancesFolder, type Brand } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import type { Env } from "./env.ts";

export const defaultPort = 18_789;
export const devPort = 19_001;
export const devProfile = "dev";

export interface Paths {
  /** Undefined for the default profile. */
  readonly profile: string | undefined;
  readonly home: string;
  readonly state: string;
  readonly config: string;
  /** Folder of the config's versions. */
  readonly configHistory: string;
  /** Starts that did not end well. */
  readonly starts: string;
  readonly database: string;
  readonly lock: string;
  readonly credentials: string;
  readonly gatewayToken: string;
  /** Key pair of this device, as a client. */
  readonly deviceIdentity: string;
  /** Tokens that Gateways gave to it. */
  readonly deviceTokens: string;
  readonly voiceWake: string;
  /** Device tokens are derived from it. */
  readonly deviceKey: string;
  /** Commands that may run on this machine without asking. */
  readonly execApprovals: string;
  /** Where older programs kept what they had to say after a restart. */
  readonly restartSentinel: string;
  /** Unless `agents.defaults.workspace` names another. */
  readonly workspace: string;
  /** Shared by all Gateways of this user: each has a file in it while it runs. */
  readonly instances: string;
  readonly logs: string;
  /** Log files are `<prefix>-YYYY-MM-DD.log`. */
  readonly logPrefix: string;
}

export interface PathOptions {
  readonly brand: Brand;
  readonly env: Env;
  readonly profile: string | undefined;
  readonly home: string;
  readonly temporary: string;
  readonly exists: (path: string) => boolean;
}

const profilePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/iu;

/** @returns undefined for `default`. @throws Fault `usage` for a name that cannot be part of a path. */
export function parseProfile(name: string, field = "--profile"): string | undefined {
  if (!profilePattern.test(name)) {
    throw new Fault("usage", `Invalid ${field} (use letters, numbers, "_", "-" only)`, { field: "profile" });
  }
  const profile = name.toLowerCase();
  return profile === "default" ? undefined : profile;
}

export function derivePaths(options: PathOptions): Paths {
  const { brand, env, home, profile } = options;
  const suffix = toSuffix(profile);
  const state = stateFolder(options, suffix);
  const config = configFile(options, state, suffix);
  const history = join(state, historyName(brand, config, state));
  // a service's unit names the profile in the environment, beside its folders: it moves what has no variable of its own
  const name = profile ?? profileFromEnv(env);
  const named = toSuffix(name);
  return {
    profile,
    home,
    state,
    config,
    configHistory: history,
    starts: join(history, "starts.json"),
    database: join(state, "gateway.sqlite"),
    lock: join(state, "gateway.lock"),
    credentials: join(state, "credentials"),
    gatewayToken: join(state, "credentials", "gateway-token"),
    deviceIdentity: join(state, "identity", "device.json"),
    deviceTokens: join(state, "identity", "device-auth.json"),
    voiceWake: join(state, "settings", "voicewake.json"),
    deviceKey: join(state, "credentials", "device-key"),
    execApprovals: join(state, "exec-approvals.json"),
    restartSentinel: join(state, "restart-sentinel.json"),
    workspace: join(home, `${brand.workspaceFolder}${named}`),
    instances: expandHome(env.get("INSTANCES_DIR") ?? join(home, instancesFolder), home),
    logs: expandHome(env.get("LOG_DIR") ?? join(options.temporary, brand.logName), home),
    logPrefix: `${brand.logName}${named === "" ? suffixOfFolder(brand, state) : named}`,
  };
}

const toSuffix = (profile: string | undefined) => (profile === undefined ? "" : `-${profile}`);

/** `~/.openclaw-a` given by hand is apart from `~/.openclaw-b` like two profiles are, and so are their logs. */
function suffixOfFolder({ stateFolder: own, fallbackStateFolders }: Brand, state: string): string {
  const folder = [own, ...fallbackStateFolders].find((candidate) => basename(state).startsWith(`${candidate}-`));
  const name =
    folder === undefined
      ? ""
      : basename(state)
          .slice(folder.length + 1)
          .toLowerCase();
  return profilePattern.test(name) ? `-${name}` : "";
}

/** The profile that the environment names, as a service's does. @throws Fault `usage` for a name that cannot be part of a path. */
export function profileFromEnv(env: Env): string | undefined {
  const name = env.get("PROFILE");
  return name === undefined ? undefined : parseProfile(name, env.source("PROFILE"));
}

/** A config of another name or place has versions of its own: `a.json` and `b.json` over one state folder never stand in for each other. */
function historyName(brand: Brand, config: string, state: string): string {
  const names = [brand.configFile, ...brand.fallbackConfigFiles];
  if (dirname(config) === state && names.includes(basename(config))) return "config-history";
  return `config-history-${digestOf(config)}`;
}

function stateFolder({ brand, env, home, exists }: PathOptions, suffix: string): string {
  const explicit = env.get("STATE_DIR");
  if (explicit !== undefined) return expandHome(explicit, home);

  const own = join(home, `${brand.stateFolder}${suffix}`);
  if (exists(own)) return own;
  const older = brand.fallbackStateFolders.map((folder) => join(home, `${folder}${suffix}`)).find(exists);
  return older ?? own;
}

function configFile({ brand, env, home, exists }: PathOptions, state: string, suffix: string): string {
  const explicit = env.get("CONFIG_PATH");
  if (explicit !== undefined) return expandHome(explicit, home);

  const names = [brand.configFile, ...brand.fallbackConfigFiles];
  const inState = names.map((name) => join(state, name)).find(exists);
  // with a state folder given by hand nothing outside of it is looked at
  if (inState !== undefined || env.get("STATE_DIR") !== undefined || suffix !== "")
    return inState ?? join(state, brand.configFile);
  const folders = brand.fallbackStateFolders.map((folder) => join(home, folder));
  const elsewhere = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(exists);
  return elsewhere ?? join(state, brand.configFile);
}

/** `~` and `~/…` as a shell would have it, where none did; relative paths from the working directory. */
export function expandHome(path: string, home: string): string {
  if (path === "~") return home;
  return resolve(path.startsWith("~/") ? join(home, path.slice(2)) : path);
}

/** A path of the config: from the home folder with `~` or `~/`, else from `base` unless it is absolute. */
export function resolveFrom(base: string, path: string, home: string): string {
  return path === "~" || path.startsWith("~/") ? expandHome(path, home) : resolve(base, path);
}

export interface PortOptions {
  readonly flag?: string | undefined;
  readonly env: Env;
  readonly configured: number | undefined;
  readonly profile: string | undefined;
}

export interface PortChoice {
  readonly port: number;
  /** `running`: the Gateway of this state folder said so. */
  readonly source: "--port" | "environment" | "config" | "default" | "running";
}

/**
 * `--port` > environment > config > default, which is another one for the dev profile. `--port 0` asks for any free port.
 * @throws Fault `usage` for a number that is no port.
 */
export function decidePort({ flag, env, configured, profile }: PortOptions): PortChoice {
  if (flag !== undefined) return { port: parsePort(flag, "--port"), source: "--port" };
  const variable = env.get("GATEWAY_PORT");
  if (variable !== undefined)
    return { port: parsePort(variable, env.source("GATEWAY_PORT") ?? "GATEWAY_PORT"), source: "environment" };
  if (configured !== undefined) return { port: configured, source: "config" };
  return { port: profile === devProfile ? devPort : defaultPort, source: "default" };
}

function parsePort(text: string, field: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port <= 65_535) return port;
  throw new Fault("usage", `Invalid port: ${text}`, { field, next: "use a number from 1 to 65535" });
}

/** Loaded when it is needed: most commands name no such file. */
function digestOf(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Lines of what the Gateways of this state folder went through. */
export const timelineFile = ({ state }: Pick<Paths, "state">): string => join(state, "logs", "timeline.jsonl");

export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  readonly caPath: string | undefined;
}

/** Key and certificate of the port: those that the config names, else our own in the state folder. */
export function tlsFiles(
  { state, home }: Pick<Paths, "state" | "home">,
  named: { readonly certPath?: string; readonly keyPath?: string; readonly caPath?: string } = {},
): TlsFiles {
  const folder = join(state, "gateway", "tls");
  const at = (path: string) => expandHome(path, home);
  return {
    certPath: at(named.certPath ?? join(folder, "gateway-cert.pem")),
    keyPath: at(named.keyPath ?? join(folder, "gateway-key.pem")),
    caPath: named.caPath === undefined ? undefined : at(named.caPath),
  };
}
