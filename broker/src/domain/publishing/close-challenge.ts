import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { findClosure } from "../challenges/find-closure.ts";
import { closingLock, countAwaited, publishDue } from "./publish-due.ts";

/** The code that became public when a challenge closed, and whether readers can see all of it yet. */
export interface ClosedChallenge {
  challenge: string;
  closed_at: string;
  /** Number of public submissions, and of their participants. */
  submissions: number;
  participants: number;
  /** Submissions to be published that are not finished yet; they follow automatically. */
  awaited: number;
  /** Whether the repositories are visible to readers. */
  shown: boolean;
  /** Why a code host does not show them, where known. */
  problems: string[];
}

/**
 * Closes a challenge: the code that participants chose becomes public, and no choice can be withdrawn.
 * Closing it again only publishes what is still due. Throws challenge_running while a round is open or
 * upcoming, unless `force` is given.
 */
export async function closeChallenge(
  records: Records,
  config: ChallengeConfig | null,
  challenge: string,
  { force, now }: { force: boolean; now: Date },
): Promise<void> {
  const running = config?.rounds.find((round) => roundState(round, now) !== "ended");
  if (running && !force && !(await findClosure(records.db, challenge)))
    throw new CrowdaiError(
      "challenge_running",
      running.ends_at === null
        ? `Round "${running.id}" of ${challenge} has no end.`
        : `Round "${running.id}" of ${challenge} ends on ${running.ends_at}.`,
    );
  await commit(records, "close-challenge", async (trx) => {
    await records.lock(trx, closingLock(challenge));
    await trx
      .insertInto("closures")
      .values({ challenge, closed_at: iso(now), version: 0, shown: 0 })
      .onConflict((conflict) => conflict.column("challenge").doNothing())
      .execute();
  });
  await publishDue(records, challenge, now);
}

export async function readClosed(db: Db, challenge: string): Promise<ClosedChallenge | null> {
  const closure = await findClosure(db, challenge);
  if (!closure) return null;
  const { submissions, participants } = await db
    .selectFrom("submissions")
    .select(({ fn }) => [
      fn.countAll<number>().as("submissions"),
      fn.count<number>("participant_id").distinct().as("participants"),
    ])
    .where("challenge", "=", challenge)
    .where("published_at", "is not", null)
    .executeTakeFirstOrThrow();
  const problems = await db
    .selectFrom("shown_repositories")
    .select("problem")
    .distinct()
    .where("challenge", "=", challenge)
    .where("problem", "is not", null)
    .limit(5)
    .execute();
  return {
    challenge,
    closed_at: closure.closed_at,
    submissions: Number(submissions),
    participants: Number(participants),
    awaited: await countAwaited(db, challenge),
    shown: closure.shown === closure.version,
    problems: problems.map(({ problem }) => problem as string),
  };
}

/** Throws challenge_closed when a challenge was closed before its open round ended. */
export async function requireNotClosed(db: Db, challenge: string): Promise<void> {
  const closure = await findClosure(db, challenge);
  if (closure)
    throw new CrowdaiError("challenge_closed", `${challenge} was closed on ${closure.closed_at}.`, {
      next: "See its leaderboard with `crowdai leaderboard`.",
    });
}
