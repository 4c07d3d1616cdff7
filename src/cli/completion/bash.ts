// Completion for bash 3.2 and newer. Nothing is started at TAB.

import { quoteWord } from "../../base/shell.ts";
import type { CompletedOption, Line } from "./lines.ts";
import { alternatives, renderWords } from "./posix.ts";

export function renderBash(name: string, lines: readonly Line[]): string {
  const main = `_${name}_complete`;
  return `# Completion of ${name} for bash.
${main}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} line= rest= word i IFS=$' \\t\\n'
  local commands= options= args= files=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
${renderWords(lines, renderLine)}
  if [ -n "$rest" ]; then
    commands= args=
    [ -n "$line" ] || options=
  fi
  case $cur in
    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
    *)
      COMPREPLY=($(compgen -W "$commands $args" -- "$cur"))
      IFS=$'\\n'
      [ -z "$files" ] || COMPREPLY+=($(compgen -f -- "$cur")) ;;
  esac
}
complete -o filenames -F ${main} ${name}
`;
}

function renderLine({ words, commands, options, args, hasFiles }: Line): string {
  const flags = options.flatMap((option) => option.flags);
  const values = options.filter(({ value }) => value !== "none").map(renderValue);
  return `    ${quoteWord(words)})
      case $prev in
${values.join("\n")}
      esac
      commands=${quoteWord(commands.map(([name]) => name).join(" "))} args=${quoteWord(args.join(" "))}${hasFiles ? " files=1" : ""}
      options=${quoteWord(flags.join(" "))} ;;`;
}

function renderValue({ flags, value, choices }: CompletedOption): string {
  const generate = { none: "", text: `-W ${quoteWord(choices.join(" "))}`, file: "-f", folder: "-d" }[value];
  const names = value === "text" ? "" : "IFS=$'\\n'; ";
  return `        ${alternatives(flags)}) ${names}COMPREPLY=($(compgen ${generate} -- "$cur")); return ;;`;
}
