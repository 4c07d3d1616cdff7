// Which version of the program the database is of, and what there is to go back to.

import { readSteps, listSnapshots, type Snapshot } from "../../platform/database-snapshots.ts";
import { isOlder, type AppliedStep } from "../../platform/database-migrations.ts";
import { refuseNewer, versionOf } from "../../platform/database-update.ts";
import { checkDatabase } from "../../platform/database-check.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

export interface DatabaseFacts {
  readonly path: string;
  /** Of the program that changed its tables last; null: of before programs wrote that down. */
  readonly version: string | null;
  readonly steps: number;
  /** The newest first. */
  readonly snapshots: readonly Snapshot[];
}

/** @returns undefined where there is no database, or none that can be read. */
export async function lookAtVersion({ paths }: Pick<Scene, "paths">): Promise<DatabaseFacts | undefined> {
  const path = paths.database;
  const applied = tryReadSteps(path);
  if (!applied || applied.length === 0) return undefined;
  return { path, version: versionOf(applied) ?? null, steps: applied.length, snapshots: await listSnapshots(path) };
}

function tryReadSteps(path: string): readonly AppliedStep[] | undefined {
  try {
    return readSteps(path);
  } catch {
    // no file, or a damaged one: that is a finding of its own
    return undefined;
  }
}

export function createVersionCheck({ paths, version, command, isDeep }: Scene): DoctorCheck {
  return {
    id: "database-version",
    group: "storage",
    label: "version of the database",
    async run() {
      const found: DoctorFinding[] = [];
      const newer = (tryReadSteps(paths.database) ?? []).filter(
        ({ appliedBy }) => appliedBy !== undefined && isOlder(version, appliedBy),
      );
      const forbidding = newer.filter(({ minReader }) => minReader !== undefined && isOlder(version, minReader));
      if (forbidding.length > 0) {
        const { message, next } = await refuseNewer(paths.database, forbidding, { version, command });
        found.push({ id: "storage.database-newer", severity: "error", message, ...(next ? { next } : {}) });
      } else if (newer.length > 0)
        found.push({
          id: "storage.database-newer",
          severity: "info",
          message: `the database was used by a newer version (${versionOf(newer)}) than this one (${version})`,
          next: "nothing: what that added is left alone, and it goes on with it",
        });
      if (isDeep) for (const { path } of await listSnapshots(paths.database)) found.push(...checkSnapshot(path));
      return found;
    },
  };
}

function checkSnapshot(path: string): DoctorFinding[] {
  const [problem] = checkDatabase(path);
  if (problem === undefined) return [];
  return [
    {
      id: "storage.snapshot",
      severity: "warning",
      message: `the snapshot ${path} is not whole: ${problem}`,
      next: "remove it; nothing can be brought back from it",
    },
  ];
}
