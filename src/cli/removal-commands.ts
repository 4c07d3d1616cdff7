// The commands that take things away, for the table in commands.ts.

const careful = [
  ["--yes", "do not ask"],
  ["--non-interactive", "never ask; needs --yes"],
  ["--purge", "delete it instead of moving it aside"],
  ["--dry-run", "show what would be done, and do nothing"],
] as const;

export const removalCommands = [
  {
    name: "reset",
    summary: "back to a first start: what goes is moved aside, under a name with the time",
    options: [
      ["--scope <scope>", "config, config+creds+sessions or full", ["config", "config+creds+sessions", "full"]],
      ...careful,
    ],
    examples: ["reset --scope config", "reset --scope full --dry-run"],
    load: () => import("./removal/reset.ts"),
  },
  {
    name: "uninstall",
    summary: "take the service, the state and the workspaces away",
    options: [
      ["--service", "services of the Gateway and of a node"],
      ["--state", "config, credentials, conversations and the rest of the state"],
      ["--workspace", "folders that agents work in"],
      ["--app", "the app, where there is one: says how"],
      ["--all", "all of these"],
      ...careful,
    ],
    examples: ["uninstall --service", "uninstall --all --dry-run"],
    load: () => import("./removal/uninstall.ts"),
  },
] as const;
