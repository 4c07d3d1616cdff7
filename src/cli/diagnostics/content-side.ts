// Counts of the database, lines of the log, findings of doctor: what is kept here, without what people wrote.

import { stat } from "node:fs/promises";

import { tally } from "../../conversation/store/tally.ts";
import type { Collected, Collector } from "../../diagnostics/bundle.ts";
import { files } from "../../diagnostics/files.ts";
import { checkDatabase, lookIntoDatabase } from "../../platform/database-check.ts";
import { logFileName } from "../../platform/log-name.ts";
import { tailFile, tailLog } from "../../platform/log-tail.ts";
import { parseLogLine } from "../render/log-line.ts";
import type { Scope } from "./scope.ts";

/** Reading a larger one through takes more than a moment. */
const quickBytes = 256 * 1024 * 1024;
const dayMs = 24 * 3_600_000;

export function createContentCollectors(scope: Scope): readonly Collector[] {
  return [
    { file: files.database, label: "database: integrity, version and counts", run: () => collectDatabase(scope) },
    { file: files.log, label: "last lines of the log", run: () => collectLog(scope) },
    { file: files.doctor, label: "findings of doctor", run: () => collectFindings(scope) },
  ];
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function collectDatabase({ context }: Scope): Promise<Collected> {
  const path = context.paths.database;
  if (!(await stat(path).catch(() => undefined))) return { value: { exists: false, bytes: 0, problems: [] } };
  const [bytes, walBytes] = [await sizeOf(path), await sizeOf(`${path}-wal`)];
  const isRead = bytes <= quickBytes;
  const problems = isRead ? checkDatabase(path) : [];
  const integrity = isRead ? (problems.length === 0 ? "whole" : "not whole") : "not read through";
  return {
    value: { exists: true, bytes, walBytes, integrity, problems, ...(await readCounts(path)) },
    leftOut: isRead ? [] : ["whether the database is whole: it is large, see doctor --deep"],
  };
}

/** A damaged one may still tell some of it. */
async function readCounts(path: string): Promise<Record<string, unknown>> {
  try {
    const database = lookIntoDatabase(path);
    try {
      return await database.read((sql) => ({
        migrations: sql.all("SELECT id, applied_at * 1000 AS at FROM migrations ORDER BY applied_at, id"),
        pages: {
          count: Number(sql.get("PRAGMA page_count")?.["page_count"] ?? 0),
          freeCount: Number(sql.get("PRAGMA freelist_count")?.["freelist_count"] ?? 0),
          size: Number(sql.get("PRAGMA page_size")?.["page_size"] ?? 0),
          journal: sql.get("PRAGMA journal_mode")?.["journal_mode"] ?? null,
        },
        counts: tally(sql),
      }));
    } finally {
      await database.close();
    }
  } catch (error) {
    return { unread: error instanceof Error ? error.message : String(error) };
  }
}

async function collectLog({ context, given, logLines: limit, logBytes: maxBytes }: Scope): Promise<Collected> {
  const { paths, clock } = context;
  const { file } = given.config.logging;
  const place = { folder: paths.logs, prefix: paths.logPrefix, file };
  const request = { limit, maxBytes };
  const today = await tailLog(logFileName({ ...place, now: clock.now() }), request);
  // shortly after midnight what matters was yesterday
  const before = logFileName({ ...place, now: clock.now() - dayMs });
  const isShort = today.lines.length < limit && today.file !== before;
  const older = isShort ? await tailFile(before, { limit: limit - today.lines.length, maxBytes }) : undefined;
  const lines = [...(older?.tail.lines ?? []), ...today.lines];
  return {
    lines: lines.map(toLine),
    leftOut: today.truncated || older?.tail.truncated ? [`older lines of the log (${lines.length} are in it)`] : [],
  };
}

/** Fields whose names say that somebody wrote what is in them go by the scrubbing; a line that is no record is a text. */
function toLine(line: string): unknown {
  const record = parseLogLine(line);
  if (!record) return { line };
  const { time, level, subsystem, module, message, fields } = record;
  return {
    time,
    level,
    subsystem: subsystem ?? module,
    message,
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
  };
}

async function collectFindings({ context }: Scope): Promise<Collected> {
  const [{ createChecks, examine }, { openScene }] = await Promise.all([
    import("../../doctor/doctor.ts"),
    import("../doctor/open.ts"),
  ]);
  const found = await examine(createChecks(openScene(context, false), context.ids), {}, () => undefined);
  return {
    value: {
      findings: found.map(({ id, group, severity, message, next }) => ({
        id,
        group,
        severity,
        message,
        next: next ?? null,
      })),
    },
  };
}
