import { CrowdaiError, suggest } from "@crowdai/shared";
import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";

export const EXIT_CODES: readonly [number, string][] = [
  [0, "success; when waiting for a grade: graded"],
  [1, "unexpected error"],
  [2, "invalid usage, or something that does not exist"],
  [3, "not signed in, or not allowed"],
  [4, "refused by the rules: limit, closed round, wrong file"],
  [5, "broker or network unavailable"],
  [6, "grading failed"],
  [7, "score worse than --min-score"],
  [8, "still waiting for the grade when the timeout expired"],
  [130, "interrupted; an accepted submission continues"],
];

export const ENVIRONMENT: readonly [string, string][] = [
  ["CROWDAI_API_KEY", "API key; takes precedence over the key stored by `crowdai login`"],
  ["CROWDAI_API_KEY_FOR", "brokers that may get CROWDAI_API_KEY although only crowdai.json names them"],
  ["CROWDAI_BROKER", "address of the broker"],
  ["CROWDAI_CHALLENGE", "challenge"],
  ["CROWDAI_SUBMISSION", "session of an agent; set by `crowdai run`"],
  ["CROWDAI_CONFIG_DIR", "folder for user settings and keys"],
  ["CROWDAI_DEBUG", "set to 1 to print a stack trace with errors"],
  ["CI", "disables prompts and animations"],
  ["CROWDAI_CI", "set to 0 to write no reports in GitHub Actions and GitLab CI"],
  ["NO_COLOR, TERM=dumb", "disable colors"],
  ["FORCE_COLOR, CLICOLOR_FORCE", "enable colors, even in a pipe"],
  ["HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY", "proxy for all connections, those of git too"],
  ["NODE_EXTRA_CA_CERTS", "file of certificate authorities to trust, for git too"],
];

/** Prints the help of a command, or a help topic. */
export async function help(
  { terminal }: CommandContext,
  { topic }: { topic?: string },
  _options: object,
  command: Command,
): Promise<number> {
  if (topic === "exit-codes") return showExitCodes(terminal);
  if (topic === "environment") return showEnvironment(terminal);
  const program = command.parent!;
  const named = topic === undefined ? program : program.commands.find((one) => one.name() === topic);
  if (named) {
    named.outputHelp();
    return 0;
  }
  throw unknownTopic(
    topic!,
    program.commands.map((one) => one.name()),
  );
}

function showExitCodes(terminal: Terminal): number {
  const rows = EXIT_CODES.map(([code, meaning]) => ({ code, meaning }));
  terminal.present({
    json: { exit_codes: rows },
    ndjson: rows,
    quiet: rows.map(({ code }) => String(code)),
    text: () => terminal.answer(list(EXIT_CODES)),
  });
  return 0;
}

function showEnvironment(terminal: Terminal): number {
  const rows = ENVIRONMENT.map(([name, meaning]) => ({ name, meaning }));
  terminal.present({
    json: { environment: rows },
    ndjson: rows,
    quiet: rows.map(({ name }) => name),
    text: () => {
      terminal.answer(list(ENVIRONMENT));
      terminal.answer(
        "\nThe value of a setting comes from the first of: flag, environment, nearest crowdai.json,\nuser settings (config.json), default.",
      );
    },
  });
  return 0;
}

function list(rows: readonly (readonly [string | number, string])[]): string {
  const width = Math.max(...rows.map(([name]) => String(name).length));
  return rows.map(([name, meaning]) => `${String(name).padEnd(width)}  ${meaning}`).join("\n");
}

function unknownTopic(topic: string, commands: string[]): CrowdaiError {
  const near = suggest(topic, [...commands, "exit-codes", "environment"]);
  return new CrowdaiError("usage", `There is no help topic "${topic}".`, {
    next: near ? `Did you mean ${near}?` : "See `crowdai --help`.",
  });
}
