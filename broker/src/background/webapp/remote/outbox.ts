import type { SubmissionEvent } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { iso } from "../../../base/clock.ts";
import { lockSubmission } from "../../../domain/submissions/find-submission.ts";
import type { Needs } from "../../../domain/submissions/services.ts";
import { writeFailure } from "../../../domain/submissions/write-outcome.ts";
import { commit } from "../../../records/commit.ts";
import type { Db } from "../../../records/records.ts";
import type { SubmissionRow, WebappSubmissionRow } from "../../../records/tables.ts";
import { retryAt } from "../../outbox/retry-at.ts";
import { workThrough } from "../../outbox/work-through.ts";
import { claim, dueRows } from "./outbox-rows.ts";
import { renameParticipant } from "./remote-participants.ts";
import { openKey } from "./sealed-key.ts";
import { type WebappClient, WebappRefusal, WebappUnreachable } from "./webapp-client.ts";
import { gradeForm, mediaForm, openForm, withdrawnForm } from "./webapp-forms.ts";

const AT_ONCE = 8;
const SLOWEST_MS = 300_000;
/** Tolerance for clocks that differ and a first attempt that was delayed. */
const BEFORE_MS = 600_000;

/** The services that reporting outcomes uses. */
export type OutboxNeeds = Needs<"records" | "clock" | "announce" | "queue" | "log">;

/**
 * Delivers to the webapp what it has not received yet: opens submissions that could not be opened at once,
 * then reports their outcomes. Deliveries are in order for each submission; failures are retried with growing
 * pauses.
 */
export function createOutbox(options: {
  context: () => OutboxNeeds;
  calls: WebappClient;
  token: string;
  firstPauseMs: number;
  /** Called when the webapp has answered. */
  answered: () => void;
}) {
  const { context, calls, token, firstPauseMs, answered } = options;
  const db = () => context().records.db;
  const now = () => context().clock().getTime();

  async function pass(): Promise<void> {
    await workThrough(await dueRows(db(), now()), AT_ONCE, async (row) => !(await reportOutcome(row)));
  }

  /** Resolves with whether the webapp is unreachable. */
  async function reportOutcome({ submission }: WebappSubmissionRow): Promise<boolean> {
    const row = await markedStep("claim.webapp", () => claim(db(), submission, now()));
    if (!row) return false;
    try {
      await deliver(row);
      answered();
      await change(submission, { claimed_until: null, tries: 0, next_try_at: null });
      return false;
    } catch (error) {
      await change(submission, {
        claimed_until: null,
        tries: row.tries + 1,
        next_try_at: retryAt(now(), row.tries, { firstMs: firstPauseMs, longestMs: SLOWEST_MS }),
      });
      if (!(error instanceof WebappUnreachable)) throw error;
      context().log.warn(
        { event: "webapp_delivery_failed", submission, tries: row.tries + 1, reason: error.message },
        "webapp delivery failed, retrying later",
      );
      return error.status === null;
    }
  }

  async function deliver(row: WebappSubmissionRow): Promise<void> {
    const submission = await readSubmission(db(), row.submission);
    const number = row.number ?? (await open(row, submission));
    if (number === null) return;
    if (!submission) return withdraw(row, number);
    const form = gradeForm(submission);
    if (form === null) return;
    await refusable(row, () => markedStep("send.webapp-grade", () => calls.update(number, form)));
    const media = mediaForm(submission);
    // Separate from the grade, which must not fail with the media: the webapp looks for them in a store of
    // its own.
    if (media) await refusable(row, () => markedStep("send.webapp-media", () => calls.update(number, media)));
    await change(row.submission, { told: row.news });
  }

  /** Returns the submission's id at the webapp; null when it has none and will get none. */
  async function open(row: WebappSubmissionRow, submission: SubmissionRow | null): Promise<number | null> {
    const after = iso(Date.parse(row.created_at) - BEFORE_MS);
    const found = await calls.find(row.challenge, row.submission, after, await knownNumbers(row.challenge));
    if (typeof found === "object") {
      await opened(row.submission, found.number);
      return found.number;
    }
    const key = row.sealed_key === null ? null : openKey(token, row.sealed_key);
    // A submission that was cancelled before it was opened there need not take a slot.
    if (!submission || key === null || submission.state === "cancelled") {
      const note = key === null ? "WEBAPP_TOKEN changed before the webapp could be asked" : null;
      await change(row.submission, { outcome: "withdrawn", note, sealed_key: null });
      return null;
    }
    if (found === "unknowable")
      context().log.warn(
        { event: "webapp_submission_unverified", submission: row.submission },
        "webapp submission unverified, opening it again",
      );
    try {
      const made = await markedStep("send.webapp-submission", () => calls.create(openForm(submission, key)));
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

  /** A late refusal fails a submission without a grade; a grade that was shown stays. */
  async function refused(row: WebappSubmissionRow, words: string): Promise<void> {
    await change(row.submission, { outcome: "refused", note: words, sealed_key: null });
    context().log.warn(
      { event: "webapp_submission_refused", submission: row.submission, words },
      "submission refused by the webapp",
    );
    const { records, clock, announce, queue } = context();
    const events = await commit(records, "outbox", async (trx): Promise<SubmissionEvent[]> => {
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
   * A refused outcome, for example of a submission that was deleted at the webapp, would be refused again:
   * the refusal is recorded, and the outcome is not sent again.
   */
  async function refusable(row: WebappSubmissionRow, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof WebappRefusal)) throw error;
      context().log.warn(
        { event: "webapp_outcome_refused", submission: row.submission, words: error.message },
        "outcome refused by the webapp",
      );
      await change(row.submission, { note: error.message });
    }
  }

  /**
   * Withdraws a submission that was opened at the webapp but not registered here, because of a lost race
   * against a rule or a crash of the broker.
   */
  async function withdraw(row: WebappSubmissionRow, number: number): Promise<void> {
    await refusable(row, () =>
      markedStep("send.webapp-withdrawal", () => calls.update(number, withdrawnForm(row.submission))),
    );
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
