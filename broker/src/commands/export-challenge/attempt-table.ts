import type { Outcome } from "@crowdai/shared";
import type { Db } from "../../records/records.ts";
import { mapPages, PAGE, pagesOf } from "./read-pages.ts";
import type { Table } from "./table.ts";

/** Lists all attempts at grading submissions, each with its verdict and the log for the organizer. */
export function attemptTable(trx: Db, challenge: string): Table {
  return {
    name: "attempts",
    columns: {
      submission: "text",
      number: "integer",
      state: "text",
      accepted: "boolean",
      regrade: "integer",
      delivery: "integer",
      grader: "text",
      published_at: "time",
      started_at: "time",
      finished_at: "time",
      evaluator_version: "text",
      score: "number",
      score_secondary: "number",
      score_final: "number",
      error_code: "text",
      error_message: "text",
      run: "json",
      environment: "json",
      organizer_log: "text",
    },
    pages: mapPages(
      pagesOf<Awaited<ReturnType<typeof readPage>>[number]>((last) => readPage(trx, challenge, last)),
      ({ place, outcome, accepted, ...row }) => ({
        ...row,
        accepted: accepted === 1,
        ...verdict(outcome),
      }),
    ),
  };
}

const readPage = (trx: Db, challenge: string, last: { place: number; number: number } | undefined) =>
  trx
    .selectFrom("submissions")
    .innerJoin("attempts", "attempts.submission", "submissions.id")
    .select(["submissions.number as place", "attempts.submission", "attempts.number", "attempts.state"])
    .select(["attempts.accepted", "attempts.regrade", "attempts.delivery", "attempts.grader"])
    .select(["attempts.published_at", "attempts.started_at", "attempts.finished_at"])
    .select(["attempts.evaluator_version", "attempts.outcome", "attempts.run", "attempts.environment"])
    .select("attempts.organiser_log as organizer_log")
    .where("submissions.challenge", "=", challenge)
    .where("submissions.number", ">=", last?.place ?? 0)
    .where((eb) =>
      eb.or([eb("submissions.number", ">", last?.place ?? 0), eb("attempts.number", ">", last?.number ?? 0)]),
    )
    .orderBy("submissions.number")
    .orderBy("attempts.number")
    .limit(PAGE)
    .execute();

function verdict(text: string | null) {
  const outcome = text === null ? null : (JSON.parse(text) as Outcome);
  const graded = outcome?.ok ? outcome : null;
  const failed = outcome && !outcome.ok ? outcome : null;
  return {
    score: graded?.score ?? null,
    score_secondary: graded?.score_secondary ?? null,
    score_final: graded?.score_final ?? null,
    error_code: failed?.code ?? null,
    error_message: failed?.message ?? null,
  };
}
