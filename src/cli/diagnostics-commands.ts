// The command that makes a bundle for a bug report, for the table in commands.ts: in the Gateway's group, and by itself.

const options = [
  ["--output <file>", "the ZIP archive, or a folder for it (default: logs/support in the state folder)"],
  ["--hours <n>", "how far back its timelines go (default 24, at most 336)"],
  ["--log-lines <count>", "lines of the log (default 5000)"],
  ["--log-bytes <bytes>", "bytes of the log that are looked at (default 1000000)"],
  ["--no-stability-bundle", "without the timeline of event loop, channels and lives"],
  ["--timeout <ms>", "time limit of what the Gateway is asked (default 3000)"],
] as const;
const load = () => import("./diagnostics/export.ts");
const summary = "write one file for a bug report: status, timelines, logs, doctor; without secrets, names and messages";

export const diagnosticsCommands = [
  {
    name: "gateway diagnostics [export]",
    summary,
    options,
    choices: ["export"],
    examples: [
      "gateway diagnostics export",
      "gateway diagnostics export --output openclaw-diagnostics.zip --hours 6",
      "gateway diagnostics export --json",
    ],
    load,
  },
  {
    name: "diagnostics [export]",
    summary: `${summary} (the same as gateway diagnostics export)`,
    options,
    choices: ["export"],
    examples: ["diagnostics", "diagnostics --output ~/Desktop/"],
    load,
  },
] as const;
