// The commands about channels, for the table in commands.ts.

import { quick } from "./load-quick.ts";

const account = ["--account <id>", "account; the first when left out"] as const;
const channel = ["--channel <id>", "telegram"] as const;
const timeout = ["--timeout <ms>", "time limit of the request"] as const;

export const channelCommands = [
  {
    name: "channels status",
    summary: "how every channel and account is",
    options: [["--probe", "ask the platforms now"], timeout],
    examples: ["channels status", "channels status --probe --json"],
    load: quick("channelsStatus"),
  },
  {
    name: "channels list",
    summary: "channels that the config sets up",
    options: [["--no-usage", "accepted for older scripts: usage is not asked for"]],
    examples: ["channels list", "channels list --json"],
    load: quick("channelsList"),
  },
  {
    name: "channels start <channel>",
    summary: "start a channel that was stopped",
    options: [account, timeout],
    examples: ["channels start telegram"],
    load: async () => ({ run: (await import("./channels/switch.ts")).start }),
  },
  {
    name: "channels stop <channel>",
    summary: "stop a channel until it is started, or the Gateway is",
    options: [account, timeout],
    examples: ["channels stop telegram"],
    load: async () => ({ run: (await import("./channels/switch.ts")).stop }),
  },
  {
    name: "channels logout <channel>",
    summary: "stop a channel and take its token out of the config",
    options: [account, timeout],
    examples: ["channels logout telegram"],
    load: () => import("./channels/logout.ts"),
  },
  {
    name: "channels add [channel]",
    summary: "set a channel up; without flags at a terminal it asks",
    options: [
      channel,
      account,
      ["--name <name>", "name for people"],
      ["--token <token>", "the bot's token; - reads it from stdin"],
      ["--bot-token <token>", "the same"],
      ["--token-file <file>", "file that holds the token"],
      ["--use-env", "the token stays in TELEGRAM_BOT_TOKEN"],
      ["--api-root <url>", "Bot API server, instead of Telegram's own"],
      ["--no-check", "take the token without asking Telegram"],
    ],
    examples: [
      "channels add",
      "channels add --channel telegram --token -",
      "channels add telegram --token-file ~/bot-token",
    ],
    load: () => import("./channels/add.ts"),
  },
  {
    name: "channels remove [channel]",
    summary: "switch a channel off; with --delete take it out of the config",
    options: [channel, account, ["--delete", "take all of its settings out of the config"]],
    examples: ["channels remove telegram", "channels remove --channel telegram --delete"],
    load: () => import("./channels/remove.ts"),
  },
  {
    name: "channels login [channel]",
    summary: "try the token that a channel has",
    options: [channel, account],
    examples: ["channels login telegram"],
    load: () => import("./channels/login.ts"),
  },
] as const;
