// `backup restore`: shows what goes and what comes, asks, and swaps. `--undo` puts back what the last one replaced.

import { basename, join, resolve } from "node:path";

import type { Places } from "../../backup/places.ts";
import {
  planRestore,
  restoreBackup,
  undoRestore,
  type RestoreOptions,
  type RestorePlan,
} from "../../backup/restore.ts";
import { checkSnapshot, isSnapshot, restoreSnapshot } from "../../backup/snapshot.ts";
import { Fault } from "../../base/fault.ts";
import type { Invocation, Run } from "../commands.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";
import { findPlaces } from "./places.ts";
import { nameWorkspaces, type NamedAnew } from "./workspaces.ts";
import { renderSize } from "../render/size.ts";

export const run: Run = (context, invocation) =>
  invocation.options["undo"] === true ? undo(context, invocation) : restore(context, invocation);

async function undo(context: Context, { args, options }: Invocation): Promise<number> {
  const { paths, clock, out, flags } = context;
  if (args.length > 0 || options["target"] !== undefined)
    throw new Fault("usage", "--undo takes neither a file nor --target", { field: "--undo" });
  const places = await findPlaces(context);
  const question = `Put back what the last restore replaced in ${places.state}?`;
  if (options["force"] !== true && !(await confirm(context, question))) return 1;
  const { point } = await undoRestore({ places, lock: paths.lock, clock });
  if (flags.json === true) out.json({ ok: true, undone: true, state: places.state, kept: point });
  else out.line(`${places.state} is as it was before the last restore; what was there is kept in ${point}`);
  return 0;
}

async function restore(context: Context, { args, options }: Invocation): Promise<number> {
  const { flags } = context;
  const [archive] = args;
  if (archive === undefined) {
    const next = `name its file: ${context.command("backup restore <file>")}`;
    throw new Fault("usage", "which backup?", { next });
  }
  if (await isSnapshot(resolve(archive))) return restoreDatabase(context, resolve(archive), options);
  const target = options["target"];
  const wanted = await decideWhere(context, archive, typeof target === "string" ? resolve(target) : undefined);
  const plan = await planRestore(wanted);
  if (options["dryRun"] === true) return show(context, plan, { dryRun: true });
  const isReplacing = plan.roots.some(({ replaces }) => replaces.length > 0);
  if (isReplacing && options["force"] !== true) {
    if (flags.json !== true) show(context, plan, {});
    if (!(await confirm(context, "Replace what is there?"))) return 1;
  }
  const { point } = await restoreBackup(plan, wanted);
  const kept = isReplacing ? point : undefined;
  const { state } = wanted.places;
  const named = await nameWorkspaces(context, plan, wanted.places);
  if (flags.json === true)
    return show(context, plan, { ok: true, state, ...(kept === undefined ? {} : { kept }), ...named });
  tell(context, { state, kept, isElsewhere: target !== undefined, named });
  return 0;
}

/** The database alone; all else stays. */
async function restoreDatabase(context: Context, file: string, options: Invocation["options"]): Promise<number> {
  const { paths, clock, out, flags, command } = context;
  if (options["target"] !== undefined)
    throw new Fault("usage", "a snapshot of the database has no --target", { field: "--target" });
  const { bytes } = await checkSnapshot(file);
  const { database, lock } = paths;
  const isDry = options["dryRun"] === true;
  if (flags.json !== true) {
    out.line(`The database ${database} is set aside, and ${file} (${renderSize(bytes)}) comes in its place.`);
    out.line("What was said and sent since that was made is not in it.");
  }
  if (!isDry) {
    if (options["force"] !== true && !(await confirm(context, "Replace it?"))) return 1;
    const { point } = await restoreSnapshot({ file, database, lock, clock });
    if (flags.json === true) out.json({ ok: true, database, kept: point });
    else {
      out.line(`restored ${database}; what was there is kept in ${point}`);
      out.line(`next: ${command("gateway")}, or to take it back ${command("backup restore --undo")}`);
    }
  } else if (flags.json === true) out.json({ dryRun: true, database, file, bytes });
  return 0;
}

async function decideWhere(context: Context, file: string, target: string | undefined): Promise<RestoreOptions> {
  const { paths, clock } = context;
  const archive = resolve(file);
  if (target === undefined) return { archive, places: await findPlaces(context), lock: paths.lock, clock };
  return { archive, places: placesIn(target, context), lock: join(target, basename(paths.lock)), clock };
}

interface Told {
  readonly state: string;
  readonly kept: string | undefined;
  readonly isElsewhere: boolean;
  readonly named: NamedAnew;
}

function tell({ brand, command, out }: Context, { state, kept, isElsewhere, named }: Told): void {
  out.line(`restored into ${state}`);
  if (kept !== undefined) out.line(`What was there is kept in ${kept}.`);
  for (const { key, from, to } of named.moved)
    out.line(cleanText(`${key} is ${to} now: what was in ${from} came there.`));
  for (const warning of named.warnings) out.error(cleanText(`warning: ${warning}`));
  if (isElsewhere) out.line(`next: ${brand.envPrefix}_STATE_DIR=${state} ${brand.name} gateway`);
  else out.line(`next: ${command("gateway")}${kept ? `, or to take it back ${command("backup restore --undo")}` : ""}`);
}

/** All of an installation below one folder. */
function placesIn(folder: string, { brand }: Context): Places {
  return { state: folder, config: join(folder, brand.configFile), workspaces: [join(folder, "workspace")] };
}

function show({ out, flags }: Context, { manifest, roots }: RestorePlan, more: object): number {
  if (flags.json === true) {
    const { createdAt, product, profile, scope, files } = manifest;
    out.json({ ...more, backup: { createdAt, product, profile, scope, files: files.length }, folders: roots });
    return 0;
  }
  const { product, createdAt } = manifest;
  out.line(cleanText(`A backup of ${new Date(createdAt).toISOString()}, by ${product.name} ${product.version}:`));
  for (const { folder, replaces, brings } of roots) {
    out.line(folder);
    if (brings.length > 0) out.line(cleanText(`  comes: ${brings.join(", ")}`));
    if (replaces.length > 0) out.line(cleanText(`  is set aside: ${replaces.join(", ")}`));
  }
  return 0;
}
