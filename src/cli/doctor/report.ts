// What doctor found and did, for people and for programs.

import type { DatabaseFacts } from "../../doctor/checks/database-version.ts";
import type { Found } from "../../doctor/doctor.ts";
import type { Group } from "../../doctor/finding.ts";
import type { PlannedFix } from "../../doctor/plan.ts";
import type { Context } from "../context.ts";
import type { Output } from "../render/output.ts";
import { cleanText } from "../render/text.ts";

const titles: Readonly<Record<Group, string>> = {
  config: "Config",
  files: "Files",
  access: "Tokens",
  ports: "Ports",
  service: "Service",
  channels: "Channels",
  storage: "Disk and database",
  instances: "Other instances",
  machine: "Machine",
  older: "Older names",
};

const styles = { error: "red", warning: "yellow", info: "cyan" } as const;
const symbols = { error: "✗", warning: "!", info: "i" } as const;

export interface Look {
  readonly out: Output;
  /** The terminal shows more than ASCII. */
  readonly hasSymbols: boolean;
}

export function renderFindings({ out, hasSymbols }: Look, found: readonly Found[]): void {
  let group: Group | undefined;
  for (const { severity, message, next, id, ...rest } of found) {
    if (rest.group !== group) {
      if (group !== undefined) out.line();
      group = rest.group;
      out.line(out.style("bold", titles[group]));
    }
    const sign = hasSymbols ? symbols[severity] : severity;
    out.line(`  ${out.style(styles[severity], sign)} ${cleanText(message)} ${out.style("dim", `[${id}]`)}`);
    if (next) out.line(`    next: ${cleanText(next)}`);
  }
}

/** One line, where there is a database. */
export function renderDatabase({ out, command }: Context, facts: DatabaseFacts | undefined): void {
  if (!facts) return;
  const { version, steps, snapshots } = facts;
  const count = `${snapshots.length} snapshot${snapshots.length === 1 ? "" : "s"} of it from before updates`;
  const list = snapshots.length > 0 ? ` (${command("backup snapshots")})` : "";
  out.line(`The database is of version ${version ?? "0.1.0 or older"}, with ${steps} steps; ${count}${list}.`);
}

/** `2 errors, 1 warning`; one line. */
export function renderCounts(found: readonly Found[]): string {
  const count = (severity: Found["severity"], word: string) => {
    const number = found.filter((one) => one.severity === severity).length;
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? "" : "s"}`];
  };
  const counts = [...count("error", "error"), ...count("warning", "warning"), ...count("info", "note")];
  return counts.length === 0 ? "Nothing is wrong." : `${counts.join(", ")}.`;
}

export function renderPlan({ out }: Look, { fix, lines }: PlannedFix): void {
  out.line(`${out.style("bold", cleanText(fix.title))}:`);
  for (const line of lines) {
    const text = `  ${cleanText(line)}`;
    out.line(line.startsWith("-") ? out.style("red", text) : line.startsWith("+") ? out.style("green", text) : text);
  }
}

/** Of a fix that was looked at. */
export interface FixReport {
  readonly id: string;
  readonly title: string;
  readonly risk: string;
  readonly result: "applied" | "failed" | "left";
  readonly reason?: string;
  readonly diff: readonly string[];
}

export const toJson = ({ fix, ...finding }: Found) => ({
  ...finding,
  ...(fix ? { fix: { title: fix.title, risk: fix.risk } } : {}),
});
