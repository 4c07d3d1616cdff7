// `logs`: from the running Gateway, or from its file when it is down; with `--follow` over its restarts and those of the day.

import { sleep } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { GatewayClient } from "../client/connect.ts";
import { logFileName } from "../platform/log-name.ts";
import { createLogReader } from "../platform/log-reader.ts";
import type { Tail, TailRequest } from "../platform/log-tail.ts";
import type { Invocation, Run } from "./commands.ts";
import { parseCount } from "./count.ts";
import { findGateway, openClient, parseTimeout, readConfig } from "./connection.ts";
import type { Context } from "./context.ts";
import { parseLogLine, renderTime, type LogRecord, type TimeForm } from "./render/log-line.ts";
import { cleanText } from "./render/text.ts";

type Read = (request: TailRequest) => Promise<Tail>;

interface Source {
  read: Read;
  close: () => void;
}

export const run: Run = async (context, { options }) => {
  const limits = {
    limit: parseCount(options["limit"], { fallback: 200, most: 5_000, field: "--limit" }),
    maxBytes: parseCount(options["maxBytes"], { fallback: 250_000, most: 1_000_000, field: "--max-bytes" }),
  };
  const interval = parseCount(options["interval"], { fallback: 1_000, most: 3_600_000, field: "--interval" });
  const timeoutMs = parseTimeout(options["timeout"] as string | undefined, 30_000);
  const { out, flags, clock } = context;
  const show = createPrinter(context, options);
  let source: Source | undefined;
  try {
    source = await openSource(context, timeoutMs);
    let tail = await source.read(limits);
    begin(context, tail);
    tail.lines.forEach(show);

    while (options["follow"] === true && !out.isClosed()) {
      await sleep(clock, interval);
      const { file } = tail;
      tail = await source.read({ ...limits, cursor: tail.cursor });
      if (tail.file !== file) notice(context, `the log goes on in ${tail.file}`);
      if (tail.truncated) notice(context, "lines are left out: it grew faster than it is read (--limit, --max-bytes)");
      else if (tail.reset) notice(context, "the log was rotated; going on with its newest lines");
      tail.lines.forEach(show);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Fault) || !flags.json) throw error;
    const { message, code, next } = error;
    out.error(JSON.stringify({ type: "error", message, error: code, ...(next ? { hint: next } : {}) }));
    return 1;
  } finally {
    source?.close();
  }
};

/** Connecting takes less patience than reading: a Gateway that does not answer at once is read from its file. */
const connectMs = 3_000;

async function openSource(context: Context, timeoutMs: number): Promise<Source> {
  const { config } = await readConfig(context);
  const target = await findGateway(context, config);
  const fromFile = () => createFileReader(context, config.logging.file);
  // only the Gateway of this machine writes a file that can be read here
  const isHere = target.port !== undefined;
  let client: GatewayClient | undefined;
  const askGateway: Read = async (request) => {
    const answer = await client?.call("logs.tail", request, { timeoutMs });
    return { file: "", cursor: 0, size: 0, lines: [], ...answer };
  };
  let read = askGateway;
  const leave = (error: unknown, words: string) => {
    if (!(error instanceof Fault) || !isHere) throw error;
    notice(context, `${words} (${error.message}); reading the file`);
    client?.close();
    read = fromFile();
  };
  try {
    const options = { scopes: ["operator.read"], timeoutMs: Math.min(connectMs, timeoutMs), target };
    client = await openClient(context, options);
  } catch (error) {
    leave(error, "the Gateway cannot be asked");
  }
  return {
    async read(request) {
      try {
        return await read(request);
      } catch (error) {
        // it stopped, or starts anew: its file goes on where its answers ended
        if (read !== askGateway) throw error;
        leave(error, "the Gateway does not answer any more");
        return read(request);
      }
    },
    close: () => client?.close(),
  };
}

function createFileReader({ paths, clock }: Context, file: string | undefined): Read {
  const { logs: folder, logPrefix: prefix } = paths;
  const reader = createLogReader(() => logFileName({ folder, prefix, file, now: clock.now() }));
  return async (request) => {
    try {
      return await reader.read(request);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Fault("storage", `the log file cannot be read: ${reason}`, {
        cause,
        next: "read it as the user that the Gateway runs as",
      });
    }
  };
}

function begin(context: Context, { file, cursor, size }: Tail): void {
  const { flags, out } = context;
  if (flags.json) out.json1({ type: "meta", file, cursor, size });
  else out.error(`Log file: ${file}`);
  if (size === 0) notice(context, "nothing is written there yet: a Gateway does that when it starts");
}

function notice({ flags, out }: Context, message: string): void {
  if (flags.json) out.json1({ type: "notice", message });
  else out.error(message);
}

function createPrinter(context: Context, options: Invocation["options"]): (line: string) => void {
  const { out, flags } = context;
  const isPretty = out.isTerminal && options["plain"] !== true;
  const form = decideForm(options, isPretty);
  return (line) => {
    const record = parseLogLine(line);
    if (flags.json) out.json1(record ? toJson(record, line, form) : { type: "raw", raw: line });
    else if (!record) out.line(cleanText(line));
    else out.line((isPretty ? renderPretty : renderPlain)(context, record, form));
  };
}

function decideForm(options: Invocation["options"], isPretty: boolean): TimeForm {
  if (options["localTime"] === true) return "local";
  return options["utc"] === true || !isPretty ? "utc" : "clock";
}

function toJson({ time, level, subsystem, module, message }: LogRecord, raw: string, form: TimeForm) {
  const shown = time === undefined ? undefined : renderTime(time, form === "local" ? "local" : "utc");
  return { type: "log", time: shown, level, subsystem, ...(module === undefined ? {} : { module }), message, raw };
}

/** What a message brings with it cannot pass for a line of the log. */
const indent = (text: string) => text.replaceAll("\n", "\n    ");

function renderPlain(_context: Context, record: LogRecord, form: TimeForm): string {
  const { time, level, subsystem, module, message, fields } = record;
  const shown = time === undefined ? undefined : renderTime(time, form);
  const extras = Object.keys(fields).length > 0 ? JSON.stringify(fields) : undefined;
  const parts = [shown, level, subsystem ?? module, message, extras]
    .filter((part) => part !== undefined && part !== "")
    .map((part) => cleanText(String(part)));
  return indent(parts.join(" "));
}

function renderPretty({ out }: Context, record: LogRecord, form: TimeForm): string {
  const { time, level = "", subsystem, module, message, fields } = record;
  const mark = level === "error" || level === "fatal" ? "red" : level === "warn" ? "yellow" : "cyan";
  const extras = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" && !/\s/u.test(value) ? value : JSON.stringify(value)}`,
  );
  const line = [
    out.style("dim", cleanText(time === undefined ? "" : renderTime(time, form))),
    out.style(mark, cleanText(level).padEnd(5)),
    out.style("bold", cleanText(subsystem ?? module ?? "").padEnd(16)),
    cleanText(message),
    out.style("dim", cleanText(extras.join(" "))),
  ]
    .join(" ")
    .trimEnd();
  return indent(line);
}
