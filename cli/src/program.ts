import { Command } from "commander";
import { type CommandsOptions, commandAdder, examples, usageOf } from "./program/add-command.ts";
import { addChallengeCommands } from "./program/challenge-commands.ts";
import { addCodeCommands } from "./program/code-commands.ts";
import { addGlobalOptions } from "./program/common-options.ts";
import { addSetupCommands } from "./program/setup-commands.ts";
import { addSubmissionCommands } from "./program/submission-commands.ts";
import { addSubmitCommands } from "./program/submit-commands.ts";
import { DOCS, ISSUES } from "./terminal/links.ts";

export interface ProgramOptions extends CommandsOptions {
  writeOut: (text: string) => void;
}

const HELP_WIDTH = 80;

/** Returns the syntax of every command. Reads, asks and imports nothing, so that `--help` costs nothing. */
export function createProgram(options: ProgramOptions): Command {
  const program = new Command("crowdai")
    .description("Submit predictions to a machine-learning challenge and get a score within seconds.")
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: () => {},
      outputError: () => {},
      // A fixed width: the build stores the texts, so that showing one loads nothing.
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${usageOf(command)}`.trim() })
    .helpCommand(false)
    .addHelpText(
      "before",
      examples("crowdai login", "crowdai init --challenge iris", "crowdai submit predictions.csv"),
    )
    .addHelpText(
      "after",
      [
        "",
        "Run `crowdai <command> --help` for more about a command.",
        "See also `crowdai help exit-codes` and `crowdai help environment`.",
        "",
        `Documentation: ${DOCS}/README.md`,
        `Issues:        ${ISSUES}`,
      ].join("\n"),
    );
  addGlobalOptions(program, options.version);

  const add = commandAdder(program, options);
  program.commandsGroup("Submit:");
  addSubmitCommands(add);
  program.commandsGroup("Challenges:");
  addChallengeCommands(add);
  program.commandsGroup("Your submissions:");
  addSubmissionCommands(add);
  program.commandsGroup("Code and publishing:");
  addCodeCommands(add);
  program.commandsGroup("Setup:");
  addSetupCommands(add);
  for (const command of program.commands) {
    command.usage(`[options] ${usageOf(command)}`.trim());
    addGlobalOptions(command, options.version);
  }
  return program;
}
