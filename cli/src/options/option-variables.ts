import { type Command, InvalidArgumentError, type Option } from "commander";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Options of every command. `crowdai.json` may set the last two, so that the settings read their variables.
 */
const COMMON = ["format", "quiet", "no-color", "debug", "fields", "filter", "broker", "challenge"];
const READ_BY_SETTINGS = ["CROWDAI_BROKER", "CROWDAI_CHALLENGE"];

/**
 * Returns the environment variable of an option: `CROWDAI_<OPTION>` for an option of every command,
 * `CROWDAI_<COMMAND>_<OPTION>` for another. Null for --help and --version, and for options that are only
 * refused.
 */
export function variableOf(command: Command, option: Option): string | null {
  const name = option.name();
  if (option.hidden || ["help", "version"].includes(name)) return null;
  const of = COMMON.includes(name) ? [] : [command.name()];
  return ["crowdai", ...of, name.replace(/^no-/, "")].join("_").replaceAll("-", "_").toUpperCase();
}

/**
 * Returns the options of a command that a variable sets, with its name; the two forms of `--[no-]publish`
 * once.
 */
export function optionVariables(command: Command): { option: Option; variable: string }[] {
  return command.options.flatMap((option) => {
    const variable = variableOf(command, option);
    const isTwin = option.negate && command.options.some((o) => !o.negate && sameKey(o, option));
    return variable === null || isTwin ? [] : [{ option, variable }];
  });
}

/**
 * Sets the options that the command line leaves out and the environment gives. Throws InvalidArgumentError.
 */
export function applyVariables(command: Command, env: Env): void {
  for (const { option, variable } of optionVariables(command)) {
    const text = env[variable];
    const key = option.attributeName();
    const isGiven = [command, command.parent].some((one) => one?.getOptionValueSource(key) === "cli");
    if (!text || isGiven || READ_BY_SETTINGS.includes(variable)) continue;
    const value = parsed(option, text, variable);
    if (value !== undefined) command.setOptionValueWithSource(key, value, "env");
  }
}

const SWITCH: Record<string, boolean> = {
  ...{ "1": true, true: true, yes: true, on: true },
  ...{ "0": false, false: false, no: false, off: false },
};

/** Returns undefined for a switch that is off already. */
function parsed(option: Option, text: string, variable: string): unknown {
  const on = SWITCH[text.toLowerCase()];
  if (option.isBoolean()) {
    // Any text turned it on before the other options had variables.
    if (on === undefined && variable === "CROWDAI_DEBUG") return true;
    if (on === undefined) throw refusal(variable, text, "Expected 1 or 0.");
    // `--no-wait` is CROWDAI_SUBMIT_WAIT=0.
    return option.negate && on ? undefined : on;
  }
  if (option.optional && on !== undefined) return on;
  try {
    // Each line is one value of an option that can be repeated.
    const lines = /\(repeatable\)/.test(option.description) ? text.split("\n").filter(Boolean) : [text];
    let value: unknown;
    for (const line of lines) value = option.parseArg ? option.parseArg(line, value) : line;
    return value;
  } catch (thrown) {
    if (!(thrown instanceof InvalidArgumentError)) throw thrown;
    throw refusal(variable, text, thrown.message);
  }
}

function refusal(variable: string, text: string, why: string): InvalidArgumentError {
  return new InvalidArgumentError(`The environment variable ${variable} is "${text}". ${why}`);
}

function sameKey(one: Option, other: Option): boolean {
  return one.attributeName() === other.attributeName();
}
