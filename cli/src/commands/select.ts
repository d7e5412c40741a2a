import type { Submission } from "@crowdai/shared";
import { selectSubmission } from "../client/http/broker-queries.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { CommandContext } from "./handler.ts";
import { SUBMISSION_FIELDS, submissionDocument } from "./submission/submission-document.ts";

/** Selects a submission for the final ranking of its round, or removes it from the selection. */
export async function select(
  { connection, terminal }: CommandContext,
  { id }: { id: string },
  { remove }: { remove?: boolean },
): Promise<number> {
  terminal.requireFields([...SUBMISSION_FIELDS, "selected"]);
  await connection.key();
  const submission = await selectSubmission(await connection.http(), id, { remove });
  const document = { ...submissionDocument(submission), selected: submission.selected };
  const next = `crowdai submissions ${submission.challenge}`;
  terminal.present({
    json: document,
    ndjson: [{ type: "submission", ...document }],
    quiet: [submission.id],
    text: () => terminal.answer(describe(submission)),
    next: [next, submission.selected && `crowdai select ${submission.id} --remove`],
  });
  terminal.next(next);
  return 0;
}

function describe({ id, round, challenge, selected }: Submission): string {
  const where = `the final ranking of round ${plainLine(round)} of ${plainLine(challenge)}`;
  return selected ? `${id} is selected for ${where}.` : `${id} is no longer selected for ${where}.`;
}
