// The dated name of the log file, without anything else of the log: the CLI asks for it too.

import { join } from "node:path";

/** `now`: ms since the epoch; the date is the local one. */
export function logFileName(options: { folder: string; prefix: string; now: number }): string {
  const date = new Date(options.now);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
  return join(options.folder, `${options.prefix}-${day}.log`);
}
