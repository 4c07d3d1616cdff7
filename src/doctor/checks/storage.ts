// Room on the disk, the size of what is kept, and whether the database is whole.

import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

import { checkDatabase } from "../../platform/database-check.ts";
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

export function createDiskCheck({ paths }: Scene): DoctorCheck {
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
      return [...room.flat(), ...(await checkLogs(paths.logs, paths.logPrefix)), ...(await checkSize(paths.database))];
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

async function checkSize(path: string): Promise<DoctorFinding[]> {
  const bytes = (await sizeOf(path)) + (await sizeOf(`${path}-wal`));
  if (bytes < largeDatabaseBytes) return [];
  return [
    {
      id: "storage.database-size",
      severity: "info",
      message: `the database has ${toMegabytes(bytes)}: ${path}`,
      next: "reset or delete sessions that nobody needs; what they hold goes after 30 days",
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
  const reason = await access(path, constants.R_OK | constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
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
