// Completion for zsh, with what each word means. Nothing is started at TAB.

import { quoteWord } from "../../base/shell.ts";
import type { CompletedOption, Line } from "./lines.ts";
import { alternatives, renderWords } from "./posix.ts";

/** `name:what it is`, as _describe takes it. */
const described = (name: string, help: string) => quoteWord(`${name.replaceAll(":", "\\:")}:${help}`);

export function renderZsh(name: string, lines: readonly Line[]): string {
  return `#compdef ${name}
# Completion of ${name} for zsh.
_${name}() {
  local line= rest= word prev=$words[CURRENT-1] i
  local -a commands options args
  local files=
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
${renderWords(lines, renderLine)}
  if [[ -n $rest ]]; then
    commands=() args=()
    [[ -n $line ]] || options=()
  fi
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o option options
  else
    (( $#commands )) && _describe command commands
    (( $#args )) && compadd -a args
    [[ -z $files ]] || _files
  fi
}
if [ "$funcstack[1]" = "_${name}" ]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function renderLine({ words, commands, options, args, hasFiles }: Line): string {
  const values = options.filter(({ value }) => value !== "none").map(renderValue);
  const all = options.flatMap(({ flags, help }) => flags.map((flag) => described(flag, help)));
  return `    ${quoteWord(words)})
      case $prev in
${values.join("\n")}
      esac
      commands=(${commands.map(([name, summary]) => described(name, summary)).join(" ")})
      args=(${args.map(quoteWord).join(" ")})${hasFiles ? " files=1" : ""}
      options=(${all.join(" ")}) ;;`;
}

function renderValue({ flags, value, choices }: CompletedOption): string {
  const generate = {
    none: "",
    text: `compadd -- ${choices.map(quoteWord).join(" ")}`,
    file: "_files",
    folder: "_files -/",
  };
  return `        ${alternatives(flags)}) ${generate[value]}; return ;;`;
}
