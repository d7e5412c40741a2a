import { CrowdaiError, type Limits, type Submission } from "@crowdai/shared";
import { readLimits } from "../../client/http/broker-queries.ts";
import type { HttpClient } from "../../client/http/http-client.ts";

const TIMEOUT_MS = 3_000;

export interface SlotMeans {
  http: () => Promise<HttpClient>;
  signal: AbortSignal;
  /** The limits when the session began; they still hold when nothing was sent. */
  limits?: Limits | null;
}

/**
 * Adds to a refusal whether it cost a slot, as `details.slot`, and what is left, as `details.limits`. Returns
 * other failures as they are.
 */
export async function withSlot(failure: unknown, { http, signal, limits }: SlotMeans): Promise<unknown> {
  if (!(failure instanceof CrowdaiError)) return failure;
  const submission = submissionOf(failure);
  if (!submission && (failure.row.exit !== 4 || failure.details?.accepted === true)) return failure;
  const slot = submission?.slot ?? "none";
  const { code, message, next, details, cause } = failure;
  const left = submission ? await limitsOf(submission, http, signal) : (limits ?? null);
  return new CrowdaiError(code, message, { next, details: { ...details, slot, limits: left }, cause });
}

function submissionOf({ details }: CrowdaiError): Submission | null {
  const { submission } = details ?? {};
  return typeof submission === "object" ? (submission as Submission | null) : null;
}

async function limitsOf(
  { challenge, round }: Submission,
  http: SlotMeans["http"],
  signal: AbortSignal,
): Promise<Limits | null> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return await http()
    .then((client) => readLimits(client, challenge, { round, signal: within }))
    .catch(() => null);
}
