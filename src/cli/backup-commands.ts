// The commands about backups, for the table in commands.ts.

const dryRun = ["--dry-run", "show what would be done, and do nothing"] as const;

export const backupCommands = [
  {
    name: "backup create",
    summary: "write config, database, credentials and the rest of the state into one file, also while the Gateway runs",
    options: [
      ["--output <file>", "the archive, or a folder for it (default: the current folder)"],
      ["--include-workspace", "with the folders that agents work in"],
      ["--only-config", "the config and the files that it includes, and nothing else"],
      ["--no-verify", "do not read it again when it is written"],
      dryRun,
    ],
    examples: ["backup create --output ~/backups/", "backup create --include-workspace --json"],
    load: () => import("./backup/create.ts"),
  },
  {
    name: "backup verify <file>",
    summary: "check every byte of a backup, the files in it and its databases",
    examples: ["backup verify backup.tar.gz", "backup verify backup.tar.gz --json"],
    load: () => import("./backup/verify.ts"),
  },
  {
    name: "backup restore [file]",
    summary:
      "put a backup, or a snapshot of the database, in the place of what is here; that is kept, and --undo puts it back",
    options: [
      ["--target <folder>", "a new state folder instead of the one in use"],
      ["--force", "replace without asking"],
      ["--undo", "put back what the last restore replaced"],
      dryRun,
    ],
    examples: [
      "backup restore backup.tar.gz --dry-run",
      "backup restore backup.tar.gz --force",
      "backup restore backup.tar.gz --target ~/restored",
      "backup restore --undo",
    ],
    load: () => import("./backup/restore.ts"),
  },
  {
    name: "backup snapshots",
    summary: "copies of the database that were made before updates; backup restore goes back to one",
    examples: ["backup snapshots", "backup snapshots --json"],
    load: () => import("./backup/snapshots.ts"),
  },
] as const;
