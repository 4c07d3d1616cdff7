// argv -> one command of the table with its options, or a text to print (help, version, a mistake). Pure: nothing is loaded,
// read or printed here.

import { Command as Commander, CommanderError, Option } from "commander";

import type { Brand } from "../base/brand.ts";
import { Fault } from "../base/fault.ts";
import { commands, type Command, type Invocation } from "./commands.ts";

export interface Chosen {
  readonly command: Command;
  /** Flags of the command's own and global ones, wherever they stood; the one nearest to the end counts. */
  readonly invocation: Invocation;
}

/** What there is to say instead of running a command. */
export interface Printed {
  readonly out: string;
  readonly error: string;
  readonly exitCode: number;
}

/** @throws Fault `usage` for a profile without a name. */
export function parseArguments(brand: Brand, version: string, argv: readonly string[]): Chosen | Printed {
  if (argv.length === 1 && /^(?:-v|-V|--version)$/u.test(argv[0] ?? ""))
    return { out: `${version}\n`, error: "", exitCode: 0 };
  const parsed = parse(brand, version, { argv, hasDefaults: true });
  if (!("code" in parsed)) return parsed;
  // the group's own command took a word that it has no use for: it was meant to be another command
  if (parsed.code === "commander.excessArguments") {
    const asked = parse(brand, version, { argv, hasDefaults: false });
    if ("code" in asked && asked.code === "commander.unknownCommand") return asked.printed;
  }
  return parsed.printed;
}

interface Typed {
  readonly argv: readonly string[];
  /** A group without a word means its default command. */
  readonly hasDefaults: boolean;
}

