// The versions of the config that are kept, as those see them who want to go back to one.

import { evaluateContent, type ConfigFiles } from "./evaluate.ts";
import { contentId } from "./history.ts";
import { listDifferences } from "./rollback.ts";
import type { SourceFile } from "./write.ts";

export interface VersionRow {
  readonly id: string;
  /** ISO time at which it was taken up or replaced last. */
  readonly at: string;
  readonly bytes: number;
  /** A Gateway has worked with it. */
  readonly good: boolean;
  /** It is what the file says now. */
  readonly current: boolean;
  /** Keys in which it differs from the file; null when one of them cannot be parsed. */
  readonly changedPaths: string[] | null;
  readonly valid: boolean;
}

/** Newest first; none when no history is kept. */
export async function listVersions(files: ConfigFiles, { whole, content }: SourceFile): Promise<VersionRow[]> {
  const { history } = files;
  const present = content && contentId(content);
  const rows: VersionRow[] = [];
  for (const version of (await history?.list()) ?? []) {
    const kept = await history?.read(version);
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
  return rows;
}
