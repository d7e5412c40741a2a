import { type ErrorCode, catalog as errors } from "@crowdai/shared";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { headOfQueue, queuedAt } from "../submissions/head-of-queue.ts";
import { listWebhooks } from "../webhooks/list-webhooks.ts";
import type { ReportedGraders } from "./reported-graders.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;
const MAX_FAILURES = 5;
/** Failed submissions among which those are sought that are not the participants' fault. */
const MAX_SEARCHED = 1000;
const MAX_LINES = 8;

/** A submission that could not be graded, for a reason outside of it. */
export interface UngradedSubmission {
  submission: string;
  at: string;
  code: ErrorCode;
  message: string;
  /** The last lines of the evaluator's stderr and of how it ended. */
  log: string[];
}

/** The state of a challenge at a glance, for its organizer. */
export interface ChallengeStatus {
  challenge: string;
  /** Submissions that wait for a grader, and since when the first of them does. */
  waiting: number;
  waiting_since: string | null;
  grading: number;
  /** Names of the graders that serve it. */
  graders: string[];
  /** Why graders that have it cannot run it. */
  unable: string[];
  /** The latest of the last day first. */
  ungraded: UngradedSubmission[];
  /** Versions of the challenge by which the entries of its leaderboards were graded. */
  versions: { version: string | null; entries: number }[];
  /** Hours (UTC) of the last day that had submissions. */
  submissions_by_hour: { hour: string; submissions: number }[];
  /** By host: the address may contain a secret. */
  webhooks: { host: string; waiting: number; given_up: number; problem: string | null }[];
}

export async function readChallengeStatus(
  db: Db,
  challenge: string,
  { graders }: ReportedGraders,
  now: Date,
): Promise<ChallengeStatus> {
  const since = iso(now.getTime() - HOURS * HOUR_MS);
  const head = await headOfQueue(db, challenge);
  return {
    challenge,
    waiting: await countIn(db, challenge, "submitted"),
    waiting_since: head ? iso(queuedAt(head)) : null,
    grading: await countIn(db, challenge, "grading"),
    graders: graders.filter((one) => one.challenges.includes(challenge)).map(({ grader }) => grader),
    unable: graders.flatMap(({ unable }) => unable?.[challenge] ?? []),
    ungraded: await readUngraded(db, challenge, since),
    versions: await readVersions(db, challenge),
    submissions_by_hour: await countByHour(db, challenge, since),
    webhooks: (await listWebhooks(db, challenge)).map(({ url, waiting, given_up, problem }) => ({
      ...{ host: new URL(url).host, waiting, given_up, problem },
    })),
  };
}

async function countIn(db: Db, challenge: string, state: "submitted" | "grading"): Promise<number> {
  const { count } = await db
    .selectFrom("submissions")
    .select(({ fn }) => fn.countAll().as("count"))
    .where("challenge", "=", challenge)
    .where("state", "=", state)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function readUngraded(db: Db, challenge: string, since: string): Promise<UngradedSubmission[]> {
  const failed = await db
    .selectFrom("submissions")
    .select(["id", "attempt", "error_code", "error_message", "finished_at"])
    .where("challenge", "=", challenge)
    .where("state", "=", "failed")
    .orderBy("number", "desc")
    .limit(MAX_SEARCHED)
    .execute();
  const found = failed.filter(
    ({ error_code: code, finished_at }) =>
      code !== null && (errors[code] ?? errors.unexpected).fault !== "you" && (finished_at ?? "") >= since,
  );
  return Promise.all(
    found.slice(0, MAX_FAILURES).map(async ({ id, attempt, error_code, error_message, finished_at }) => {
      const tried = await db
        .selectFrom("attempts")
        .select("organiser_log")
        .where("submission", "=", id)
        .where("number", "=", attempt)
        .executeTakeFirst();
      return {
        submission: id,
        at: finished_at as string,
        code: error_code as ErrorCode,
        message: error_message ?? "",
        log: lastLines(tried?.organiser_log ?? ""),
      };
    }),
  );
}

/** Without control characters, which would reach a terminal. */
function lastLines(text: string): string[] {
  const lines = text
    .replaceAll(/(?!\n)\p{Cc}/gu, "")
    .trimEnd()
    .split("\n");
  return lines.slice(-MAX_LINES).filter((line) => line !== "");
}

async function readVersions(db: Db, challenge: string): Promise<ChallengeStatus["versions"]> {
  const rows = await db
    .selectFrom("standings")
    .innerJoin("submissions", "submissions.id", "standings.submission")
    .select(({ fn }) => ["evaluator_version as version", fn.countAll().as("entries")])
    .where("standings.challenge", "=", challenge)
    .where("standings.board", "=", "ongoing")
    .groupBy("evaluator_version")
    .orderBy("entries", "desc")
    .execute();
  return rows.map(({ version, entries }) => ({ version, entries: Number(entries) }));
}

async function countByHour(
  db: Db,
  challenge: string,
  since: string,
): Promise<ChallengeStatus["submissions_by_hour"]> {
  const hour = sql<string>`substr(created_at, 1, 13)`;
  const rows = await db
    .selectFrom("submissions")
    .select(({ fn }) => [hour.as("hour"), fn.countAll().as("submissions")])
    .where("challenge", "=", challenge)
    .where("created_at", ">=", since)
    .groupBy(hour)
    .orderBy("hour")
    .execute();
  return rows.map(({ hour, submissions }) => ({ hour: `${hour}:00Z`, submissions: Number(submissions) }));
}
