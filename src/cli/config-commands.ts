// The commands about the config file, for the table in commands.ts.

import { quick } from "./load-quick.ts";

export const configCommands = [
  {
    name: "config get <path>",
    summary: "print a value of the config; secrets only when asked for by name",
    examples: ["config get gateway.port", "config get 'agents.list[0].id'"],
    load: quick("configGet"),
  },
  {
    name: "config set <path> <value>",
    summary: "change a key of the config file (JSON5, or a plain text; --json: JSON5 only)",
    examples: ["config set gateway.mode local", "config set channels.telegram.allowFrom '[123456789]'"],
    load: () => import("./config/set.ts"),
  },
  {
    name: "config unset <path>",
    summary: "take a key out of the config file",
    examples: ["config unset channels.telegram.botToken"],
    load: () => import("./config/unset.ts"),
  },
  {
    name: "config validate",
    summary: "check the config file and say what is wrong where",
    examples: ["config validate", "config validate --json"],
    load: quick("configValidate"),
  },
  {
    name: "config history",
    summary: "versions of the config file that are kept: those that worked, and those that were replaced",
    examples: ["config history", "config history --json"],
    load: () => import("./config/history.ts"),
  },
  {
    name: "config rollback [id]",
    summary: "put a version back into the config file; without an id the last good one that differs from it",
    options: [
      ["--dry-run", "show what would change"],
      ["--force", "also a version that has errors"],
    ],
    examples: ["config rollback --dry-run", "config rollback", "config rollback 3fa9c1d2"],
    load: () => import("./config/rollback.ts"),
  },
  {
    name: "config file",
    summary: "which file it is",
    examples: ["config file", "config file --json"],
    load: quick("configWhere"),
  },
  {
    name: "config schema",
    summary: "what it may hold, as JSON Schema",
    examples: ["config schema"],
    load: () => import("./config/schema.ts"),
  },
] as const;
