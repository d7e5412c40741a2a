import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { columnValues } from "../../domain/challenges/board-columns.ts";
import type { Db } from "../../records/records.ts";
import { mapPages, PAGE, pagesOf } from "./read-pages.ts";
import type { Table } from "./table.ts";

/** Lists all submissions to a challenge, each with its current grade. */
export function submissionTable(trx: Db, challenge: string, config: Pick<ChallengeConfig, "columns">): Table {
  return {
    name: "submissions",
    columns: {
      submission: "text",
      number: "integer",
      participant: "text",
      member: "text",
      round: "text",
      function: "text",
      state: "text",
      score: "number",
      score_secondary: "number",
      score_final: "number",
      ...Object.fromEntries(config.columns.map(({ key }) => [`data.${key}`, "number" as const])),
      data: "json",
      meta: "json",
      grading_message: "text",
      error_code: "text",
      error_message: "text",
      message: "text",
      dry_run: "boolean",
      post_challenge: "boolean",
      baseline: "boolean",
      baseline_comment: "text",
      created_at: "time",
      sealed_at: "time",
      accepted_at: "time",
      finished_at: "time",
      regraded_at: "time",
      score_before: "number",
      attempt: "integer",
      evaluator_version: "text",
      slot: "text",
      input_kind: "text",
      input_name: "text",
      input_size: "integer",
      input_sha256: "text",
      models: "integer",
      code_commit: "text",
      publish: "boolean",
      published_at: "time",
    },
    pages: mapPages(
      pagesOf<Awaited<ReturnType<typeof readPage>>[number]>((last) =>
        readPage(trx, challenge, last?.number ?? 0),
      ),
      ({ id, dry_run, post_challenge, baseline, publish, ...row }) => ({
        ...row,
        submission: id,
        input_size: Number(row.input_size),
        dry_run: dry_run === 1,
        post_challenge: post_challenge === 1,
        baseline: baseline === 1,
        publish: publish === 1,
        ...Object.fromEntries(
          Object.entries(columnValues(config, row.data)).map(([key, value]) => [`data.${key}`, value]),
        ),
      }),
    ),
  };
}

const readPage = (trx: Db, challenge: string, after: number) =>
  trx
    .selectFrom("submissions as s")
    .innerJoin("participants", "participants.id", "s.participant_id")
    .leftJoin("slots", "slots.submission", "s.id")
    .leftJoin("submission_code as code", "code.submission", "s.id")
    .leftJoin("final_scores as final", (join) =>
      join.onRef("final.challenge", "=", "s.challenge").onRef("final.submission", "=", "s.id"),
    )
    .select(["s.id", "s.number", "participants.name as participant", "s.member", "s.round", "s.function"])
    .select(["s.state", "s.score", "s.score_secondary", "s.data", "s.meta", "s.grading_message"])
    .select(["s.error_code", "s.error_message", "s.message", "s.dry_run", "s.post_challenge", "s.baseline"])
    .select(["s.baseline_comment", "s.created_at", "s.sealed_at", "s.accepted_at", "s.finished_at"])
    .select(["s.regraded_at", "s.score_before", "s.attempt", "s.evaluator_version", "slots.state as slot"])
    .select(["s.input_kind", "s.input_name", "s.input_size", "s.input_sha256", "s.model_count as models"])
    .select([
      "code.commit_name as code_commit",
      "s.publish",
      "s.published_at",
      "final.final_score as score_final",
    ])
    .where("s.challenge", "=", challenge)
    .where("s.number", ">", after)
    .orderBy("s.number")
    .limit(PAGE)
    .execute();
