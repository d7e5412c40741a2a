import { submissionSchema } from "@crowdai/shared";
import { acceptCancelled } from "../client/session/already-cancelled.ts";
import type { CommandContext } from "./handler.ts";
import { SUBMISSION_FIELDS, submissionDocument } from "./submission/submission-document.ts";

/** Cancels a submission that is not graded yet. Succeeds if it is cancelled already. */
export async function cancel(
  { connection, terminal }: CommandContext,
  { id }: { id: string },
): Promise<number> {
  terminal.requireFields(SUBMISSION_FIELDS);
  await connection.key();
  const http = await connection.http();
  const path = `/api/v1/submissions/${encodeURIComponent(id)}`;
  const submission = await http
    .post(`${path}/cancel`, {}, submissionSchema, { repeatable: true })
    .catch((failure) => acceptCancelled(failure, () => http.get(path, submissionSchema)));

  const next = `crowdai submissions ${submission.challenge}`;
  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "result", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () => terminal.answer(`Submission ${submission.id} is cancelled.`),
    next: [next],
  });
  if (submission.slot === "returned") terminal.note("Its slot is free again.");
  terminal.next(next);
  return 0;
}
