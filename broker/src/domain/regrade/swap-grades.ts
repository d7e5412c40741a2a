import { outcomeSchema, parseExact } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { RegradeRow, SubmissionRow } from "../../records/tables.ts";
import { keepStepLog } from "../environments/step-log.ts";
import { maxSelected } from "../leaderboard/final-board.ts";
import { renewFinalSortKeys, writeFinalScore } from "../leaderboard/final-scores.ts";
import { rankKey, readRanks, rebuildStandings } from "../leaderboard/rebuild-standings.ts";
import { sortKeys } from "../leaderboard/standings.ts";
import { NO_MEDIA } from "../media/media-keys.ts";
import { replaceMedia } from "../media/media-work.ts";
import { standingsLock } from "../submissions/find-submission.ts";
import type { Needs } from "../submissions/services.ts";
import { failureColumns, gradeColumns } from "../submissions/write-outcome.ts";
import { markWebappChanged } from "../webapp/webapp-updates.ts";
import { countOlderGradings } from "./older-gradings.ts";
import { isOpen } from "./regrade-items.ts";
import { addItems } from "./start-regrade.ts";

type Regraded = SubmissionRow & { regrade_attempt: number; outcome: string | null };

const NO_GRADE = {
  score: null,
  score_secondary: null,
  sort_primary: null,
  sort_secondary: null,
  grading_message: null,
  data: null,
  meta: null,
  artifacts: null,
  media_dropped: null,
  rank: null,
  rank_before: null,
  best: null,
} as const;

/**
 * Completes a regrade whose attempts have all ended: one transaction replaces the old outcomes by the new
 * verdicts, with slots and standings. Old attempts keep their outcomes. When submissions that arrived before
 * the regrade were meanwhile graded with an older version, adds those first instead, and waits for those that
 * are still being graded with it.
 */
export async function swapGrades(
  context: Needs<"records" | "catalog" | "clock" | "log">,
  { id, challenge }: RegradeRow,
): Promise<void> {
  // The newest version decides how scores are ordered and rounded.
  await context.catalog.refresh();
  const served = context.catalog.all().get(challenge);
  // A broker that serves the challenge does it.
  if (!served) return;
  const { config } = served;
  const swapped = await commit(context.records, "swap-grades", async (trx) => {
    await context.records.lock(trx, `challenge:${challenge}`);
    const regrade = await trx
      .selectFrom("regrades")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    const now = context.clock();
    if (regrade.state !== "running" || (await isOpen(trx, id))) return null;
    // A regrade of a folder knows its version once it has queued an attempt.
    const version = regrade.version ?? served.version;
    if ((await addItems(trx, { ...regrade, version }, now)) > 0) return null;
    if ((await countOlderGradings(trx, regrade)) > 0) return null;

    await context.records.lock(trx, standingsLock(challenge));
    const before = await readRanks(trx, challenge);
    const rows = await newVerdicts(trx, id);
    for (const row of rows) await writeVerdict(trx, config, row, now);
    await markWebappChanged(
      trx,
      rows.map((row) => row.id),
    );
    await renewSortKeys(trx, config);
    await renewFinalSortKeys(trx, config);
    await rebuildStandings(trx, challenge, maxSelected(config));
    const after = await readRanks(trx, challenge);
    for (const row of rows) {
      const key = rankKey({ ...row, board: row.post_challenge === 1 ? "ongoing" : "current" });
      await trx
        .updateTable("submissions")
        .set({
          rank: after.get(key)?.rank ?? null,
          rank_before: before.get(key)?.rank ?? null,
          best: after.get(key)?.submission === row.id ? 1 : 0,
        })
        .where("id", "=", row.id)
        // A baseline does not move its participant.
        .where("baseline", "=", 0)
        .where("state", "=", "graded")
        .execute();
    }
    await trx
      .updateTable("regrades")
      .set({ state: "done", finished_at: iso(now) })
      .where("id", "=", id)
      .execute();
    return rows.length;
  });
  if (swapped !== null)
    context.log.info({ event: "regrade_completed", challenge, submissions: swapped }, "regrade completed");
}

function newVerdicts(trx: Db, regrade: number): Promise<Regraded[]> {
  return trx
    .selectFrom("regrade_items")
    .innerJoin("submissions", "submissions.id", "regrade_items.submission")
    .innerJoin("attempts", (join) =>
      join
        .onRef("attempts.submission", "=", "regrade_items.submission")
        .onRef("attempts.number", "=", "regrade_items.attempt"),
    )
    .selectAll("submissions")
    .select(["regrade_items.attempt as regrade_attempt", "attempts.outcome as outcome"])
    .where("regrade_items.regrade", "=", regrade)
    .where("regrade_items.result", "in", ["graded", "failed"])
    .orderBy("regrade_items.number")
    .execute();
}

async function writeVerdict(trx: Db, config: ChallengeConfig, row: Regraded, now: Date): Promise<void> {
  const outcome = outcomeSchema.parse(parseExact(row.outcome as string));
  const verdict = outcome.ok
    ? {
        state: "graded" as const,
        ...gradeColumns(config, row, outcome),
        error_code: null,
        error_message: null,
      }
    : {
        state: "failed" as const,
        ...NO_GRADE,
        ...failureColumns(outcome),
      };
  await replaceMedia(trx, row, outcome.ok ? outcome.media : null, now);
  await trx
    .updateTable("submissions")
    .set({
      ...NO_MEDIA,
      ...verdict,
      artifacts: config.environment ? keepStepLog(row, verdict.artifacts) : verdict.artifacts,
      attempt: row.regrade_attempt,
      regraded_at: iso(now),
      score_before: row.score,
    })
    .where("id", "=", row.id)
    .execute();
  const final = outcome.ok ? (outcome.score_final ?? null) : null;
  await writeFinalScore(trx, config, { challenge: row.challenge, submission: row.id }, final);
  await trx.updateTable("attempts").set({ accepted: 0 }).where("submission", "=", row.id).execute();
  await trx
    .updateTable("attempts")
    .set({ accepted: 1 })
    .where("submission", "=", row.id)
    .where("number", "=", row.regrade_attempt)
    .execute();
  // Both verdicts are about the submission itself, so both charge the slot, even one that was returned
  // before.
  await trx
    .updateTable("slots")
    .set({ state: "charged", reason: outcome.ok ? "graded" : outcome.code, settled_at: iso(now) })
    .where("submission", "=", row.id)
    .where("state", "!=", "charged")
    .execute();
}

/** A new version may round or order scores differently, which also affects grades that were kept. */
async function renewSortKeys(trx: Db, config: ChallengeConfig): Promise<void> {
  const rows = await trx
    .selectFrom("submissions")
    .select(["id", "score", "score_secondary", "sort_primary", "sort_secondary"])
    .where("challenge", "=", config.id)
    .where("state", "=", "graded")
    .where("function", "=", "submit")
    .where("dry_run", "=", 0)
    .execute();
  for (const { id, score, score_secondary, ...known } of rows) {
    const keys = sortKeys(config, score, score_secondary);
    if (keys.sort_primary === known.sort_primary && keys.sort_secondary === known.sort_secondary) continue;
    await trx.updateTable("submissions").set(keys).where("id", "=", id).execute();
  }
}
