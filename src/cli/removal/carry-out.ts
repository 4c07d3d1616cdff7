// What `reset` and `uninstall` have in common: show, ask, stop the service, move away under the Gateway's lock.

import { existsSync } from "node:fs";
import { homedir } from "node:os";

import { planRemoval, removeEmptyState, removePlanned, type Removal, type RemovalPart } from "../../backup/removal.ts";
import { sleep } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { ServiceKind } from "../../daemon/names.ts";
import type { ServiceManager } from "../../daemon/service.ts";
import { openLock, type Lock } from "../../platform/lock.ts";
import { findPlaces } from "../backup/places.ts";
import type { Invocation } from "../commands.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { cleanText } from "../render/text.ts";
import { openCliServices } from "../service/open.ts";

export interface Wanted {
  readonly parts: ReadonlySet<RemovalPart>;
  readonly service: "leave" | "stop" | "uninstall";
  readonly question: string;
  /** Also the folder of the state, when nothing is left in it. */
  readonly hasFolder: boolean;
}

/** A service that was told to stop has this long to let go of the state. */
const stopWaitMs = 35_000;

/** @returns the exit code. @throws Fault `already_running` while a Gateway runs that is not the service. */
export async function carryOut(context: Context, wanted: Wanted, { options }: Invocation): Promise<number> {
  const { out, flags } = context;
  const plan = await makePlan(context, wanted.parts);
  const services = wanted.service === "leave" ? [] : await findServices(context, wanted.service);
  const going: Going = { ...wanted, plan, services, isPurge: options["purge"] === true };
  const asJson = { service: wanted.service, services: services.map(({ name }) => name), ...plan };
  const isDry = options["dryRun"] === true;
  if (isDry || (plan.moves.length === 0 && services.length === 0)) {
    if (flags.json === true) out.json({ ...(isDry ? { dryRun: true } : { ok: true }), ...asJson });
    else show(context, going);
    return 0;
  }
  if (options["yes"] !== true && !(await ask(context, going, options["nonInteractive"] === true))) return 1;
  const isGone = await perform(context, going);
  if (flags.json === true) out.json({ ok: true, purged: going.isPurge, ...asJson });
  else tell(context, going, isGone);
  return 0;
}

interface Going extends Wanted {
  readonly plan: Removal;
  readonly services: readonly Found[];
  readonly isPurge: boolean;
}

async function ask(context: Context, going: Going, isForbidden: boolean): Promise<boolean> {
  if (isForbidden)
    throw new Fault("usage", "--non-interactive needs --yes", { field: "--yes", next: "look with --dry-run first" });
  if (context.flags.json !== true) show(context, going);
  return confirm(context, going.question, "--yes");
}

/** @returns true when the state folder is gone as well. */
async function perform(
  context: Context,
  { parts, service, services, plan, isPurge, hasFolder }: Going,
): Promise<boolean> {
  const { state } = context.paths;
  for (const { manager } of services) await manager[service === "uninstall" ? "uninstall" : "stop"]();
  // a change of the config file does a running Gateway no harm: it keeps what was last good
  const isHarmless = [...parts].every((part) => part === "config");
  const lock = isHarmless || !existsSync(state) ? undefined : await takeLock(context, services.length > 0);
  try {
    await removePlanned(plan, isPurge);
  } finally {
    lock?.release();
  }
  return hasFolder && isPurge && (await removeEmptyState(state));
}

function makePlan(context: Context, parts: ReadonlySet<RemovalPart>): Promise<Removal> {
  const { brand, clock } = context;
  return findPlaces(context).then((places) =>
    planRemoval({
      places,
      parts,
      home: homedir(),
      stateNames: [brand.stateFolder, ...brand.fallbackStateFolders],
      configNames: [brand.configFile, ...brand.fallbackConfigFiles],
      clock,
    }),
  );
}

interface Found {
  readonly name: string;
  readonly manager: ServiceManager;
}

/** Services of this installation that are there. Stopping concerns the Gateway's alone. */
async function findServices(context: Context, what: "stop" | "uninstall"): Promise<readonly Found[]> {
  const kinds: readonly ServiceKind[] = what === "stop" ? ["gateway"] : ["gateway", "node"];
  const found: { readonly name: string; readonly manager: Awaited<ReturnType<typeof openCliServices>>["manager"] }[] =
    [];
  for (const kind of kinds) {
    const { manager } = await openCliServices(context, kind);
    if ((await manager.read()) !== undefined || (await manager.status()).isLoaded)
      found.push({ name: manager.name, manager });
  }
  return found;
}

async function takeLock({ paths, clock, command }: Context, wasService: boolean): Promise<Lock> {
  const giveUpAt = clock.monotonic() + (wasService ? stopWaitMs : 0);
  for (;;) {
    try {
      return await openLock(paths.lock);
    } catch (error) {
      if (!(error instanceof Fault && error.code === "already_running")) throw error;
      if (clock.monotonic() >= giveUpAt)
        throw new Fault(error.code, error.message, {
          cause: error,
          next: `stop it first (Ctrl-C where it runs, or ${command("gateway stop")}); nothing was removed`,
        });
      await sleep(clock, 100);
    }
  }
}

function show({ out }: Context, { service, services, plan: { moves, left }, isPurge }: Going): void {
  for (const { name } of services) out.line(`${service === "stop" ? "stop" : "stop and uninstall"} ${name}`);
  for (const { from, to } of moves) out.line(cleanText(isPurge ? `delete ${from}` : `remove ${from}\n    to ${to}`));
  if (moves.length === 0 && services.length === 0) out.line("there is nothing to remove");
  for (const { path, why } of left) out.line(cleanText(`leave ${path}: ${why}`));
}

function tell({ out }: Context, { service, services, plan: { moves, left }, isPurge }: Going, isGone: boolean): void {
  for (const { name } of services) out.line(`${name} is ${service === "stop" ? "stopped" : "uninstalled"}`);
  for (const { from, to } of moves) out.line(cleanText(isPurge ? `deleted ${from}` : `${from} is now ${to}`));
  for (const { path, why } of left) out.line(cleanText(`left: ${path} (${why})`));
  if (isGone) out.line("the state folder is gone");
  if (!isPurge && moves.length > 0)
    out.line("To have it back, move it back; to be rid of it, delete it. It holds secrets.");
}
