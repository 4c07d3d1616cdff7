// The commands for sessions, for the table in commands.ts.

import { quick } from "./load-quick.ts";

const timeout = ["--timeout <ms>", "time limit of the request"] as const;

const choosing = [
  [
    "--older-than <days>",
    "sessions not used, and archived transcripts made, longer ago (default: as the config says, or 30)",
  ],
  ["--keep <n>", "sessions to keep of each agent, those used last"],
  ["--agent <id>", "only sessions of this agent"],
  ["--dry-run", "show what would go, and remove nothing"],
  ["--yes", "do not ask"],
] as const;

const load = () => import("./sessions/prune.ts");

export const sessionsCommands = [
  {
    name: "sessions list",
    summary: "conversations, the one used last first",
    isDefault: true,
    options: [
      ["--active <minutes>", "only those used within this time"],
      ["--agent <id>", "only those of this agent"],
      ["--verbose", "with the beginning of what was said last"],
      timeout,
    ],
    examples: ["sessions", "sessions --active 60 --json"],
    load: quick("sessions"),
  },
  {
    name: "sessions prune",
    summary: "remove conversations that nobody uses any more, for good; main sessions and work under way stay",
    options: [...choosing, ["--timeout <ms>", "time limit of the whole (default 600000)"]],
    examples: ["sessions prune --dry-run", "sessions prune --older-than 90", "sessions prune --keep 500 --yes --json"],
    load,
  },
  {
    name: "sessions cleanup",
    summary: "the same as sessions prune, by its older name",
    options: [
      ...choosing,
      ["--enforce", "the same as --yes"],
      ["--all-agents", "of all agents, as without --agent"],
      ["--timeout <ms>", "time limit of the whole (default 600000)"],
    ],
    examples: ["sessions cleanup --dry-run", "sessions cleanup --enforce"],
    load,
  },
] as const;
