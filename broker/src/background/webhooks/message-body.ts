import type { WebhookEvent } from "@crowdai/shared/challenge-folder";
import type { ClaimedMessage } from "../../domain/webhooks/message-rows.ts";
import type { Db } from "../../records/records.ts";

const MAX_TEXT = 300;

/** Chats that reject fields that they do not know: they receive the text alone. */
const TEXT_ONLY = new Set(["hooks.slack.com", "hooks.slack-gov.com"]);

/** Returns the JSON text that a webhook receives. */
export async function messageBody(
  db: Db,
  message: ClaimedMessage,
  context: { title: string; baseUrl: string },
): Promise<string> {
  const { event, created_at: timestamp, challenge } = message;
  const details = {
    challenge,
    title: context.title,
    ...(message.submission === null ? {} : await submissionDetails(db, message.submission, context.baseUrl)),
    ...(JSON.parse(message.data) as Record<string, unknown>),
  };
  const text = textOf(event, details, `${context.baseUrl}/challenges/${encodeURIComponent(challenge)}`);
  if (TEXT_ONLY.has(new URL(message.url).hostname)) return JSON.stringify({ text });
  return JSON.stringify({ event, timestamp, data: details, text });
}

async function submissionDetails(db: Db, id: string, baseUrl: string): Promise<Record<string, unknown>> {
  const row = await db
    .selectFrom("submissions")
    .innerJoin("participants", "participants.id", "submissions.participant_id")
    .select(["name as participant", "round", "function", "dry_run"])
    .where("submissions.id", "=", id)
    .executeTakeFirst();
  if (!row) return { submission: id };
  return { submission: id, ...row, dry_run: row.dry_run === 1, url: `${baseUrl}/submissions/${id}` };
}

interface Details {
  title: string;
  participant?: string;
  score?: number | null;
  rank?: number | null;
  error?: { message: string };
  url?: string;
  ends_at?: string;
  closed_at?: string;
  reason?: string;
  waiting_since?: string;
}

function textOf(event: WebhookEvent, details: Record<string, unknown>, page: string): string {
  const { title, participant, score, rank, error, url, ends_at, closed_at, reason, waiting_since } =
    details as unknown as Details;
  const challenge = chatText(title);
  const who = chatText(participant ?? "a participant");
  switch (event) {
    case "submission.graded":
      return `${challenge}: ${who} scored ${score}${typeof rank === "number" ? ` (rank ${rank})` : ""}. ${url}`;
    case "submission.failed":
      return `${challenge}: a submission of ${who} failed: ${chatText(error?.message ?? "")} ${url}`;
    case "submission.gave_up":
      return `${challenge}: a submission of ${who} could not be graded: ${chatText(error?.message ?? "")} ${url}`;
    case "challenge.closing":
      return `${challenge} closes on ${utc(ends_at)}. ${page}`;
    case "challenge.closed":
      return `${challenge} closed on ${utc(closed_at)}. ${page}`;
    case "grader.missing":
      return `${challenge}: submissions have waited since ${utc(waiting_since)}: ${chatText(reason ?? "no grader")}. ${page}`;
  }
}

const utc = (time: string | undefined) => `${(time ?? "").slice(0, 16).replace("T", " ")} UTC`;

/**
 * Returns participants' and organizers' text for a chat: one line, in which Slack and Mattermost see no
 * mention, no link with another text and no markup of their own.
 */
export function chatText(text: string): string {
  const line = text.replaceAll(/\s+/gu, " ").trim();
  const short = line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
  return short
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("](", "] (")
    .replaceAll("@", "@\u200b");
}
