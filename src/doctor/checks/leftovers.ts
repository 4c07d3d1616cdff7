// What a Gateway that was killed leaves behind, and what keeps the next one from starting.

import { open } from "node:fs/promises";

import { findLeftovers } from "../../platform/leftovers.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

/** A save takes moments: what is older was cut off. */
const staleMs = 3_600_000;

export function createLeftoversCheck(scene: Scene): DoctorCheck {
  const { paths } = scene;
  return {
    id: "leftovers",
    group: "files",
    label: "locks and leftovers",
    async run() {
      const found = await findLeftovers(paths, { now: scene.clock.now(), olderThanMs: staleMs });
      const stale = found.flatMap(({ path, isFolder }) => (isFolder ? [] : [path]));
      const locks = [paths.lock, `${paths.config}.lock`];
      return [
        ...stale.map(toFinding),
        ...(await Promise.all(locks.map(checkLock))).flat(),
        ...(await checkOwner(scene)),
      ];
    },
  };
}

const toFinding = (path: string): DoctorFinding => ({
  id: "files.leftover",
  severity: "info",
  message: `left behind by a save that was cut off: ${path}`,
  next: `rm ${path}`,
  fix: { title: "remove it", risk: "safe", steps: async () => [{ kind: "remove", path }] },
});

const header = "SQLite format 3\0";

/** A lock is an empty database; anything else in it cannot be locked. */
async function checkLock(path: string): Promise<DoctorFinding[]> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return [];
  if ((await file.stat()).isDirectory()) {
    await file.close();
    const message = `the lock ${path} is a folder: nothing can be started or saved with it`;
    return [{ id: "files.lock", severity: "error", message, next: `move that folder away: mv ${path} ${path}.aside` }];
  }
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(header.length), 0, header.length, 0);
    if (bytesRead === 0 || buffer.toString("latin1", 0, bytesRead) === header) return [];
  } finally {
    await file.close();
  }
  return [
    {
      id: "files.lock",
      severity: "error",
      message: `the lock ${path} is damaged: nothing can be started or saved with it`,
      next: `rm ${path}`,
      fix: { title: "remove it; it is made anew", risk: "safe", steps: async () => [{ kind: "remove", path }] },
    },
  ];
}

/** It holds the folder, and does not answer. */
async function checkOwner(scene: Scene): Promise<DoctorFinding[]> {
  const owner = await scene.owner();
  if (!owner) return [];
  const gateway = await scene.gateway();
  if (!("reason" in gateway)) return [];
  return [
    {
      id: "files.holder",
      severity: "warning",
      message: `process ${owner.pid} holds this state folder (port ${owner.port}) and does not answer as its Gateway: ${gateway.reason}`,
      next: gateway.next ?? `look what it is: ps -p ${owner.pid} -o args`,
    },
  ];
}
