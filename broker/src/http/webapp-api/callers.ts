import { createHash, timingSafeEqual } from "node:crypto";
import { type Caller, identify, noCaller } from "../../domain/participants/api-keys.ts";
import { isOrganizerOf } from "../../domain/rules/visibility.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { Unauthorized } from "./webapp-errors.ts";

/** The owner of the key in the header. */
export type Manager = { kind: "admin" } | { kind: "organizer"; id: number };

/**
 * Identifies the admin, by the deployment's own key, or an organizer. Throws Unauthorized for any other key.
 */
export async function readManager(db: Db, adminKey: string | null, key: string | null): Promise<Manager> {
  if (key === null) throw new Unauthorized();
  if (adminKey !== null && isSame(key, adminKey)) return { kind: "admin" };
  const caller = await readCaller(db, key);
  if (caller?.kind !== "organizer") throw new Unauthorized();
  return { kind: "organizer", id: caller.id };
}

/** Throws Unauthorized unless the challenge is one of the manager's. */
export async function requireManagedChallenge(db: Db, manager: Manager, challenge: string): Promise<void> {
  if (!(await mayManage(db, manager, challenge))) throw new Unauthorized();
}

export async function mayManage(db: Db, manager: Manager, challenge: string): Promise<boolean> {
  return manager.kind === "admin" || isOrganizerOf(db, manager, challenge);
}

/** Throws Unauthorized unless the key is the deployment's own. */
export function requireAdmin(manager: Manager): void {
  if (manager.kind !== "admin") throw new Unauthorized();
}

const REFERENCE = /^participant-([1-9]\d{0,9})$/;

/**
 * Returns the reference that the API shows in place of a participant's key, which the broker does not store.
 */
export const participantReference = (id: number): string => `participant-${id}`;

const SUBMISSION = /^submission-([A-Za-z0-9_-]{1,64})$/;

/**
 * Finds the submission that a job factory names in place of a participant's key, which is not sent to it.
 * Null unless it belongs to a challenge that the caller manages.
 */
export async function findReferredSubmission(
  db: Db,
  manager: Manager,
  key: string,
): Promise<SubmissionRow | null> {
  const id = SUBMISSION.exec(key)?.[1];
  if (id === undefined) return null;
  const row = await db
    .selectFrom("submissions")
    .selectAll()
    .where("id", "=", id)
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    .executeTakeFirst();
  return row && (await mayManage(db, manager, row.challenge)) ? row : null;
}

/**
 * Finds the participant of a valid key, or of a submission that a job factory refers to; for the admin, also
 * of a reference to a participant with a key.
 */
export async function findParticipant(
  db: Db,
  manager: Manager,
  key: string,
): Promise<{ id: number; name: string; member?: string } | null> {
  const referred = manager.kind === "admin" ? REFERENCE.exec(key)?.[1] : undefined;
  if (referred !== undefined) return withWorkingKey(db, Number(referred));
  const submission = await findReferredSubmission(db, manager, key);
  if (submission) return readParticipant(db, submission.participant_id);
  const caller = await readCaller(db, key);
  return caller?.kind === "participant" ? caller : null;
}

async function readParticipant(db: Db, id: number): Promise<{ id: number; name: string } | null> {
  const row = await db
    .selectFrom("participants")
    .select(["id", "name"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

async function withWorkingKey(db: Db, id: number): Promise<{ id: number; name: string } | null> {
  if (id > 2 ** 31 - 1) return null;
  const row = await db
    .selectFrom("participants")
    .select(["id", "name"])
    .where("id", "=", id)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("api_keys")
          .select("hash")
          .where("owner", "=", "participant")
          .whereRef("owner_id", "=", "participants.id")
          .where("revoked_at", "is", null),
      ),
    )
    .executeTakeFirst();
  return row ?? null;
}

/** Returns null for a key that is unknown, mistyped or revoked. */
const readCaller = (db: Db, key: string): Promise<Caller | null> => identify(db, key).catch(noCaller);

const digest = (text: string) => createHash("sha256").update(text).digest();
const isSame = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));
