// What two Gateways on one machine must not share, and what to do where they do. Pure.

import type { Instance } from "./instances.ts";
import { findPortClashes, fullSpacing, renderClash, type PortClash } from "./port-plan.ts";

export interface InstanceConflict {
  readonly kind: "config" | "workspace" | "log" | "browser" | "ports";
  /** For people: what is shared with whom. */
  readonly message: string;
  readonly next: string;
  /** Of `ports` alone. */
  readonly clashes?: readonly PortClash[];
}

/** What `ours` has in common with another. A shared state folder is not among it: the second one does not start. */
export function findConflicts(ours: Instance, theirs: Instance, envPrefix: string): InstanceConflict[] {
  const who = renderInstance(theirs);
  const found: InstanceConflict[] = [];
  if (ours.config === theirs.config)
    found.push({
      kind: "config",
      message: `the config ${ours.config} is also that of ${who}: what one changes, the other takes up`,
      next: `give each its own, by --profile or ${envPrefix}_CONFIG_PATH`,
    });
  if (ours.workspace === theirs.workspace)
    found.push({
      kind: "workspace",
      message: `the workspace ${ours.workspace} is also that of ${who}: their agents write into the same files`,
      next: "set agents.defaults.workspace in one of the two configs",
    });
  if (ours.log === theirs.log)
    found.push({
      kind: "log",
      message: `the log ${ours.log} is also that of ${who}: their lines are mixed`,
      next: `give each its own, by --profile, logging.file or ${envPrefix}_LOG_DIR`,
    });
  if (ours.browsers?.some((digest) => theirs.browsers?.includes(digest)))
    found.push({
      kind: "browser",
      message: `a browser that the config names by its address is also that of ${who}: their agents take each other's pages`,
      next: "give browser.cdpUrl and browser.profiles.<name>.cdpUrl to one of the two only",
    });
  const clashes = findPortClashes(ours.ports, theirs.ports);
  if (clashes.length > 0) found.push(describeClashes(clashes, who));
  return found;
}

function describeClashes(clashes: readonly PortClash[], who: string): InstanceConflict {
  const hard = clashes.filter(({ isSoft }) => !isSoft);
  const isHard = hard.length > 0;
  return {
    kind: "ports",
    message: `ports that ${who} uses as well: ${clashes.map(renderClash).join(", ")}`,
    next: isHard
      ? `keep base ports at least 20 apart, better ${fullSpacing}; each part that finds its port taken goes without`
      : `nothing, or keep base ports ${fullSpacing} apart: browser profiles look for ports that are free`,
    clashes,
  };
}

/** `the Gateway of profile rescue (pid 7, port 19001)`; without a profile it is known by its state folder. */
export function renderInstance({ profile, state, pid, ports }: Instance): string {
  return `the Gateway ${profile === undefined ? `in ${state}` : `of profile ${profile}`} (pid ${pid}, port ${ports.gateway})`;
}
