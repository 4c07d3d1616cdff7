// What is wrong with an installed service, by its file alone: nothing is asked of the system, nothing is changed.

import { realpath } from "node:fs/promises";
import { delimiter } from "node:path";

import { kindOf, type InstalledDefinition } from "./definition.ts";
import type { ServiceKind } from "./names.ts";

export interface AuditIssue {
  readonly code: string;
  readonly message: string;
  /** `aggressive`: to mend it may change what its owner wanted. */
  readonly level: "recommended" | "aggressive";
}

export interface AuditOptions {
  readonly kind: ServiceKind;
  readonly platform: NodeJS.Platform;
  /** The Node and the program that an install would write now. */
  readonly launcher: readonly [string, string];
  /** Places of a Node that comes with the system; those that are there count. */
  readonly systemNodes?: readonly string[];
}

/** Places of managers of versions: what they hold goes away with the next version, and is found in their shells only. */
const versionManagers =
  /[\\/](?:\.nvm|\.fnm|fnm_multishells|\.volta|\.asdf|\.nodenv|\.nodebrew|mise|\.local[\\/]share[\\/]fnm)[\\/]/u;

/** The manager of Node versions that a path belongs to; undefined when it is none's. */
export const versionManagerOf = (path: string): string | undefined =>
  versionManagers.exec(path)?.[0].replaceAll(/^[\\/]\.?|[\\/]$/gu, "");

const defaultSystemNodes = ["/usr/bin/node", "/usr/local/bin/node", "/opt/homebrew/bin/node"];

export async function auditService(installed: InstalledDefinition, options: AuditOptions): Promise<AuditIssue[]> {
  const { program, environment, text } = installed;
  if (text === "") return [issue("service-unreadable", "this user may not read it")];
  const [node = "", script = ""] = program;
  const isOurs = kindOf(environment) !== undefined;
  const secrets = Object.keys(environment).filter((key) => /_(?:TOKEN|PASSWORD|API_KEY|SECRET)$/u.test(key));
  return [
    ...(program.includes(options.kind)
      ? []
      : [issue("gateway-command-missing", `its command lacks the word ${options.kind}`, "aggressive")]),
    ...(isOurs
      ? await auditProgram(node, script, options.launcher)
      : [issue("service-marker-missing", "it was not written by this program")]),
    ...(await auditRuntime(node, options)),
    ...(options.platform === "win32" ? [] : auditPath(environment["PATH"])),
    ...auditFile(text, options.platform),
    ...secrets.map((name) =>
      issue("service-secret", `${name} is written into it: what it holds goes stale, and others may read it`),
    ),
  ];
}

const issue = (code: string, message: string, level: AuditIssue["level"] = "recommended"): AuditIssue => ({
  code,
  message,
  level,
});

/** Is what it runs there, and the same as this. */
async function auditProgram(
  node: string,
  script: string,
  here: AuditOptions["launcher"],
): Promise<readonly AuditIssue[]> {
  const places = await Promise.all([node, script].map((path) => realpath(path).catch(() => undefined)));
  const gone = [node, script].find((_, index) => places[index] === undefined);
  if (gone !== undefined)
    return [issue("gateway-program-missing", `it runs ${gone}, which is not there: install --force`)];
  const isSame = places[0] === (await realpath(here[0])) && places[1] === here[1];
  return isSame
    ? []
    : [issue("gateway-entrypoint-mismatch", "it runs another installation, or another Node, than this one")];
}

async function auditRuntime(node: string, { systemNodes = defaultSystemNodes }: AuditOptions): Promise<AuditIssue[]> {
  if (/(?:^|[\\/])bun(?:\.exe)?$/u.test(node))
    return [issue("gateway-runtime-bun", "it runs on bun, which channels do not work on")];
  const manager = versionManagerOf(node);
  if (manager === undefined) return [];
  const found = await Promise.all(systemNodes.map((path) => realpath(path).catch(() => undefined)));
  const isThere = found.some((path) => path !== undefined);
  return [
    issue("gateway-runtime-node-version-manager", `its Node belongs to ${manager}, and is gone when that removes it`),
    ...(isThere
      ? []
      : [issue("gateway-runtime-node-system-missing", "this machine has no Node of its own to run it with")]),
  ];
}

const required = ["/usr/bin", "/bin"];

function auditPath(path: string | undefined): AuditIssue[] {
  if (path === undefined) return [issue("gateway-path-missing", "it has no PATH of its own")];
  const folders = path.split(delimiter);
  const missing = required.filter((folder) => !folders.includes(folder));
  const extra = folders.filter(
    (folder) => versionManagerOf(`${folder}/`) !== undefined || /node_modules/u.test(folder),
  );
  return [
    ...(missing.length === 0 ? [] : [issue("gateway-path-missing-dirs", `its PATH lacks ${missing.join(", ")}`)]),
    ...(extra.length === 0
      ? []
      : [issue("gateway-path-nonminimal", `its PATH holds ${extra.join(", ")}, which may be gone tomorrow`)]),
  ];
}

function auditFile(text: string, platform: NodeJS.Platform): AuditIssue[] {
  if (platform === "darwin") {
    const lacks = (key: string) => !new RegExp(`<key>${key}</key>\\s*<true\\s*/>`, "u").test(text);
    return [
      ...(lacks("KeepAlive") ? [issue("launchd-keep-alive", "KeepAlive is not on: it is not started again")] : []),
      ...(lacks("RunAtLoad") ? [issue("launchd-run-at-load", "RunAtLoad is not on: a login does not start it")] : []),
    ];
  }
  if (platform !== "linux") return [];
  const words = (key: string) =>
    [...text.matchAll(new RegExp(`^\\s*${key}\\s*=(.*)$`, "gmu"))].flatMap(([, it = ""]) => it.trim().split(/\s+/u));
  const network = "network-online.target";
  return [
    ...(words("After").includes(network)
      ? []
      : [issue("systemd-after-network-online", `After=${network} is missing: it may start without a network`)]),
    ...(words("Wants").includes(network)
      ? []
      : [issue("systemd-wants-network-online", `Wants=${network} is missing: nothing waits for the network`)]),
    ...(/^(?:5|5s|5sec|5000ms)$/u.test(words("RestartSec").at(-1) ?? "")
      ? []
      : [issue("systemd-restart-sec", "RestartSec is not 5: it comes back too early or too late")]),
  ];
}
