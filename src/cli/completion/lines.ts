// The table of commands as a shell needs it: what may follow the words that are there already. Pure.

import { globalOptions, groupSummaries } from "../arguments.ts";
import type { Command, OptionRow } from "../commands.ts";

export interface CompletedOption {
  /** `-m`, `--message`. */
  readonly flags: readonly string[];
  readonly help: string;
  readonly value: "none" | "text" | "file" | "folder";
  readonly choices: readonly string[];
}

/** What may follow. */
export interface Line {
  /** Words of commands so far: ``, `gateway`, `gateway run`. */
  readonly words: string;
  readonly commands: readonly (readonly [name: string, summary: string])[];
  readonly options: readonly CompletedOption[];
  /** Values of the first argument. */
  readonly args: readonly string[];
  /** Arguments are files. */
  readonly hasFiles: boolean;
}

export function toLines(table: readonly Command[]): readonly Line[] {
  const shared = [...globalOptions, helpOption].map(toOption);
  const lines = new Map<string, Line>();
  const add = (words: string, more: Partial<Line>) => {
    const line = lines.get(words) ?? { words, commands: [], options: shared, args: [], hasFiles: false };
    lines.set(words, {
      ...line,
      ...more,
      commands: [...line.commands, ...(more.commands ?? [])],
      options: [...(more.options ?? []), ...line.options],
    });
  };
  add("", { options: [toOption(["--version", "print the version"])] });
  const groups = new Set<string>();
  for (const command of table) {
    const [first = "", second] = command.name.split(" ");
    const isGrouped = second !== undefined && /^[a-z]/u.test(second);
    if (!groups.has(first))
      add("", { commands: [[first, isGrouped ? (groupSummaries[first] ?? "") : command.summary]] });
    groups.add(first);
    if (isGrouped) add(first, { commands: [[second, command.summary]] });
    const own = {
      options: (command.options ?? []).map(toOption),
      args: command.choices ?? [],
      hasFiles: /[<[]file[\]>]/u.test(command.name),
    };
    add(isGrouped ? `${first} ${second}` : first, own);
    if (command.isDefault) add(first, own);
  }
  return [...lines.values()];
}

const helpOption = ["-h, --help", "display help"] as const;

function toOption([text, help, choices = []]: OptionRow): CompletedOption {
  const flags = text.split(/[ ,]+/u).filter((word) => word.startsWith("-"));
  const value = /[<[]([\w-]+)[\]>]/u.exec(text)?.[1];
  if (value === undefined) return { flags, help, value: "none", choices };
  const kind = value === "folder" ? "folder" : value === "file" || value === "path" ? "file" : "text";
  return { flags, help, value: kind, choices };
}

/** Flags of all lines that take a value: what follows one is no command. */
export function flagsWithValue(lines: readonly Line[]): readonly string[] {
  const options = lines.flatMap((line) => line.options).filter(({ value }) => value !== "none");
  return [...new Set(options.flatMap(({ flags }) => flags))];
}
