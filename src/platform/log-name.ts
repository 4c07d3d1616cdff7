// The name of the log file, without anything else of the log: the CLI asks for it too.

import { join, resolve } from "node:path";

export interface LogPlace {
  readonly folder: string;
  readonly prefix: string;
  /** Takes all lines, instead of a file for each day; a relative one lies in the folder, blank counts as absent. */
  readonly file?: string | undefined;
}

/** `now`: ms since the epoch; the date is the local one. */
export function logFileName({ folder, prefix, file, now }: LogPlace & { readonly now: number }): string {
  if (file !== undefined && file.trim() !== "") return resolve(folder, file);
  const date = new Date(now);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
  return join(folder, `${prefix}-${day}.log`);
}

/** A file of a day, or one that was put aside in it; not of another profile, whose prefix is longer. */
export function isDatedLog(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && /^-\d{4}-\d\d-\d\d\.log(?:\.\d+)?$/u.test(name.slice(prefix.length));
}
