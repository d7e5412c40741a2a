import { submissionSchema } from "@crowdai/shared";
import { acceptCancelled } from "../client/session/already-cancelled.ts";
import type { Context } from "../context.ts";
import { submissionDocument } from "./submission/submission-document.ts";

/** Cancels a submission that has no grade yet. One that is cancelled already is as wanted. */
export async function cancel(context: Context, { id }: { id: string }): Promise<number> {
  const { terminal } = context;
  await context.key();
  const http = await context.http();
  const path = `/api/v1/submissions/${encodeURIComponent(id)}`;
  const submission = await http
    .post(`${path}/cancel`, {}, submissionSchema, { repeatable: true })
    .catch((failure) => acceptCancelled(failure, () => http.get(path, submissionSchema)));

  terminal.present({
    json: submissionDocument(submission),
    ndjson: [{ type: "result", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () => terminal.answer(`${submission.id} is cancelled.`),
  });
  if (submission.slot === "returned") terminal.note("Its slot was given back.");
  terminal.next(`crowdai submissions ${submission.challenge}`);
  return 0;
}
