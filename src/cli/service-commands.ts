// The commands about services of the system, for the table in commands.ts.

const force = ["--force", "write it anew although there is one"] as const;

export const serviceCommands = [
  {
    name: "gateway install",
    summary: "make the Gateway a service that starts with the machine",
    options: [
      ["--port <port>", "port of everything (default: as every command finds it)"],
      ["--allow-unconfigured", "start without a config file"],
      ["--runtime <runtime>", "node, which is all that there is", ["node"]],
      force,
    ],
    examples: ["gateway install", "--profile rescue gateway install --port 19789"],
    load: async () => ({ run: (await import("./service/install.ts")).installGateway }),
  },
  {
    name: "gateway uninstall",
    summary: "stop the service and take it away",
    examples: ["gateway uninstall"],
    load: async () => ({ run: (await import("./service/control.ts")).control("gateway", "uninstall") }),
  },
  {
    name: "gateway start",
    summary: "start the service",
    examples: ["gateway start"],
    load: async () => ({ run: (await import("./service/control.ts")).control("gateway", "start") }),
  },
  {
    name: "gateway stop",
    summary: "stop the service until the next start or login",
    examples: ["gateway stop"],
    load: async () => ({ run: (await import("./service/control.ts")).control("gateway", "stop") }),
  },
  {
    name: "gateway restart",
    summary: "restart the service",
    examples: ["gateway restart"],
    load: async () => ({ run: (await import("./service/control.ts")).control("gateway", "restart") }),
  },
  {
    name: "node install",
    summary: "make this machine's node a service that starts with the machine",
    options: [
      ["--host <host>", "the Gateway's host (default: the Gateway of every other command)"],
      ["--port <port>", "its port (default 18789)"],
      ["--tls", "connect with TLS"],
      ["--tls-fingerprint <sha256>", "the one certificate to take"],
      ["--node-id <id>", "name of this installation"],
      ["--display-name <name>", "name for people (default: the host's name)"],
      force,
    ],
    examples: ["node install --host 192.168.1.5 --display-name shelf"],
    load: async () => ({ run: (await import("./service/install.ts")).installNode }),
  },
  {
    name: "node uninstall",
    summary: "stop the node's service and take it away",
    examples: ["node uninstall"],
    load: async () => ({ run: (await import("./service/control.ts")).control("node", "uninstall") }),
  },
  {
    name: "node start",
    summary: "start the node's service",
    examples: ["node start"],
    load: async () => ({ run: (await import("./service/control.ts")).control("node", "start") }),
  },
  {
    name: "node stop",
    summary: "stop the node's service until the next start or login",
    examples: ["node stop"],
    load: async () => ({ run: (await import("./service/control.ts")).control("node", "stop") }),
  },
  {
    name: "node restart",
    summary: "restart the node's service",
    examples: ["node restart"],
    load: async () => ({ run: (await import("./service/control.ts")).control("node", "restart") }),
  },
  {
    name: "node status",
    summary: "how the node's service is",
    examples: ["node status", "node status --json"],
    load: () => import("./service/node-status.ts"),
  },
] as const;
