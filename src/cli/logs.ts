// `logs`: from the running Gateway, or from its file when it is down.

import { Fault } from "../base/fault.ts";
import { sleep } from "../base/clock.ts";
import { isRecord } from "../base/json.ts";
import { logFileName } from "../platform/log-name.ts";
import { tailLog, type Tail, type TailRequest } from "../platform/log-tail.ts";
import type { Run } from "./commands.ts";
import { openClient } from "./connection.ts";
import type { Context } from "./context.ts";

type Read = (request: TailRequest) => Promise<Tail>;

export const run: Run = async (context, { options }) => {
  const limit = parseCount(options["limit"] as string | undefined, 200, "--limit");
  const interval = parseCount(options["interval"] as string | undefined, 1_000, "--interval");
  const source = await openSource(context);
  const isPlain = options["plain"] === true;
  try {
    let tail = await source.read({ limit });
    if (context.flags.json) context.out.json1({ type: "meta", file: tail.file, cursor: tail.cursor, size: tail.size });
    else context.out.error(`Log file: ${tail.file}`);
    for (const line of tail.lines) print(context, line, isPlain);

    while (options["follow"] === true) {
      await sleep(context.clock, interval);
      tail = await source.read({ cursor: tail.cursor });
      if (tail.reset) notice(context, "the log was rotated; going on with the new file");
      for (const line of tail.lines) print(context, line, isPlain);
    }
    return 0;
  } finally {
    source.close();
  }
};

async function openSource(context: Context): Promise<{ read: Read; close: () => void }> {
  try {
    const client = await openClient(context, { scopes: ["operator.read"], timeoutMs: 3_000 });
    return {
      read: async (request) => ({ ...(await client.call("logs.tail", request, { timeoutMs: 30_000 })) }) as Tail,
      close: () => client.close(),
    };
  } catch (error) {
    if (!(error instanceof Fault) || context.flags.url !== undefined) throw error;
    notice(context, `the Gateway cannot be asked (${error.message}); reading the file`);
    const { logs, logPrefix } = context.paths;
    return {
      read: (request) => tailLog(logFileName({ folder: logs, prefix: logPrefix, now: context.clock.now() }), request),
      close: () => {},
    };
  }
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
    out.line(line);
    return;
  }
  const { time, level, subsystem, message, ...fields } = record;
  const extras = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : "";
  const mark = level === "error" || level === "fatal" ? "red" : level === "warn" ? "yellow" : "dim";
  out.line(
    `${String(time)} ${isPlain ? String(level) : out.style(mark, String(level))} ${String(subsystem)} ${String(message)}${extras}`,
  );
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
