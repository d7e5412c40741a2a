import { CrowdaiError, type Limits, type Submission } from "@crowdai/shared";
import { ensureAgreement } from "../agreement/ask-agreement.ts";
import { chosenChallenge } from "../config/settings.ts";
import type { Context } from "../context.ts";
import { checkRound } from "../submit/checks.ts";
import { type ModelToSend, prepareModels } from "../submit/models.ts";
import type { PreparedCode } from "../submit/prepare-code.ts";
import { submitResumable } from "../submit/resumable.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { makePlan, type Plan, planLines } from "./submission/dry-run-plan.ts";
import { type Prepared, prepareInput } from "./submission/prepare-input.ts";
import { readNamedInput } from "./submission/read-input.ts";
import { withOutcome } from "./submission/report-code.ts";
import { reportFailure, reportGrade, slotsText } from "./submission/report-grade.ts";
import { createProgressView, type ProgressView } from "./submission/show-progress.ts";
import { fileAfterCode, type SubmissionCode, startSubmissionCode } from "./submission/submission-code.ts";
import { submissionDocument } from "./submission/submission-document.ts";

export interface SubmitFlags {
  json?: string;
  challenge?: string;
  round?: string;
  message?: string;
  wait?: boolean;
  timeout?: number;
  minScore?: number;
  dryRun?: boolean;
  code?: string | boolean;
  publish?: boolean;
  allowSecrets?: boolean;
  model?: string[];
}

export async function submit(
  context: Context,
  named: { file?: string },
  given: SubmitFlags,
): Promise<number> {
  const { settings, terminal } = context;
  const { args, flags } = fileAfterCode(context, named, given);
  if (flags.wait === false && flags.minScore !== undefined)
    throw new CrowdaiError("usage", "--min-score needs the grade, and --no-wait does not wait for it.");
  const input = await readNamedInput({ file: args.file, json: flags.json, cwd: context.cwd });
  const wanted = chosenChallenge(settings, flags.challenge);

  const view = createProgressView(terminal);
  let opened: CommandSession | undefined;
  let prepared: Prepared | undefined;
  let code: SubmissionCode | undefined;
  try {
    await context.key();
    view.say(`Submitting ${inWords(args.file)} to ${wanted}`);
    opened = await openCommandSession(context, wanted);
    const { challenge: found, limits } = opened.session.opening;
    const challenge = found!;
    const round = checkRound(challenge, flags.round);
    if (flags.publish && flags.code !== false) await askToPublish(context, opened, view);
    code = startSubmissionCode(context, opened, flags, view);
    prepared = await prepareInput(context, input, challenge, view);
    const along = await code.taken();
    const { offered, offer } = prepared;
    const files = (flags.model ?? []).map((file) => ({ file }));
    const onProgress = (done: number, total: number) => view.progress({ stage: "hashing", done, total });
    const { cwd, signal } = context;
    const models = await prepareModels(challenge, files, { cwd, signal, onProgress });

    if (flags.dryRun) {
      const facts = {
        broker: settings.broker,
        challenge,
        round,
        message: flags.message,
        limits,
        offered,
        code: code.plan(),
        models,
      };
      return showPlan(context, makePlan({ ...facts, sha256: offer.sha256 }), view);
    }
    // They belong to the open round.
    if (limits && (flags.round === undefined || round?.id === challenge.round)) showLimits(context, limits);
    code.tell();
    const submission = await perform(context, opened, { offer, models, code: along }, flags, view);
    // A document is printed once, and tells of the code too.
    if (flags.wait === false || terminal.format !== "text") await code.settled();
    view.stop();
    const arrived = withOutcome(submission, await code.outcomeSoFar());
    if (flags.wait === false) return showAccepted(context, arrived);
    return await reportGrade(context, { challenge, submission: arrived, minScore: flags.minScore });
  } catch (failure) {
    view.stop();
    throw explainInterruption(failure);
  } finally {
    await code?.finish();
    opened?.session.close();
    await prepared?.[Symbol.asyncDispose]();
  }
}

/** Before anything is sent, so that a refusal costs nothing. */
async function askToPublish(
  context: Context,
  { session }: CommandSession,
  view: ProgressView,
): Promise<void> {
  if (session.opening.agreed) return;
  view.stop();
  await ensureAgreement(context, false);
}

/** Submits and waits. A command that broke before its submission was accepted is taken up again where it left off. */
async function perform(
  context: Context,
  { session, route }: CommandSession,
  {
    offer,
    models,
    code,
  }: Pick<Prepared, "offer"> & { models: ModelToSend[]; code: PreparedCode | undefined },
  flags: SubmitFlags,
  view: ProgressView,
): Promise<Submission> {
  const { settings, terminal } = context;
  const { round, message, wait, timeout } = flags;
  try {
    return await submitResumable(session, offer, {
      ...route,
      journal: { folder: settings.configDir, http: await context.http() },
      round,
      message,
      code,
      publish: flags.publish,
      models,
      wait,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      onProgress: view.progress,
      onEvent: view.event,
      onPlace: view.place,
      onResumed: (id) => terminal.note(`Going on with submission ${id}, which was not finished.`),
      onFound: (parts, of) => terminal.note(`Resuming: ${parts} of ${of} parts are there already.`),
      onReplaced: (id) => terminal.note(`Submission ${id} of an earlier state of the file was cancelled.`),
      onAccepted: (accepted) => {
        if (terminal.quiet && terminal.format === "text") terminal.answer(accepted.id);
        // Without the wait the id is the answer.
        else if (wait !== false) terminal.note(`Submission ${accepted.id} accepted.`);
      },
    });
  } catch (failure) {
    view.stop();
    reportFailure(context, failure instanceof CrowdaiError ? failure : undefined);
    throw failure;
  }
}

function showPlan({ terminal }: Context, plan: Plan, view: ProgressView): number {
  view.stop();
  terminal.present({
    json: { dry_run: true, plan },
    ndjson: [{ type: "plan", plan }],
    quiet: [],
    text: () => {
      for (const line of planLines(plan)) terminal.answer(line);
    },
  });
  return 0;
}

function showAccepted({ terminal }: Context, submission: Submission): number {
  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "result", ...submissionDocument(submission) }],
    // Printed when it was accepted.
    quiet: [],
    text: () => terminal.answer(submission.id),
  });
  terminal.next(`crowdai watch ${submission.id}`);
  return 0;
}

function showLimits({ terminal }: Context, limits: Limits): void {
  if (limits.limit) terminal.note(`Before this one: ${slotsText(limits)}`);
}

function inWords(file: string | undefined): string {
  if (file === undefined) return "a JSON value";
  return file === "-" ? "standard input" : file;
}

function explainInterruption(failure: unknown): unknown {
  if (!(failure instanceof CrowdaiError) || failure.code !== "interrupted" || failure.details) return failure;
  return new CrowdaiError("interrupted", "Interrupted. Nothing was submitted.", {
    next: "",
    cause: failure.cause,
  });
}
