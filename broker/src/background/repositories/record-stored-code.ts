import { CrowdaiError } from "@crowdai/shared";
import type { StoredObject } from "@crowdai/shared/objects";
import { iso } from "../../clock.ts";
import type { SubmissionContext } from "../../domain/submissions/context.ts";
import { DEADLINES } from "../../domain/submissions/deadlines.ts";
import { lockSubmission } from "../../domain/submissions/find-submission.ts";
import { codeLock, HOLDS, nextStored, readCode } from "../../domain/submissions/submission-code.ts";

interface Kept extends StoredObject {
  key: string;
}

export interface ProvenCode {
  commit: string;
  snapshot: string;
  files: number;
  bytes: number;
  pack: Kept | null;
  tree: Kept | null;
}

/** Writes that a submission's code is kept, and lets its grading go on. Harmless to repeat. */
export async function recordStored(
  context: SubmissionContext,
  id: string,
  proven: ProvenCode,
): Promise<void> {
  await context.records.transaction(async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    await context.records.lock(trx, codeLock(row));
    const code = await readCode(trx, id);
    if (!code || code.state === "stored") return;
    if (code.commit_name !== proven.commit)
      throw new CrowdaiError("code_push_refused", `Meanwhile another commit was announced for ${id}.`);
    await trx
      .updateTable("submission_code")
      .set({
        state: "stored",
        holds: HOLDS.no,
        deadline_at: null,
        stored_at: iso(context.clock()),
        stored_seq: await nextStored(trx, row),
        snapshot: proven.snapshot,
        files: proven.files,
        bytes: proven.bytes,
        pack_key: proven.pack?.key ?? null,
        pack_size: proven.pack?.size ?? null,
        pack_sha256: proven.pack?.sha256 ?? null,
        tree_key: proven.tree?.key ?? null,
        tree_size: proven.tree?.size ?? null,
        tree_sha256: proven.tree?.sha256 ?? null,
      })
      .where("submission", "=", id)
      .execute();
    // A grader has its whole time from the moment it may begin.
    if (code.holds !== HOLDS.no && row.state === "submitted")
      await trx
        .updateTable("submissions")
        .set({ deadline_at: iso(context.clock().getTime() + DEADLINES.submitted) })
        .where("id", "=", id)
        .execute();
  });
  context.dispatchSoon();
}
