// The table of commands: what is typed, what it is for, and the module that is loaded when it is chosen, not before.

import { backupCommands } from "./backup-commands.ts";
import { canvasCommands } from "./canvas-commands.ts";
import { channelCommands } from "./channel-commands.ts";
import { configCommands } from "./config-commands.ts";
import type { Context } from "./context.ts";
import { diagnosticsCommands } from "./diagnostics-commands.ts";
import { doctorCommands } from "./doctor-commands.ts";
import { quick } from "./load-quick.ts";
import { lookCommands } from "./look-commands.ts";
import { nodeCommands } from "./node-commands.ts";
import { removalCommands } from "./removal-commands.ts";
import { serviceCommands } from "./service-commands.ts";
import { sessionsCommands } from "./sessions-commands.ts";
import { setupCommands } from "./setup-commands.ts";

/** What commander made of the command's own options and arguments. */
export interface Invocation {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly args: readonly string[];
}

/** @returns the exit code. @throws Fault: printed as one line with the next step. */
export type Run = (context: Context, invocation: Invocation) => Promise<number>;

/** Choices: what its value may be, where that is a short list. */
export type OptionRow = readonly [flags: string, help: string, choices?: readonly string[]];

export interface Command {
  /** Words, then `<required>` and `[optional]` arguments. */
  readonly name: string;
  readonly summary: string;
  readonly options?: readonly OptionRow[];
  /** Words that its first argument may be. */
  readonly choices?: readonly string[];
  readonly examples: readonly string[];
  /** The group's command when it is called without one. */
  readonly isDefault?: boolean;
  readonly load: () => Promise<{ run: Run }>;
}

const timeout = ["--timeout <ms>", "time limit of the request"] as const;

const deviceRole = [
  ["--device <id>", "device, as devices list shows it"],
  ["--role <role>", "operator or node (default operator)", ["operator", "node"]],
] as const;

