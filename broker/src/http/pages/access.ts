import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { ServedChallenge } from "../../domain/challenges/catalog.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isInvited } from "../../domain/rules/is-invited.ts";
import { accessToSubmission, isOrganizerOf, type SubmissionAccess } from "../../domain/rules/visibility.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** A reader's relation to a challenge. */
export type Role = "anyone" | "invited" | "organizer";

export async function roleOf(db: Db, caller: Caller | null, config: ChallengeConfig): Promise<Role> {
  if (caller === null) return "anyone";
  if (caller.kind === "participant")
    return config.visibility.private && (await isInvited(db, config.id, caller.id)) ? "invited" : "anyone";
  return (await isOrganizerOf(db, caller, config.id)) ? "organizer" : "anyone";
}

const seesChallenge = (config: ChallengeConfig, role: Role) =>
  !config.visibility.private || role !== "anyone";

export interface SeenChallenge {
  challenge: ServedChallenge;
  role: Role;
}

/** Returns the challenges that the reader may see. */
export async function seenChallenges(
  { catalog, records }: Needs<"catalog" | "records">,
  caller: Caller | null,
): Promise<SeenChallenge[]> {
  const all = await Promise.all(
    [...catalog.all().values()].map(async (challenge) => ({
      challenge,
      role: await roleOf(records.db, caller, challenge.config),
    })),
  );
  return all.filter(({ challenge, role }) => seesChallenge(challenge.config, role));
}

/** Throws challenge_unknown for a private challenge too: the error does not reveal that it exists. */
export async function seenChallenge(
  { catalog, records }: Needs<"catalog" | "records">,
  caller: Caller | null,
  id: string,
): Promise<SeenChallenge> {
  const challenge = catalog.all().get(id);
  if (challenge) {
    const role = await roleOf(records.db, caller, challenge.config);
    if (seesChallenge(challenge.config, role)) return { challenge, role };
  }
  throw new CrowdaiError("challenge_unknown", "This challenge does not exist, or it is private.", {
    next: caller ? "Go to the list of challenges." : "Sign in, or go to the list of challenges.",
  });
}

/** Whether the reader sees the leaderboard; a hidden one is visible to its organizers only. */
export const seesBoard = (config: ChallengeConfig, role: Role) =>
  config.visibility.leaderboard || role === "organizer";

/**
 * Returns the submission and the reader's access to it. Throws submission_unknown for a submission that the
 * reader may not see.
 */
export async function seenSubmission(
  context: Needs<"catalog" | "records" | "clock">,
  caller: Caller | null,
  id: string,
): Promise<{ row: SubmissionRow; access: SubmissionAccess }> {
  const { records, catalog, clock } = context;
  const row = await records.db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
  const config = row && catalog.all().get(row.challenge)?.config;
  const access = row ? await accessToSubmission(records.db, config, caller, row, clock()) : null;
  if (row && access) return { row, access };
  throw new CrowdaiError("submission_unknown", "This submission does not exist, or you may not see it.", {
    next: caller ? "Go to your submissions." : "Sign in to see your submissions.",
  });
}
