import { CrowdaiError, checkValue, isExactNumber, quoted } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { z } from "zod";
import type { Caller } from "../domain/participants/api-keys.ts";
import { requireVisible } from "../domain/rules/visibility.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { type AuthenticateRequest, type ExecuteRequest, gradeEntrySchema } from "./messages.ts";

/** One job of a call: an uploaded file, or a value. */
export type PlannedJob = {
  function: string;
  dryRun: boolean;
  round: string | null;
} & ({ fileKey: string } | { value: unknown });

/** Returns the challenge that a call names. Throws usage when it names none. */
export function challengeOf(request: ExecuteRequest): string {
  const named = request.challenge_client_name || request.challenge_id || request.grader_id;
  if (named) return named;
  throw new CrowdaiError("usage", "Neither challenge_id nor challenge_client_name names a challenge.");
}

/**
 * Throws what modern clients receive for a challenge that is unknown, or private to the caller. A client that
 * names its challenge only in its calls is admitted.
 */
export async function requireLegacyChallenge(
  context: Needs<"catalog" | "records">,
  caller: Caller,
  request: AuthenticateRequest,
): Promise<void> {
  const named = request.challenge_client_name || request.challenge_id;
  if (named) await requireVisible(context, context.catalog.get(named).config, caller);
}

/** Returns the jobs of a call, in the order of its data. Throws usage for a malformed entry. */
export function planCall(config: ChallengeConfig, request: ExecuteRequest): PlannedJob[] {
  const common = { dryRun: request.dry_run, round: null };
  if (request.function_name === "grade_submission")
    return request.data.map((entry, index) => plannedFile(config, request, entry, index));
  if (request.function_name === "submit" && isOneVector(config, request.data))
    return [{ ...common, function: "submit", value: request.data }];
  return request.data.map((value) => ({ ...common, function: request.function_name, value }));
}

function plannedFile(
  config: ChallengeConfig,
  request: ExecuteRequest,
  entry: unknown,
  index: number,
): PlannedJob {
  const read = gradeEntrySchema.safeParse(entry);
  if (!read.success)
    throw new CrowdaiError("usage", `data[${index}]: ${z.prettifyError(read.error).replace(/\n\s*/g, " ")}`);
  const { file_key, round, small_test } = read.data;
  // A challenge with a small test set has a function of this name; for other challenges the flag means
  // nothing.
  const isSmall = small_test === true && config.evaluator.functions.includes("small_test");
  return {
    function: isSmall ? "small_test" : "submit",
    dryRun: request.dry_run,
    round: round === undefined || round === null ? null : String(round),
    fileKey: file_key,
  };
}

/**
 * Some clients send a vector itself as the list and mean one submission: numbers that are valid only
 * together.
 */
function isOneVector(config: ChallengeConfig, data: unknown[]): boolean {
  return data.every((entry) => typeof entry === "number" || isExactNumber(entry)) && isAccepted(config, data);
}

function isAccepted(config: ChallengeConfig, value: unknown): boolean {
  try {
    checkValue(value, config.accepts.json?.schema);
    return true;
  } catch {
    return false;
  }
}

/** Throws usage for a call of another session. */
export function requireSession(
  request: ExecuteRequest,
  session: { token: string; key: string } | null,
): void {
  if (!session) throw new CrowdaiError("usage", "Authenticate before calling a function.");
  if (request.session_token !== session.token)
    throw new CrowdaiError("usage", "The session token does not belong to this connection.");
  if (request.api_key !== session.key)
    throw new CrowdaiError("usage", "The api_key is not the one that this connection authenticated with.");
}

/** Returns the error for an event whose message does not have the right form. */
export function formError(event: string, error: z.ZodError): CrowdaiError {
  const places = error.issues.map(
    ({ path, message }) => `${quoted(path.join(".") || "message")}: ${message}`,
  );
  return new CrowdaiError("usage", `${event}: ${places.slice(0, 5).join("; ")}`);
}
