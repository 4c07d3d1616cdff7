// The command line: argv -> one command of the table -> exit code. Only the chosen command's module is loaded.

import { Command as Commander, CommanderError, Option } from "commander";

import { brandOf, type Brand } from "../base/brand.ts";
import { toFault } from "../base/fault.ts";
import { commands, type Command } from "./commands.ts";
import { createContext, type GlobalFlags } from "./context.ts";
import { createOutput } from "./render/output.ts";

declare const BUILD_VERSION: string | undefined;

/** Set by the build; a checkout that runs its sources is `dev`. */
export const version = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "dev";

/** Sets `process.exitCode`; never throws. */
export async function main(invocation: { brandName: string; argv: readonly string[] }): Promise<void> {
  const brand = brandOf(invocation.brandName);
  try {
    process.exitCode = await dispatch(brand, invocation.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 1;
      return;
    }
    const fault = toFault(error);
    createOutput({ isColor: true }).fault(fault);
    process.exitCode = fault.code === "usage" ? 2 : 1;
  }
}

async function dispatch(brand: Brand, argv: readonly string[]): Promise<number> {
  let chosen: { command: Command; leaf: Commander; args: readonly string[] } | undefined;
  const program = createProgram(brand, (command, leaf, args) => {
    chosen = { command, leaf, args };
  });
  await program.parseAsync([...argv], { from: "user" });
  if (!chosen) return 0;

  const { command, leaf, args } = chosen;
  const options = leaf.optsWithGlobals<Record<string, string | boolean | undefined>>();
  const context = createContext(brand, version, options as GlobalFlags);
  const { run } = await command.load();
  return run(context, { options, args });
}

type Choose = (command: Command, leaf: Commander, args: readonly string[]) => void;

function createProgram(brand: Brand, choose: Choose): Commander {
  const program = new Commander(brand.name)
    .description(`${brand.product}: your messaging accounts, your agents and all your clients behind one Gateway`)
    .version(version, "-V, --version", "print the version")
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(see --help)");
  addGlobalOptions(program, false);
  program.addHelpText(
    "after",
    renderExamples(brand, [
      "gateway",
      "--dev gateway --allow-unconfigured",
      'agent --message "hello"',
      "logs --follow",
    ]),
  );

  const groups = new Map<string, Commander>();
  for (const command of commands) {
    const words = command.name.split(" ");
    const isGrouped = words[1] !== undefined && /^[a-z]/u.test(words[1]);
    const parent = isGrouped ? groupOf(program, groups, words[0] ?? "") : program;
    addLeaf(parent, { command, words: isGrouped ? words.slice(1) : words, brand, choose });
  }
  return program;
}

function groupOf(program: Commander, groups: Map<string, Commander>, name: string): Commander {
  const known = groups.get(name);
  if (known) return known;
  const summaries: Readonly<Record<string, string>> = {
    gateway: "run and inspect the Gateway",
    message: "send messages",
    pairing: "let people in",
  };
  const group = program
    .command(name)
    .description(summaries[name] ?? name)
    .exitOverride()
    .enablePositionalOptions();
  groups.set(name, group);
  return group;
}

function addLeaf(
  parent: Commander,
  leaf: { command: Command; words: readonly string[]; brand: Brand; choose: Choose },
): void {
  const { command, words, brand } = leaf;
  const made = parent
    .command(words.join(" "), { isDefault: command.isDefault === true })
    .description(command.summary)
    .exitOverride()
    .addHelpText("after", renderExamples(brand, command.examples));
  for (const [flags, help] of command.options ?? []) made.option(flags, help);
  addGlobalOptions(made, true);
  made.action(() => leaf.choose(command, made, made.args));
}

/** Understood before and after the command's name. */
function addGlobalOptions(command: Commander, isHidden: boolean): void {
  const options: readonly (readonly [string, string])[] = [
    ["--dev", "use the isolated dev profile (port 19001)"],
    ["--profile <name>", "use a profile of its own state, config and logs"],
    ["--json", "print JSON"],
    ["--url <ws-url>", "Gateway to talk to"],
    ["--token <token>", "its token"],
    ["--password <password>", "its password"],
    ["--no-color", "no colours"],
  ];
  for (const [flags, help] of options) {
    const option = new Option(flags, help);
    if (isHidden) option.hideHelp();
    command.addOption(option);
  }
}

function renderExamples(brand: Brand, examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${brand.name} ${example}`).join("\n")}`;
}
