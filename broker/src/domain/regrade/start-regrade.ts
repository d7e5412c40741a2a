import { CrowdaiError, type ErrorCode, catalog as errors, STEP_LOG } from "@crowdai/shared";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { RegradeRow } from "../../records/tables.ts";
import { currentVersions } from "../challenges/recorded-challenges.ts";
import { DEADLINES } from "../submissions/deadlines.ts";
import { newVersionEverywhere } from "./older-gradings.ts";

/** Failures that a fixed evaluator may turn into a grade. */
const CHALLENGE_FAULTS = Object.keys(errors).filter(
  (code) => errors[code as ErrorCode].fault === "challenge",
) as ErrorCode[];

/**
 * Starts a regrade: a new attempt for every submission that was graded or failed through the challenge's
 * fault. Outcomes stay until all attempts have ended. Brokers pick it up automatically. Throws
 * regrade_running.
 */
export function startRegrade(
  records: Records,
  challenge: string,
  now: Date,
): Promise<{ id: number; submissions: number }> {
  return commit(records, "start-regrade", async (trx) => {
    await records.lock(trx, `challenge:${challenge}`);
    const running = await trx
      .selectFrom("regrades")
      .select("started_at")
      .where("challenge", "=", challenge)
      .where("state", "=", "running")
      .executeTakeFirst();
    if (running)
      throw new CrowdaiError(
        "regrade_running",
        `${challenge} is already being re-graded, since ${running.started_at}.`,
      );
    // Not the version that a broker serves: it may not have seen the newest yet.
    const version = (await currentVersions(trx)).get(challenge) ?? null;
    const regrade = await trx
      .insertInto("regrades")
      .values({ challenge, version, state: "running", started_at: iso(now), finished_at: null })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { id: regrade.id, submissions: await addItems(trx, regrade, now, { all: true }) };
  });
}

/**
 * Adds attempts for submissions that belong to the regrade and are not in it yet: all that arrived before it
 * started or, without `all`, those that were being graded at that time and so were graded with another
 * version. Returns their number.
 */
export async function addItems(
  trx: Db,
  regrade: RegradeRow,
  now: Date,
  { all = false } = {},
): Promise<number> {
  const until = all ? regrade.started_at : newVersionEverywhere(regrade);
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto("regrade_items")
    .columns(["regrade", "submission", "number", "state", "attempt", "starts", "deadline_at"])
    .expression((eb) =>
      eb
        .selectFrom("submissions")
        .select([
          sql<number>`cast(${regrade.id} as integer)`.as("regrade"),
          "submissions.id as submission",
          "submissions.number as number",
          sql<"waiting">`'waiting'`.as("state"),
          sql<number>`(select coalesce(max(number), 0) + 1 from attempts where attempts.submission = submissions.id)`.as(
            "attempt",
          ),
          sql<number>`0`.as("starts"),
          sql<string>`cast(${iso(now.getTime() + DEADLINES.submitted)} as text)`.as("deadline_at"),
        ])
        .where("challenge", "=", regrade.challenge)
        .where("function", "=", "submit")
        .where("dry_run", "=", 0)
        .where("created_at", "<=", until)
        // A session that was not graded has no agent any more that could play to the end.
        .where((on) =>
          on.or([
            on("input_kind", "!=", "session"),
            on.and([on("state", "=", "graded"), on("artifacts", "like", `%"${STEP_LOG}"%`)]),
          ]),
        )
        // Our evaluator cannot reproduce an external grader's grade.
        .where("outside_status", "is", null)
        .where((on) =>
          on.or([
            on("state", "=", "graded"),
            on.and([on("state", "=", "failed"), on("error_code", "in", CHALLENGE_FAULTS)]),
          ]),
        )
        .$if(!all, (query) =>
          query.where((on) =>
            on.or([
              on("evaluator_version", "is", null),
              on("evaluator_version", "!=", regrade.version as string),
            ]),
          ),
        )
        .where((on) =>
          on.not(
            on.exists(
              on
                .selectFrom("regrade_items as known")
                .select("known.submission")
                .where("known.regrade", "=", regrade.id)
                .whereRef("known.submission", "=", "submissions.id"),
            ),
          ),
        ),
    )
    .executeTakeFirstOrThrow();
  await trx
    .insertInto("attempts")
    .columns(["submission", "number", "state", "delivery", "accepted", "regrade"])
    .expression((eb) =>
      eb
        .selectFrom("regrade_items")
        .select([
          "submission",
          "attempt as number",
          sql<"waiting">`'waiting'`.as("state"),
          sql<number>`0`.as("delivery"),
          sql<number>`0`.as("accepted"),
          "regrade",
        ])
        .where("regrade", "=", regrade.id)
        .where((on) =>
          on.not(
            on.exists(
              on
                .selectFrom("attempts as known")
                .select("known.number")
                .whereRef("known.submission", "=", "regrade_items.submission")
                .whereRef("known.number", "=", "regrade_items.attempt"),
            ),
          ),
        ),
    )
    .execute();
  return Number(numInsertedOrUpdatedRows);
}
