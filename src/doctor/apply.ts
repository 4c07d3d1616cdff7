// Does what was planned: first the restore point, then the config in one write, then the rest. A kill at any instant leaves each
// file old or new, and the restore point puts all of it back.

import { chmod, lstat, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { codeOf } from "../base/error-code.ts";
import { Fault, renderFault } from "../base/fault.ts";
import { ensureFolder, followLink, readTextIfExists, writeFileAtomic } from "../platform/files.ts";
import { withLock } from "../platform/lock.ts";
import type { Step } from "./finding.ts";
import type { PlannedFix, Planner } from "./plan.ts";
import { hashBytes, hashFile, type RestorePoint, type RestorePoints, type Wanted } from "./restore-points.ts";
import type { Scene } from "./scene.ts";

export interface Applied {
  readonly point: RestorePoint;
  /** One for each planned fix, in their order. */
  readonly outcomes: readonly { readonly planned: PlannedFix; readonly error: string | undefined }[];
  readonly notes: readonly string[];
}

export interface ApplyDependencies {
  readonly scene: Scene;
  readonly points: RestorePoints;
}

/** @throws Fault `storage` when no restore point can be made: nothing was changed then. */
export async function applyFixes(planner: Planner, { scene, points }: ApplyDependencies): Promise<Applied> {
  const { clock, paths } = scene;
  await ensureFolder(paths.state);
  return withLock(`${paths.state}/doctor.lock`, clock, async () => {
    const accepted = planner.accepted();
    const config = planner.config();
    const steps = accepted.flatMap((planned) => planned.steps);
    const wanted: Wanted[] = [];
    if (config !== undefined)
      wanted.push({ kind: "file", path: await followLink(paths.config), after: hashBytes(config) });
    for (const step of steps) wanted.push(...(await toWanted(step)));
    const hints = steps.flatMap((step) => (step.kind === "act" && step.undoHint ? [step.undoHint] : []));
    const titles = accepted.map(({ fix }) => fix.title);
    const point = await points.make([...new Set(titles)], wanted, [...new Set(hints)]);

    const refused = config === undefined ? undefined : await attempt(() => writeConfig(scene, config));
    const outcomes: { planned: PlannedFix; error: string | undefined }[] = [];
    const notes: string[] = [];
    for (const planned of accepted) {
      const error =
        planned.config !== undefined && refused !== undefined
          ? refused
          : await attempt(async () => {
              for (const step of planned.steps) notes.push(...(await perform(step)));
            });
      outcomes.push({ planned, error });
    }
    return { point, outcomes, notes };
  });
}

async function attempt(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return renderFault(error);
    // the system's own errors of files; anything else is a bug
    if (error instanceof Error && codeOf(error) !== undefined) return error.message;
    throw error;
  }
}

async function toWanted(step: Step): Promise<Wanted[]> {
  switch (step.kind) {
    case "config":
      return [];
    case "mode":
      return [{ kind: "mode", path: step.path, before: step.before, after: step.after }];
    case "write":
      return [
        ...(await newFolders(dirname(step.path))),
        { kind: "file", path: step.path, after: hashBytes(step.after) },
      ];
    case "remove":
      return [{ kind: "file", path: step.path, after: null }];
    case "move":
      return [{ kind: "moved", from: step.from, to: step.to, hash: (await hashFile(step.from)) ?? "" }];
    case "act":
      return [
        ...step.touches.map((path) => ({ kind: "file" as const, path })),
        ...(step.adds ? [{ kind: "added" as const, added: step.adds }] : []),
      ];
  }
}

/** Those that will have to be made, the outer ones first. */
async function newFolders(path: string): Promise<Wanted[]> {
  if (await isThere(path)) return [];
  return [...(await newFolders(dirname(path))), { kind: "folder", path }];
}

/** Only over the text that was shown: somebody may have saved meanwhile. */
async function writeConfig({ writer, source }: Scene, text: string): Promise<void> {
  const shown = await source();
  await writer.write(({ hash }) => {
    if (hash === shown.hash) return text;
    throw new Fault("invalid_params", "the config was changed meanwhile; it stays as it is", { next: "run it again" });
  });
}

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** @returns what its owner should know. */
async function perform(step: Step): Promise<readonly string[]> {
  switch (step.kind) {
    case "config":
      return [];
    case "mode":
      await chmod(step.path, step.after);
      return [];
    case "write":
      if ((await readTextIfExists(step.path)) !== step.before) throw changed(step.path);
      await ensureFolder(dirname(step.path));
      await writeFileAtomic(step.path, step.after);
      return [];
    case "remove":
      await unlink(step.path);
      return [];
    case "move":
      if (await isThere(step.to)) throw changed(step.to);
      await rename(step.from, step.to);
      return [];
    case "act":
      return step.run();
  }
}

const changed = (path: string) =>
  new Fault("invalid_params", `${path} was changed meanwhile; it stays as it is`, { next: "run it again" });
