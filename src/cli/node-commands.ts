// The commands about nodes, for the table in commands.ts.

import { quick } from "./load-quick.ts";

const timeout = ["--timeout <ms>", "time limit of the request"] as const;
const node = ["--node <node>", "id, name, address, or the first six characters of the id"] as const;
const where = [["--node <node>", "the file of this node; without it, that of the Gateway's machine"], timeout] as const;

export const nodeCommands = [
  {
    name: "nodes status",
    summary: "nodes that are paired or connected",
    options: [
      ["--connected", "only those that are connected"],
      ["--last-connected <duration>", "only those that were connected within it, such as 24h"],
      timeout,
    ],
    examples: ["nodes status", "nodes status --connected --json"],
    load: quick("nodesStatus"),
  },
  {
    name: "nodes list",
    summary: "nodes, and those that wait for approval",
    options: [timeout],
    examples: ["nodes list", "nodes list --json"],
    load: quick("nodesList"),
  },
  {
    name: "nodes pending",
    summary: "nodes that wait for approval",
    options: [timeout],
    examples: ["nodes pending"],
    load: quick("nodesPending"),
  },
  {
    name: "nodes describe",
    summary: "what a node is and can do",
    options: [node, timeout],
    examples: ["nodes describe --node shelf"],
    load: quick("nodesDescribe"),
  },
  {
    name: "nodes approve <request>",
    summary: "let a node in",
    options: [timeout],
    examples: ["nodes approve 1f0c2a"],
    load: async () => ({ run: (await import("./nodes/change.ts")).approve }),
  },
  {
    name: "nodes reject <request>",
    summary: "turn a node down",
    options: [timeout],
    examples: ["nodes reject 1f0c2a"],
    load: async () => ({ run: (await import("./nodes/change.ts")).reject }),
  },
  {
    name: "nodes rename",
    summary: "give a node another name",
    options: [node, ["--name <name>", "its name"], timeout],
    examples: ["nodes rename --node 3fa9c1 --name shelf"],
    load: async () => ({ run: (await import("./nodes/change.ts")).rename }),
  },
  {
    name: "nodes remove",
    summary: "end a node's pairing",
    options: [node, timeout],
    examples: ["nodes remove --node shelf"],
    load: async () => ({ run: (await import("./nodes/change.ts")).remove }),
  },
  {
    name: "nodes invoke",
    summary: "invoke any command of a node",
    options: [
      node,
      ["--command <command>", "such as system.which"],
      ["--params <json>", "its params (default {})"],
      ["--invoke-timeout <ms>", "time limit of the command (default 15000)"],
      ["--idempotency-key <key>", "the same key is the same command"],
      timeout,
    ],
    examples: [`nodes invoke --node shelf --command system.which --params '{"bins":["git"]}'`],
    load: async () => ({ run: (await import("./nodes/invoke.ts")).invoke }),
  },
  {
    name: "nodes run [command...]",
    summary: "run a program on a node; its exit code becomes this command's",
    options: [
      node,
      ["--cwd <folder>", "folder to run in"],
      ["--env <key=value...>", "variables to run with"],
      ["--command-timeout <ms>", "time limit of the program"],
      ["--invoke-timeout <ms>", "time limit of the whole (default 30000)"],
      ["--agent <id>", "agent whose rules count (default main)"],
      ["--approval-timeout <ms>", "how long a person is waited for (default 120000)"],
      timeout,
    ],
    examples: ["nodes run --node shelf -- uname -a", "nodes run --node shelf --cwd /srv -- git status"],
    load: async () => ({ run: (await import("./nodes/run.ts")).run }),
  },
  {
    name: "nodes notify",
    summary: "show a notification on a node",
    options: [node, ["--title <text>", "its title"], ["--body <text>", "its text"], timeout],
    examples: ['nodes notify --node shelf --title "Tea" --body "It is ready"'],
    load: async () => ({ run: (await import("./nodes/invoke.ts")).notify }),
  },
  {
    name: "node run",
    summary: "offer this machine to a Gateway as a node, in the foreground",
    options: [
      ["--host <host>", "the Gateway's host (default: the Gateway of every other command)"],
      ["--port <port>", "its port (default 18789)"],
      ["--tls", "connect with TLS"],
      ["--tls-fingerprint <sha256>", "take this certificate and no other, whoever signed it"],
      ["--node-id <id>", "name of this installation"],
      ["--display-name <name>", "name for people (default: the host's name)"],
    ],
    examples: ["node run", "node run --host 192.168.1.5 --port 18789 --token <token> --display-name shelf"],
    load: () => import("./node/run.ts"),
  },
  {
    name: "approvals get",
    summary: "which commands may run without asking, on the Gateway's machine or on a node",
    options: where,
    examples: ["approvals get", "approvals get --node shelf --json"],
    load: async () => ({ run: (await import("./approvals/file.ts")).get }),
  },
  {
    name: "approvals set",
    summary: "replace that file, unless it changes at the same time",
    options: [["--file <path>", "JSON to put there; - reads stdin"], ...where],
    examples: ["approvals set --file approvals.json --node shelf"],
    load: async () => ({ run: (await import("./approvals/file.ts")).set }),
  },
  {
    name: "approvals allowlist <action> <pattern>",
    summary: "add or remove a program that may run without asking, by its path",
    options: [["--agent <id>", "for this agent (default *: all)"], ...where],
    examples: [
      'approvals allowlist add "/usr/bin/uname" --node shelf',
      'approvals allowlist remove "/usr/bin/uname" --node shelf',
    ],
    load: async () => ({ run: (await import("./approvals/file.ts")).allowlist }),
  },
  {
    name: "approvals pending",
    summary: "commands that wait for your decision",
    options: [timeout],
    examples: ["approvals pending"],
    load: async () => ({ run: (await import("./approvals/decide.ts")).pending }),
  },
  {
    name: "approvals decide <id> <decision>",
    summary: "decide: allow-once, allow-always or deny",
    options: [timeout],
    examples: ["approvals decide 1f0c2a allow-once"],
    load: async () => ({ run: (await import("./approvals/decide.ts")).decide }),
  },
] as const;
