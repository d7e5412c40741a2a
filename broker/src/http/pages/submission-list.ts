import { CrowdaiError } from "@crowdai/shared";
import { sql } from "kysely";
import { type Board, ENTRY, RANKED } from "../../domain/leaderboard/boards.ts";
import { type Caller, nameKey } from "../../domain/participants/api-keys.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { type Role, seenChallenges, seesBoard } from "./access.ts";
import { presentRound } from "./challenges.tsx";
import { type OwnStanding, readOwnStanding } from "./own-standing.ts";

const PAGE = 50;
/** The latest scores that a chart shows. */
const POINTS = 500;
/** The challenges that are summed up above a list of all. */
const SUMMARIES = 3;

/** The board that a submission counts on; the final one once the round's final scores are shown. */
const BOARD_OF = sql<Board>`case
  when submissions.post_challenge = 1 then 'ongoing'
  when exists (
    select 1 from board_rounds where board_rounds.challenge = submissions.challenge
      and board_rounds.round = submissions.round and final_shown = 1
  ) then 'final' else 'current' end`;

type Listed = Pick<
  SubmissionRow,
  "id" | "challenge" | "round" | "state" | "message" | "score" | "score_secondary" | "created_at"
> &
  Pick<SubmissionRow, "error_code" | "error_message" | "regraded_at" | "score_before"> & {
    participant: string;
    /** Whether its participant's rank is by this submission now. */
    counts: boolean;
  };
export type Point = Pick<SubmissionRow, "id" | "created_at"> & { score: number };

export interface SubmissionList {
  rows: Listed[];
  total: number;
  pages: number;
  /** Challenges of the filter. */
  challenges: string[];
  challenge: string | null;
  participant: string | null;
  /**
   * How the participant does: in the challenge that is shown, or in the latest of all. Empty for several
   * participants.
   */
  summaries: Summary[];
}

/** A participant's standing and scores over time in a challenge. */
export interface Summary {
  challenge: string;
  standing: OwnStanding;
  points: Point[];
}

/**
 * Reads a participant's own submissions, or an organizer's submissions of their challenges, newest first.
 * Throws challenge_unknown for a challenge that the organizer does not run.
 */
export async function readSubmissionList(
  context: Needs<"catalog" | "records" | "clock">,
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
            .where("standings.board", "=", BOARD_OF)
            .whereRef("standings.participant_id", "=", "submissions.participant_id")
            .whereRef("standings.submission", "=", "submissions.id"),
        )
        .as("counts"),
    )
    .orderBy("submissions.number", "desc")
    .limit(PAGE)
    .offset((query.page - 1) * PAGE)
    .execute();
  const whose = own ? caller.id : participant === undefined ? null : await findParticipant(db, participant);
  const summed =
    whose === null
      ? []
      : challenge !== undefined
        ? [challenge]
        : (await latestChallenges(db, whose)).filter((id) => challenges.includes(id)).slice(0, SUMMARIES);
  const summaries = await Promise.all(
    summed.map((id) => readSummary(context, id, whose as number, own ? "anyone" : "organizer")),
  );
  return {
    rows: rows.map((row) => ({ ...row, counts: countsNow(row, summaries) })),
    total: Number(total),
    pages: Math.ceil(Number(total) / PAGE),
    challenges,
    challenge: challenge ?? null,
    participant: participant ?? null,
    summaries: summaries.filter((summary) => summary !== null),
  };
}

/** A final board may rank a participant by another submission than the public one does. */
function countsNow(
  row: { id: string; challenge: string; round: string; counts: unknown },
  summaries: readonly (Summary | null)[],
): boolean {
  const final = summaries.find(
    (one) => one?.standing.final && one.challenge === row.challenge && one.standing.round.id === row.round,
  );
  return final ? final.standing.submission === row.id : Boolean(row.counts);
}

async function findParticipant(db: Db, name: string): Promise<number | null> {
  const found = await db
    .selectFrom("participants")
    .select("id")
    .where("name_key", "=", nameKey(name))
    .executeTakeFirst();
  return found?.id ?? null;
}

/** Returns the challenges of a participant, the one with the latest submission first. */
async function latestChallenges(db: Db, participant: number): Promise<string[]> {
  const rows = await db
    .selectFrom("submissions")
    .select(["challenge", (eb) => eb.fn.max("number").as("latest")])
    .where("participant_id", "=", participant)
    .where(ENTRY)
    .groupBy("challenge")
    .orderBy("latest", "desc")
    .execute();
  return rows.map(({ challenge }) => challenge);
}

/**
 * Returns null for a challenge that the broker no longer serves, or that the participant never submitted to.
 */
async function readSummary(
  context: Needs<"catalog" | "records" | "clock">,
  challenge: string,
  participant: number,
  role: Role,
): Promise<Summary | null> {
  const { catalog, clock } = context;
  const { db } = context.records;
  const config = catalog.all().get(challenge)?.config;
  if (!config) return null;
  const latest = await db
    .selectFrom("submissions")
    .select("round")
    .where("participant_id", "=", participant)
    .where("challenge", "=", challenge)
    .where(ENTRY)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!latest) return null;
  const round = config.rounds.find(({ id }) => id === latest.round) ?? presentRound(config, clock());
  const [standing, points] = await Promise.all([
    readOwnStanding(context, config, round, { participant, showsRank: seesBoard(config, role) }),
    db
      .selectFrom("submissions")
      .select(["id", "created_at", "score"])
      .where("participant_id", "=", participant)
      .where("challenge", "=", challenge)
      .where("round", "=", round.id)
      .where(RANKED)
      .where("score", "is not", null)
      .orderBy("number", "desc")
      .limit(POINTS)
      .execute(),
  ]);
  return { challenge, standing, points: (points as Point[]).reverse() };
}
