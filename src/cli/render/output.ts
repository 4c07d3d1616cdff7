// All that the CLI prints goes through here. Results on stdout, trouble on stderr; colours only for a person at a terminal.

import { stripVTControlCharacters, styleText } from "node:util";

import type { Fault } from "../../base/fault.ts";
import { cleanText } from "./text.ts";

type Style = Parameters<typeof styleText>[0];

/** `auto`: for a person at a terminal. */
export type ColorChoice = "auto" | "always" | "never";

export interface Output {
  readonly isTerminal: boolean;
  /** Whoever read stdout has gone: nothing that is printed from now on arrives. */
  isClosed(): boolean;
  line(text?: string): void;
  /** Without a line break, for texts that stream in. */
  write(text: string): void;
  json(value: unknown): void;
  /** On one line, for streams of objects. */
  json1(value: unknown): void;
  error(text: string): void;
  fault(fault: Fault): void;
  /** Texts that come with their own line breaks. */
  printed(texts: { readonly out: string; readonly error: string }): void;
  style(style: Style, text: string): string;
}

export function createOutput(options: { color: ColorChoice }): Output {
  const { stdout, stderr } = process;
  const isTerminal = stdout.isTTY === true;
  const hasColor = (isTty: boolean) => options.color === "always" || (options.color === "auto" && isTty);
  const isOutColored = hasColor(isTerminal);
  const isErrorColored = hasColor(stderr.isTTY === true);

  // the decision has been made above: styleText must not ask the stream again
  const paint = (format: Style, text: string) => styleText(format, text, { validateStream: false });
  const errorSink = createSink(stderr, () => undefined);
  const outSink = createSink(stdout, ({ message }) => {
    // what is on a full disk is not what was asked for, whatever the command found
    process.exitCode = 1;
    process.on("exit", () => {
      process.exitCode ||= 1;
    });
    toError(`${paint("red", "error:")} the output cannot be written: ${message}\n`);
  });
  const toError = (text: string) => errorSink.write(isErrorColored ? text : stripVTControlCharacters(text));
  return {
    isTerminal,
    isClosed: outSink.isGone,
    style: (format, text) => (isOutColored ? paint(format, text) : text),
    line: (text = "") => outSink.write(`${text}\n`),
    write: outSink.write,
    json: (value) => outSink.write(`${JSON.stringify(value ?? null, undefined, 2)}\n`),
    json1: (value) => outSink.write(`${JSON.stringify(value)}\n`),
    error: (text) => toError(`${text}\n`),
    fault(fault) {
      toError(`${paint("red", "error:")} ${cleanText(nameFlag(fault))}\n`);
      if (fault.next) toError(`next: ${cleanText(fault.next)}\n`);
    },
    printed(texts) {
      if (texts.out !== "") outSink.write(texts.out);
      if (texts.error !== "") errorSink.write(texts.error);
    },
  };
}

/** A value that is none is told with its flag: there may be several that take one. */
function nameFlag({ field, message }: Fault): string {
  return field?.startsWith("--") && /^not an? /u.test(message) ? `${field}: ${message}` : message;
}

interface Sink {
  write(text: string): void;
  isGone(): boolean;
}

/** A reader that goes away (`| head`, a terminal that is closed) is no error of ours. Node keeps its own streams open whatever happens, hence the flag. */
function createSink(stream: NodeJS.WriteStream, onTrouble: (error: Error) => void): Sink {
  let isGone = false;
  let isWatched = false;
  const watch = () => {
    isWatched = true;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isGone) return;
      isGone = true;
      if (error.code !== "EPIPE" && error.code !== "EIO") onTrouble(error);
    });
  };
  return {
    isGone: () => isGone,
    write(text) {
      if (!isWatched) watch();
      if (!isGone) stream.write(text);
    },
  };
}

/** Columns as wide as their widest cell; control characters cannot reach the terminal. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => cleanText(cell).replaceAll(/\s/gu, " ")));
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
