// Room on the disk, the size of what is kept, and whether the database is whole.

import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

import { reasonOf } from "../../base/error-code.ts";
import { readMaintenance } from "../../config/maintenance.ts";
import { checkDatabase } from "../../platform/database-check.ts";
import { measureDisk } from "../../platform/disk-usage.ts";
import { expandHome } from "../../platform/paths.ts";
import type { DoctorCheck, DoctorFinding } from "../finding.ts";
import type { Scene } from "../scene.ts";

const megabyte = 1024 * 1024;
const littleBytes = 500 * megabyte;
const nothingBytes = 50 * megabyte;
/** What a Gateway keeps of its log. */
const logBudgetBytes = 200 * megabyte;
const largeDatabaseBytes = 2048 * megabyte;
/** Above this it takes seconds to read it through. */
const quickBytes = 256 * megabyte;

export function createDiskCheck(scene: Scene): DoctorCheck {
  const { paths } = scene;
  return {
    id: "disk",
    group: "storage",
    label: "disk",
    async run() {
      const places = [
        { name: "state folder", path: paths.state },
        { name: "log folder", path: paths.logs },
      ];
      const room = await Promise.all(places.map(checkRoom));
      return [
        ...room.flat(),
        ...(await checkLogs(paths.logs, paths.logPrefix)),
        ...(await checkSize(scene)),
        ...(await checkBudget(scene)),
      ];
    },
  };
}

/** Of the nearest folder that is there. */
async function checkRoom({ name, path }: { name: string; path: string }): Promise<DoctorFinding[]> {
  const found = await statfs(path).catch(() => undefined);
  if (!found) return dirname(path) === path ? [] : checkRoom({ name, path: dirname(path) });
  const freeBytes = found.bavail * found.bsize;
  if (freeBytes >= littleBytes) return [];
  return [
    {
      id: "storage.room",
      severity: freeBytes < nothingBytes ? "error" : "warning",
      message: `the disk of the ${name} has ${toMegabytes(freeBytes)} left (${path})`,
      next: "make room: what comes in cannot be stored without it",
    },
  ];
}

async function checkLogs(folder: string, prefix: string): Promise<DoctorFinding[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix));
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= logBudgetBytes * 1.5) return [];
  return [
    {
      id: "storage.logs",
      severity: "warning",
      message: `the log takes ${toMegabytes(total)} in ${folder}, more than the ${toMegabytes(logBudgetBytes)} that a Gateway keeps`,
      next: "remove old files; look for another program that writes there",
    },
  ];
}

/** What is kept in all, and where most of it is. */
async function checkBudget({ paths, command, config }: Scene): Promise<DoctorFinding[]> {
  const read = await config();
  const { budget } = readMaintenance(read);
  const agents = read.agents.list.flatMap(({ id, workspace }) => [workspace, `${paths.workspace}-${id}`]);
  const workspaces = [paths.workspace, read.agents.defaults.workspace, ...agents].flatMap((path) =>
    path === undefined ? [] : [expandHome(path, paths.home)],
  );
  const { bytes, places } = await measureDisk({ paths, workspaces });
  if (!budget || bytes <= budget.maxBytes / 2) return [];
  const where = places.slice(0, 5).map((place) => `${place.name} ${toMegabytes(place.bytes)}`);
  return [
    {
      id: "storage.budget",
      severity: bytes > budget.maxBytes ? "warning" : "info",
      message: `${toMegabytes(bytes)} are kept, of ${toMegabytes(budget.maxBytes)} (session.maintenance.maxDiskBytes): ${where.join(", ")} in ${paths.state}`,
      next: `remove what nobody needs there, look at ${command("sessions prune --dry-run")}, or allow more`,
    },
  ];
}

async function checkSize({ paths, command }: Scene): Promise<DoctorFinding[]> {
  const path = paths.database;
  const bytes = (await sizeOf(path)) + (await sizeOf(`${path}-wal`));
  if (bytes < largeDatabaseBytes) return [];
  return [
    {
      id: "storage.database-size",
      severity: "info",
      message: `the database has ${toMegabytes(bytes)}: ${path}`,
      next: `look at what can go: ${command("sessions prune --dry-run")}`,
    },
  ];
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const toMegabytes = (bytes: number) => `${Math.round(bytes / megabyte)} MB`;

/** One that may not be opened is whole, as far as anybody knows. */
async function checkAccess(path: string): Promise<DoctorFinding | undefined> {
  const reason = await access(path, constants.R_OK | constants.W_OK).then(() => undefined, reasonOf);
  if (reason === undefined) return undefined;
  return {
    id: "storage.database-closed",
    severity: "error",
    message: `the database may not be read and written by this user (${reason}): ${path}`,
    next: `make it this user's: sudo chown "$USER" ${path}*; chmod 600 ${path}*`,
  };
}

export function createDatabaseCheck({ paths, isDeep, command }: Scene): DoctorCheck {
  return {
    id: "database",
    group: "storage",
    label: "database",
    isBlocking: true,
    async run() {
      const bytes = await sizeOf(paths.database);
      if (bytes === 0) return [];
      if (bytes > quickBytes && !isDeep)
        return [
          {
            id: "storage.database-unread",
            severity: "info",
            message: `the database was not read through, it has ${toMegabytes(bytes)}`,
            next: command("doctor --deep"),
          },
        ];
      const closed = await checkAccess(paths.database);
      if (closed) return [closed];
      return checkDatabase(paths.database).map((message) => ({
        id: "storage.database",
        severity: "error" as const,
        message: `the database is not whole: ${message} (${paths.database})`,
        next: `stop the Gateway, keep a copy of the file, and bring a backup back`,
      }));
    },
  };
}
