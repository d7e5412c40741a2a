import { CrowdaiError, type ErrorBody, type Submission } from "@crowdai/shared";

/** A submission that has its grade. */
export type Grade = Submission & { state: "graded"; score: number };

/**
 * The grade of a final submission. Throws the submission's own error (rejected, evaluator_crashed, cancelled, …), with
 * the submission in details.submission.
 */
export function requireGrade(submission: Submission): Grade {
  return requireGraded(submission) as Grade;
}

/** The same for functions other than `submit`, which may return data without a score. */
export function requireGraded(submission: Submission): Submission & { state: "graded" } {
  if (submission.state === "graded") return submission as Submission & { state: "graded" };
  throw failureOf(submission);
}

function failureOf(submission: Submission): CrowdaiError {
  const { id, state } = submission;
  const details = { submission };
  if (state === "cancelled")
    return new CrowdaiError("cancelled", `Submission ${id} was cancelled.`, { details });
  const body: Pick<ErrorBody, "code" | "message"> & Partial<ErrorBody> = submission.error ?? {
    code: "unexpected",
    message: `Submission ${id} ended as ${state} without saying why.`,
  };
  return CrowdaiError.fromBody({ ...body, details: { ...body.details, ...details } });
}

/**
 * A wait that broke after the submission was accepted is no failed submission: says so, and how to come back to it.
 */
export function afterAcceptance(failure: unknown, id: string): unknown {
  if (!(failure instanceof CrowdaiError)) return failure;
  const said: Partial<Record<string, string>> = {
    broker_lost: `The connection to the broker was lost, but submission ${id} was accepted and goes on.`,
    broker_unreachable: `The broker cannot be reached any more, but submission ${id} was accepted and goes on.`,
    interrupted: `Interrupted. Submission ${id} was accepted and goes on.`,
  };
  const message = said[failure.code];
  if (!message) return failure;
  return new CrowdaiError(failure.code, message, {
    next: `Reattach with \`crowdai watch ${id}\`.`,
    details: { ...failure.details, submission: id, accepted: true },
    cause: failure.cause,
  });
}

/** A fault of the way there: nothing says that the submission was accepted, and its id makes trying again safe. */
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

/** Whether a score reaches a wanted one, in the challenge's order. */
export function reaches(score: number, wanted: number, order: "descending" | "ascending"): boolean {
  return order === "descending" ? score >= wanted : score <= wanted;
}
