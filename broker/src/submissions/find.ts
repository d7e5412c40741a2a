import { CrowdaiError } from "@crowdai/shared";
import type { Caller } from "../participants/keys.ts";
import type { Db } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";

/** The caller's own submission, or for an organiser one of their challenges'. Throws submission_unknown: what is not yours is not told. */
export async function findSubmission(db: Db, caller: Caller, id: string): Promise<SubmissionRow> {
  const row = await db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
  if (row && (await maySee(db, caller, row))) return row;
  throw new CrowdaiError(
    "submission_unknown",
    `There is no submission "${id.slice(0, 64)}" of yours at this broker.`,
  );
}

async function maySee(db: Db, caller: Caller, row: SubmissionRow): Promise<boolean> {
  if (caller.kind === "participant") return row.participant_id === caller.id;
  const scope = await db
    .selectFrom("organizer_challenges")
    .select("challenge")
    .where("organizer_id", "=", caller.id)
    .where("challenge", "=", row.challenge)
    .executeTakeFirst();
  return scope !== undefined;
}

/** Throws id_conflict when one of the ids is somebody else's. */
export async function requireFreeOrOwn(db: Db, caller: Caller, ids: string[]): Promise<void> {
  const taken = await db
    .selectFrom("submissions")
    .select("id")
    .where("id", "in", ids)
    .where("participant_id", "!=", caller.id)
    .executeTakeFirst();
  if (taken)
    throw new CrowdaiError("id_conflict", `The id "${taken.id}" was already used for something else.`);
}
