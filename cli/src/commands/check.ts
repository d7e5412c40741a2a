import type { PublicChallenge, Submission } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import { checkInput } from "../submit/check-input.ts";
import { checkRound } from "../submit/check-round.ts";
import { plainText } from "../terminal/plain-text.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";
import { type Prepared, prepareInput } from "./input/prepare-input.ts";
import { inputText, readNamedInput } from "./input/read-input.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { createProgressView } from "./submission/show-progress.ts";
import { withSlot } from "./submission/slot-of-failure.ts";

export interface CheckFlags {
  json?: string;
  challenge?: string;
  round?: string;
  timeout?: number;
  local?: boolean;
}

const FIELDS = ["ok", "challenge", "has_check", "passed", "skipped", "problems", "slot", "sent", "trial"];

/** Tries a file or a value against the check of a challenge: no slot, no score. */
export async function check(
  { io, connection, terminal, facts }: CommandContext,
  args: { file?: string },
  { json, challenge: named, round, timeout, local }: CheckFlags,
): Promise<number> {
  const { settings } = connection;
  const { cwd, signal } = io;
  terminal.requireFields(FIELDS);
  facts.file = args.file ?? null;
  const input = await readNamedInput({ file: args.file, json, cwd });
  const wanted = chosenChallenge(settings, named);
  const what = args.file === undefined ? "The value" : args.file === "-" ? "Standard input" : args.file;
  const view = createProgressView(terminal);
  let opened: CommandSession | undefined;
  let prepared: Prepared | undefined;
  try {
    await connection.key();
    view.say(`Checking ${inputText(args)} for ${wanted}`);
    opened = await openCommandSession(connection, io, wanted, {
      onConnection: view.connection,
    });
    const challenge = opened.challenge!;
    facts.challenge = challenge;
    const http = await connection.http();
    prepared = await prepareInput(input, challenge, { io, terminal, view, http });
    const { offered, offer, report } = prepared;
    const called = challenge.check?.function ?? null;
    let trial: Submission | null = null;
    if (called !== null && !local) {
      checkRound(challenge, round);
      const { tryCheck } = await import("../submit/try-check.ts");
      trial = await tryCheck(opened.session, offer, {
        ...opened.route,
        ...{ round, onProgress: view.progress, onEvent: view.event, onPlace: view.place },
        timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      });
    }
    view.stop();
    const passed = [...(await checkInput(challenge, offered)), ...report.passed];
    const skipped = [...report.skipped];
    if (called !== null && trial) passed.push("the evaluator's check passes");
    if (called !== null && !trial)
      skipped.push("the evaluator's check, which runs on a grader, was not called");
    facts.checked = true;
    showPassed(terminal, { challenge, what, passed, skipped, trial });
    // Without a file name there is nothing to repeat.
    if (args.file !== undefined && args.file !== "-")
      terminal.next(
        `crowdai submit ${shellWord(args.file)}${named === undefined ? "" : ` -c ${challenge.id}`}`,
      );
    return 0;
  } catch (failure) {
    view.stop();
    const { limits } = opened?.session.opening ?? {};
    throw await withSlot(failure, { http: connection.http, signal, limits });
  } finally {
    opened?.session.close();
    await prepared?.[Symbol.asyncDispose]();
  }
}

interface Passed {
  challenge: PublicChallenge;
  what: string;
  passed: string[];
  skipped: string[];
  trial: Submission | null;
}

function showPassed(terminal: Terminal, { challenge, what, passed, skipped, trial }: Passed): void {
  const { id } = challenge;
  const document = {
    ...{ ok: true, challenge: id, has_check: challenge.check !== null, passed, skipped, problems: [] },
    ...{
      slot: "none",
      sent: trial !== null,
      trial: trial && { id: trial.id, message: trial.grading_message },
    },
  };
  terminal.present({
    json: document,
    ndjson: [{ type: "check", ...document }],
    quiet: [],
    text: () => {
      terminal.answer(
        challenge.check
          ? `${what} passes the check of ${id}. No slot was charged.`
          : `${id} has no check. ${what} is of a type that it accepts.`,
      );
      for (const one of passed) terminal.answer(`${terminal.style.green(terminal.symbols.done)} ${one}`);
    },
  });
  for (const one of skipped) terminal.note(`Not checked: ${one}.`);
  if (trial?.grading_message) terminal.note(`Evaluator: ${plainText(trial.grading_message)}`);
}
