// The one database of a Gateway, with the tables of all rooms.

import { openGatewayDatabase } from "../conversation/database.ts";
import type { Database } from "../platform/database.ts";
import type { Paths } from "../platform/paths.ts";
import type { GatewayOptions } from "./options.ts";
import { tables } from "./tables.ts";

/** For who holds the lock of the state folder. @throws Fault `storage` when the file cannot be opened or brought up to date; it is unchanged then. */
export function openOwnDatabase({
  paths,
  version,
  command,
  log,
}: Pick<GatewayOptions, "version" | "command" | "log"> & {
  readonly paths: Pick<Paths, "database">;
}): Promise<Database> {
  return openGatewayDatabase(paths.database, { version, command, log: log.child("database"), isAlone: true }, tables);
}
