import { type CommandSyntax, idsOf, type Syntax, wordsOf } from "./syntax.ts";

/**
 * Returns the completion script for PowerShell 5.1 and newer. Without candidates, PowerShell completes file
 * names.
 */
export function powershellScript({ commands }: Syntax): string {
  return `# PowerShell completion for crowdai; use it with: crowdai completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName crowdai -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = [ordered]@{
${commands.map(({ name, description }) => `    ${quote(name)} = ${quote(description)}`).join("\n")}
  }
  $options = @{
${commands.map((command) => `    ${quote(command.name)} = @(${optionPairs(command)})`).join("\n")}
  }
  $values = @{
${commands.flatMap(valueLines).join("\n")}
  }
  $ids = @{
${commands.flatMap(idLines).join("\n")}
  }
  $listed = { param($kind) $PSNativeCommandUseErrorActionPreference = $false; @(& crowdai __complete $kind 2>$null) | ForEach-Object { ,@($_, $_) } }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $command = $words | Where-Object { $commands.Contains($_) -and $_ -ne $wordToComplete } | Select-Object -First 1
  $previous = if ($wordToComplete) { $words | Select-Object -Last 2 | Select-Object -First 1 } else { $words | Select-Object -Last 1 }
  $found = if (-not $command) { $commands.GetEnumerator() | ForEach-Object { ,@($_.Key, $_.Value) } }
    elseif ($values.ContainsKey("$command $previous")) { $values["$command $previous"] | ForEach-Object { ,@($_, $_) } }
    elseif ($ids.ContainsKey("$command $previous")) { & $listed $ids["$command $previous"] }
    elseif ($wordToComplete -like '-*') { $options[$command] }
    elseif ($values.ContainsKey($command)) { $values[$command] | ForEach-Object { ,@($_, $_) } }
    elseif ($ids.ContainsKey($command)) { & $listed $ids[$command] }
  $found | Where-Object { $_ -and $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`;
}

function optionPairs(command: CommandSyntax): string {
  return command.options
    .map(({ long, description }) => `,@(${quote(long)}, ${quote(description)})`)
    .join("; ");
}

function valueLines(command: CommandSyntax): string[] {
  const ofOptions = command.options.flatMap(({ long, values }) =>
    wordsOf(values).length > 0 ? [entry(`${command.name} ${long}`, wordsOf(values))] : [],
  );
  const words = command.arguments.flatMap(wordsOf);
  return words.length > 0 ? [...ofOptions, entry(command.name, words)] : ofOptions;
}

function idLines(command: CommandSyntax): string[] {
  const places = [
    ...command.options.map(({ long, values }) => ({ key: `${command.name} ${long}`, kind: idsOf(values) })),
    ...command.arguments.map((values) => ({ key: command.name, kind: idsOf(values) })),
  ];
  const kinds = new Map(places.flatMap(({ key, kind }) => (kind ? [[key, kind] as const] : [])));
  return [...kinds].map(([key, kind]) => `    ${quote(key)} = ${quote(kind)}`);
}

function entry(key: string, words: readonly string[]): string {
  return `    ${quote(key)} = @(${words.map(quote).join(", ")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
