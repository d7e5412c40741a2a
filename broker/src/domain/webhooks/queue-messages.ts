import { type ErrorCode, catalog as errors } from "@crowdai/shared";
import type { WebhookEvent } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";

/** A submission's last event, as far as webhooks report it. */
interface LastEvent {
  type: string;
  data: Record<string, unknown>;
}

/**
 * Writes a message for each webhook that receives the end of a submission, in the transaction that ended it.
 * A dry run and a call of another function are reported only when the broker gave them up; a cancelled
 * submission never.
 */
export async function queueSubmissionMessages(
  trx: Db,
  submission: { id: string; seq: number },
  last: LastEvent,
  at: string,
): Promise<void> {
  const event = eventOf(last);
  if (event === null) return;
  await writeSubmissionMessages(trx, {
    submission: submission.id,
    event,
    subject: `${submission.id} ${submission.seq}`,
    data: JSON.stringify(dataOf(last)),
    wanted: `%"${event}"%`,
    at,
    ranked: event === "submission.gave_up" ? undefined : 0,
  });
}

function eventOf({ type, data }: LastEvent): WebhookEvent | null {
  if (type === "graded") return "submission.graded";
  if (type !== "failed") return null;
  const { fault } = errors[data.code as ErrorCode] ?? errors.unexpected;
  return fault === "you" ? "submission.failed" : "submission.gave_up";
}

/** Names each field, so that nothing private enters a message when an event gets more of them. */
function dataOf({ type, data }: LastEvent): Record<string, unknown> {
  if (type === "graded") {
    const { score, score_secondary, rank = null } = data;
    return { score, score_secondary, rank };
  }
  const { code, fault, message } = data;
  return { error: { code, fault, message } };
}

const writeSubmissionMessages = statement(
  (
    trx,
    given: {
      submission: string;
      event: string;
      subject: string;
      data: string;
      wanted: string;
      at: string;
      /** The dry_run of submissions that are reported; undefined reports calls and dry runs too. */
      ranked: number | undefined;
    },
  ) =>
    trx
      .insertInto("webhook_messages")
      .columns(["webhook", "event", "subject", "submission", "data", "created_at", "next_try_at"])
      .expression((eb) => {
        const rows = eb
          .selectFrom("submissions")
          .innerJoin("webhooks", "webhooks.challenge", "submissions.challenge")
          .select([
            "webhooks.id",
            text(given.event).as("event"),
            text(given.subject).as("subject"),
            "submissions.id as submission",
            text(given.data).as("data"),
            text(given.at).as("created_at"),
            text(given.at).as("next_try_at"),
          ])
          .where("submissions.id", "=", given.submission)
          // As an expression: SQLite prepares a statement again for each pattern that is a parameter.
          .where("webhooks.events", "like", text(given.wanted));
        return given.ranked === undefined
          ? rows
          : rows
              .where("submissions.function", "=", "submit")
              // As an expression, for the same reason: partial indexes depend on it.
              .where("submissions.dry_run", "=", sql<number>`cast(${given.ranked} as integer)`);
      })
      .onConflict((conflict) => conflict.columns(["webhook", "event", "subject"]).doNothing()),
);

/** PostgreSQL would not infer the type of a selected parameter. */
const text = (value: string) => sql<string>`cast(${value} as text)`;

/**
 * Writes a message about a challenge for each of its webhooks that receives the event; once for each subject.
 * A webhook that was added after `since` receives none.
 */
export async function queueChallengeMessages(
  db: Db,
  message: {
    challenge: string;
    event: WebhookEvent;
    subject: string;
    data: Record<string, unknown>;
    since: string;
    at: string;
  },
): Promise<void> {
  const { challenge, event, subject, data, since, at } = message;
  const receivers = await db
    .selectFrom("webhooks")
    .select("id")
    .where("challenge", "=", challenge)
    .where("events", "like", `%"${event}"%`)
    .where("created_at", "<=", since)
    .execute();
  for (const { id: webhook } of receivers) await writeMessage(db, webhook, { event, subject, data, at });
}

/** Writes a message for one webhook, unless it has one about this subject. */
export async function writeMessage(
  db: Db,
  webhook: number,
  { event, subject, data, at }: { event: WebhookEvent; subject: string; data: unknown; at: string },
): Promise<void> {
  await db
    .insertInto("webhook_messages")
    .values({
      webhook,
      event,
      subject,
      submission: null,
      data: JSON.stringify(data),
      created_at: at,
      next_try_at: at,
      claimed_until: null,
      ended_at: null,
      outcome: null,
      problem: null,
    })
    .onConflict((conflict) => conflict.columns(["webhook", "event", "subject"]).doNothing())
    .execute();
}
