// `config rollback`: an earlier version of the config file, put back with what it includes.

import { listDifferences, findTarget, returnTo, type Difference } from "../../config/rollback.ts";
import { createConfigWriter } from "../../config/write.ts";
import type { Run } from "../commands.ts";
import { configFiles } from "../config-files.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";

export const run: Run = async (context, { args, options }) => {
  const files = configFiles(context);
  const [isDryRun, isForced] = [options["dryRun"] === true, options["force"] === true];
  const writer = createConfigWriter({ files, clock: context.clock, isForced });
  const source = await writer.read();
  const target = await findTarget(files, source, args[0]);
  const changes = listDifferences(source.whole, target.evaluated.whole);
  if (!isDryRun) await writer.write(returnTo(target, { source, path: files.path, isForced }));
  const { id, at } = target.version;
  const report = {
    path: files.path,
    id,
    at: new Date(at).toISOString(),
    dryRun: isDryRun,
    changes: changes ?? null,
  };
  if (context.flags.json) context.out.json(report);
  else render(context, report);
  return 0;
};

interface Report {
  readonly path: string;
  readonly id: string;
  readonly at: string;
  readonly dryRun: boolean;
  /** null: the file cannot be parsed, so that there is nothing to compare with. */
  readonly changes: readonly Difference[] | null;
}

function render({ out, command }: Context, { path, id, at, dryRun, changes }: Report): void {
  out.line(`${dryRun ? "Would put" : "Put"} version ${id} of ${at} back into ${path}:`);
  if (changes === null) out.line("  the whole file: what is there now cannot be parsed");
  else if (changes.length === 0) out.line("  no key changes");
  for (const { path: key, from, to, isSecret } of changes ?? []) {
    if (isSecret) out.line(`  ${key}: a secret changes`);
    else out.line(`  ${key}: ${out.style("red", show(from))} -> ${out.style("green", show(to))}`);
  }
  if (dryRun) return;
  out.line(`What was there is a version now: ${command("config history")}. A running gateway takes it up by itself.`);
}

const show = (value: unknown) => (value === undefined ? "(not set)" : cleanText(JSON.stringify(value)));
