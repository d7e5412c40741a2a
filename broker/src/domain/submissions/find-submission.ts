import { CrowdaiError } from "@crowdai/shared";
import type { Transaction, Updateable } from "kysely";
import type { Db, Records } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { SubmissionRow, Tables } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";

export const submissionWithId = lookup((db, { id }: { id: string }) =>
  db.selectFrom("submissions").selectAll().where("id", "=", id),
);

export const writeSubmission = statement(
  (trx, { id, ...changed }: { id: string } & Updateable<Tables["submissions"]>) =>
    trx.updateTable("submissions").set(changed).where("id", "=", id),
);

/** The caller's own submission, or for an organiser one of their challenges'. Throws submission_unknown: what is not yours is not told. */
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

/** The caller's own submission with this id; undefined while there is none. Throws id_conflict when it is somebody else's. */
export async function findFreeOrOwn(db: Db, caller: Caller, id: string): Promise<SubmissionRow | undefined> {
  const row = await submissionWithId(db, { id });
  if (row && row.participant_id !== caller.id) throw idTaken(id);
  return row;
}

const idTaken = (id: string): CrowdaiError =>
  new CrowdaiError("id_conflict", `The id "${id}" was already used for something else.`);

/** Throws id_conflict when one of the ids is somebody else's. */
export async function requireFreeOrOwn(db: Db, caller: Caller, ids: string[]): Promise<void> {
  const taken = await db
    .selectFrom("submissions")
    .select("id")
    .where("id", "in", ids)
    .where("participant_id", "!=", caller.id)
    .executeTakeFirst();
  if (taken) throw idTaken(taken.id);
}

/** The submission, which nobody else changes until the transaction ends. */
export async function lockSubmission(
  records: Records,
  trx: Transaction<Tables>,
  id: string,
): Promise<SubmissionRow> {
  const row = await records.lockSubmission(trx, id);
  if (row) return row;
  throw new CrowdaiError("submission_unknown", `There is no submission "${id}" at this broker.`);
}

/** Name of the lock under which one participant's slots and standings in a challenge change. */
export const participantLock = (row: { participant_id: number; challenge: string }): string =>
  `participant:${row.participant_id}:${row.challenge}`;

/** Name of the lock that one grade's change to a challenge's standings shares, and that a change to all of them has alone. */
export const standingsLock = (challenge: string): string => `standings:${challenge}`;
