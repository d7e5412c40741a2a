import { CrowdaiError, type PublicChallenge, type Submission } from "@crowdai/shared";
import { ensureAgreement } from "../agreement/ask-agreement.ts";
import type { HttpClient } from "../client/http/http-client.ts";
import { chosenChallenge } from "../config/settings.ts";
import { withOutcome } from "../snapshot/send/code-outcome.ts";
import { requireCodeAccepted, runsCode } from "../submit/check-input.ts";
import { checkRound } from "../submit/check-round.ts";
import { inputOfCode } from "../submit/code-input.ts";
import { afterLostWatch } from "../submit/grade.ts";
import { type ModelToSend, prepareModels } from "../submit/models.ts";
import type { PreparedCode } from "../submit/prepare-code.ts";
import { submitResumable } from "../submit/resumable.ts";
import type { SubmissionInput } from "../submit/submission-input.ts";
import { slotsText } from "../terminal/slots-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { fileAfterCode, type SubmissionCode, startSubmissionCode } from "./code/submission-code.ts";
import type { CommandContext } from "./handler.ts";
import { modelFiles } from "./input/model-files.ts";
import { type Prepared, prepareInput } from "./input/prepare-input.ts";
import { inputText, missingInput, readNamedInput } from "./input/read-input.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { makePlan, type Plan, planLines } from "./submission/dry-run-plan.ts";
import type { Facts } from "./submission/facts.ts";
import { reportFailure, reportGrade } from "./submission/report-grade.ts";
import { createProgressView, type ProgressView } from "./submission/show-progress.ts";
import { withSlot } from "./submission/slot-of-failure.ts";
import { SUBMISSION_FIELDS, submissionDocument } from "./submission/submission-document.ts";
import type { SubmitFlags } from "./submit-flags.ts";

/** Submits a file or a value, waits for the grade unless told not to, and prints it. */
export async function submit(
  context: CommandContext,
  named: { file?: string },
  given: SubmitFlags,
): Promise<number> {
  if (given.spool !== undefined)
    return (await import("./seal.ts")).seal(context, named, { ...given, spool: given.spool });
  // The option may come from the environment, for all submissions.
  if (given.notify && given.wait !== false) {
    const { notifyEnd } = await import("./notify/notify-end.ts");
    return notifyEnd(context, () => submit(context, named, { ...given, notify: false }));
  }
  const { io, connection, terminal, facts } = context;
  const { settings } = connection;
  const { cwd, signal } = io;
  terminal.requireFields([...SUBMISSION_FIELDS, "dry_run", "plan"]);
  const { args, flags } = fileAfterCode(cwd, named, given);
  facts.file = args.file ?? null;
  if (flags.wait === false && flags.minScore !== undefined)
    throw new CrowdaiError("usage", "--min-score needs the grade, which --no-wait does not wait for.");
  // The code may be the input: only the broker knows whether the challenge runs code.
  const mayBeCode = (flags.code ?? settings.project) && args.file === undefined && flags.json === undefined;
  const input = mayBeCode ? null : await readNamedInput({ file: args.file, json: flags.json, cwd });
  const wanted = chosenChallenge(settings, flags.challenge);

  const view = createProgressView(terminal);
  let opened: CommandSession | undefined;
  let prepared: Prepared | undefined;
  let modelInput: Awaited<ReturnType<typeof modelFiles>> | undefined;
  let code: SubmissionCode | undefined;
  try {
    await connection.key();
    view.say(`Submitting ${input ? inputText(args) : "the code"} to ${wanted}`);
    opened = await openCommandSession(connection, io, wanted, {
      onConnection: view.connection,
    });
    const { challenge: found, limits, agreed } = opened.session.opening;
    const challenge = found!;
    facts.challenge = challenge;
    if (!input && !challenge.run && !challenge.environment) throw missingInput();
    if (!input) requireCodeAccepted(challenge);
    if (input && (challenge.run || challenge.environment)) throw runsCode(challenge);
    const round = checkRound(challenge, flags.round);
    const http = await connection.http();
    if (flags.publish && flags.code !== false && !agreed) {
      // Before anything is sent, so that a refusal costs nothing.
      view.stop();
      await ensureAgreement({ io, terminal, http, broker: settings });
    }
    code = startSubmissionCode(opened, flags, { io, connection, terminal, view, isInput: !input });
    if (input) {
      const checking = flags.check === false ? undefined : http;
      prepared = await prepareInput(input, challenge, { io, terminal, view, http: checking });
      for (const one of prepared.report.skipped) terminal.note(`Not checked here: ${one}.`);
    }
    const preparedCode = await code.taken();
    const { offered, offer } = prepared ?? offeredCode(challenge, preparedCode!, code.command());
    modelInput = await modelFiles(flags.model ?? [], challenge, io, input?.from === "stdin");
    const onProgress = (done: number, total: number) => view.progress({ stage: "hashing", done, total });
    const models = await prepareModels(challenge, modelInput.files, { cwd, signal, onProgress });

    if (flags.dryRun) {
      facts.dryRun = true;
      const planned = {
        broker: settings.broker,
        challenge,
        round,
        message: flags.message,
        limits,
        offered,
        code: code.plan(),
        command: code.command() ?? undefined,
        models,
      };
      view.stop();
      // Code has the git object name of its tree.
      const sha256 = input ? offer.sha256 : preparedCode!.snapshot.tree;
      return showPlan(terminal, await makePlan({ ...planned, sha256, checks: prepared?.report.passed }));
    }
    // The limits are those of the open round.
    if (limits?.limit && (flags.round === undefined || round?.id === challenge.round))
      terminal.note(`Submissions left before this one: ${slotsText(limits)}`);
    code.report();
    const work = { offer, models, code: preparedCode, journal: { folder: settings.configDir, http } };
    const submission = await perform(opened, work, flags, { terminal, view, facts, signal });
    // A document is printed only once, and includes the state of the code. Code that was run has arrived.
    if (flags.wait === false || terminal.format !== "text" || !input) await code.settled();
    view.stop();
    const arrived = withOutcome(submission, code.outcomeSoFar());
    facts.submission = arrived;
    if (flags.wait === false) return showAccepted(terminal, arrived);
    const { minScore } = flags;
    const shown = { submission: arrived, minScore, isIdPrinted: true };
    return await reportGrade({ terminal, facts, http, signal, challenge, ...shown });
  } catch (failure) {
    view.stop();
    const { limits } = opened?.session.opening ?? {};
    // The failure of a submission has its slot already.
    const hasSlot = failure instanceof CrowdaiError && failure.details?.slot !== undefined;
    throw explainInterruption(
      hasSlot || !opened ? failure : await withSlot(failure, { http: connection.http, signal, limits }),
    );
  } finally {
    await code?.finish();
    opened?.session.close();
    await prepared?.[Symbol.asyncDispose]();
    await modelInput?.[Symbol.asyncDispose]();
  }
}

