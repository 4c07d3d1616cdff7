// `config history`: versions of the config file that are kept, and what going back to each would change.

import { listKeys } from "../../config/take-up.ts";
import { listVersions, type VersionRow } from "../../config/versions.ts";
import type { Run } from "../commands.ts";
import { configFiles } from "../config-files.ts";
import { openConfigFile } from "./file.ts";

export const run: Run = async (context, _invocation) => {
  const { out, paths, flags, command } = context;
  const rows = await listVersions(configFiles(context), await openConfigFile(context).read());
  if (flags.json) out.json({ path: paths.config, versions: rows });
  else if (rows.length === 0) out.line(`No versions of ${paths.config} are kept yet.`);
  else {
    for (const row of rows) out.line(`${row.id}  ${row.at}  ${String(row.bytes).padStart(7)} B  ${describe(row)}`);
    out.line(`To go back to one: ${command("config rollback <id>")}`);
  }
  return 0;
};

function describe({ good, current, changedPaths, valid }: VersionRow): string {
  const kind = valid ? (good ? "good" : "replaced") : "has errors";
  if (current) return `${kind}, in the file now`;
  if (changedPaths === null) return kind;
  return changedPaths.length === 0 ? `${kind}, says the same` : `${kind}, differs in ${listKeys(changedPaths)}`;
}
