import { CrowdaiError } from "@crowdai/shared";
import { sql } from "kysely";
import { type Caller, nameKey } from "../../domain/participants/api-keys.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { seenChallenges } from "./access.ts";

const PAGE = 50;
const POINTS = 2000;

type Listed = Pick<
  SubmissionRow,
  "id" | "challenge" | "round" | "state" | "message" | "score" | "score_secondary" | "created_at"
> &
  Pick<SubmissionRow, "error_code" | "error_message" | "regraded_at" | "score_before"> & {
    participant: string;
    /** Whether its participant's rank is by this submission now. */
    counts: boolean;
  };
export type Point = Pick<SubmissionRow, "id" | "created_at" | "round"> & { score: number };

export interface SubmissionList {
  rows: Listed[];
  total: number;
  pages: number;
  /** Challenges of the filter. */
  challenges: string[];
  challenge: string | null;
  participant: string | null;
  /** One participant's scores over time in one challenge; null unless the list shows exactly that. */
  points: Point[] | null;
}

/**
 * Reads a participant's own submissions, or an organizer's submissions of their challenges, newest first. Throws challenge_unknown for
 * a challenge that the organizer does not run.
 */
export async function readSubmissionList(
  context: Needs<"catalog" | "records">,
  caller: Caller,
  query: { challenge?: string | undefined; participant?: string | undefined; page: number },
): Promise<SubmissionList> {
  const { db } = context.records;
  const own = caller.kind === "participant";
  const challenges = own
    ? (
        await db
          .selectFrom("submissions")
          .select("challenge")
          .distinct()
          .where("participant_id", "=", caller.id)
          .where("function", "=", "submit")
          .orderBy("challenge")
          .execute()
      ).map((row) => row.challenge)
    : (await seenChallenges(context, caller))
        .filter(({ role }) => role === "organizer")
        .map(({ challenge }) => challenge.config.id);
  const challenge = query.challenge || (challenges.length === 1 ? challenges[0] : undefined);
  if (!own && challenge !== undefined && !challenges.includes(challenge))
    throw new CrowdaiError("challenge_unknown", "You do not organize this challenge.");
  const participant = own ? undefined : query.participant;
  const scope = db
    .selectFrom("submissions")
    .innerJoin("participants", "participants.id", "submissions.participant_id")
    .where("submissions.function", "=", "submit")
    .where("submissions.dry_run", "=", 0)
    .$if(own, (rows) => rows.where("submissions.participant_id", "=", caller.id))
    .$if(!own, (rows) => rows.where("submissions.challenge", "in", challenges.length > 0 ? challenges : [""]))
    .$if(challenge !== undefined, (rows) => rows.where("submissions.challenge", "=", challenge as string))
    .$if(participant !== undefined, (rows) =>
      rows.where("participants.name_key", "=", nameKey(participant as string)),
    );
  const { total } = await scope.select(sql<number>`count(*)`.as("total")).executeTakeFirstOrThrow();
  const rows = await scope
    .select([
      "submissions.id",
      "submissions.challenge",
      "submissions.round",
      "submissions.state",
      "submissions.message",
      "submissions.score",
      "submissions.score_secondary",
      "submissions.created_at",
      "submissions.error_code",
      "submissions.error_message",
      "submissions.regraded_at",
      "submissions.score_before",
      "participants.name as participant",
    ])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom("standings")
            .select("standings.submission")
            .whereRef("standings.challenge", "=", "submissions.challenge")
            .whereRef("standings.round", "=", "submissions.round")
            .where("standings.board", "in", ["current", "ongoing"])
            .whereRef("standings.participant_id", "=", "submissions.participant_id")
            .whereRef("standings.submission", "=", "submissions.id"),
        )
        .as("counts"),
    )
    .orderBy("submissions.number", "desc")
    .limit(PAGE)
    .offset((query.page - 1) * PAGE)
    .execute();
  const points =
    challenge !== undefined && (own || participant !== undefined)
      ? await scope
          .select(["submissions.id", "submissions.created_at", "submissions.round", "submissions.score"])
          .where("submissions.state", "=", "graded")
          .where("submissions.score", "is not", null)
          .orderBy("submissions.number", "desc")
          .limit(POINTS)
          .execute()
      : null;
  return {
    rows: rows.map((row) => ({ ...row, counts: Boolean(row.counts) })),
    total: Number(total),
    pages: Math.ceil(Number(total) / PAGE),
    challenges,
    challenge: challenge ?? null,
    participant: participant ?? null,
    points: points ? (points as Point[]).reverse() : null,
  };
}
