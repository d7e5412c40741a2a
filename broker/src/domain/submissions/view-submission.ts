import {
  CrowdaiError,
  type EnvironmentRecord,
  catalog as errors,
  parseExact,
  type RunRecord,
  type Submission,
} from "@crowdai/shared";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { SlotRow, SubmissionCodeRow, SubmissionRow } from "../../records/tables.ts";
import { columnValues } from "../challenges/board-columns.ts";
import { REPLAY } from "../environments/challenge-functions.ts";
import { type QueueStatusSources, readWaiting } from "../graders/queue-status.ts";
import { isFinalShown } from "../leaderboard/final-shown.ts";
import { mediaUrls } from "../media/media-keys.ts";
import { findDisqualification } from "../participants/disqualifications.ts";
import { listArtifacts } from "./artifacts.ts";
import type { NamedParticipant } from "./repository-name.ts";
import { readRecords } from "./run-record.ts";
import type { Needs } from "./services.ts";
import { HOLDS, readCode, viewCode } from "./submission-code.ts";

/** Data of a view beyond the submission's own row. */
export interface Surroundings {
  participant: NamedParticipant;
  slot: SlotRow["state"] | null;
  disqualified: Submission["disqualified"];
  code: SubmissionCodeRow | undefined;
  run: RunRecord | null;
  environment: EnvironmentRecord | null;
  /** Hidden until isFinalShown. */
  scoreFinal: number | null;
  /** Whether its participant selected it for the final ranking. */
  selected: boolean;
}

/** Reads the data around a submission. Lists leave out the records of runs, whose logs may be large. */
export async function readSurroundings(
  db: Db,
  row: SubmissionRow,
  { withRun = true } = {},
): Promise<Surroundings> {
  const hasRecords = row.input_kind === "code" || row.input_kind === "session" || row.function === REPLAY;
  const { id, name, slot, has_code, has_decision, final_score, selected_at } = (await surroundings(db, {
    submission: row.id,
    participant: row.participant_id,
    challenge: row.challenge,
    round: row.round,
  }))!;
  return {
    participant: { id, name },
    slot,
    disqualified: has_decision ? await readDisqualified(db, row) : null,
    scoreFinal: row.state === "graded" ? final_score : null,
    selected: selected_at !== null,
    code: has_code ? await readCode(db, row.id) : undefined,
    ...(withRun && hasRecords ? await readRecords(db, row) : { run: null, environment: null }),
  };
}

interface Keys {
  submission: string;
  participant: number;
  challenge: string;
  round: string;
}

const surroundings = lookup((db, { submission, participant, challenge, round }: Keys) =>
  db
    .selectFrom("participants")
    .leftJoin("slots", (join) => join.on("slots.submission", "=", submission))
    .leftJoin("submission_code", (join) => join.on("submission_code.submission", "=", submission))
    .leftJoin("final_scores", (join) =>
      join.on("final_scores.challenge", "=", challenge).on("final_scores.submission", "=", submission),
    )
    .leftJoin("final_selections", (join) =>
      join
        .on("final_selections.challenge", "=", challenge)
        .on("final_selections.round", "=", round)
        .onRef("final_selections.participant_id", "=", "participants.id")
        .on("final_selections.submission", "=", submission),
    )
    .select(["participants.id", "name", "slots.state as slot", "submission_code.submission as has_code"])
    .select((eb) =>
      eb
        .selectFrom("disqualifications")
        .select("disqualifications.id")
        .where("disqualifications.participant_id", "=", participant)
        .limit(1)
        .as("has_decision"),
    )
    .select(["final_score", "selected_at"])
    .where("participants.id", "=", participant),
);

async function readDisqualified(
  db: Db,
  { challenge, participant_id }: SubmissionRow,
): Promise<Submission["disqualified"]> {
  const found = await findDisqualification(db, challenge, participant_id);
  return found && { reason: found.reason, at: found.at };
}

/** The services that viewing a submission uses. */
export type ViewNeeds = QueueStatusSources & Needs<"baseUrl" | "catalog">;

/** Returns the submission as its participant sees it. `db` may be a transaction. */
export async function viewSubmission(
  context: ViewNeeds,
  db: Db,
  row: SubmissionRow,
  known?: Surroundings,
): Promise<Submission> {
  const surrounding = known ?? (await readSurroundings(db, row));
  const { participant, slot, disqualified, code, run, environment, scoreFinal, selected } = surrounding;
  const config = context.catalog.all().get(row.challenge)?.config;
  const isShown = scoreFinal !== null && (await isFinalShown(db, config, row.round, context.clock()));
  const inQueue = row.state === "submitted" && row.outside_status === null;
  const waiting = inQueue ? await readWaiting(context, db, row) : null;
  const reason = inQueue && code && code.holds !== HOLDS.no ? "waiting for the code" : waiting?.reason;
  return {
    id: row.id,
    number: row.number,
    challenge: row.challenge,
    participant: participant.name,
    round: row.round,
    function: row.function,
    state: row.state,
    message: row.message,
    input: { kind: row.input_kind, name: row.input_name, size: row.input_size, sha256: row.input_sha256 },
    post_challenge: row.post_challenge === 1,
    created_at: row.created_at,
    sealed_at: row.sealed_at,
    accepted_at: row.accepted_at,
    finished_at: row.finished_at,
    score: row.score,
    score_secondary: row.score_secondary,
    score_final: isShown ? scoreFinal : null,
    selected,
    columns: row.state === "graded" && config ? columnValues(config, row.data) : {},
    grading_message: row.grading_message,
    data: row.data === null ? null : parseExact(row.data),
    error: row.error_code
      ? new CrowdaiError(row.error_code, row.error_message ?? errors[row.error_code]?.title).toBody()
      : null,
    rank: row.rank,
    rank_before: row.rank_before,
    best: row.best === null ? null : row.best === 1,
    standing: null,
    place: waiting?.place ?? null,
    waiting: reason ?? null,
    expected_at: waiting?.expectedAt ?? null,
    graders: waiting?.graders ?? null,
    slot: slot ?? "none",
    attempt: row.attempt,
    evaluator_version: row.evaluator_version,
    regraded: row.regraded_at === null ? null : { at: row.regraded_at, score_before: row.score_before },
    artifacts: await listArtifacts(context, db, row),
    run,
    environment,
    media: mediaUrls(row, context.baseUrl()),
    media_dropped: row.media_dropped,
    code: code ? viewCode(context.baseUrl(), participant, code) : null,
    publish: row.publish === 1,
    published_at: row.published_at,
    member: row.member,
    disqualified,
    seq: row.seq,
    url: `${context.baseUrl()}/submissions/${row.id}`,
  };
}
