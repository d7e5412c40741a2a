import { asCrowdaiError, CrowdaiError, type ErrorBody, parseExact, stringifyExact } from "@crowdai/shared";
import { type Command, CommanderError } from "commander";
import { runtime } from "./connection/client-name.ts";
import { type GlobalOptions, outputOptions } from "./program/common-options.ts";
import type { Io } from "./terminal/io.ts";
import { DOCS } from "./terminal/links.ts";
import { plainText, plainValue } from "./terminal/plain-text.ts";
import { redact } from "./terminal/redact.ts";
import { slotLine, withoutSlot } from "./terminal/slot-line.ts";
import { createTerminal, type Format, type Terminal } from "./terminal/terminal.ts";

export interface Failure {
  io: Io;
  argv: readonly string[];
  program: Command;
  /** The command that ran; undefined when the arguments were not understood. */
  chosen: Command | undefined;
  terminal: Terminal | undefined;
  version: string;
  /** Gets the error as it is shown. */
  onError?: (error: ErrorBody) => void;
}

/** Prints an error in the chosen format and returns the exit code. */
export async function renderFailure(thrown: unknown, failure: Failure): Promise<number> {
  const { io, argv } = failure;
  const flags = outputFlags(argv, io.env);
  const terminal = failure.terminal ?? createTerminal({ ...io, ...outputOptions(flags) });
  terminal.close();

  const error = expected(thrown, failure);
  const body = redacted(error.toBody());
  failure.onError?.(body);
  const exitCode = error.exitCode;
  // A document that was printed before holds everything; a second one would make both unreadable.
  const document = {
    ...idOf(body),
    error: { ...body, docs: `${DOCS}/errors.md#${body.code}` },
    exit_code: exitCode,
    next_steps: commandsIn(body.next),
  };
  if (terminal.format === "json" && !terminal.answered) terminal.json(document, { isFailure: true });
  terminal.event({ type: "error", ...document });

  const style = terminal.noteStyle;
  terminal.error(`${style.red(`error[${body.code}]:`)} ${plainText(body.message)}`);
  const suggestion = body.details?.suggestion;
  if (typeof suggestion === "string" && !body.message.includes(suggestion))
    terminal.error(`Did you mean ${plainText(suggestion)}?`);
  if (body.code === "unexpected" && error.cause !== undefined) terminal.error(bugReport(error, failure));
  else {
    const slot = slotLine(body.details, body.message);
    if (slot !== null) terminal.error(plainText(slot));
    const next = slot === null ? body.next : withoutSlot(body.next);
    if (next) terminal.error(plainText(next));
  }
  terminal.error(style.dim(`Documentation: ${DOCS}/errors.md#${body.code}`));
  if (body.request_id) terminal.error(style.dim(`Request: ${plainText(body.request_id)}`));
  if (isOn(io.env.CROWDAI_DEBUG) || argv.includes("--debug"))
    terminal.error(plainText(redact(trace(thrown))));
  return exitCode;
}

function expected(thrown: unknown, { io, argv, program, chosen }: Failure): CrowdaiError {
  if (thrown instanceof CommanderError) return usage(thrown, argv, program);
  if (thrown instanceof CrowdaiError) {
    if (thrown.code === "usage" && thrown.next === "See --help." && chosen)
      return new CrowdaiError("usage", thrown.message, {
        next: helpHint(chosen.name()),
        details: thrown.details,
      });
    return thrown;
  }
  if (io.signal.aborted) return new CrowdaiError("interrupted", undefined, { cause: thrown });
  return asCrowdaiError(thrown);
}

/** Returns commander's message without its prefix; the second line is its suggestion, if any. */
function usage(thrown: CommanderError, argv: readonly string[], program: Command): CrowdaiError {
  const [message = "", suggestion] = thrown.message.replace(/^error: /, "").split("\n");
  const named = argv.find((word) => program.commands.some((command) => command.name() === word));
  const isOfAgent = named === "run" && thrown.code === "commander.unknownOption";
  const hint = "Write the options of the agent after --: `crowdai run -- python3 agent.py --lr 0.1`.";
  return new CrowdaiError(
    "usage",
    `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, "."),
    {
      next: isOfAgent ? hint : suggestion ? suggestion.replace(/^\(|\)$/g, "") : helpHint(named),
    },
  );
}

/**
 * Returns the id of the submission that the error is about, in the field where a submission's document has
 * it.
 */
function idOf({ details }: ErrorBody): { id?: string } {
  return typeof details?.submission === "string" ? { id: details.submission } : {};
}

/** Returns the commands that an advice names, in order. */
function commandsIn(advice: string): string[] {
  return [...advice.matchAll(/`(crowdai [^`]+)`/g)].map(([, command]) => command!);
}

function helpHint(command: string | undefined): string {
  return `See \`crowdai ${command ? `${command} ` : ""}--help\`.`;
}

function bugReport(error: CrowdaiError, { chosen, version }: Failure): string {
  const cause =
    error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : String(error.cause);
  return [
    `  ${plainText(redact(cause)).split("\n")[0]}`,
    `  crowdai ${chosen?.name() ?? ""} · crowdai ${version} · ${runtime()} · ${process.platform} ${process.arch}`,
    "This is a bug. Please report it with these lines and what you did. CROWDAI_DEBUG=1 prints a stack trace.",
  ].join("\n");
}

function trace(thrown: unknown): string {
  const parts: string[] = [];
  for (let error = thrown; error instanceof Error && parts.length < 5; error = error.cause)
    parts.push(error.stack ?? String(error));
  return parts.join("\ncaused by ");
}

function redacted<T>(value: T): T {
  return parseExact(redact(stringifyExact(plainValue(value)))) as T;
}

/** Reads the output flags of a command line that could not be parsed, and their variables. */
function outputFlags(argv: readonly string[], env: Io["env"]): GlobalOptions {
  const flags: GlobalOptions = {};
  const formats: readonly string[] = ["text", "json", "ndjson"];
  const setFormat = (format: string | undefined) => {
    if (format !== undefined && formats.includes(format)) flags.format = format as Format;
  };
  setFormat(env.CROWDAI_FORMAT);
  if (isOn(env.CROWDAI_FIELDS)) flags.format = "json";
  for (const [i, word] of argv.entries()) {
    if (word === "--") break;
    if (word === "--format") setFormat(argv[i + 1]);
    else if (word.startsWith("--format=")) setFormat(word.slice(9));
    else if (/^--fields(=|$)/.test(word)) flags.format = "json";
    else if (word === "--json" && !argv.some(takesJson)) flags.format = "json";
    else if (word === "--quiet" || word === "-q") flags.quiet = true;
    else if (word === "--no-color") flags.color = false;
  }
  return flags;
}

const takesJson = (word: string) => word === "submit" || word === "evaluate";

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}
