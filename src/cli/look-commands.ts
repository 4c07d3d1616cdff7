// The commands that look at what there is (agents, sessions, models, Gateways within reach), for the table in commands.ts.

import { quick } from "./load-quick.ts";

const timeout = ["--timeout <ms>", "time limit of the request"] as const;

export const lookCommands = [
  {
    name: "gateway probe",
    summary: "ask every Gateway that could be meant: --url, the remote one, the one on this machine",
    options: [timeout],
    examples: ["gateway probe", "gateway probe --json"],
    load: quick("gatewayProbe"),
  },
  {
    name: "gateway usage-cost",
    summary: "tokens and cost by day",
    options: [["--days <days>", "days up to today (default 30)"], timeout],
    examples: ["gateway usage-cost", "gateway usage-cost --days 7 --json"],
    load: quick("gatewayUsageCost"),
  },
  {
    name: "agents list",
    summary: "who answers",
    options: [timeout],
    examples: ["agents list", "agents list --json"],
    load: quick("agentsList"),
  },
  {
    name: "agents add <name>",
    summary: "make an agent, with a workspace of its own",
    options: [
      ["--workspace <folder>", "folder that it works in (default: one of its own)"],
      ["--model <model>", "provider/model that it asks first (default: as all agents)"],
      ["--emoji <sign>", "its sign"],
      timeout,
    ],
    examples: ["agents add Work --model anthropic/claude-opus-4-5"],
    load: async () => ({ run: (await import("./agents/change.ts")).add }),
  },
  {
    name: "agents delete <id>",
    summary: "take an agent and the bindings to it out of the config; its sessions and files stay",
    options: [["--yes", "do not ask"], timeout],
    examples: ["agents delete work --yes"],
    load: async () => ({ run: (await import("./agents/change.ts")).remove }),
  },
  {
    name: "models list",
    summary: "models that the config names, and whether they can be asked",
    options: [["--plain", "only their names"], timeout],
    examples: ["models list", "models list --json"],
    load: quick("modelsList"),
  },
  {
    name: "models status",
    summary: "which model answers by default, and which lack a key",
    options: [["--check", "end with 1 when one of them cannot be asked"], timeout],
    examples: ["models status", "models status --check"],
    load: quick("modelsStatus"),
  },
] as const;
