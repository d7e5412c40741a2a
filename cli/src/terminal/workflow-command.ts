/** The options of a workflow command of GitHub Actions, such as the place of an annotation. */
export type CommandProperties = Readonly<Record<string, string | number | null | undefined>>;

/**
 * Returns a workflow command of GitHub Actions, such as `::error file=a.csv,line=3::message`. The runner
 * obeys such lines on stdout and stderr.
 */
export function workflowCommand(name: string, message: string, properties: CommandProperties = {}): string {
  const given = Object.entries(properties).filter(([, value]) => value !== null && value !== undefined);
  const list = given.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(",");
  return `::${name}${list && ` ${list}`}::${escapeData(message)}`;
}

/**
 * Returns a text in which the runner of GitHub Actions finds no command: neither `::name::` at the start of a
 * line, nor the older `##[name]` anywhere. The text of evaluators and participants could otherwise hide the
 * log or set outputs.
 */
export function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1\\x3a").replaceAll("##[", "#\\x23[");
}

/** Whether the runner of GitHub Actions, or one that speaks its language, reads what the program prints. */
export function isGithubActions(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.GITHUB_ACTIONS === "true";
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
