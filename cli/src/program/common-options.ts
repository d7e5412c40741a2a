import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { Format } from "../terminal/terminal.ts";

/** The options that every command has, `challenge` where it names one. */
export interface GlobalOptions {
  broker?: string;
  challenge?: string;
  format?: Format | "csv";
  /** Fields to print as JSON; true for all of them. On `submit`, `check` and `evaluate` the value to send. */
  json?: string | true;
  fields?: string;
  filter?: string;
  debug?: boolean;
  quiet?: boolean;
  color?: boolean;
}

export function addGlobalOptions(command: Command, version: string): void {
  command
    .optionsGroup("Global options:")
    .option("--broker <url>", "address of the broker")
    .addOption(new Option("--format <format>", "output format").choices(formatsOf(command)));
  if (hasCommonJson(command)) command.option("--json [fields]", "print JSON: all fields, or only these");
  command
    .option("--fields <list>", "print only these fields, as JSON, such as id,score")
    .option("--filter <path>", "print the value at this path of the JSON, such as .score")
    .option("-q, --quiet", "print only ids")
    .option("--no-color", "disable colors")
    .option("--debug", "print stack traces, and each request with its time and id")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "show this help");
}

/** Only a board is also a CSV file, which the broker writes. */
const formatsOf = (command: Command): string[] => [
  ...["text", "json", "ndjson"],
  ...(command.name() === "leaderboard" ? ["csv"] : []),
];

/** Whether --json is about the output: on `submit`, `check` and `evaluate` it is the value to send. */
function hasCommonJson(command: Command): boolean {
  const hasOwn = command.options.some((option) => option.long === "--json" && option.required);
  // Before the command, it would take the command's name as its fields.
  return command.parent !== null && !hasOwn;
}

/** Returns the options with what --json stands for: --format json, and --fields. */
export function withoutJson<Options extends GlobalOptions>(command: Command, options: Options): Options {
  const { json, ...rest } = options;
  if (json === undefined || !hasCommonJson(command)) return options;
  requireJson("--json", rest);
  return { ...rest, format: "json", ...(json === true ? {} : { fields: json }) } as Options;
}

/**
 * Returns the options of the terminal. --fields and --filter imply --format json. Throws
 * InvalidArgumentError.
 */
export function outputOptions(options: GlobalOptions) {
  const { fields, filter, format = "text", quiet = false, color = true } = options;
  if (fields === undefined && filter === undefined)
    return { format: format === "csv" ? ("text" as const) : format, quiet, color };
  requireJson(fields === undefined ? "--filter" : "--fields", options);
  return { format: "json" as Format, quiet, color, fields, filter };
}

function requireJson(option: string, { format }: GlobalOptions): void {
  if (format === undefined || format === "json") return;
  throw new InvalidArgumentError(`${option} prints JSON, and cannot be combined with --format ${format}.`);
}

export function challengeOption(): Option {
  return new Option("-c, --challenge <id>", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}

export function challengeArgument(): Argument {
  return new Argument("[id]", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}
