// What rooms above this one keep of a session, so that it goes with it.

import type { SessionKey } from "../../base/ids.ts";
import type { Sql } from "../../platform/database.ts";

/** One for each room; a few rows at most, looked up by an index. */
export interface SessionTable {
  /** In the commit that removes the session. */
  readonly forget: (sql: Sql, key: SessionKey) => void;
  /** Sessions in which something is still to be told. */
  readonly waiting?: (sql: Sql) => readonly string[];
}
