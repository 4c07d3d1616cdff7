// The commands of a user's first steps, for the table in commands.ts.

const remote = [
  ["--mode <mode>", "local: the Gateway runs here; remote: this machine is a client of another", ["local", "remote"]],
  ["--remote-url <ws-url>", "that other Gateway"],
  ["--remote-token <token>", "its token; - reads it from stdin"],
] as const;

export const setupCommands = [
  {
    name: "setup",
    summary: "write what a Gateway needs to start: config, token, workspace",
    options: [["--workspace <folder>", "where the agent works"], ...remote],
    examples: ["setup", "--dev setup", "--profile main setup --workspace ~/agent"],
    load: () => import("./setup/setup.ts"),
  },
] as const;
