import { sql } from "kysely";
import { iso } from "../clock.ts";
import type { Db } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import type { SubmissionContext } from "../submissions/context.ts";

export interface Waiting {
  /** Place in line; 1 is next. */
  place: number;
  /** Why it waits, when nothing can grade it right now. */
  reason: string | null;
  /** When grading should begin; null when that cannot be said. */
  expectedAt: string | null;
}

type Asking = Pick<SubmissionContext, "graders" | "gradingTimes" | "clock" | "dispatchStalled">;

/** How a submitted submission stands in its challenge's line. */
export async function readWaiting(
  context: Asking,
  db: Db,
  { challenge, number }: Pick<SubmissionRow, "number" | "challenge">,
): Promise<Waiting> {
  const { ahead } = await db
    .selectFrom("submissions")
    .select(sql<number>`count(*)`.as("ahead"))
    .where("challenge", "=", challenge)
    // Written out, and not as parameters, so that both databases see that the index of the line applies.
    .where(sql<boolean>`state = 'submitted' and outside_status is null`)
    .where("number", "<", number)
    .executeTakeFirstOrThrow();
  return waitingAt(context, challenge, Number(ahead) + 1);
}

/** The same for a known place in the challenge's line. */
export async function waitingAt(context: Asking, challenge: string, place: number): Promise<Waiting> {
  const serving = await context.graders.serving(challenge);
  const now = context.clock();
  // Asked first: a queue that is away knows of no grader either.
  if (context.dispatchStalled()) return { place, reason: "waiting for dispatch", expectedAt: null };
  if (serving.length === 0) {
    const since = utcTime(context.graders.lastSeen(challenge), now);
    return { place, reason: `no grader serves ${challenge} since ${since}`, expectedAt: null };
  }
  const each = context.gradingTimes.meanMs(challenge);
  const atOnce = serving.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const expectedAt = each === null ? null : iso(now.getTime() + (each * place) / atOnce);
  return { place, reason: null, expectedAt };
}

/** `14:02 UTC`; with its date when that is not today's. */
export function utcTime(time: Date, now: Date): string {
  const [day, clock] = iso(time).split("T") as [string, string];
  const short = `${clock.slice(0, 5)} UTC`;
  return iso(now).startsWith(day) ? short : `${day} ${short}`;
}
