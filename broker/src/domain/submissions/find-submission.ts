import { CrowdaiError } from "@crowdai/shared";
import type { Transaction, Updateable } from "kysely";
import { SUBMISSION_COLUMNS } from "../../records/columns.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { SubmissionRow, Tables } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { idTaken } from "./described-input.ts";

export const submissionWithId = lookup((db, { id }: { id: string }) =>
  db.selectFrom("submissions").select(SUBMISSION_COLUMNS).where("id", "=", id),
);

export const writeSubmission = statement(
  (trx, { id, ...changed }: { id: string } & Updateable<Tables["submissions"]>) =>
    trx.updateTable("submissions").set(changed).where("id", "=", id),
);

/**
 * Returns the caller's own submission or, for an organizer, one of their challenges. Throws
 * submission_unknown, also for submissions that the caller may not see.
 */
export async function findSubmission(db: Db, caller: Caller, id: string): Promise<SubmissionRow> {
  const row = await submissionWithId(db, { id });
  if (row && (await maySee(db, caller, row))) return row;
  throw submissionUnknown(id);
}

export const submissionUnknown = (id: string): CrowdaiError =>
  new CrowdaiError(
    "submission_unknown",
    `There is no submission "${id.slice(0, 64)}" of yours at this broker.`,
  );

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

/**
 * Returns the caller's own submission with this id; undefined when there is none. Throws id_conflict when it
 * belongs to another participant.
 */
export async function findFreeOrOwn(db: Db, caller: Caller, id: string): Promise<SubmissionRow | undefined> {
  const row = await submissionWithId(db, { id });
  if (row && row.participant_id !== caller.id) throw idTaken(id);
  return row;
}

/** Throws id_conflict when one of the ids belongs to another participant. */
export async function requireFreeOrOwn(db: Db, caller: Caller, ids: string[]): Promise<void> {
  const taken = await db
    .selectFrom("submissions")
    .select("id")
    .where("id", "in", ids)
    .where("participant_id", "!=", caller.id)
    .executeTakeFirst();
  if (taken) throw idTaken(taken.id);
}

/** Returns the submission, locked until the transaction ends. */
export async function lockSubmission(
  records: Records,
  trx: Transaction<Tables>,
  id: string,
): Promise<SubmissionRow> {
  const row = await records.lockSubmission(trx, id);
  if (row) return row;
  throw new CrowdaiError("submission_unknown", `There is no submission "${id}" at this broker.`);
}

/** Returns the name of the lock for one participant's slots and standings in a challenge. */
export const participantLock = (row: { participant_id: number; challenge: string }): string =>
  `participant:${row.participant_id}:${row.challenge}`;

/**
 * Returns the name of the lock that grades share and that a change to all standings of a challenge holds
 * exclusively.
 */
export const standingsLock = (challenge: string): string => `standings:${challenge}`;
