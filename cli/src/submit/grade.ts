import { CrowdaiError, type ErrorBody, type Submission } from "@crowdai/shared";

/**
 * A graded submission.
 *
 * @example
 * const grade: Grade = await challenge.submit({ predictions });
 * console.log(grade.score, grade.rank, grade.grading_message);
 */
export type Grade = Submission & { state: "graded"; score: number };

/**
 * Returns the grade of a final submission. Throws the submission's own error (rejected, evaluator_crashed,
 * cancelled, …) with the submission in details.submission.
 */
export function requireGrade(submission: Submission): Grade {
  return requireGraded(submission) as Grade;
}

/**
 * Returns the result of any evaluator function; those other than `submit` may return data without a score.
 */
export function requireGraded(submission: Submission): Submission & { state: "graded" } {
  if (submission.state === "graded") return submission as Submission & { state: "graded" };
  throw failureOf(submission);
}

function failureOf(submission: Submission): CrowdaiError {
  const { id, state } = submission;
  const details = { ...problemsOf(submission), submission };
  if (state === "cancelled")
    return new CrowdaiError("cancelled", `Submission ${id} was cancelled.`, { details });
  const body: Pick<ErrorBody, "code" | "message"> & Partial<ErrorBody> = submission.error ?? {
    code: "unexpected",
    message: `Submission ${id} ended as ${state} without an error message.`,
  };
  return CrowdaiError.fromBody({ ...body, details: { ...body.details, ...details } });
}

/** Returns what a check found, which is stored as the data of the submission. */
function problemsOf({ error, data }: Submission): object {
  if (error?.code !== "check_failed" || typeof data !== "object" || data === null) return {};
  const { problems, total } = data as { problems?: unknown; total?: unknown };
  return { problems, total };
}

/**
 * Explains a wait that broke after the submission was accepted: the submission continues, and how to
 * reattach.
 */
export function afterAcceptance(failure: unknown, id: string): unknown {
  if (!(failure instanceof CrowdaiError)) return failure;
  const messages: Partial<Record<string, string>> = {
    broker_lost: `The connection to the broker was lost. Submission ${id} was accepted and continues.`,
    broker_unreachable: `The broker became unreachable. Submission ${id} was accepted and continues.`,
    interrupted: `Interrupted. Submission ${id} was accepted and continues.`,
  };
  const message = messages[failure.code];
  if (!message) return failure;
  return new CrowdaiError(failure.code, message, {
    next: `Run \`crowdai watch ${id}\` to reattach, or \`crowdai cancel ${id}\` to cancel it.`,
    details: { ...failure.details, submission: id, accepted: true },
    cause: failure.cause,
  });
}

/**
 * Explains a lost connection to a submission that was accepted: the submit succeeded, and only its grade is
 * missing. Returns any other failure as it is.
 */
export function afterLostWatch(failure: unknown): unknown {
  if (!(failure instanceof CrowdaiError) || failure.details?.accepted !== true) return failure;
  if (failure.code !== "broker_lost" && failure.code !== "broker_unreachable") return failure;
  const { code, message, next, details } = failure;
  return new CrowdaiError("still_pending", message, {
    next,
    details: { ...details, cause: code },
    cause: failure,
  });
}

/** Explains a connection that broke before the submission was accepted; its id makes it safe to try again. */
export function beforeAcceptance(failure: unknown, id: string): unknown {
  if (!(failure instanceof CrowdaiError)) return failure;
  if (!["broker_lost", "broker_unreachable", "store_unreachable", "interrupted"].includes(failure.code))
    return failure;
  const { code, message, details, cause } = failure;
  const next =
    code === "interrupted"
      ? "It was not accepted yet. Submit again: nothing is counted twice."
      : "Submit again: nothing is counted twice.";
  return new CrowdaiError(code, message, {
    next,
    details: { ...details, submission: id, accepted: false },
    cause,
  });
}

/** Whether a score is at least as good as a minimum, in the order of the challenge. */
export function meetsMinimum(score: number, minimum: number, order: "descending" | "ascending"): boolean {
  return order === "descending" ? score >= minimum : score <= minimum;
}
