// The commands that look for what is wrong and mend it, for the table in commands.ts.

export const doctorCommands = [
  {
    name: "doctor check",
    summary: "look at everything that may be wrong, and say what to do; changes nothing without --fix",
    isDefault: true,
    options: [
      ["--fix", "mend what can be mended, after a diff of each and with a restore point"],
      ["--repair", "the same as --fix"],
      ["-y, --yes", "say yes to every fix"],
      ["--non-interactive", "ask nothing: without --yes only what is safe is done"],
      ["--force", "also what takes away something that a person wrote"],
      ["--deep", "look beyond what is this user's own, and take the time for it"],
      ["--lint", "exit with 1 when there is an error"],
      ["--generate-gateway-token", "make a token when there is none"],
      ["--only <ids>", "only these: groups such as config,files,service, or ids of findings"],
      ["--skip <ids>", "all but these"],
      ["--undo", "the same as doctor undo"],
      ["--no-workspace-suggestions", "accepted for older scripts; has no effect"],
    ],
    examples: ["doctor", "doctor --fix", "doctor --fix --yes --only config,files", "doctor --lint --json"],
    load: () => import("./doctor/doctor.ts"),
  },
  {
    name: "doctor undo [id]",
    summary: "put back what a fix changed: the newest, or the restore point of that id",
    options: [["--force", "also where something was changed after the fix; that is kept in a restore point"]],
    examples: ["doctor undo", "doctor undo 20261121-103105-123"],
    load: () => import("./doctor/undo.ts"),
  },
  {
    name: "doctor restore-points",
    summary: "what can be put back",
    examples: ["doctor restore-points"],
    load: () => import("./doctor/restore-points.ts"),
  },
] as const;
