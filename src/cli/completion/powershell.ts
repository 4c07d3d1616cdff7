// Completion for PowerShell 5.1 and newer. Nothing is started at TAB.

import { flagsWithValue, type Line } from "./lines.ts";

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
const list = (words: readonly string[]) => `@(${words.map(quote).join(", ")})`;

export function renderPowershell(name: string, lines: readonly Line[]): string {
  return `# Completion of ${name} for PowerShell.
Register-ArgumentCompleter -Native -CommandName ${quote(name)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $withValue = ${list(flagsWithValue(lines))}
  $lines = @{
${lines.map(renderLine).join("\n")}
  }
  $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { $_.Extent.Text })
  $line = ''
  $rest = $false
  for ($i = 1; $i -lt $before.Count; $i++) {
    $word = $before[$i]
    if ($withValue -ccontains $word) { $i++; continue }
    if ($word.StartsWith('-')) { continue }
    $next = "$line $word".Trim()
    if (-not $lines.ContainsKey($next)) { $rest = $true; break }
    $line = $next
  }
  $found = $lines[$line]
  $last = $before[-1]
  if ($withValue -ccontains $last) {
    $offered = @($found.Values[$last] | Where-Object { $_ } | ForEach-Object { ,@($_, $_) })
  } elseif ($wordToComplete.StartsWith('-')) { $offered = $found.Options } elseif (-not $rest) { $offered = $found.Words }
  $offered | Where-Object { $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`;
}

function renderLine({ words, commands, options, args }: Line): string {
  const pairs = (all: readonly (readonly [string, string])[]) =>
    all.map(([word, help]) => `,${list([word, help])}`).join("; ");
  const flags = options.flatMap((option) => option.flags.map((flag) => [flag, option.help] as const));
  const chosen = options.filter(({ choices }) => choices.length > 0);
  const values = chosen.flatMap(({ flags: names, choices }) =>
    names.map((flag) => `${quote(flag)} = ${list(choices)}`),
  );
  const all = [...commands, ...args.map((word) => [word, word] as const)];
  return `    ${quote(words)} = @{
      Words = @(${pairs(all)})
      Options = @(${pairs(flags)})
      Values = @{ ${values.join("; ")} }
    }`;
}
