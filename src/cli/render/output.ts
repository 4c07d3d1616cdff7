// All that the CLI prints goes through here. Results on stdout, trouble on stderr; colours only for a person at a terminal.

import { stripVTControlCharacters, styleText } from "node:util";

import type { Fault } from "../../base/fault.ts";

type Style = Parameters<typeof styleText>[0];

export interface Output {
  readonly isTerminal: boolean;
  line(text?: string): void;
  /** Without a line break, for texts that stream in. */
  write(text: string): void;
  json(value: unknown): void;
  /** On one line, for streams of objects. */
  json1(value: unknown): void;
  error(text: string): void;
  fault(fault: Fault): void;
  style(style: Style, text: string): string;
}

export function createOutput(options: { isColor: boolean }): Output {
  const isTerminal = process.stdout.isTTY === true;
  const style = (format: Style, text: string) => (options.isColor && isTerminal ? styleText(format, text) : text);
  const guard = (stream: NodeJS.WriteStream, text: string) => {
    // somebody closed the pipe (`| head`): nothing is left to be said
    if (!stream.destroyed) stream.write(text);
  };
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") stream.destroy();
    });
  }
  return {
    isTerminal,
    style,
    line: (text = "") => guard(process.stdout, `${text}\n`),
    write: (text) => guard(process.stdout, text),
    json: (value) => guard(process.stdout, `${JSON.stringify(value, undefined, 2)}\n`),
    json1: (value) => guard(process.stdout, `${JSON.stringify(value)}\n`),
    error: (text) => guard(process.stderr, `${text}\n`),
    fault(fault) {
      const [first, ...rest] = fault.message.split("\n");
      guard(process.stderr, `${style("red", "error:")} ${[first, ...rest].join("\n")}\n`);
      if (fault.next) guard(process.stderr, `next: ${fault.next}\n`);
    },
  };
}

/** Columns as wide as their widest cell; control characters cannot reach the terminal. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => stripVTControlCharacters(cell).replaceAll(/\p{Cc}/gu, " ")));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => (row[column] ?? "").length)));
  return clean
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function renderAge(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "never";
  if (ms < 60_000) return `${Math.round(ms / 1000)}s ago`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)}m ago`;
  return ms < 86_400_000 ? `${Math.round(ms / 3_600_000)}h ago` : `${Math.round(ms / 86_400_000)}d ago`;
}
