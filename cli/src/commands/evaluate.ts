import {
  CrowdaiError,
  type ErrorBody,
  type PublicChallenge,
  parseJson,
  stringifyExact,
  toJsonText,
} from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import { checkRound } from "../submit/check-round.ts";
import { type Answer, evaluateValues, type Settled } from "../submit/evaluate-values.ts";
import { describeText } from "../submit/submission-input.ts";
import type { Io } from "../terminal/io.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";
import { JSON_FLAG, readJsonText, readNamedInput } from "./input/read-input.ts";
import { spool } from "./input/spool.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { belowMinimum } from "./submission/minimum-score.ts";
import { createProgressView } from "./submission/show-progress.ts";

/** The largest value that is read if the challenge sets no limit of its own. */
const MAX_BYTES = 10 * 1024 * 1024;

export interface EvaluateFlags {
  json?: string;
  function?: string;
  parallel?: boolean;
  challenge?: string;
  round?: string;
  timeout?: number;
  minScore?: number;
}

/** Calls an evaluator function with one value, or with --parallel once for each item of an array. */
export async function evaluate(
  { io, connection, terminal, facts }: CommandContext,
  args: { file?: string },
  flags: EvaluateFlags,
): Promise<number> {
  const { settings } = connection;
  facts.file = args.file ?? null;
  const value = await readInput(io, terminal, { file: args.file, json: flags.json });
  if (flags.parallel && !Array.isArray(value))
    throw new CrowdaiError("usage", "--parallel needs a JSON array, whose items are evaluated in parallel.");
  const values = (flags.parallel ? (value as unknown[]) : [value]).map((item) =>
    describeText(toJsonText(item)),
  );
  const named = chosenChallenge(settings, flags.challenge);
  const name = flags.function ?? "evaluate";

  const view = createProgressView(terminal);
  let opened: CommandSession | undefined;
  let settled: Settled[];
  try {
    await connection.key();
    view.say(`Calling ${name} of ${named}`);
    opened = await openCommandSession(connection, io, named, {
      onConnection: view.connection,
    });
    facts.challenge = opened.challenge;
    checkRound(opened.challenge!, flags.round);
    view.say(`Waiting for ${values.length === 1 ? "the answer" : `${values.length} answers`}`);
    settled = await evaluateValues(opened.session, values, {
      ...opened.route,
      function: name,
      round: flags.round,
      timeoutMs: flags.timeout === undefined ? undefined : flags.timeout * 1000,
      // One bar: with hundreds of values at once, a bar for each would not stay still.
      onProgress: ({ done, total }) => view.answers(done, total),
    });
  } finally {
    view.stop();
    opened?.session.close();
  }
  facts.answers = settled.map(toLine);
  const { minScore } = flags;
  const below = minScore === undefined ? null : requireMinimum(settled, opened.challenge!, minScore);
  return report(terminal, name, settled, below);
}

async function readInput(
  { stdin, cwd, signal }: Io,
  terminal: Terminal,
  named: { file: string | undefined; json: string | undefined },
): Promise<unknown> {
  const given = await readNamedInput({ ...named, cwd });
  const parsed = (text: string, what: string) => parseJson(text, what, "all");
  if (given.from === "json") return parsed(given.text, JSON_FLAG);
  if (given.from === "file") return parsed(await readJsonText(given.facts, MAX_BYTES), given.facts.name);
  if (stdin.isTTY) terminal.note("Reading from standard input. Press Ctrl-D to finish.");
  const spooled = await spool(stdin, { name: "stdin.json", maxBytes: 4 * MAX_BYTES, signal });
  try {
    return parsed(await readJsonText(spooled.facts, MAX_BYTES, "Standard input"), "Standard input");
  } finally {
    await spooled[Symbol.asyncDispose]();
  }
}

type Line = ({ ok: true } & Answer) | { ok: false; id: string | null; error: ErrorBody };

/** Returns the error for answers whose scores are worse than a minimum, or absent; null if there are none. */
function requireMinimum(
  settled: readonly Settled[],
  challenge: PublicChallenge,
  minimum: number,
): CrowdaiError | null {
  const below = settled.flatMap((result) => {
    const error = result.ok ? belowMinimum(result.answer.score, challenge, minimum) : null;
    return error ? [error] : [];
  });
  const [first] = below;
  if (!first || settled.length === 1) return first ?? null;
  const message = `${below.length} of ${settled.length} answers do not meet the minimum. First: ${first.message}`;
  return new CrowdaiError("below_minimum", message, { details: first.details });
}

/**
 * Prints every answer, failed ones too, in the order of the values, and then throws the first failure, or
 * `below`.
 */
function report(
  terminal: Terminal,
  name: string,
  settled: readonly Settled[],
  below: CrowdaiError | null,
): number {
  const lines = settled.map(toLine);
  const failed = settled.find((result) => !result.ok);
  const failure = failed?.ok === false ? failed.error : below;
  terminal.present({
    json: { function: name, answers: lines, ...(failure ? { exit_code: failure.exitCode } : {}) },
    ndjson: lines.map((line, index) => ({ type: "answer", index, ...line })),
    quiet: lines.map((line) => line.id ?? ""),
    text: () => {
      for (const line of lines) terminal.answer(textOf(line));
    },
  });
  if (!failure) return 0;
  if (failure === below) throw failure;
  const count = settled.filter((result) => !result.ok).length;
  const message =
    settled.length === 1
      ? failure.message
      : `${count} of ${settled.length} calls failed. First failure: ${failure.message}`;
  throw new CrowdaiError(failure.code, message, { next: failure.next });
}

function toLine(result: Settled): Line {
  if (result.ok) return { ok: true, ...result.answer };
  const { submission, ...details } = (result.error.details ?? {}) as { submission?: { id: string } };
  return { ok: false, id: submission?.id ?? null, error: { ...result.error.toBody(), details } };
}

/** Returns the data, or the score if there is no data. */
function textOf(line: Line): string {
  if (!line.ok) return `error[${line.error.code}]: ${plainLine(line.error.message)}`;
  if (line.data !== null && line.data !== undefined) return stringifyExact(line.data);
  const secondary = line.score_secondary === null ? "" : `\t${line.score_secondary}`;
  return line.score === null ? plainLine(line.message ?? "null") : `${line.score}${secondary}`;
}
