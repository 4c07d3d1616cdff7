// Files that grew too long, and names that say nothing. 500 lines fail; above 300 it asks.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const failAt = 500;
const askAt = 300;
const emptyNames = /(?:^|[/-])(?:utils?|helpers?|common|shared|misc|managers?|impl|types)(?:\/|(?:\.test)?\.m?[jt]s$)/u;
const folders = ["src", "scripts", "test", "bench", "bin"];

function list(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "generated" ? [] : list(path);
    return /\.m?[jt]s$/u.test(entry.name) ? [path] : [];
  });
}

export function judge(path: string, text: string): { problem?: string; question?: string } {
  const lines = text.split("\n").length - 1;
  if (emptyNames.test(path)) return { problem: `${path}: the name says nothing about what is in it` };
  if (lines > failAt) return { problem: `${path}: ${lines} lines (at most ${failAt})` };
  return lines > askAt ? { question: `${path}: ${lines} lines: two ideas?` } : {};
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  for (const path of folders.flatMap((folder) => list(join(root, folder)))) {
    const { problem, question } = judge(relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8"));
    if (question) console.error(`note: ${question}`);
    if (!problem) continue;
    console.error(problem);
    process.exitCode = 1;
  }
}
