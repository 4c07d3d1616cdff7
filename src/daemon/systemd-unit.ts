// The unit of systemd as text, and back. Quoting as in systemd.syntax(7) and systemd.service(5).

import type { ServiceDefinition } from "./definition.ts";

export type UnitScope = "user" | "system";

/** Longer than a Gateway takes to let its turns end. */
const stopSeconds = 30;

export function renderUnit({ description, program, workingDirectory, environment }: ServiceDefinition): string {
  const lines = [
    "[Unit]",
    `Description=${escapeSpecifiers(description)}`,
    "After=network-online.target",
    "Wants=network-online.target",
    // a config that is mended after an hour must find somebody who still tries
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    `ExecStart=${program.map((arg, index) => quote(index === 0 ? arg : arg.replaceAll("$", () => "$$"))).join(" ")}`,
    `WorkingDirectory=${escapeSpecifiers(workingDirectory)}`,
    "Restart=always",
    "RestartSec=5",
    "KillMode=mixed",
    `TimeoutStopSec=${stopSeconds}`,
    "SuccessExitStatus=143",
    "UMask=0077",
    ...Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`, true)}`),
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ];
  return lines.join("\n");
}

const escapeSpecifiers = (text: string) => text.replaceAll("%", "%%");

function quote(text: string, isAlways = false): string {
  const escaped = escapeSpecifiers(text);
  if (!isAlways && /^[\w@%+=:,./-]+$/u.test(escaped)) return escaped;
  return `"${escaped.replaceAll(/["\\]/gu, "\\$&")}"`;
}

export interface ParsedUnit {
  readonly program: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** Also of units that others wrote; what is not understood is left out. */
export function parseUnit(text: string): ParsedUnit {
  const program: string[] = [];
  const environment: Record<string, string> = {};
  let workingDirectory: string | undefined;
  for (const line of text.replaceAll(/\\\r?\n/gu, " ").split(/\r?\n/u)) {
    const [, key = "", value = ""] = /^\s*(\w+)\s*=\s*(.*?)\s*$/u.exec(line) ?? [];
    if (key === "ExecStart" && program.length === 0) {
      const words = splitWords(value.replace(/^[-@:+!]+/u, ""));
      program.push(...words.map((word, index) => (index === 0 ? word : word.replaceAll("$$", () => "$"))));
    }
    if (key === "WorkingDirectory") workingDirectory = value.replaceAll("%%", "%");
    if (key !== "Environment") continue;
    for (const assignment of splitWords(value)) {
      const at = assignment.indexOf("=");
      if (at > 0) environment[assignment.slice(0, at)] = assignment.slice(at + 1);
    }
  }
  return { program, workingDirectory, environment };
}

/** Words with quotes and backslashes taken away. */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/gu) ?? [];
  return words.map((word) => {
    const parts = word.match(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^"'\\])+/gu) ?? [];
    const bare = parts.map((part) => part.replace(/^(["'])(.*)\1$/su, "$2").replaceAll(/\\(.)/gu, "$1"));
    return bare.join("").replaceAll("%%", "%");
  });
}
