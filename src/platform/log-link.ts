// One path for the newest log file, whatever day it is: a link in the state folder, where people look who know nothing of dates.

import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";

/** A file that is not a link of ours stays: launchd writes one there. Never throws; systems without links go without. */
export function linkLog(link: string, path: string): void {
  try {
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there && (!there.isSymbolicLink() || readlinkSync(link) === path)) return;
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    const made = `${link}.new`;
    rmSync(made, { force: true });
    symlinkSync(path, made);
    renameSync(made, link);
  } catch {
    // the log itself is elsewhere and whole
  }
}
