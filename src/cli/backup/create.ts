// `backup create`: one file with all that it takes to go on elsewhere. It holds secrets, and says so.

import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative, resolve, sep } from "node:path";

import { isCode } from "../../base/error-code.ts";
import { createBackup, planBackup, type Created, type CreateOptions } from "../../backup/create.ts";
import type { Places } from "../../backup/places.ts";
import { Fault } from "../../base/fault.ts";
import { followLink } from "../../platform/files.ts";
import type { Invocation, Run } from "../commands.ts";
import type { Context } from "../context.ts";
import { findPlaces } from "./places.ts";
import { renderSize } from "../render/size.ts";

/** Less than this is done before a person wonders. */
const worthShowingBytes = 64 * 1024 * 1024;

export const run: Run = async (context, { options }) => {
  const { brand, version, paths, clock, flags, out } = context;
  const isOnlyConfig = options["onlyConfig"] === true;
  const hasWorkspaces = options["includeWorkspace"] === true;
  if (isOnlyConfig && hasWorkspaces)
    throw new Fault("usage", "--only-config and --include-workspace exclude each other", { field: "--only-config" });
  const places = await findPlaces(context);
  const wanted: CreateOptions = {
    places,
    scope: isOnlyConfig ? "config" : "all",
    hasWorkspaces,
    output: await decideOutput(context, options, places),
    product: { name: brand.name, version },
    profile: paths.profile,
    isVerified: options["verify"] !== false,
    clock,
    pid: process.pid,
    isAlive,
    ...(out.isTerminal && flags.json !== true ? { onProgress: createProgress(context) } : {}),
  };
  const planned = await planBackup(wanted);
  if (planned.sources.every(({ kind }) => kind === "folder"))
    throw new Fault("not_found", `there is nothing to back up (${places.state}, ${places.config})`, {
      next: `start a Gateway once with ${context.command("gateway")}, or check --profile`,
    });
  if (options["dryRun"] === true) return showPlan(context, wanted, planned);

  const created = await createBackup(wanted);
  tell(context, wanted, created);
  return 0;
};

function tell({ out, flags }: Context, wanted: CreateOptions, { path, bytes, manifest }: Created): void {
  const { createdAt, scope, skipped, workspaces } = manifest;
  const files = manifest.files.length;
  if (flags.json === true) {
    out.json({ path, bytes, createdAt, scope, files, workspaces, skipped, verified: wanted.isVerified });
    return;
  }
  out.line(`${path} is ${wanted.isVerified ? "written and checked" : "written"}: ${files} files, ${renderSize(bytes)}`);
  for (const link of skipped) out.error(`warning: not in it, because it is a link or no file: ${link}`);
  out.line("It holds secrets (tokens, keys, conversations): keep it where only you can read it.");
  if (scope === "all" && !wanted.hasWorkspaces) out.line("Workspaces are not in it; --include-workspace adds them.");
}

type Planned = Awaited<ReturnType<typeof planBackup>>;

function showPlan(
  { out, flags }: Context,
  { output, scope }: CreateOptions,
  { sources, workspaces, skipped }: Planned,
) {
  const files = sources.filter(({ kind }) => kind === "file");
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (flags.json === true) {
    const paths = files.map(({ from }) => from);
    out.json({ dryRun: true, path: output, scope, files: paths, bytes, workspaces, skipped });
    return 0;
  }
  for (const { from } of files) out.line(from);
  out.line(`${files.length} files, ${renderSize(bytes)} before packing, would go into ${output}`);
  return 0;
}

async function decideOutput({ brand, paths, clock }: Context, options: Invocation["options"], places: Places) {
  const stamp = new Date(clock.now())
    .toISOString()
    .replace(/\.\d+Z$/u, "Z")
    .replaceAll(":", "-");
  const name = `${brand.name}-backup${paths.profile === undefined ? "" : `-${paths.profile}`}-${stamp}.tar.gz`;
  const given = options["output"];
  if (typeof given !== "string") return join(await decideFolder(places), name);
  const path = resolve(given);
  const isFolder = /[/\\]$/u.test(given) || (await stat(path).catch(() => undefined))?.isDirectory() === true;
  return isFolder ? join(path, name) : path;
}

/** Where the person is, unless that is part of what is backed up. */
async function decideFolder({ state, workspaces }: Places): Promise<string> {
  const here = process.cwd();
  for (const root of [state, ...workspaces])
    if (relative(await followLink(root), here).split(sep)[0] !== "..") return homedir();
  return here;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // somebody else's process lives as well
    return isCode(error, "EPERM");
  }
}

function createProgress({ out, clock }: Context): (done: number, total: number) => void {
  let shownAt = 0;
  return (done, total) => {
    const now = clock.monotonic();
    const isDone = done >= total;
    if (total < worthShowingBytes || (!isDone && now - shownAt < 200)) return;
    shownAt = now;
    out.write(`\r${Math.floor((100 * done) / total)}% of ${renderSize(total)}${isDone ? "\r\u001B[K" : ""}`);
  };
}
