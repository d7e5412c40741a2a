import { setImmediate } from "node:timers/promises";
import type { RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { ALL_BOARDS, type BoardPlace, isPrevious, RANKED } from "./boards.ts";
import { rebuildPrevious } from "./rebuild-standings.ts";
import { updateStanding } from "./standings.ts";

const HOUR = 3_600_000;
const SECOND = 1000;
/** Submissions that leave the window in one transaction: a grade waits for no more than this. */
const STEP = 20;

type Round = Pick<BoardPlace, "challenge" | "round">;

/**
 * Moves the previous boards of every round to its window boundary: the arrival of its newest submission minus
 * the window. Works in small steps, each a valid board of some moment in between, so that new grades are not
 * delayed.
 */
export async function advanceWindows(
  { records, catalog }: { records: Records; catalog: Catalog },
  signal?: AbortSignal,
): Promise<void> {
  const { rows } = await sql<Round & { border: string | null; newest: string | null }>`
    select challenge, round, border, (
      select max(created_at) from submissions
      where submissions.challenge = board_rounds.challenge and submissions.round = board_rounds.round
        and function = 'submit' and dry_run = 0
    ) as newest
    from board_rounds`.execute(records.db);
  for (const { challenge, round, border, newest } of rows) {
    const config = catalog
      .all()
      .get(challenge)
      ?.config.rounds.find(({ id }) => id === round);
    if (!config || newest === null) continue;
    const target = windowBoundary(config, newest);
    if (target === border) continue;
    while (!(await step(records, { challenge, round }, target)) && !signal?.aborted) await setImmediate();
  }
}

/** Returns whole seconds, as the webapp does. */
export function windowBoundary(round: Pick<RoundConfig, "ranking_window_hours">, newest: string): string {
  const border = Date.parse(newest) - round.ranking_window_hours * HOUR;
  return iso(Math.floor(border / SECOND) * SECOND);
}

/** Makes one step towards `target`; true when it is reached. */
function step(records: Records, place: Round, target: string): Promise<boolean> {
  return commit(records, "ranking-window", async (trx) => {
    // Writes the row unchanged: that locks it, so that the boards do not change during this step.
    const { border } = await trx
      .updateTable("board_rounds")
      .set({ version: sql<number>`version` })
      .where("challenge", "=", place.challenge)
      .where("round", "=", place.round)
      .returning("border")
      .executeTakeFirstOrThrow();
    const moveTo = (to: string, changed: boolean) =>
      trx
        .updateTable("board_rounds")
        .set({ border: to, ...(changed ? { version: sql<number>`version + 1` } : {}) })
        .where("challenge", "=", place.challenge)
        .where("round", "=", place.round)
        .execute();
    if (border !== null && target < border) {
      // The window was made longer.
      await moveTo(target, true);
      await rebuildPrevious(trx, place);
      return true;
    }
    const graded = trx
      .selectFrom("submissions")
      .select(["participant_id", "created_at"])
      .where("challenge", "=", place.challenge)
      .where("round", "=", place.round)
      .where(RANKED);
    const falling = await graded
      .where("created_at", ">", border ?? "")
      .where("created_at", "<=", target)
      .orderBy("created_at")
      .limit(STEP)
      .execute();
    const isLast = falling.length < STEP;
    const to = isLast ? target : falling.at(-1)!.created_at;
    // Submissions created in the same moment leave together.
    if (!isLast) falling.push(...(await graded.where("created_at", "=", to).execute()));
    const fallen = new Set(falling.map(({ participant_id }) => participant_id));
    for (const participantId of fallen)
      for (const board of ALL_BOARDS.filter(isPrevious))
        await updateStanding(trx, { ...place, board, participantId, until: to });
    await moveTo(to, fallen.size > 0);
    return isLast;
  });
}
