import type { SubmissionEvent } from "@crowdai/shared";
import { iso } from "../../../base/clock.ts";
import { lockSubmission } from "../../../domain/submissions/find-submission.ts";
import type { Needs } from "../../../domain/submissions/services.ts";
import { writeFailure } from "../../../domain/submissions/write-outcome.ts";
import type { Db } from "../../../records/records.ts";
import type { SubmissionRow, WebappSubmissionRow } from "../../../records/tables.ts";
import { claim, dueRows } from "./outbox-rows.ts";
import { renameParticipant } from "./remote-participants.ts";
import { openKey } from "./sealed-key.ts";
import { type WebappClient, WebappRefusal, WebappUnreachable } from "./webapp-client.ts";
import { gradeForm, mediaForm, openForm, withdrawnForm } from "./webapp-forms.ts";

const AT_ONCE = 8;
const SLOWEST_MS = 300_000;
/** Clocks may differ, and the first try may have waited. */
const BEFORE_MS = 600_000;

/** What reporting outcomes uses. */
export type OutboxNeeds = Needs<"records" | "clock" | "announce" | "queue" | "log">;

/**
 * Tells the webapp what it was not told yet: opens what could not be opened at once, then how each submission
 * ended. In order for each submission; what fails is tried again, later each time.
 */
export function createOutbox(options: {
  context: () => OutboxNeeds;
  calls: WebappClient;
  token: string;
  firstPauseMs: number;
  /** The webapp answered. */
  answered: () => void;
}) {
  const { context, calls, token, firstPauseMs, answered } = options;
  const db = () => context().records.db;

  async function pass(): Promise<void> {
    const due = (await dueRows(db(), Date.now()))[Symbol.iterator]();
    let away = false;
    const next = async () => {
      for (const row of due) {
        if (away) return;
        away = (await reportOutcome(row)) || away;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  /** Whether the webapp turned out to be away. */
  async function reportOutcome({ submission }: WebappSubmissionRow): Promise<boolean> {
    const row = await claim(db(), submission, Date.now());
    if (!row) return false;
    try {
      await tell(row);
      answered();
      await change(submission, { claimed_until: null, tries: 0, next_try_at: null });
      return false;
    } catch (error) {
      const pause = Math.min(SLOWEST_MS, firstPauseMs * 2 ** Math.min(row.tries, 20));
      await change(submission, {
        claimed_until: null,
        tries: row.tries + 1,
        next_try_at: iso(Date.now() + pause * (0.75 + Math.random() / 2)),
      });
      if (!(error instanceof WebappUnreachable)) throw error;
      context().log.warn(
        { submission, tries: row.tries + 1, reason: error.message },
        "the webapp was not told",
      );
      return error.status === null;
    }
  }

  async function tell(row: WebappSubmissionRow): Promise<void> {
    const submission = await readSubmission(db(), row.submission);
    const number = row.number ?? (await open(row, submission));
    if (number === null) return;
    if (!submission) return withdraw(row, number);
    const form = gradeForm(submission);
    if (form === null) return;
    await refusable(row, () => calls.update(number, form));
    const media = mediaForm(submission);
    // Apart from the grade, which must not fail with them: the webapp looks for the objects in a store of its
    // own.
    if (media) await refusable(row, () => calls.update(number, media));
    await change(row.submission, { told: row.news });
  }

  /** The submission's id at the webapp; null when it has none and will get none. */
  async function open(row: WebappSubmissionRow, submission: SubmissionRow | null): Promise<number | null> {
    const after = iso(Date.parse(row.created_at) - BEFORE_MS);
    const found = await calls.find(row.challenge, row.submission, after, await knownNumbers(row.challenge));
    if (typeof found === "object") {
      await opened(row.submission, found.number);
      return found.number;
    }
    const key = row.sealed_key === null ? null : openKey(token, row.sealed_key);
    // What was cancelled before the webapp heard of it need not take a slot there.
    if (!submission || key === null || submission.state === "cancelled") {
      const note = key === null ? "WEBAPP_TOKEN changed before the webapp could be asked" : null;
      await change(row.submission, { outcome: "withdrawn", note, sealed_key: null });
      return null;
    }
    if (found === "unknowable")
      context().log.warn(
        { submission: row.submission },
        "the webapp does not tell whether it has this submission; it is opened again",
      );
    try {
      const made = await calls.create(openForm(submission, key));
      await opened(row.submission, made.number);
      if (made.participant !== null)
        await renameParticipant(context().records, row.participant_id, made.participant);
      const failure = await calls.failureOf(made.number).catch(() => null);
      if (failure === null) return made.number;
      await refused(row, failure);
    } catch (error) {
      if (!(error instanceof WebappRefusal)) throw error;
      await refused(row, error.message);
    }
    return null;
  }

  /** A refusal that comes late ends what has no grade yet; a grade that was shown stays. */
  async function refused(row: WebappSubmissionRow, words: string): Promise<void> {
    await change(row.submission, { outcome: "refused", note: words, sealed_key: null });
    context().log.warn({ submission: row.submission, words }, "the webapp refused a submission");
    const { records, clock, announce, queue } = context();
    const events = await records.transaction(async (trx): Promise<SubmissionEvent[]> => {
      const submission = await lockSubmission(records, trx, row.submission);
      if (submission.finished_at !== null) return [];
      await trx
        .updateTable("attempts")
        .set({ state: "lost" })
        .where("submission", "=", submission.id)
        .where("number", "=", submission.attempt)
        .execute();
      return writeFailure(trx, submission, { code: "webapp_refused", message: words }, clock());
    });
    if (events.length === 0) return;
    announce(row.challenge, events);
    await queue.cancel(row.submission).catch(() => {});
  }

  /**
   * What the webapp refuses of an outcome, as a submission that was deleted there, it would refuse again: it
   * is noted, and left.
   */
  async function refusable(row: WebappSubmissionRow, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof WebappRefusal)) throw error;
      context().log.warn(
        { submission: row.submission, words: error.message },
        "the webapp refused an outcome",
      );
      await change(row.submission, { note: error.message });
    }
  }

  /**
   * It was opened, and then nothing registered here: by a rule that a race was lost to, or because the broker
   * went down.
   */
  async function withdraw(row: WebappSubmissionRow, number: number): Promise<void> {
    await refusable(row, () => calls.update(number, withdrawnForm(row.submission)));
    await change(row.submission, { outcome: "withdrawn", told: row.news });
  }

  async function opened(submission: string, number: number): Promise<void> {
    await change(submission, { number, sealed_key: null });
  }

  async function knownNumbers(challenge: string): Promise<Set<number>> {
    const rows = await db()
      .selectFrom("webapp_submissions")
      .select("number")
      .where("challenge", "=", challenge)
      .where("number", "is not", null)
      .orderBy("number", "desc")
      .limit(10_000)
      .execute();
    return new Set(rows.map(({ number }) => number as number));
  }

  async function change(submission: string, changes: Partial<WebappSubmissionRow>): Promise<void> {
    await db().updateTable("webapp_submissions").set(changes).where("submission", "=", submission).execute();
  }

  return { pass, opened };
}

async function readSubmission(db: Db, id: string): Promise<SubmissionRow | null> {
  const row = await db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
  return row ?? null;
}
