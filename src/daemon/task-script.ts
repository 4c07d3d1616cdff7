// The script that a scheduled task of Windows runs, and back.

import { Fault } from "../base/fault.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { ParsedUnit } from "./systemd-unit.ts";

/** @throws Fault `usage` for a quotation mark, which cmd has no way to write safely. */
export function renderTaskScript({ description, program, workingDirectory, environment }: ServiceDefinition): string {
  const lines = [
    "@echo off",
    `rem ${plain(description)}`,
    `cd /d "${plain(workingDirectory)}"`,
    ...Object.entries(environment).map(([name, value]) => `set "${name}=${plain(value)}"`),
    program.map((arg) => `"${plain(arg)}"`).join(" "),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function plain(text: string): string {
  if (text.includes('"'))
    throw new Fault("usage", `a task cannot be written with a quotation mark in ${text}`, {
      next: "use paths and names without them",
    });
  return text.replaceAll("%", "%%");
}

export function parseTaskScript(text: string): ParsedUnit {
  const environment: Record<string, string> = {};
  let workingDirectory: string | undefined;
  let program: string[] = [];
  for (const line of text.replaceAll("%%", "%").split(/\r?\n/u)) {
    const [, name, value = ""] = /^set "([^=]+)=(.*)"$/iu.exec(line) ?? [];
    const folder = /^cd \/d "(.*)"$/iu.exec(line)?.[1];
    if (name !== undefined) environment[name] = value;
    else if (folder !== undefined) workingDirectory = folder;
    else if (line.trim() !== "" && !/^(?:@|rem\b)/iu.test(line))
      program = [...line.matchAll(/"([^"]*)"|(\S+)/gu)].map(([, quoted, bare]) => quoted ?? bare ?? "");
  }
  return { program, workingDirectory, environment };
}
