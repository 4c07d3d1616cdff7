// `config history`: versions of the config file that are kept, and what going back to each would change.

import { evaluateContent } from "../../config/evaluate.ts";
import { contentId } from "../../config/history.ts";
import { listDifferences } from "../../config/rollback.ts";
import { listKeys } from "../../config/take-up.ts";
import type { Run } from "../commands.ts";
import { configFiles } from "../config-files.ts";
import { openConfigFile } from "./file.ts";

interface Row {
  readonly id: string;
  readonly at: string;
  readonly bytes: number;
  readonly good: boolean;
  /** It is what the file says now. */
  readonly current: boolean;
  /** Keys in which it differs from the file; null when one of them cannot be parsed. */
  readonly changedPaths: readonly string[] | null;
  readonly valid: boolean;
}

export const run: Run = async (context, _invocation) => {
  const { out, paths, flags, command } = context;
  const files = configFiles(context);
  const { whole, content } = await openConfigFile(context).read();
  const present = content && contentId(content);
  const rows: Row[] = [];
  for (const version of await files.history.list()) {
    const kept = await files.history.read(version);
    const evaluated = kept && (await evaluateContent(kept, files));
    rows.push({
      id: version.id,
      at: new Date(version.at).toISOString(),
      bytes: version.bytes,
      good: version.isGood,
      current: version.id === present,
      changedPaths: listDifferences(whole, evaluated?.whole)?.map(({ path }) => path) ?? null,
      valid: evaluated !== undefined && "config" in evaluated.parsed,
    });
  }
  if (flags.json) out.json({ path: paths.config, versions: rows });
  else if (rows.length === 0) out.line(`No versions of ${paths.config} are kept yet.`);
  else {
    for (const row of rows) out.line(`${row.id}  ${row.at}  ${String(row.bytes).padStart(7)} B  ${describe(row)}`);
    out.line(`To go back to one: ${command("config rollback <id>")}`);
  }
  return 0;
};

function describe({ good, current, changedPaths, valid }: Row): string {
  const kind = valid ? (good ? "good" : "replaced") : "has errors";
  if (current) return `${kind}, in the file now`;
  if (changedPaths === null) return kind;
  return changedPaths.length === 0 ? `${kind}, says the same` : `${kind}, differs in ${listKeys(changedPaths)}`;
}
