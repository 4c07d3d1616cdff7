// The flags of `gateway run`: checked before anything is opened, and laid over the config for as long as the process lives.

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { reasonOf } from "../../base/error-code.ts";
import { Fault } from "../../base/fault.ts";
import type { WsLogStyle } from "../../gateway/ws-log.ts";
import { decidePort, devProfile } from "../../platform/paths.ts";
import type { Config } from "../../settings/config.ts";
import type { Invocation } from "../commands.ts";
import type { Context } from "../context.ts";
import { prepareDev } from "./dev-state.ts";

type Gateway = Config["gateway"];

export interface RunFlags {
  readonly isVerbose: boolean;
  readonly wsLog: WsLogStyle;
  /** Takes what models stream; undefined: nothing does. */
  readonly rawStream: string | undefined;
  /** Instead of what the config says; undefined: what it says counts. */
  readonly bind: Gateway["bind"];
  readonly auth: Gateway["auth"]["mode"];
  readonly tailscale: NonNullable<Gateway["tailscale"]>["mode"];
  readonly isTailscaleReset: boolean;
  /** What is in `--password-file`. */
  readonly password: string | undefined;
  readonly isReset: boolean;
  /** What whoever typed them should know. */
  readonly notices: readonly string[];
}

/** @throws Fault `usage` naming the flag and what it takes. */
export async function parseRunFlags(context: Context, { options }: Invocation): Promise<RunFlags> {
  const { env, paths, flags } = context;
  const text = (name: string) => options[name] as string | undefined;
  const isReset = options["reset"] === true;
  if (isReset && paths.profile !== devProfile)
    throw new Fault("usage", "Use --reset with --dev.", { field: "--reset" });
  // before anything of the config is: what was typed is told first
  decidePort({ flag: text("port"), env, configured: undefined, profile: paths.profile });
  const wsLog = choose("--ws-log", text("wsLog"), ["auto", "full", "compact"] as const) ?? "auto";
  const rawPath = text("rawStreamPath") ?? env.get("RAW_STREAM_PATH");
  const isRaw = options["rawStream"] === true || rawPath !== undefined || env.get("RAW_STREAM") === "1";
  return {
    isVerbose: options["verbose"] === true,
    wsLog: options["compact"] === true ? "compact" : wsLog,
    rawStream: isRaw ? resolve(rawPath ?? join(paths.state, "logs", "raw-stream.jsonl")) : undefined,
    bind: choose("--bind", text("bind"), ["loopback", "lan", "tailnet", "auto", "custom"] as const),
    auth: choose("--auth", text("auth"), ["token", "password"] as const),
    tailscale: choose("--tailscale", text("tailscale"), ["off", "serve", "funnel"] as const),
    isTailscaleReset: options["tailscaleResetOnExit"] === true,
    password: await readPassword(text("passwordFile"), flags.password),
    isReset,
    notices: notice(context, options),
  };
}

function choose<const Value extends string>(
  flag: string,
  value: string | undefined,
  values: readonly Value[],
): Value | undefined {
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined || value === undefined) return found;
  const quoted = values.map((candidate) => `"${candidate}"`);
  throw new Fault("usage", `Invalid ${flag}: ${value}`, { field: flag, next: `use one of: ${quoted.join(", ")}` });
}

async function readPassword(path: string | undefined, password: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  if (password !== undefined)
    throw new Fault("usage", "--password and --password-file are both given", { field: "--password-file" });
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const reason = reasonOf(cause);
    throw new Fault("usage", `--password-file cannot be read: ${path} (${reason})`, {
      cause,
      field: "--password-file",
    });
  });
  const found = text.replace(/\r?\n$/u, "");
  if (found.trim() !== "") return found;
  throw new Fault("usage", `--password-file is empty: ${path}`, { field: "--password-file" });
}

function notice({ flags, brand }: Context, options: Invocation["options"]): string[] {
  const shown = (["token", "password"] as const).filter((name) => flags[name] !== undefined);
  const isQuiet = options["verbose"] !== true;
  return [
    ...shown.map((name) => {
      const variable = `${brand.envPrefix}_GATEWAY_${name.toUpperCase()}`;
      return `others on this machine can read --${name} in the list of processes; ${variable} or gateway.auth.${name} is hidden from them`;
    }),
    ...(isQuiet && (options["wsLog"] !== undefined || options["compact"] === true)
      ? ["--ws-log and --compact shape what --verbose shows; without it, only slow and failed calls are logged"]
      : []),
    ...(options["claudeCliLogs"] === true
      ? ["--claude-cli-logs has nothing to show: this Gateway asks models itself; --raw-stream keeps what they say"]
      : []),
  ];
}

/** Before the first life: the flags, and for the dev profile its config. The context has the password of `--password-file`. */
export async function prepareRun(
  given: Context,
  invocation: Invocation,
): Promise<{ context: Context; flags: RunFlags; told: readonly string[] }> {
  const flags = await parseRunFlags(given, invocation);
  const { password } = flags;
  const context = password === undefined ? given : { ...given, flags: { ...given.flags, password } };
  if (given.paths.profile !== devProfile) return { context, flags, told: flags.notices };
  const isConfigNeeded = invocation.options["allowUnconfigured"] !== true;
  const done = await prepareDev(context, { isReset: flags.isReset, isConfigNeeded });
  return { context, flags, told: [...done, ...flags.notices] };
}

/** The config as it counts with these flags. */
export function applyFlags(config: Config, { bind, auth, tailscale, isTailscaleReset }: RunFlags): Config {
  if (bind === undefined && auth === undefined && tailscale === undefined && !isTailscaleReset) return config;
  const { gateway } = config;
  return {
    ...config,
    gateway: {
      ...gateway,
      ...(bind === undefined ? {} : { bind }),
      ...(auth === undefined ? {} : { auth: { ...gateway.auth, mode: auth } }),
      tailscale: {
        ...gateway.tailscale,
        ...(tailscale === undefined ? {} : { mode: tailscale }),
        ...(isTailscaleReset ? { resetOnExit: true } : {}),
      },
    },
  };
}
