import {
  type CommandSyntax,
  idsCommand,
  idsOf,
  type OptionSyntax,
  type Syntax,
  type Values,
  wordsOf,
} from "./syntax.ts";

export function fishScript({ commands }: Syntax): string {
  const names = commands.map((command) => command.name).join(" ");
  const lines = commands.flatMap((command) => [
    `complete -c crowdai -n "not __fish_seen_subcommand_from ${names}" -f -a ${command.name} -d ${quote(command.description)}`,
    ...commandLines(command),
  ]);
  return `# fish completion for crowdai; use it with: crowdai completion fish > ~/.config/fish/completions/crowdai.fish\n${lines.join("\n")}\n`;
}

function commandLines(command: CommandSyntax): string[] {
  const here = `complete -c crowdai -n "__fish_seen_subcommand_from ${command.name}"`;
  const options = command.options.map((option) => `${here} ${flags(option)} -d ${quote(option.description)}`);
  const takesFiles = command.arguments.some((place) => place === "file");
  const words = command.arguments.flatMap((place) => {
    const kind = idsOf(place);
    return kind ? [`(${idsCommand(kind)})`] : wordsOf(place);
  });
  if (words.length > 0) options.push(`${here} -f -a ${quote([...new Set(words)].join(" "))}`);
  else if (!takesFiles) options.push(`${here} -f`);
  return options;
}

function flags({ long, short, values }: OptionSyntax): string {
  return [`-l ${long.slice(2)}`, ...(short ? [`-s ${short.slice(1)}`] : []), ...takes(values)].join(" ");
}

function takes(values: Values | null): string[] {
  if (values === null) return [];
  const kind = idsOf(values);
  if (kind) return ["-x", "-a", quote(`(${idsCommand(kind)})`)];
  if (typeof values === "object") return ["-x", "-a", quote(wordsOf(values).join(" "))];
  if (values === "file") return ["-r"];
  return values === "folder" ? ["-x", "-a", "'(__fish_complete_directories)'"] : ["-x"];
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
