// Doctor: looks at everything that may be wrong with this instance, changing nothing.

import { Fault } from "../base/fault.ts";
import type { Ids } from "../base/ids.ts";
import { createAccessCheck } from "./checks/access.ts";
import { createChannelsCheck } from "./checks/channels.ts";
import { createConfigCheck } from "./checks/config.ts";
import { createVersionCheck } from "./checks/database-version.ts";
import { createInstancesCheck } from "./checks/instances.ts";
import { createLeftoversCheck } from "./checks/leftovers.ts";
import { createClockCheck, createNodeCheck, createSyncCheck } from "./checks/machine.ts";
import { createOlderNamesCheck, createOtherServicesCheck } from "./checks/older.ts";
import { createOlderStateCheck } from "./checks/older-state.ts";
import { createPortsCheck } from "./checks/ports.ts";
import { createOwnershipCheck } from "./checks/ownership.ts";
import { createPermissionsCheck } from "./checks/permissions.ts";
import { createServiceCheck } from "./checks/service.ts";
import { createDatabaseCheck, createDiskCheck } from "./checks/storage.ts";
import { createTlsCheck } from "./checks/tls.ts";
import { createWorkspaceCheck } from "./checks/workspace.ts";
import { groups, type DoctorCheck, type DoctorFinding, type Group } from "./finding.ts";
import type { Scene } from "./scene.ts";

export interface Found extends DoctorFinding {
  readonly group: Group;
}

export interface Selection {
  /** Groups, or ids of findings; absent: all. */
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
}

export function createChecks(scene: Scene, ids: Ids): readonly DoctorCheck[] {
  return [
    createConfigCheck(scene),
    createPermissionsCheck(scene),
    createOwnershipCheck(scene),
    createLeftoversCheck(scene),
    createSyncCheck(scene),
    createWorkspaceCheck(scene),
    createAccessCheck(scene, ids),
    createTlsCheck(scene),
    createPortsCheck(scene),
    createServiceCheck(scene),
    createOtherServicesCheck(scene),
    createChannelsCheck(scene),
    createDiskCheck(scene),
    createDatabaseCheck(scene),
    createVersionCheck(scene),
    createInstancesCheck(scene),
    createNodeCheck(scene),
    createClockCheck(scene),
    createOlderNamesCheck(scene),
    createOlderStateCheck(scene),
  ];
}

/**
 * Runs the checks side by side, for most of them wait for the disk, a program or the Gateway; those that let nobody else go on
 * meanwhile come last. One that breaks is a finding of its own, and the others go on.
 * @param onProgress called with what is still being looked at.
 * @throws Fault `usage` for a selection that names nothing.
 */
export async function examine(
  checks: readonly DoctorCheck[],
  selection: Selection,
  onProgress: (label: string) => void,
): Promise<readonly Found[]> {
  const isWanted = createFilter(checks, selection);
  const open = new Set(checks.filter(isWanted.check));
  const wanted = [...open];
  const examineOne = async (check: DoctorCheck) => {
    const findings = await runCheck(check);
    open.delete(check);
    showNext();
    return findings.map((finding) => ({ ...finding, group: check.group }));
  };
  const showNext = () => {
    const [next] = open;
    if (next) onProgress(next.label);
  };
  showNext();
  const found = await Promise.all(wanted.filter(({ isBlocking }) => isBlocking !== true).map(examineOne));
  for (const check of wanted) if (check.isBlocking === true) found.push(await examineOne(check));
  const rank = (group: Group) => groups.indexOf(group);
  return found
    .flat()
    .filter(isWanted.finding)
    .toSorted((a, b) => rank(a.group) - rank(b.group));
}

async function runCheck(check: DoctorCheck): Promise<readonly DoctorFinding[]> {
  try {
    return await check.run();
  } catch (error) {
    // what it looked at is in a state that nobody foresaw: the other checks matter all the more
    const message = error instanceof Error ? error.message : String(error);
    const next = error instanceof Fault ? error.next : undefined;
    return [
      {
        id: `${check.group}.unchecked`,
        severity: "error",
        message: `${check.label} could not be checked: ${message}`,
        ...(next === undefined ? {} : { next }),
      },
    ];
  }
}

/** A finding's id begins with its group. */
function createFilter(checks: readonly DoctorCheck[], { only, skip }: Selection) {
  const known = new Set<string>(checks.map(({ group }) => group));
  for (const name of [...(only ?? []), ...(skip ?? [])]) {
    if (known.has(name.split(".")[0] ?? "")) continue;
    throw new Fault("usage", `no check is called ${name}`, {
      next: `use some of: ${[...known].join(", ")}, or the id of a finding`,
    });
  }
  const covers = (list: readonly string[], { id, group }: Found) =>
    list.some((name) => name === group || id === name || id.startsWith(`${name}.`));
  return {
    check: ({ group }: DoctorCheck) =>
      (only === undefined || only.some((name) => name === group || name.startsWith(`${group}.`))) &&
      !(skip ?? []).includes(group),
    finding: (found: Found) => (only === undefined || covers(only, found)) && !covers(skip ?? [], found),
  };
}
