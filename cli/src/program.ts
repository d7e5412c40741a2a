import { Argument, Command, Option } from "commander";
import { addGlobalOptions, challengeArgument, challengeOption } from "./common-options.ts";
import type { Context } from "./context.ts";
import { collect, finiteNumber, positiveNumber, wholeNumber } from "./option-values.ts";

/** A command's work: context, arguments by name, options by name; resolves to the exit code. */
export type Handler = (context: Context, args: never, options: never) => Promise<number>;

export interface ProgramOptions {
  version: string;
  /** Called by the chosen command with the loader of its module, which is imported only then. */
  run: (
    load: () => Promise<Handler>,
    args: Record<string, unknown>,
    options: Record<string, unknown>,
    command: Command,
  ) => Promise<void>;
  writeOut: (text: string) => void;
}

const HELP_WIDTH = 80;

/** The syntax of every command. Nothing is read, asked or imported here, so that `--help` costs nothing. */
export function createProgram(options: ProgramOptions): Command {
  const program = new Command("crowdai")
    .description("Submit predictions to a machine-learning challenge and get a score seconds later.")
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: () => {},
      outputError: () => {},
      // The same everywhere: the build writes the texts down, so that showing one loads nothing.
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${placesOf(command)}`.trim() })
    .helpCommand(false)
    .addHelpText(
      "before",
      examples("crowdai login", "crowdai init --challenge iris", "crowdai submit predictions.csv"),
    )
    .addHelpText(
      "after",
      "\nEach command explains itself: `crowdai submit --help`. See also `crowdai help exit-codes` and `crowdai help environment`.",
    );
  addGlobalOptions(program, options.version);

  const add = (
    syntax: string,
    description: string,
    lines: string[],
    load: () => Promise<Handler>,
  ): Command => {
    const command = program.command(syntax).description(description);
    command.helpOption("-h, --help", "show this help").addHelpText("before", examples(...lines));
    command.action(async () => {
      const args = Object.fromEntries(
        command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
      );
      const [globally, here] = [defined(program.opts()), defined(command.opts())];
      await options.run(load, args, { ...globally, ...here, color: globally.color && here.color }, command);
    });
    return command;
  };

  program.commandsGroup("Submit:");
  addSubmitting(add);
  program.commandsGroup("Challenges:");
  addChallenges(add);
  program.commandsGroup("Your submissions:");
  addSubmissions(add);
  program.commandsGroup("Code and publishing:");
  addPublishing(add);
  program.commandsGroup("Setting up:");
  addSettingUp(add);
  for (const command of program.commands) {
    command.usage(`[options] ${placesOf(command)}`.trim());
    addGlobalOptions(command, options.version);
  }
  return program;
}

type Add = (syntax: string, description: string, lines: string[], load: () => Promise<Handler>) => Command;

function addSubmitting(add: Add): void {
  add(
    "submit",
    "Submit a file, or a JSON value, and wait for its score.",
    [
      "crowdai submit predictions.csv",
      "crowdai submit predictions.csv -m 'deeper trees' --min-score 0.9",
      "python predict.py | crowdai submit -",
      "crowdai submit --json '[0, 1, 2]' --no-wait",
      "crowdai submit predictions.csv --code . --dry-run",
      "crowdai submit predictions.csv --model model.onnx",
    ],
    async () => (await import("./commands/submit.ts")).submit,
  )
    .argument("[file]", "file to submit; - for standard input")
    .option("--json <text>", "submit this JSON value instead of a file")
    .addOption(challengeOption())
    .option("--round <id>", "round to submit to (default: the open one)")
    .option("-m, --message <text>", "note kept with the submission")
    .option("--code [dir]", "send the code along (default: the project this folder belongs to)")
    .option("--no-code", "send no code, whatever crowdai.json says")
    .option("--publish", "the code may be published when the challenge closes")
    .option("--no-publish", "the code stays private")
    .option("--allow-secrets", "send the code although it seems to hold secrets")
    .option("--model <file>", "model to keep beside the submission; may be given several times", collect, [])
    .option("--no-wait", "return once the submission is accepted")
    .option("--timeout <seconds>", "how long to wait for the grade", positiveNumber)
    .option("--min-score <score>", "exit with 7 when the score is worse than this", finiteNumber)
    .option("--dry-run", "check everything here and show what would be sent; nothing leaves this machine");

  add(
    "evaluate",
    "Call a function of the challenge's evaluator, without a place on the leaderboard.",
    [
      "crowdai evaluate --json '[5.1, 3.5, 1.4, 0.2]'",
      "crowdai evaluate batch.json --function classify --parallel",
    ],
    async () => (await import("./commands/evaluate.ts")).evaluate,
  )
    .argument("[file]", "file with a JSON value; - for standard input")
    .option("--json <text>", "send this JSON value instead of a file's")
    .option("--function <name>", "function of the evaluator (default: evaluate)")
    .option("--parallel", "the value is an array: grade its items in parallel, answer in order")
    .addOption(challengeOption())
    .option("--round <id>", "round to evaluate in (default: the open one)")
    .option("--timeout <seconds>", "how long to wait for the answer", positiveNumber);

  add(
    "watch",
    "Follow a submission until it has its grade.",
    ["crowdai watch 7h3k9m2p4q6r8s1t", "crowdai watch 7h3k9m2p4q6r8s1t --format ndjson"],
    async () => (await import("./commands/watch.ts")).watch,
  )
    .argument("<id>", "submission")
    .option("--timeout <seconds>", "how long to wait for the grade", positiveNumber)
    .option("--min-score <score>", "exit with 7 when the score is worse than this", finiteNumber);

  add(
    "cancel",
    "Cancel a submission that has no grade yet.",
    ["crowdai cancel 7h3k9m2p4q6r8s1t"],
    async () => (await import("./commands/cancel.ts")).cancel,
  ).argument("<id>", "submission");
}

function addChallenges(add: Add): void {
  add(
    "challenges",
    "List the challenges of the broker.",
    ["crowdai challenges"],
    async () => (await import("./commands/challenges.ts")).challenges,
  );
  add(
    "challenge",
    "Describe a challenge: rounds, limits, what it accepts.",
    ["crowdai challenge iris"],
    async () => (await import("./commands/challenge.ts")).challenge,
  ).addArgument(challengeArgument());
  add(
    "data",
    "Download a challenge's public data; files that are already there are kept.",
    ["crowdai data iris", "crowdai data iris --dir ./input"],
    async () => (await import("./commands/data.ts")).data,
  )
    .addArgument(challengeArgument())
    .option("--dir <folder>", "where to put the files (default: a folder named like the challenge)")
    .option("--force", "replace files that are there and differ");
  add(
    "leaderboard",
    "Show the leaderboard.",
    [
      "crowdai leaderboard iris --limit 10",
      "crowdai leaderboard --round 2 --format json",
      "crowdai leaderboard iris --ongoing --previous",
    ],
    async () => (await import("./commands/leaderboard.ts")).leaderboard,
  )
    .addArgument(challengeArgument())
    .option("--limit <n>", "how many rows", wholeNumber, 20)
    .option("--round <id>", "which round (default: the open one, or the latest)")
    .option("--ongoing", "count what came after the round's end too")
    .option("--previous", "as it was a ranking window ago");
  add(
    "limits",
    "Show how many submissions you have left, and when the next slot comes.",
    ["crowdai limits iris"],
    async () => (await import("./commands/limits.ts")).limits,
  )
    .addArgument(challengeArgument())
    .option("--round <id>", "which round (default: the open one)");
}

function addSubmissions(add: Add): void {
  add(
    "submissions",
    "List your submissions, newest first.",
    ["crowdai submissions iris", "crowdai submissions --limit 100 --quiet"],
    async () => (await import("./commands/submissions.ts")).submissions,
  )
    .addArgument(new Argument("[id]", "challenge (default: all of them)"))
    .option("--limit <n>", "how many", wholeNumber, 20);
  add(
    "show",
    "Show a submission: state, score, rank, and why it waits or failed.",
    ["crowdai show 7h3k9m2p4q6r8s1t"],
    async () => (await import("./commands/show.ts")).show,
  ).argument("<id>", "submission");
  add(
    "artifacts",
    "List a submission's models and artifacts, or download them.",
    ["crowdai artifacts 7h3k9m2p4q6r8s1t", "crowdai artifacts 7h3k9m2p4q6r8s1t --dir ./kept"],
    async () => (await import("./commands/artifacts.ts")).artifacts,
  )
    .argument("<id>", "submission")
    .option("--dir <folder>", "download them into this folder")
    .option("--force", "replace files that are there and differ");
  add(
    "logs",
    "Print what the evaluator said about a submission.",
    ["crowdai logs 7h3k9m2p4q6r8s1t"],
    async () => (await import("./commands/logs.ts")).logs,
  ).argument("<id>", "submission");
}

function addPublishing(add: Add): void {
  add(
    "publish",
    "Have a submission's code published under MIT when its challenge closes.",
    ["crowdai publish 7h3k9m2p4q6r8s1t"],
    async () => (await import("./commands/publish.ts")).publish,
  ).argument("<id>", "submission");
  add(
    "unpublish",
    "Take that back, until the challenge closes.",
    ["crowdai unpublish 7h3k9m2p4q6r8s1t"],
    async () => (await import("./commands/publish.ts")).unpublish,
  ).argument("<id>", "submission");
  add(
    "diff",
    "Show what changed between the code of two submissions, yours or published.",
    [
      "crowdai diff 7h3k9m2p4q6r8s1t 9m2p4q6r8s1t7h3k",
      "crowdai diff 7h3k9m2p4q6r8s1t 9m2p4q6r8s1t7h3k --stat",
    ],
    async () => (await import("./commands/diff.ts")).diff,
  )
    .argument("<from>", "submission")
    .argument("<to>", "submission")
    .option("--stat", "only count the lines of each file")
    .option("--name-only", "only name the files");
  add(
    "clone",
    "Clone the repository of a submission, at that submission.",
    ["crowdai clone 7h3k9m2p4q6r8s1t", "crowdai clone 7h3k9m2p4q6r8s1t ./solution"],
    async () => (await import("./commands/clone.ts")).clone,
  )
    .argument("<id>", "submission: yours, or a published one")
    .argument("[folder]", "where to (default: named by challenge and submission)");
  add(
    "fork",
    "Fork the repository of a submission: at its code host, or as a clone of your own.",
    ["crowdai fork 7h3k9m2p4q6r8s1t", "crowdai fork --remote git@github.com:ada/iris.git"],
    async () => (await import("./commands/fork.ts")).fork,
  )
    .argument("[id]", "submission (default: your latest with code)")
    .option("--dir <folder>", "where to clone it (default: named by challenge and submission)")
    .option("--remote <url>", "your own repository, which becomes the remote `mine`");
  add(
    "agree",
    "Read the MIT licence and agree to it, once; only a person at a terminal can.",
    ["crowdai agree", "crowdai agree --show --format json"],
    async () => (await import("./commands/agree.ts")).agree,
  )
    .argument("[words...]")
    .option("--show", "list what you agreed to: when, where, from which address")
    // No flag agrees: each gets an answer that says so.
    .allowUnknownOption();
}

function addSettingUp(add: Add): void {
  const keyOnTheCommandLine = (flags: string) => new Option(flags).hideHelp();
  add(
    "login",
    "Check an API key with the broker and keep it in the keychain.",
    ["crowdai login", "crowdai login --with-token < key.txt"],
    async () => (await import("./commands/login.ts")).login,
  )
    .argument("[key...]")
    .option("--with-token", "read the key from standard input")
    .addOption(keyOnTheCommandLine("--key [key]"))
    .addOption(keyOnTheCommandLine("--api-key [key]"))
    .addOption(keyOnTheCommandLine("--token [key]"));
  add(
    "logout",
    "Forget the API key of the broker.",
    ["crowdai logout"],
    async () => (await import("./commands/logout.ts")).logout,
  );
  add(
    "whoami",
    "Say who you are to the broker, and where the key came from.",
    ["crowdai whoami"],
    async () => (await import("./commands/whoami.ts")).whoami,
  );
  add(
    "init",
    "Write crowdai.json, so that the other commands need no challenge.",
    ["crowdai init", "crowdai init --challenge iris --author 'Ada Lovelace'"],
    async () => (await import("./commands/init.ts")).init,
  )
    .addOption(challengeOption())
    .option("--author <name>", "author; may be given several times", collect, [])
    .option("--description <text>", "what this solution does")
    .option("--force", "replace a crowdai.json that is already here");
  add(
    "doctor",
    "Test the broker, the key, the clock, git and this machine.",
    ["crowdai doctor", "crowdai doctor --strict --format json"],
    async () => (await import("./commands/doctor.ts")).doctor,
  ).option("--strict", "take warnings for failures");
  add(
    "config",
    "Print each setting with its source, or change the user's settings.",
    ["crowdai config", "crowdai config set broker https://crowdai.example", "crowdai config unset broker"],
    async () => (await import("./commands/config.ts")).config,
  )
    .addArgument(new Argument("[action]", "what to do").choices(["list", "get", "set", "unset"]))
    .argument("[name]", "broker or challenge")
    .argument("[value]", "new value");
  add(
    "completion",
    "Print a completion script for a shell.",
    [
      "source <(crowdai completion bash)",
      "crowdai completion fish > ~/.config/fish/completions/crowdai.fish",
    ],
    async () => (await import("./commands/completion.ts")).completion,
  ).addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish", "powershell"]));
  add(
    "help",
    "Explain a command, the exit codes or the environment.",
    ["crowdai help submit", "crowdai help exit-codes", "crowdai help environment"],
    async () => (await import("./commands/help.ts")).help,
  ).argument("[topic]", "a command, exit-codes or environment");
}

function examples(...lines: string[]): string {
  return `Examples:\n${lines.map((line) => `  $ ${line}\n`).join("")}`;
}

/** The arguments; a place that is there only to be refused is not shown. */
function placesOf(command: Command): string {
  if (command.name() === "login" || command.name() === "agree") return "";
  return command.registeredArguments.map((a) => (a.required ? `<${a.name()}>` : `[${a.name()}]`)).join(" ");
}

function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
