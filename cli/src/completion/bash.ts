import {
  type CommandSyntax,
  idsCommand,
  idsOf,
  type OptionSyntax,
  type Syntax,
  type Values,
  wordsOf,
} from "./syntax.ts";

/** Returns the completion script for bash 3.2 and newer. */
export function bashScript({ commands }: Syntax): string {
  const names = commands.map((command) => command.name).join(" ");
  return `# bash completion for crowdai; use it with: source <(crowdai completion bash)
_crowdai() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${commands.map((command) => command.name).join("|")}) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    "") COMPREPLY=($(compgen -W "${names} --help --version" -- "$cur")) ;;
${commands.map(branch).join("\n")}
  esac
}
complete -o default -F _crowdai crowdai
`;
}

function branch(command: CommandSyntax): string {
  const values = command.options.filter((option) => option.values !== null).map(valueBranch);
  const options = command.options.flatMap((option) =>
    option.short ? [option.long, option.short] : [option.long],
  );
  const words = command.arguments.flatMap((place) => {
    const kind = idsOf(place);
    return kind ? [`$(${idsCommand(kind)})`] : wordsOf(place);
  });
  const offered = [...new Set(words)].join(" ");
  return `    ${command.name})
      case "$prev" in
${values.join("\n")}
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "${options.join(" ")}" -- "$cur"))
      else COMPREPLY=($(compgen -W "${offered}" -- "$cur")); fi ;;`;
}

function valueBranch(option: OptionSyntax): string {
  const flags = option.short ? `${option.long}|${option.short}` : option.long;
  return `        ${flags}) ${generate(option.values!)}return ;;`;
}

/** Returns the line that sets the candidates for a value. Without candidates, bash completes file names. */
function generate(values: Values): string {
  const kind = idsOf(values);
  if (kind) return `COMPREPLY=($(compgen -W "$(${idsCommand(kind)})" -- "$cur")); `;
  if (typeof values === "object")
    return `COMPREPLY=($(compgen -W "${wordsOf(values).join(" ")}" -- "$cur")); `;
  return values === "folder" ? 'COMPREPLY=($(compgen -d -- "$cur")); ' : "";
}
