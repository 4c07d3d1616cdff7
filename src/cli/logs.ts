// `logs`: from the running Gateway, or from its file when it is down.

import { existsSync } from "node:fs";

import { Fault } from "../base/fault.ts";
import { sleep } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import { logFileName } from "../platform/log-name.ts";
import { tailLog, type Tail, type TailRequest } from "../platform/log-tail.ts";
import type { Run } from "./commands.ts";
import { findGateway, openClient, readConfig } from "./connection.ts";
import type { Context } from "./context.ts";
import { cleanText } from "./render/text.ts";

type Read = (request: TailRequest) => Promise<Tail>;

export const run: Run = async (context, { options }) => {
  const limit = parseCount(options["limit"] as string | undefined, 200, "--limit");
  const interval = parseCount(options["interval"] as string | undefined, 1_000, "--interval");
  const { out, flags } = context;
  const source = await openSource(context);
  const isPlain = options["plain"] === true;
  try {
    let tail = await source.read({ limit });
    if (flags.json) out.json1({ type: "meta", file: tail.file, cursor: tail.cursor, size: tail.size });
    else out.error(`Log file: ${tail.file}`);
    for (const line of tail.lines) print(context, line, isPlain);

    while (options["follow"] === true && !out.isClosed()) {
      await sleep(context.clock, interval);
      tail = await source.read({ cursor: tail.cursor });
      if (tail.reset) notice(context, "the log was rotated, or grew too fast; going on with its newest lines");
      for (const line of tail.lines) print(context, line, isPlain);
    }
    return 0;
  } finally {
    source.close();
  }
};

async function openSource(context: Context): Promise<{ read: Read; close: () => void }> {
  const { config } = await readConfig(context);
  const target = await findGateway(context, config);
  try {
    const client = await openClient(context, { scopes: ["operator.read"], timeoutMs: 3_000, target });
    return {
      read: async (request) => ({ ...(await client.call("logs.tail", request, { timeoutMs: 30_000 })) }) as Tail,
      close: () => client.close(),
    };
  } catch (error) {
    // only the Gateway of this machine writes a file that can be read here
    if (!(error instanceof Fault) || target.port === undefined) throw error;
    notice(context, `the Gateway cannot be asked (${error.message}); reading the file`);
    return { read: createFileReader(context, config.logging.file), close: () => {} };
  }
}

/** Stays with its file until there is one of a new day, and begins that one at its first line. */
function createFileReader({ paths, clock }: Context, file: string | undefined): Read {
  const { logs: folder, logPrefix: prefix } = paths;
  let last: string | undefined;
  return async (request) => {
    const today = logFileName({ folder, prefix, file, now: clock.now() });
    const isNew = last !== undefined && last !== today && existsSync(today);
    const tail = await tailLog(isNew ? today : (last ?? today), isNew ? { ...request, cursor: 0 } : request);
    last = tail.file;
    return tail;
  };
}

function notice(context: Context, message: string): void {
  if (context.flags.json) context.out.json1({ type: "notice", message });
  else context.out.error(message);
}

function print(context: Context, line: string, isPlain: boolean): void {
  const record = parseLine(line);
  const { out } = context;
  if (context.flags.json) {
    out.json1(
      record
        ? {
            type: "log",
            time: record["time"],
            level: record["level"],
            subsystem: record["subsystem"],
            message: record["message"],
            raw: line,
          }
        : { type: "raw", raw: line },
    );
    return;
  }
  if (!record) {
    out.line(cleanText(line));
    return;
  }
  const { time, level, subsystem, message, ...fields } = record;
  const extras = Object.keys(fields).length > 0 ? JSON.stringify(fields) : undefined;
  const mark = level === "error" || level === "fatal" ? "red" : level === "warn" ? "yellow" : "dim";
  const shown = [time, level, subsystem, message, extras].map((part) =>
    part === undefined ? "" : cleanText(String(part)),
  );
  if (!isPlain) shown[1] = out.style(mark, shown[1] ?? "");
  out.line(shown.filter((part) => part !== "").join(" "));
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseCount(value: string | undefined, fallback: number, field: string): number {
  if (value === undefined) return fallback;
  const count = Number(value);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Fault("usage", `not a whole number above 0: ${value}`, { field });
}
