import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, roundNumber } from "@crowdai/shared/challenge-folder";
import { z } from "zod";
import type { Db } from "../../records/records.ts";
import type { ReplayedSession } from "../environments/replayed-session.ts";
import { stepLogOf } from "../environments/step-log.ts";
import type { Caller } from "../participants/api-keys.ts";
import type { TargetRound } from "../rules/target-round.ts";
import { findSubmission } from "./find-submission.ts";

const replaySchema = z.strictObject({ submission: z.string().min(1).max(64) });

/**
 * Plans the replay of one of the caller's own submissions, in its own round. Throws usage unless its steps
 * are stored, and submission_unknown.
 */
export async function planReplay(
  db: Db,
  config: ChallengeConfig,
  caller: Caller,
  data: unknown,
): Promise<{ target: TargetRound; input_data: string }> {
  const named = replaySchema.safeParse(data);
  if (!named.success)
    throw new CrowdaiError("usage", `A replay names the submission: ${z.prettifyError(named.error)}`);
  const row = await findSubmission(db, caller, named.data.submission);
  if (row.challenge !== config.id)
    throw new CrowdaiError("usage", `${row.id} is a submission to ${row.challenge}, not to ${config.id}.`);
  const log = stepLogOf(row);
  if (log === null)
    throw new CrowdaiError("usage", `No steps of ${row.id} are stored. It is ${row.state}.`, {
      next: "Replay a submission that has ended, and whose agent has played.",
    });
  const round = config.rounds.find(({ id }) => id === row.round);
  if (!round) throw new CrowdaiError("round_unknown", `${config.id} has no round "${row.round}" any more.`);
  const replayed: ReplayedSession = { submission: row.id, log };
  return {
    target: { round, number: roundNumber(config, round.id), postChallenge: row.post_challenge === 1 },
    input_data: JSON.stringify(replayed),
  };
}
