import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Transaction } from "kysely";
import { lockSubmission } from "../../domain/submissions/find-submission.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { codeLock, readCode } from "../../domain/submissions/submission-code.ts";
import { commit } from "../../records/commit.ts";
import type { SubmissionCodeRow, SubmissionRow, Tables } from "../../records/tables.ts";
import { finalCommitText, objectName } from "./final-commit.ts";
import type { Repositories } from "./repositories.ts";

const ENDED = ["graded", "failed"] as const;
const BATCH = 200;
/** The participant id under which the challenge's own repository is recorded. */
export const CHALLENGE_ITSELF = 0;

/** The services that finalizing code uses. */
export type FinalizeNeeds = Needs<"records" | "catalog" | "clock"> & {
  repositories: Pick<Repositories, "participant">;
};

/**
 * Makes the final commit of every finished submission whose code is stored: first in the records, in one
 * transaction each, so that a crash cannot make it twice; then in this broker's repositories. Returns the
 * number of commits.
 */
export async function finalizeCode(code: FinalizeNeeds & Needs<"log">): Promise<number> {
  const rows = await code.records.db
    .selectFrom("submission_code")
    .innerJoin("submissions", "submissions.id", "submission_code.submission")
    .select("submissions.id")
    .where("submission_code.state", "=", "stored")
    .where("submission_code.final_seq", "is", null)
    .where("submissions.state", "in", ENDED)
    .orderBy("submissions.finished_at")
    .orderBy("submissions.number")
    .limit(BATCH)
    .execute();
  // One submission that cannot be finalized must not stop the others, or count as a fault of the broker.
  let failed = 0;
  for (const { id } of rows)
    await finalizeSubmission(code, id).catch((error) => {
      if (++failed === rows.length && failed > 1) throw error;
      code.log.error(
        { event: "code_finalize_failed", submission: id, err: error },
        "making the final commit of a submission failed",
      );
    });
  return rows.length;
}

/** Finalizes one submission; does nothing when it is not finished or already has its commit. */
export async function finalizeSubmission(code: FinalizeNeeds, id: string): Promise<void> {
  const { records, repositories } = code;
  const done = await commit(records, "finalize-code", (trx) => writeFinal(code, trx, id));
  if (done) await repositories.participant(done.challenge, done.participant_id);
}

async function writeFinal(
  context: Needs<"records" | "catalog" | "clock">,
  trx: Transaction<Tables>,
  id: string,
): Promise<SubmissionCodeRow | null> {
  const row = await lockSubmission(context.records, trx, id);
  if (!ENDED.some((state) => state === row.state)) return null;
  await context.records.lock(trx, codeLock(row));
  const code = await readCode(trx, id);
  if (code?.state !== "stored" || code.final_seq !== null) return null;
  const tip = await trx
    .selectFrom("submission_code")
    .select(["final_seq", "final_commit"])
    .where("challenge", "=", row.challenge)
    .where("participant_id", "=", row.participant_id)
    .where("final_seq", "is not", null)
    .orderBy("final_seq", "desc")
    .limit(1)
    .executeTakeFirst();
  const text = finalCommitText({
    tree: code.tree,
    parent: tip?.final_commit ?? null,
    snapshot: code.snapshot as string,
    member: row.member,
    message: row.message,
    at: new Date(row.finished_at as string),
    trailers: trailersOf(context.catalog.all().get(row.challenge)?.config, row),
  });
  await trx
    .updateTable("submission_code")
    .set({
      final_seq: (tip?.final_seq ?? 0) + 1,
      final_commit: objectName("commit", text),
      final_text: text,
    })
    .where("submission", "=", id)
    .execute();
  for (const changed of [row.participant_id, CHALLENGE_ITSELF])
    await raiseVersion(trx, row.challenge, changed, context.clock());
  return code;
}

/** Marks a repository as changed, so that an external host is updated. */
export async function raiseVersion(
  trx: Transaction<Tables>,
  challenge: string,
  participantId: number,
  now: Date,
): Promise<void> {
  await trx
    .insertInto("code_repositories")
    .values({
      challenge,
      participant_id: participantId,
      version: 1,
      shown: 0,
      tries: 0,
      next_at: now.toISOString(),
    })
    .onConflict((conflict) =>
      conflict
        .columns(["challenge", "participant_id"])
        .doUpdateSet((eb) => ({ version: eb("code_repositories.version", "+", 1) })),
    )
    .execute();
}

/**
 * Returns the trailers of a submission's commit. A regrade does not change the commit, which states the
 * result of its time.
 */
function trailersOf(
  config: ChallengeConfig | undefined,
  row: SubmissionRow,
): (readonly [string, string | number | null])[] {
  return [
    ["Submission", row.id],
    ["Challenge", row.challenge],
    ["Round", row.round],
    ["Submitted", row.created_at],
    ["Result", row.state === "graded" ? "graded" : `failed (${row.error_code})`],
    ["Score", row.score],
    ["Score-Secondary", config?.score_secondary === null ? null : row.score_secondary],
  ];
}
