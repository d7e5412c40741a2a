import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import { removeUnaccepted } from "./announced-parts.ts";
import { lockSubmission } from "./find-submission.ts";
import type { Needs } from "./services.ts";
import { CODE_DEADLINES, HOLDS, readCode } from "./submission-code.ts";
import { writeFailure } from "./write-outcome.ts";

type EndNeeds = Needs<"records" | "objects" | "clock" | "log" | "announce">;

/**
 * Handles code that has not arrived by its deadline. Grading that waited for it starts without it, or, if the
 * challenge requires code, the submission fails and its slot is returned. After a week the code counts as
 * missing, but it is still accepted. Returns the number of submissions handled.
 */
export async function sweepAwaitedCode(context: EndNeeds & Needs<"dispatchSoon">): Promise<number> {
  const due = await context.records.db
    .selectFrom("submission_code")
    .select("submission")
    .where("deadline_at", "<", iso(context.clock()))
    .orderBy("deadline_at")
    .limit(500)
    .execute();
  for (const { submission } of due) await endWait(context, submission);
  if (due.length > 0) context.dispatchSoon();
  return due.length;
}

async function endWait(context: EndNeeds, id: string): Promise<void> {
  const ended = await commit(context.records, "sweep-awaited-code", async (trx) => {
    const row = await lockSubmission(context.records, trx, id);
    const code = (await readCode(trx, id))!;
    const now = context.clock();
    if (code.state !== "awaited" || code.deadline_at === null || code.deadline_at >= iso(now)) return null;
    const end = Date.parse(row.created_at) + CODE_DEADLINES.awaited;
    const later = code.holds === HOLDS.awhile && end > now.getTime();
    await trx
      .updateTable("submission_code")
      .set(
        later
          ? { holds: HOLDS.no, deadline_at: iso(end) }
          : { state: "missing", holds: HOLDS.no, deadline_at: null },
      )
      .where("submission", "=", id)
      .execute();
    if (code.holds !== HOLDS.until_stored || (row.state !== "initiated" && row.state !== "submitted"))
      return null;
    const events = await writeFailure(trx, row, codeMissing(row.challenge, code.deadline_at), now);
    return { row, events };
  });
  if (!ended) return;
  context.announce(ended.row.challenge, ended.events);
  if (ended.row.state === "initiated") await removeUnaccepted(context, ended.row);
}

/** Returns the failure of a submission whose required code did not arrive. */
export const codeMissing = (challenge: string, deadline: string | null) => ({
  code: "code_missing" as const,
  message: `${challenge} requires code with every submission, and none arrived by ${deadline}.`,
});
