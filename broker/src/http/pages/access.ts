import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { ServedChallenge } from "../../domain/challenges/catalog.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isInvited } from "../../domain/rules/is-invited.ts";
import { accessToSubmission, isOrganizerOf, type SubmissionAccess } from "../../domain/rules/visibility.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";

/** What a reader is to a challenge. */
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

/** The challenges that the reader may know of. */
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

/** Throws challenge_unknown for a private one too: whether it exists is not told, and no id is suggested. */
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
  throw new CrowdaiError("challenge_unknown", "There is no challenge at this address, or it is private.", {
    next: caller ? "See the list of challenges." : "See the list of challenges, or sign in.",
  });
}

/** Whether the leaderboard is shown: where it is withheld, to its organisers alone. */
export const seesBoard = (config: ChallengeConfig, role: Role) =>
  config.visibility.leaderboard || role === "organizer";

/** The submission, and as whom the reader sees it. Throws submission_unknown: what is not shown is not told. */
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
  throw new CrowdaiError("submission_unknown", "There is no submission at this address that you may see.", {
    next: caller ? "See your own submissions." : "Sign in to see your own.",
  });
}
