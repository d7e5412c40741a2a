import { CrowdaiError, suggest } from "@crowdai/shared";
import type { Command } from "commander";
import { optionVariables } from "../options/option-variables.ts";
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
  ["CROWDAI_ID_TOKEN", "ID token of a CI job, such as GitLab's, for a session without a key"],
  ["CROWDAI_PARTICIPANT", "participant that a CI job submits as, if several trust it"],
  ["CROWDAI_BROKER", "address of the broker"],
  ["CROWDAI_CHALLENGE", "challenge"],
  ["CROWDAI_SUBMISSION", "session of an agent; set by `crowdai run`"],
  ["CROWDAI_CONFIG_DIR", "folder for user settings and keys"],
  ["CROWDAI_EVENTS", "file to which each event of a command is appended, as a line of JSON"],
  ["CI", "disables prompts and animations"],
  ["GITHUB_TOKEN, GITLAB_TOKEN", "token for --comment in GitHub Actions, GitLab CI (else CI_JOB_TOKEN)"],
  ["CROWDAI_CI", "set to 0 to write no reports in GitHub Actions and GitLab CI"],
  ["AI_AGENT, CLAUDECODE, …", "set by coding agents: no prompts, compact output; AI_AGENT=0 turns this off"],
  ["NO_COLOR, TERM=dumb", "disable colors"],
  ["FORCE_COLOR, CLICOLOR_FORCE", "enable colors, even in a pipe"],
  ["HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY", "proxy for all connections, those of git too"],
  ["NODE_EXTRA_CA_CERTS", "file of certificate authorities to trust, for git too"],
  ["NODE_DISABLE_COMPILE_CACHE", "set to 1 to keep no compiled code in the cache folder"],
];

/** Prints the help of a command, or a help topic. */
export async function help(
  { terminal }: CommandContext,
  { topic }: { topic?: string },
  _options: object,
  command: Command,
): Promise<number> {
  const program = command.parent!;
  if (topic === "exit-codes") return showExitCodes(terminal);
  if (topic === "environment") return showEnvironment(terminal, program);
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

function showEnvironment(terminal: Terminal, program: Command): number {
  const options = variablesOfOptions(program);
  const rows = [...ENVIRONMENT.map(([name, meaning]) => ({ name, meaning })), ...options];
  terminal.present({
    json: { environment: rows },
    ndjson: rows,
    quiet: rows.map(({ name }) => name),
    text: () => {
      terminal.answer(list(ENVIRONMENT));
      terminal.answer(
        "\nThe value of a setting comes from the first of: flag, environment, nearest crowdai.json,\nuser settings (config.json), default.",
      );
      terminal.answer(
        "\nEvery option has a variable. Set it to 1 or 0 for a switch (0 for --no-…), else to the option's value, with\neach value of a repeatable option on its own line. The command line takes precedence.\n",
      );
      terminal.answer(list(options.map(({ name, meaning }) => [name, meaning])));
    },
  });
  return 0;
}

/**
 * Returns the variables of all options that ENVIRONMENT does not describe; an option of all commands once.
 */
function variablesOfOptions(program: Command): { name: string; meaning: string }[] {
  const meanings = new Map<string, string>();
  for (const one of [program, ...program.commands])
    for (const { option, variable } of optionVariables(one)) {
      const isCommon = !variable.startsWith(`CROWDAI_${one.name().toUpperCase()}_`);
      const flag = option.long!.replace(/^--no-/, "--[no-]");
      if (!meanings.has(variable)) meanings.set(variable, isCommon ? flag : `${one.name()} ${flag}`);
    }
  const described = new Set(ENVIRONMENT.map(([name]) => name));
  return [...meanings]
    .filter(([name]) => !described.has(name))
    .map(([name, flag]) => ({ name, meaning: flag }));
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
