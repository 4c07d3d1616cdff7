// What bash and zsh have in common: quotes, patterns of `case`, and which command the words so far name.

import { quoteWord } from "../../base/shell.ts";
import { flagsWithValue, type Line } from "./lines.ts";

/** A pattern of `case` that fits each of the words. */
export const alternatives = (words: readonly string[]) => words.map(quoteWord).join("|");

/**
 * The body of a loop with the index `i` over each `word`, its end, and what follows from the command: afterwards `line` is the
 * command and `rest` is set when a word was none. `renderLine` gives an arm of `case $line`.
 */
export function renderWords(lines: readonly Line[], renderLine: (line: Line) => string): string {
  const known = lines.map(({ words }) => words).filter((words) => words !== "");
  return `    case $word in
      ${alternatives(flagsWithValue(lines))}) ((i++)) ;;
      -*) ;;
      *)
        case "\${line:+$line }$word" in
          ${alternatives(known)}) line="\${line:+$line }$word" ;;
          *) rest=1; break ;;
        esac ;;
    esac
  done
  case $line in
${lines.map(renderLine).join("\n")}
  esac
  # a word that is no command: its arguments are nobody's, or a command's own`;
}
