import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { isBefore } from "./board-blocks.ts";
import { COUNTS, RANKED } from "./boards.ts";
import { LAST, putBest, type Standing } from "./standings.ts";
import { rebuildBlocks } from "./update-blocks.ts";

const DEFAULT_SELECT = 2;

/** Returns how many submissions to a round a participant may select for its final ranking. */
export const maxSelected = (config: Pick<ChallengeConfig, "final">): number =>
  config.final?.select ?? DEFAULT_SELECT;

/**
 * Rebuilds a participant's standing on the final board of a round, after one of their submissions or their
 * selection changed: the best final score of the submissions that they selected, or else of their `finals`
 * best public ones. The caller has locked the round's boards.
 */
export async function updateFinalStanding(
  trx: Db,
  { challenge, round, participant_id }: Pick<SubmissionRow, "challenge" | "round" | "participant_id">,
  finals: number,
): Promise<void> {
  const ranked = trx
    .selectFrom("submissions")
    .leftJoin("final_scores", (join) =>
      join
        .on("final_scores.challenge", "=", challenge)
        .onRef("final_scores.submission", "=", "submissions.id"),
    )
    .select(["id", "number", "created_at", "sort_secondary", "sort_final"])
    .where("submissions.challenge", "=", challenge)
    .where("round", "=", round)
    .where("participant_id", "=", participant_id)
    .where("post_challenge", "=", 0)
    .where(RANKED)
    .where(COUNTS);
  const selected = await ranked
    .where("id", "in", (eb) =>
      eb
        .selectFrom("final_selections as selected")
        .select("selected.submission")
        .where("selected.challenge", "=", challenge)
        .where("selected.round", "=", round)
        .where("selected.participant_id", "=", participant_id),
    )
    .execute();
  const rows =
    selected.length > 0
      ? selected
      : await ranked
          .orderBy("sort_primary")
          .orderBy("sort_secondary")
          .orderBy("created_at")
          .orderBy("number")
          .limit(finals)
          .execute();
  const standings = rows.map(
    ({ id, number, created_at, sort_secondary, sort_final }): Standing => ({
      submission: id,
      submission_number: number,
      submitted_at: created_at,
      sort_primary: sort_final ?? LAST,
      sort_secondary: sort_secondary ?? LAST,
    }),
  );
  const best = standings.sort((one, other) => (isBefore(one, other) ? -1 : 1))[0] ?? null;
  await putBest(trx, { challenge, round, board: "final", participantId: participant_id }, best);
}

/** Makes the final board of a round, or with another number of submissions of each participant. */
export async function startFinalBoard(
  trx: Db,
  { challenge, round }: { challenge: string; round: string },
  finals: number,
): Promise<void> {
  await trx
    .updateTable("board_rounds")
    .set({ finals })
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .execute();
  await trx
    .deleteFrom("standings")
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .where("board", "=", "final")
    .execute();
  await fillFinalBoards(trx, { challenge, round });
  await rebuildBlocks(trx, { challenge, round });
}

/**
 * Decides again which rounds of a challenge have final scores, and fills their final boards, which are empty.
 */
export async function refillFinalBoards(trx: Db, challenge: string, select: number | null): Promise<void> {
  const some = await trx
    .selectFrom("final_scores")
    .select("submission")
    .where("challenge", "=", challenge)
    .limit(1)
    .executeTakeFirst();
  const finals = some
    ? sql`case when exists (
        select 1 from submissions
        join final_scores on final_scores.challenge = submissions.challenge and final_scores.submission = submissions.id
        where submissions.challenge = board_rounds.challenge and submissions.round = board_rounds.round
          and post_challenge = 0 and ${RANKED}
      ) then ${select === null ? sql`case when finals > 0 then finals else ${sql.lit(DEFAULT_SELECT)} end` : sql.lit(select)}
      else 0 end`
    : sql`0`;
  await sql`update board_rounds set finals = ${finals} where challenge = ${challenge}`.execute(trx);
  if (some) await fillFinalBoards(trx, { challenge, round: null });
}

async function fillFinalBoards(
  trx: Db,
  { challenge, round }: { challenge: string; round: string | null },
): Promise<void> {
  const order = sql`sort_primary, sort_secondary, created_at, number`;
  await sql`
    insert into standings
      (challenge, round, board, participant_id, submission, submission_number, submitted_at, sort_primary, sort_secondary)
    select challenge, round, 'final', participant_id, id, number, created_at, sort_final, sort_secondary
    from (
      select considered.*, row_number() over (
        partition by round, participant_id order by sort_final, sort_secondary, created_at, number
      ) as place
      from (
        select submissions.challenge, submissions.round, submissions.participant_id, id, number, created_at,
          sort_secondary, finals, coalesce(sort_final, cast(${sql.lit(LAST)} as double precision)) as sort_final,
          case when final_selections.submission is null then 0 else 1 end as selected,
          count(final_selections.submission) over (partition by submissions.round, submissions.participant_id) as selections,
          row_number() over (partition by submissions.round, submissions.participant_id order by ${order}) as nth
        from submissions
        join board_rounds on board_rounds.challenge = submissions.challenge and board_rounds.round = submissions.round
          and finals > 0
        left join final_scores on final_scores.challenge = submissions.challenge
          and final_scores.submission = submissions.id
        left join final_selections on final_selections.challenge = submissions.challenge
          and final_selections.round = submissions.round
          and final_selections.participant_id = submissions.participant_id
          and final_selections.submission = submissions.id
        where submissions.challenge = ${challenge} and post_challenge = 0 and ${RANKED} and ${COUNTS}
        ${round === null ? sql`` : sql`and submissions.round = ${round}`}
      ) as considered
      where selected = 1 or (selections = 0 and nth <= finals)
    ) as ranked
    where place = 1`.execute(trx);
}