const own: readonly Command[] = [
  ...setupCommands,
  ...doctorCommands,
  ...diagnosticsCommands,
  {
    name: "gateway run",
    summary: "run the Gateway in the foreground",
    isDefault: true,
    options: [
      ["--port <port>", "port of everything (default 18789)"],
      [
        "--bind <mode>",
        "loopback, lan, tailnet, auto or custom (default loopback)",
        ["loopback", "lan", "tailnet", "auto", "custom"],
      ],
      ["--force", "first end whatever listens on the port"],
      ["--auth <mode>", "token or password (default: whichever is set)", ["token", "password"]],
      ["--password-file <file>", "the password is in this file"],
      ["--tailscale <mode>", "off, serve (the tailnet) or funnel (the internet)", ["off", "serve", "funnel"]],
      ["--tailscale-reset-on-exit", "undo that at exit"],
      ["--allow-unconfigured", "start without a config file"],
      ["--reset", "with --dev: put the dev profile's state, config and workspace aside and begin anew"],
      ["--verbose", "show debug lines, calls and events on the console"],
      ["--ws-log <style>", "calls with --verbose: auto, compact or full (default auto)", ["auto", "compact", "full"]],
      ["--compact", "the same as --ws-log compact"],
      ["--raw-stream", "keep what models stream, in logs/raw-stream.jsonl of the state folder"],
      ["--raw-stream-path <file>", "keep it there"],
      ["--claude-cli-logs", "accepted for older scripts; no such program runs here"],
    ],
    examples: ["gateway", "gateway --port 19000 --verbose", "gateway --force", "--dev gateway --allow-unconfigured"],
    load: () => import("./gateway/run.ts"),
  },
  {
    name: "gateway health",
    summary: "ask the running Gateway how it is",
    options: [["--probe", "ask the platforms now"], ["--verbose", "every account, and when it last did what"], timeout],
    examples: ["gateway health", "gateway health --json"],
    load: quick("health"),
  },
  {
    name: "gateway status",
    summary: "how the service is, whether a Gateway is reachable, where, and with which config",
    options: [
      ["--no-probe", "do not connect"],
      ["--deep", "look for services of the whole machine too"],
      ["--require-rpc", "end with 1 when the probe fails"],
      timeout,
    ],
    examples: ["gateway status", "gateway status --json", "gateway status --deep --no-probe"],
    load: quick("gatewayStatus"),
  },
  {
    name: "gateway call <method>",
    summary: "call any method of the protocol",
    options: [
      ["--params <json>", "its params (default {})"],
      ["--expect-final", "wait for the second answer of methods that answer twice"],
      timeout,
    ],
    examples: ["gateway call health", `gateway call chat.history --params '{"sessionKey":"main"}'`],
    load: quick("gatewayCall"),
  },
  {
    name: "health",
    summary: "how the Gateway and its channels are",
    options: [
      ["--probe", "ask the platforms now"],
      ["--verbose", "every account, and when it last did what"],
      ["--debug", "the same as --verbose"],
      timeout,
    ],
    examples: ["health", "health --json", "health --verbose --probe"],
    load: quick("health"),
  },
  {
    name: "status",
    summary: "queue, errors and recent sessions in short",
    options: [
      ["--all", "a diagnosis to hand on: all that is known, with secrets masked"],
      ["--deep", "ask the platforms and the services of this machine too"],
      ["--usage", "tokens and cost of the last 30 days"],
      ["--verbose", "accepted for older scripts: --all tells more"],
      ["--debug", "likewise"],
      timeout,
    ],
    examples: ["status", "status --json", "status --all"],
    load: quick("status"),
  },
  {
    name: "agent",
    summary: "run one agent turn and print the reply",
    options: [
      ["-m, --message <text>", "what to say"],
      ["-t, --to <chat>", "person or chat whose session to use"],
      ["--session-id <id>", "session to use"],
      ["--session-key <key>", "session to use, by key"],
      ["--agent <id>", "agent to ask"],
      ["--channel <id>", "channel of --to"],
      [
        "--thinking <level>",
        "off, minimal, low, medium, high or xhigh",
        ["off", "minimal", "low", "medium", "high", "xhigh"],
      ],
      ["--deliver", "also send the reply to the chat"],
      ["--reply-to <chat>", "chat that a delivered reply goes to, instead of --to"],
      ["--reply-channel <id>", "channel of --reply-to"],
      ["--reply-account <id>", "account of the channel that a delivered reply goes out by"],
      ["--timeout <seconds>", "time limit of the turn (default 600)"],
    ],
    examples: [
      'agent --message "hello"',
      'agent --message "summarise today" --to 123456789 --channel telegram --deliver',
      'agent --message "good morning" --deliver --reply-channel telegram --reply-to 123456789 --reply-account work',
    ],
    load: quick("agent"),
  },
  {
    name: "message send",
    summary: "send a message through a channel",
    options: [
      ["-t, --target <chat>", "chat to write to"],
      ["-m, --message <text>", "text, in Markdown"],
      ["--channel <id>", "channel; may be left out when only one is set up"],
      ["--account <id>", "account of the channel; the first when left out"],
      ["--reply-to <id>", "message to answer to"],
      ["--thread-id <id>", "topic or thread of the chat"],
      ["--dry-run", "show what would be sent"],
      timeout,
    ],
    examples: [
      'message send --target 123456789 --message "hi"',
      'message send --channel telegram --account work --target 123456789 --message "hi"',
    ],
    load: quick("messageSend"),
  },
  {
    name: "pairing list [channel]",
    summary: "people who asked to be let in",
    examples: ["pairing list", "pairing list telegram --json"],
    load: () => import("./pairing/list.ts"),
  },
  {
    name: "pairing approve <channel> <code>",
    summary: "let somebody in by the code they were given",
    options: [["--notify", "tell them"]],
    examples: ["pairing approve telegram ABCD2345"],
    load: () => import("./pairing/approve.ts"),
  },
  {
    name: "system event",
    summary: "tell the agent of something, now or with its next turn",
    options: [
      ["--text <text>", "what happened"],
      ["--mode <mode>", "now or next-heartbeat (default next-heartbeat)", ["now", "next-heartbeat"]],
      timeout,
    ],
    examples: ['system event --text "the backup is done"', 'system event --mode now --text "the door bell rang"'],
    load: quick("systemEvent"),
  },
  {
    name: "system presence",
    summary: "who is connected",
    options: [timeout],
    examples: ["system presence", "system presence --json"],
    load: quick("systemPresence"),
  },
  {
    name: "devices list",
    summary: "devices that are paired, and those that wait for approval",
    options: [timeout],
    examples: ["devices list", "devices list --json"],
    load: quick("devicesList"),
  },
  {
    name: "devices approve [request]",
    summary: "let a device in; without a request the only one that waits",
    options: [timeout],
    examples: ["devices approve", "devices approve 1f0c2a"],
    load: async () => ({ run: (await import("./devices/change.ts")).approve }),
  },
  {
    name: "devices reject [request]",
    summary: "turn a device down",
    options: [timeout],
    examples: ["devices reject 1f0c2a"],
    load: async () => ({ run: (await import("./devices/change.ts")).reject }),
  },
  {
    name: "devices rotate",
    summary: "make a new token for a device; the old one ends at once",
    options: [
      ...deviceRole,
      ["--scope <scopes>", "scopes of the new token, with commas (default: as before)"],
      timeout,
    ],
    examples: ["devices rotate --device 3fa9c1 --role operator --scope read,write"],
    load: async () => ({ run: (await import("./devices/change.ts")).rotate }),
  },
  {
    name: "devices revoke",
    summary: "end a device's token and close its connections",
    options: [...deviceRole, timeout],
    examples: ["devices revoke --device 3fa9c1 --role node"],
    load: async () => ({ run: (await import("./devices/change.ts")).revoke }),
  },
  {
    name: "devices remove <device>",
    summary: "forget a device",
    options: [timeout],
    examples: ["devices remove 3fa9c1"],
    load: async () => ({ run: (await import("./devices/change.ts")).remove }),
  },
  {
    name: "devices rename <device> <name>",
    summary: "give a device another name",
    options: [timeout],
    examples: ['devices rename 3fa9c1 "kitchen tablet"'],
    load: async () => ({ run: (await import("./devices/change.ts")).rename }),
  },
  ...canvasCommands,
  ...channelCommands,
  ...configCommands,
  {
    name: "logs",
    summary: "show the Gateway's log",
    options: [
      ["--follow", "go on with new lines"],
      ["--limit <lines>", "lines at once (default 200, at most 5000)"],
      ["--max-bytes <bytes>", "bytes at once (default 250000, at most 1000000)"],
      ["--interval <ms>", "time between looks with --follow (default 1000)"],
      ["--plain", "no colours and columns"],
      ["--local-time", "times with this machine's offset"],
      ["--utc", "times in UTC, at a terminal too"],
      ["--expect-final", "accepted for older scripts: the log answers once"],
      ["--timeout <ms>", "time limit of a look (default 30000)"],
    ],
    examples: ["logs", "logs --follow", "logs --json --limit 1000"],
    load: quick("logs"),
  },
  {
    name: "completion [shell]",
    summary: "teach a shell these commands: bash, zsh, fish or powershell (default: the one of $SHELL)",
    options: [["--install", "put it where the shell looks for it, instead of printing it"]],
    choices: ["bash", "zsh", "fish", "powershell"],
    examples: ["completion --install", "completion zsh"],
    load: () => import("./completion/completion.ts"),
  },
  ...lookCommands,
  ...sessionsCommands,
  ...nodeCommands,
  ...serviceCommands,
  ...backupCommands,
  ...removalCommands,
];

/** An older name of the group, for what it held then. */
const daemonCommands = own
  .filter(({ name }) => /^gateway (?:status|install|uninstall|start|stop|restart)$/u.test(name))
  .map((command): Command => {
    const rename = (text: string) => text.replace("gateway", "daemon");
    return { ...command, name: rename(command.name), examples: command.examples.map(rename) };
  });

export const commands: readonly Command[] = [...own, ...daemonCommands];
