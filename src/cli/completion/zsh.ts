// Completion for zsh, with what each word means. Nothing is started at TAB.

import { flagsWithValue, type CompletedOption, type Line } from "./lines.ts";

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const alternatives = (words: readonly string[]) => words.map(quote).join("|");
/** `name:what it is`, as _describe takes it. */
const described = (name: string, help: string) => quote(`${name.replaceAll(":", "\\:")}:${help}`);

export function renderZsh(name: string, lines: readonly Line[]): string {
  return `#compdef ${name}
# Completion of ${name} for zsh.
_${name}() {
  local line= rest= word prev=$words[CURRENT-1] i
  local -a commands options args
  local files=
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      ${alternatives(flagsWithValue(lines))}) ((i++)) ;;
      -*) ;;
      *)
        case "\${line:+$line }$word" in
          ${alternatives(lines.map(({ words }) => words).filter((words) => words !== ""))}) line="\${line:+$line }$word" ;;
          *) rest=1; break ;;
        esac ;;
    esac
  done
  case $line in
${lines.map(renderLine).join("\n")}
  esac
  # a word that is no command: its arguments are nobody's, or a command's own
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
  return `    ${quote(words)})
      case $prev in
${values.join("\n")}
      esac
      commands=(${commands.map(([name, summary]) => described(name, summary)).join(" ")})
      args=(${args.map(quote).join(" ")})${hasFiles ? " files=1" : ""}
      options=(${all.join(" ")}) ;;`;
}

function renderValue({ flags, value, choices }: CompletedOption): string {
  const generate = {
    none: "",
    text: `compadd -- ${choices.map(quote).join(" ")}`,
    file: "_files",
    folder: "_files -/",
  };
  return `        ${alternatives(flags)}) ${generate[value]}; return ;;`;
}
