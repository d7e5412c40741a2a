import { CrowdaiError } from "@crowdai/shared";
import type { StoredObject } from "@crowdai/shared/objects";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import { DEADLINES } from "./deadlines.ts";
import { lockSubmission } from "./find-submission.ts";
import type { Needs } from "./services.ts";
import { codeLock, HOLDS, nextStored, readCode } from "./submission-code.ts";

interface StoredArchive extends StoredObject {
  key: string;
}

export interface VerifiedCode {
  commit: string;
  snapshot: string;
  files: number;
  bytes: number;
  pack: StoredArchive | null;
  tree: StoredArchive | null;
}

/** Records that a submission's code is stored and releases its grading. Harmless to repeat. */
export async function recordStored(
  context: Needs<"records" | "clock" | "dispatchSoon">,
  id: string,
  verified: VerifiedCode,
): Promise<void> {
  await commit(context.records, "record-stored-code", async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    await context.records.lock(trx, codeLock(row));
    const code = await readCode(trx, id);
    if (!code || code.state === "stored") return;
    if (code.commit_name !== verified.commit)
      throw new CrowdaiError(
        "code_push_refused",
        `Another commit has been announced for ${id} in the meantime.`,
      );
    await trx
      .updateTable("submission_code")
      .set({
        state: "stored",
        holds: HOLDS.no,
        deadline_at: null,
        stored_at: iso(context.clock()),
        stored_seq: await nextStored(trx, row),
        snapshot: verified.snapshot,
        files: verified.files,
        bytes: verified.bytes,
        pack_key: verified.pack?.key ?? null,
        pack_size: verified.pack?.size ?? null,
        pack_sha256: verified.pack?.sha256 ?? null,
        tree_key: verified.tree?.key ?? null,
        tree_size: verified.tree?.size ?? null,
        tree_sha256: verified.tree?.sha256 ?? null,
      })
      .where("submission", "=", id)
      .execute();
    // The deadline for grading starts when grading may start.
    if (code.holds !== HOLDS.no && row.state === "submitted")
      await trx
        .updateTable("submissions")
        .set({ deadline_at: iso(context.clock().getTime() + DEADLINES.submitted) })
        .where("id", "=", id)
        .execute();
  });
  context.dispatchSoon();
}