interface Work {
  offer: SubmissionInput;
  models: ModelToSend[];
  code: PreparedCode | undefined;
  journal: { folder: string; http: HttpClient };
}

/** Submits and waits. Continues a submission that an earlier command could not get accepted. */
async function perform(
  { session, route }: CommandSession,
  { offer, ...work }: Work,
  { round, message, wait, timeout, publish }: SubmitFlags,
  {
    terminal,
    view,
    facts,
    signal,
  }: { terminal: Terminal; view: ProgressView; facts: Facts; signal: AbortSignal },
): Promise<Submission> {
  const { http } = work.journal;
  try {
    return await submitResumable(session, offer, {
      ...route,
      ...work,
      round,
      message,
      publish,
      wait,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      onProgress: view.progress,
      onEvent: view.event,
      onPlace: view.place,
      onResumed: (id) => terminal.note(`Continuing the unfinished submission ${id}.`),
      onFound: (parts, of) => terminal.note(`Resuming the upload: ${parts} of ${of} parts have arrived.`),
      onReplaced: (id) => terminal.note(`Cancelled submission ${id} of an earlier version of the file.`),
      onAccepted: (accepted) => {
        terminal.about(accepted.id);
        facts.submission = accepted;
        terminal.accepted(accepted.id);
        // Without waiting, the id is the answer.
        if (wait !== false) terminal.note(`Submission ${accepted.id} accepted.`);
      },
    });
  } catch (thrown) {
    view.stop();
    const { limits } = session.opening;
    const failure = await withSlot(afterLostWatch(thrown), { http: async () => http, signal, limits });
    reportFailure(terminal, failure instanceof CrowdaiError ? failure : undefined);
    throw failure;
  }
}

function showPlan(terminal: Terminal, plan: Plan): number {
  terminal.present({
    json: { dry_run: true, plan },
    ndjson: [{ type: "plan", plan }],
    quiet: [],
    text: () => {
      for (const line of planLines(plan, terminal)) terminal.answer(line);
    },
  });
  return 0;
}

function showAccepted(terminal: Terminal, submission: Submission): number {
  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "result", ...submissionDocument(submission) }],
    // Printed when it was accepted.
    quiet: [],
    text: () => {
      if (!terminal.isIdAlone) terminal.answer(submission.id);
    },
    next: [`crowdai watch ${submission.id}`, `crowdai cancel ${submission.id}`],
  });
  terminal.next(`crowdai watch ${submission.id}`);
  return 0;
}

/** Offers the code itself. Throws code_invalid. */
function offeredCode(
  challenge: PublicChallenge,
  { snapshot }: PreparedCode,
  command: readonly string[] | null,
) {
  const offered = { kind: "code", name: null, size: snapshot.bytes } as const;
  return { offered, offer: inputOfCode(challenge, snapshot, command) };
}

function explainInterruption(failure: unknown): unknown {
  if (!(failure instanceof CrowdaiError) || failure.code !== "interrupted" || failure.details) return failure;
  return new CrowdaiError("interrupted", "Interrupted. Nothing was submitted.", {
    next: "",
    cause: failure.cause,
  });
}