/** A mistake comes with commander's code for it. */
function parse(
  brand: Brand,
  version: string,
  { argv, hasDefaults }: Typed,
): Chosen | Printed | { readonly code: string; readonly printed: Printed } {
  let chosen: Chosen | undefined;
  const printed = { out: "", error: "", exitCode: 0 };
  const program = new Commander(brand.name)
    .description(`${brand.product}: your messaging accounts, your agents and all your clients behind one Gateway`)
    .version(version, "-V, --version", "print the version")
    .configureOutput({
      writeOut: (text) => {
        printed.out += text;
      },
      writeErr: (text) => {
        printed.error += text;
      },
    })
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(see --help)");
  addGlobalOptions(program, false);
  program.addHelpText("after", renderExamples(brand, examples));
  addCommands(program, brand, {
    wanted: findCommandWord(argv),
    hasDefaults,
    choose(command, leaf) {
      chosen = { command, invocation: { options: readOptions(leaf), args: leaf.args } };
    },
  });

  try {
    program.parse(toCommanderArgs(argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.optionMissingArgument" && error.message.includes("--profile")) throw noProfile();
    return { code: error.code, printed: { ...printed, exitCode: error.exitCode } };
  }
  if (chosen?.invocation.options["profile"] === "") throw noProfile();
  return chosen ?? printed;
}

const noProfile = () => new Fault("usage", "--profile requires a value", { field: "--profile" });

const examples = ["gateway", "--dev gateway --allow-unconfigured", 'agent --message "hello"', "logs --follow"];

function toCommanderArgs(argv: readonly string[]): string[] {
  if (argv.length === 0) return ["--help"];
  // commander takes one short form of an option; people know two of this one
  const at = findFirstWord(argv);
  return argv.map((word, index) => (index === at && word === "-v" ? "--version" : word));
}

/** The global flags of all levels and the command's own. Defaults are left out: they would hide what was said elsewhere. */
function readOptions(leaf: Commander): Invocation["options"] {
  const levels: Commander[] = [];
  for (let level: Commander | null = leaf; level; level = level.parent) levels.unshift(level);
  return Object.fromEntries(
    levels.flatMap((level) =>
      Object.entries(level.opts()).filter(([name]) => level.getOptionValueSource(name) !== "default"),
    ),
  );
}

/** Where the first word stands that is neither a global flag nor its value; -1 when there is none. */
function findFirstWord(argv: readonly string[]): number {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    const flag = globalOptions.find(([flags]) => flags.split(" ")[0] === word);
    if (flag) index += flag[0].includes("<") ? 1 : 0;
    else if (!/^--[a-z-]+=/u.test(word)) return index;
  }
  return -1;
}

/** The first word, where it is a command; undefined when nothing is sure. */
function findCommandWord(argv: readonly string[]): string | undefined {
  const word = argv[findFirstWord(argv)];
  return commands.some(({ name }) => name.split(" ")[0] === word) ? word : undefined;
}

interface Adding {
  /** Only what is under this word is made in full: to make them all takes longer than many commands do. */
  readonly wanted: string | undefined;
  readonly hasDefaults: boolean;
  readonly choose: (command: Command, leaf: Commander) => void;
}

function addCommands(program: Commander, brand: Brand, { wanted, hasDefaults, choose }: Adding): void {
  const groups = new Map<string, Commander>();
  for (const command of commands) {
    const words = command.name.split(" ");
    if (wanted !== undefined && words[0] !== wanted) continue;
    const isGrouped = words[1] !== undefined && /^[a-z]/u.test(words[1]);
    const parent = isGrouped ? groupOf(program, groups, words[0] ?? "") : program;
    const leaf = parent
      .command((isGrouped ? words.slice(1) : words).join(" "), {
        isDefault: hasDefaults && command.isDefault === true,
      })
      .description(command.summary)
      .addHelpText("after", renderExamples(brand, command.examples));
    for (const [flags, help] of command.options ?? []) leaf.option(flags, help);
    addGlobalOptions(leaf, true);
    leaf.action(() => choose(command, leaf));
    // only commands of groups are what a group is without one
    if (command.isDefault === true) showDefault(parent, leaf, renderExamples(brand, command.examples));
  }
}

/** What is typed most is the group alone: its help says what that does. */
function showDefault(group: Commander, leaf: Commander, shownExamples: string): void {
  group.addHelpText("after", () => `\nWithout a command:\n\n${leaf.helpInformation()}${shownExamples}`);
}

export const groupSummaries: Readonly<Record<string, string>> = {
  gateway: "run and inspect the Gateway, or make it a service",
  doctor: "look for what is wrong, mend it, and put it back",
  canvas: "show pages and forms of the agent",
  daemon: "the Gateway's service, by an older name of the group",
  message: "send messages",
  pairing: "let people in",
  devices: "let devices in, and out",
  nodes: "look at nodes, and use them",
  node: "offer this machine as a node",
  approvals: "decide which commands may run",
  channels: "set channels up, look at them and switch them",
  backup: "make, check and restore backups",
  agents: "look at agents, make and remove them",
  models: "look at models",
  config: "read and change the config file",
  sessions: "conversations: look at them, and clear away what is old",
  system: "events for the agent, and who is connected",
};

/** A group has the global flags and no others: an option of its own would take what is meant for its commands. */
function groupOf(program: Commander, groups: Map<string, Commander>, name: string): Commander {
  const known = groups.get(name);
  if (known) return known;
  const group = program
    .command(name)
    .description(groupSummaries[name] ?? name)
    .enablePositionalOptions();
  addGlobalOptions(group, true);
  groups.set(name, group);
  return group;
}

/** Understood before and after the command's name; a command may have one of the same name for itself. */
function addGlobalOptions(command: Commander, isHidden: boolean): void {
  for (const [flags, help] of globalOptions) {
    const option = new Option(flags, help);
    if (command.options.some(({ long }) => long === option.long)) continue;
    if (isHidden) option.hideHelp();
    command.addOption(option);
  }
}

export const globalOptions: readonly (readonly [string, string])[] = [
  ["--dev", "use the isolated dev profile (port 19001)"],
  ["--profile <name>", "use a profile of its own state, config and logs"],
  ["--json", "print JSON"],
  ["--url <ws-url>", "Gateway to talk to"],
  ["--token <token>", "its token"],
  ["--password <password>", "its password"],
  ["--no-color", "no colours"],
];

function renderExamples(brand: Brand, lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((example) => `  ${brand.name} ${example}`).join("\n")}`;
}
