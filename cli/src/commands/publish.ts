import { type Submission, submissionSchema } from "@crowdai/shared";
import { ensureAgreement } from "../agreement/ask-agreement.ts";
import { readAccount } from "../client/http/account.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";
import { SUBMISSION_FIELDS, submissionDocument } from "./submission/submission-document.ts";

/** Requests publication of a submission's code. Asks for the license agreement if it is missing. */
export async function publish(context: CommandContext, { id }: { id: string }): Promise<number> {
  const { io, connection, terminal } = context;
  terminal.requireFields(SUBMISSION_FIELDS);
  await connection.key();
  const http = await connection.http();
  if (!(await readAccount(http)).agreed)
    await ensureAgreement({ io, terminal, http, broker: connection.settings });
  return choose(context, id, "publish");
}

/** Withdraws a submission from publication. */
export async function unpublish(context: CommandContext, { id }: { id: string }): Promise<number> {
  context.terminal.requireFields(SUBMISSION_FIELDS);
  await context.connection.key();
  return choose(context, id, "unpublish");
}

async function choose(
  { connection, terminal }: CommandContext,
  id: string,
  action: "publish" | "unpublish",
): Promise<number> {
  const path = `/api/v1/submissions/${encodeURIComponent(id)}/${action}`;
  const submission = await (await connection.http()).post(path, {}, submissionSchema, { repeatable: true });
  const next = `crowdai ${submission.published_at === null ? "show" : "clone"} ${submission.id}`;
  terminal.present({
    json: {
      ...submissionDocument(submission),
      publish: submission.publish,
      published_at: submission.published_at,
    },
    ndjson: [{ type: "submission", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () => terminal.answer(describe(submission)),
    next: [
      next,
      submission.publish && submission.published_at === null && `crowdai unpublish ${submission.id}`,
    ],
  });
  if (submission.publish && submission.published_at === null)
    terminal.note(`Until then, you can withdraw it with \`crowdai unpublish ${submission.id}\`.`);
  terminal.next(next);
  return 0;
}

function describe({ id, challenge, publish: wanted, published_at }: Submission): string {
  if (published_at !== null)
    return `The code of ${id} was published under the MIT license on ${timeText(published_at)}.`;
  return wanted
    ? `The code of ${id} will be published under the MIT license when ${plainLine(challenge)} closes.`
    : `The code of ${id} will not be published.`;
}
