// The commands about channels, for the table in commands.ts.

import { quick } from "./load-quick.ts";

const account = ["--account <id>", "account; the first when left out"] as const;
const channel = ["--channel <id>", "telegram"] as const;
const timeout = ["--timeout <ms>", "time limit of the request"] as const;

export const channelCommands = [
  {
    name: "channels status",
    summary: "how every channel and account is",
    options: [["--probe", "ask the platforms now"], ["--account <id>", "this account only"], timeout],
    examples: ["channels status", "channels status --probe --json", "channels status --account work"],
    load: quick("channelsStatus"),
  },
  {
    name: "channels list",
    summary: "channels and accounts that the config sets up",
    options: [["--no-usage", "accepted for older scripts: usage is not asked for"]],
    examples: ["channels list", "channels list --json"],
    load: quick("channelsList"),
  },
  {
    name: "channels start <channel>",
    summary: "start an account that was stopped",
    options: [account, timeout],
    examples: ["channels start telegram", "channels start telegram --account work"],
    load: async () => ({ run: (await import("./channels/switch.ts")).start }),
  },
  {
    name: "channels stop <channel>",
    summary: "stop an account until it is started, or the Gateway is",
    options: [account, timeout],
    examples: ["channels stop telegram", "channels stop telegram --account work"],
    load: async () => ({ run: (await import("./channels/switch.ts")).stop }),
  },
  {
    name: "channels logout <channel>",
    summary: "stop an account and take its token out of the config",
    options: [account, timeout],
    examples: ["channels logout telegram", "channels logout telegram --account work"],
    load: () => import("./channels/logout.ts"),
  },
  {
    name: "channels add [channel]",
    summary: "set a channel, or one more account of it, up; without flags at a terminal it asks",
    options: [
      channel,
      ["--account <id>", "account, such as work; default when left out"],
      ["--name <name>", "name for people"],
      ["--token <token>", "the bot's token; - reads it from stdin"],
      ["--bot-token <token>", "the same"],
      ["--token-file <file>", "file that holds the token"],
      ["--use-env", "the token stays in TELEGRAM_BOT_TOKEN; for the default account only"],
      ["--api-root <url>", "Bot API server, instead of Telegram's own"],
      ["--no-check", "take the token without asking Telegram"],
    ],
    examples: [
      "channels add",
      "channels add --channel telegram --token -",
      "channels add telegram --token-file ~/bot-token",
      "channels add --channel telegram --account work --name Office --token -",
    ],
    load: () => import("./channels/add.ts"),
  },
  {
    name: "channels remove [channel]",
    summary: "switch an account off; with --delete take it out of the config",
    options: [
      channel,
      ["--account <id>", "account; has to be said where there are several"],
      ["--delete", "take all of its settings out of the config"],
    ],
    examples: ["channels remove telegram", "channels remove --channel telegram --account work --delete"],
    load: () => import("./channels/remove.ts"),
  },
  {
    name: "channels login [channel]",
    summary: "try the token that an account has",
    options: [channel, account],
    examples: ["channels login telegram", "channels login telegram --account work"],
    load: () => import("./channels/login.ts"),
  },
] as const;
