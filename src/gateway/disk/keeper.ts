// Watches what this Gateway takes on the disk, makes room when that is more than its budget, and takes away what killed processes
// left. Nothing goes in silence: a line in the log, and the figures.

import { rm } from "node:fs/promises";

import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Maintenance } from "../../config/maintenance.ts";
import type { Database } from "../../platform/database.ts";
import { readSpace } from "../../platform/database-space.ts";
import type { DiskPlace } from "../../platform/disk-usage.ts";
import type { Paths } from "../../platform/paths.ts";
import { decideExcess } from "./budget.ts";
import type { Relief, ReliefDependencies } from "./relief.ts";

const firstMs = 2_000;
const everyMs = 10 * 60 * 1000;
/** Nobody saves for so long. */
const leftoverMs = 10 * 60 * 1000;
const littleBytes = 100 * 1024 * 1024;
const shownPlaces = 5;

export interface DiskState {
  /** What is kept; room in the database that new rows will take is not counted. */
  readonly usedBytes: number;
  /** null: no limit. */
  readonly budgetBytes: number | null;
  /** Of the disk of the state folder; null: unknown. */
  readonly freeBytes: number | null;
  /** The largest first. */
  readonly biggest: readonly DiskPlace[];
}

export interface DiskKeeper extends Service {
  /** undefined until it has looked first, some seconds after the start. */
  state(): DiskState | undefined;
  problems(): readonly { readonly message: string; readonly next: string }[];
}

export interface DiskKeeperDependencies extends Omit<ReliefDependencies, "paths"> {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly log: Log;
  readonly database: Pick<Database, "read">;
  readonly maintenance: () => Maintenance;
  readonly workspaces: () => readonly string[];
  /** A command as its owner types it. */
  readonly command: (words: string) => string;
  readonly onForgotten: (what: string, count: number) => void;
  readonly onChange: () => void;
}

export function createDiskKeeper(dependencies: DiskKeeperDependencies): DiskKeeper {
  const { clock, log, maintenance, onForgotten, onChange } = dependencies;
  let timer: Timer | undefined;
  let last: DiskState | undefined;
  let isStopped = false;
  let isToldOver = false;

  const relieve = async (state: DiskState): Promise<DiskState> => {
    const { isEnforced, budget } = maintenance();
    const excess = budget && isEnforced ? decideExcess(state.usedBytes, budget) : 0;
    if (excess === 0) return state;
    const { makeRoom } = await import("./relief.ts");
    const relief = await makeRoom(excess, dependencies);
    onForgotten("logs", relief.logs);
    onForgotten("restore-points", relief.restorePoints);
    onForgotten("snapshots", relief.snapshots);
    if (relief.bytes <= 0) return state;
    const after = await look(dependencies);
    tellRelief(log, { relief, state, after });
    return after;
  };
  const run = async () => {
    try {
      last = await relieve(await look(dependencies));
      const isOver = last.budgetBytes !== null && last.usedBytes > last.budgetBytes;
      if (isOver && !isToldOver) log.warn("the disk budget is overrun", { ...last });
      isToldOver = isOver;
      onChange();
    } catch (error) {
      if (!isStopped) log.warn("cannot look after the disk", { error });
    }
    if (!isStopped) timer = clock.after(everyMs, () => void run());
  };
  const begin = async () => {
    await sweep(dependencies).catch((error: unknown) => log.warn("cannot remove leftovers", { error }));
    await run();
  };

  return {
    name: "disk",
    async start() {
      isStopped = false;
      timer = clock.after(firstMs, () => void begin());
    },
    async stop() {
      isStopped = true;
      timer?.cancel();
    },
    state: () => last,
    problems: () => (last ? toProblems(last, dependencies) : []),
  };
}

/** As clients see it. */
export function renderDisk({ biggest, ...state }: DiskState) {
  return { ...state, biggest: biggest.map((place) => ({ ...place })) };
}

async function look({ paths, database, maintenance, workspaces }: DiskKeeperDependencies): Promise<DiskState> {
  const { freeBytesOf, measureDisk } = await import("../../platform/disk-usage.ts");
  const usage = await measureDisk({ paths, workspaces: workspaces() });
  const space = await database.read(readSpace);
  return {
    usedBytes: Math.max(0, usage.bytes - space.freeBytes),
    budgetBytes: maintenance().budget?.maxBytes ?? null,
    freeBytes: (await freeBytesOf(paths.state)) ?? null,
    biggest: usage.places.slice(0, shownPlaces),
  };
}

function tellRelief(log: Log, { relief, state, after }: { relief: Relief; state: DiskState; after: DiskState }): void {
  const { bytes: _bytes, ...went } = relief;
  log.info("the disk budget was reached: the oldest of what can be spared was removed", {
    ...went,
    beforeBytes: state.usedBytes,
    afterBytes: after.usedBytes,
    budgetBytes: state.budgetBytes,
  });
}

/** What processes left that were killed in the middle of a save. */
async function sweep({ paths, clock, log, onForgotten }: DiskKeeperDependencies): Promise<void> {
  const { findLeftovers } = await import("../../platform/leftovers.ts");
  const found = await findLeftovers(paths, { now: clock.now(), olderThanMs: leftoverMs });
  for (const { path } of found) await rm(path, { recursive: true, force: true });
  if (found.length === 0) return;
  onForgotten("leftovers", found.length);
  log.info("leftovers of killed processes removed", {
    count: found.length,
    paths: found.slice(0, 5).map(({ path }) => path),
  });
}

function toProblems(
  { usedBytes, budgetBytes, freeBytes, biggest }: DiskState,
  { paths, maintenance, command }: DiskKeeperDependencies,
): { message: string; next: string }[] {
  const problems: { message: string; next: string }[] = [];
  if (freeBytes !== null && freeBytes < littleBytes)
    problems.push({
      message: `the disk of the state folder has ${toMegabytes(freeBytes)} left (${paths.state})`,
      next: "make room: what comes in cannot be stored without it",
    });
  if (budgetBytes === null || usedBytes <= budgetBytes) return problems;
  const where = biggest.slice(0, 3).map(({ name, bytes }) => `${name} ${toMegabytes(bytes)}`);
  problems.push({
    message: `${toMegabytes(usedBytes)} are kept, more than the ${toMegabytes(budgetBytes)} of session.maintenance.maxDiskBytes (${where.join(", ")} in ${paths.state})`,
    next: maintenance().isEnforced
      ? `remove what nobody needs there, look at ${command("sessions prune --dry-run")}, or allow more`
      : `set session.maintenance.mode to enforce, look at ${command("sessions prune --dry-run")}, or allow more`,
  });
  return problems;
}

const toMegabytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MB`;
