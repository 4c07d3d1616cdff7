// What of an installation belongs to a backup, and what becomes of the rest when one is restored. Pure.

/** Of an installation, all absolute. */
export interface Places {
  readonly state: string;
  /** The main config file. */
  readonly config: string;
  /** Agents' folders, each once; the one that an installation has without being told is the first. */
  readonly workspaces: readonly string[];
}

/** Folder inside of each root in which a restore gets ready; a restore that was cut off is finished from there. */
export const restoreFolder = ".restore";
/** What a restore replaced is kept under this name and the time. */
export const pointPrefix = "before-restore-";

/** True for what restores keep in each folder that they change. */
export const isRestores = (name: string): boolean => name === restoreFolder || name.startsWith(pointPrefix);

/**
 * `copied`: in every backup. `tied`: belongs to what is copied, but not into a backup; it goes when that is replaced. `kept`: a
 * backup does not hold it and a restore leaves it where it is.
 */
export type Belonging = "copied" | "tied" | "kept";

/** Folders of the state that are made anew, are somebody else's copy, or are not worth keeping. */
const keptNames: ReadonlySet<string> = new Set(["logs", "cache", "tmp", "backups", "snapshots"]);
const keptPattern = /^(?:workspace(?:-.*)?|trash-.*|.*\.lock(?:\.json|-\w+)?)$/u;

/** Of an entry of the state folder itself, by its name. Workspaces are roots of their own. */
export function decideBelonging(name: string): Belonging {
  if (isRestores(name) || keptNames.has(name) || keptPattern.test(name)) return "kept";
  return isTied(name) ? "tied" : "copied";
}

/** Side files of a database, whose changes are in the copy of it already; locks, and what an interrupted write left. */
const isTied = (name: string) => /\.lock(?:\.json)?$|-(?:wal|shm|journal)$|\.tmp$/u.test(name);

/** True for a name deeper in the state, or anywhere in a workspace, that no backup holds. `beside`: all names of its folder. */
export function isLeftOut(name: string, beside: ReadonlySet<string>, isState: boolean): boolean {
  const owner = name.replace(/-(?:wal|shm|journal)$/u, "");
  return (owner !== name && beside.has(owner)) || (isState && isTied(name));
}
