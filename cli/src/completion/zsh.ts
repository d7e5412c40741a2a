import {
  type CommandSyntax,
  idsCommand,
  idsOf,
  type OptionSyntax,
  type Syntax,
  type Values,
  wordsOf,
} from "./syntax.ts";

export function zshScript({ commands }: Syntax): string {
  return `#compdef crowdai
# zsh completion for crowdai; use it with: source <(crowdai completion zsh)
_crowdai_challenges() {
  local -a ids
  ids=(\${(f)"$(${idsCommand("challenges")})"})
  compadd -a ids
}
_crowdai_submissions() {
  local -a ids
  ids=(\${(f)"$(${idsCommand("submissions")})"})
  compadd -a ids
}
_crowdai() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${description.replaceAll(":", "\\:")}`)}`).join("\n")}
  )
  _arguments -C '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
${commands.map(branch).join("\n")}
      esac ;;
  esac
}
if [[ "\${funcstack[1]}" == _crowdai ]]; then _crowdai "$@"; else compdef _crowdai crowdai; fi
`;
}

function branch(command: CommandSyntax): string {
  const places = command.arguments.map((values, i) => quote(`${i + 1}:argument:${action(values)}`));
  const specs = [...command.options.flatMap(optionSpecs), ...places];
  return `        ${command.name}) _arguments ${specs.join(" ")} ;;`;
}

function optionSpecs({ long, short, description, values }: OptionSyntax): string[] {
  const text = `[${description.replace(/[[\]\\]/g, "\\$&")}]`;
  const value = values === null ? "" : `:value:${action(values)}`;
  return [long, ...(short ? [short] : [])].map((flag) => quote(`${flag}${text}${value}`));
}

function action(values: Values): string {
  const kind = idsOf(values);
  if (kind) return ` _crowdai_${kind}`;
  if (typeof values === "object") return `(${wordsOf(values).join(" ")})`;
  if (values === "file") return "_files";
  return values === "folder" ? "_files -/" : " ";
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
