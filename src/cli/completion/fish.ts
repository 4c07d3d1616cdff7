// Completion for fish, with what each word means. Nothing is started at TAB.

import { flagsWithValue, type CompletedOption, type Line } from "./lines.ts";

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export function renderFish(name: string, lines: readonly Line[]): string {
  const known = lines.map(({ words }) => words).filter((words) => words !== "");
  return `# Completion of ${name} for fish.
function __${name}_line
    set -l line
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${flagsWithValue(lines).map(quote).join(" ")}
            set skip 1
        else if not string match -q -- '-*' $word
            set -l next (string join ' ' $line $word)
            if not contains -- $next ${known.map(quote).join(" ")}
                # a word that is no command: what follows is nobody's, or a command's own
                set line "$line …"
                break
            end
            set line $next
        end
    end
    echo "$line"
end
complete -c ${name} -f
${lines.flatMap((line) => renderLine(name, line)).join("\n")}
`;
}

function renderLine(name: string, { words, commands, options, args, hasFiles }: Line): string[] {
  // options may follow arguments
  const after = words === "" ? "" : "( …)?";
  const anywhere = `complete -c ${name} -n ${quote(`string match -rq -- '^${words}${after}$' (__${name}_line)`)}`;
  const start = `complete -c ${name} -n ${quote(`test (__${name}_line) = "${words}"`)}`;
  return [
    ...commands.map(([command, summary]) => `${start} -a ${quote(command)} -d ${quote(summary)}`),
    ...(args.length > 0 ? [`${start} -a ${quote(args.join(" "))}`] : []),
    ...(hasFiles ? [`${anywhere} -F`] : []),
    ...options.map((option) => `${anywhere} ${renderOption(option)}`),
  ];
}

function renderOption({ flags, help, value, choices }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const values = { none: "", file: " -rF", folder: " -x -a '(__fish_complete_directories)'", text: " -x" }[value];
  const listed = choices.length > 0 ? ` -a ${quote(choices.join(" "))}` : "";
  return `${names.join(" ")}${values}${listed} -d ${quote(help)}`;
}
