import { type Submission, submissionSchema } from "@crowdai/shared";
import { ensureAgreement } from "../agreement/ask-agreement.ts";
import { readAccount } from "../client/http/account.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { timeText } from "../terminal/time.ts";
import { submissionDocument } from "./submission/submission-document.ts";

/** Has a submission's code published when its challenge closes. Asks for the agreement where it was never given. */
export async function publish(context: Context, { id }: { id: string }): Promise<number> {
  await context.key();
  await ensureAgreement(context, (await readAccount(await context.http())).agreed);
  return choose(context, id, "publish");
}

/** Takes that back, until the challenge closes. */
export async function unpublish(context: Context, { id }: { id: string }): Promise<number> {
  await context.key();
  return choose(context, id, "unpublish");
}

async function choose(context: Context, id: string, what: "publish" | "unpublish"): Promise<number> {
  const { terminal } = context;
  const path = `/api/v1/submissions/${encodeURIComponent(id)}/${what}`;
  const submission = await (await context.http()).post(path, {}, submissionSchema, { repeatable: true });
  terminal.present({
    json: {
      ...submissionDocument(submission),
      publish: submission.publish,
      published_at: submission.published_at,
    },
    ndjson: [{ type: "submission", ...submissionDocument(submission) }],
    quiet: [submission.id],
    text: () => terminal.answer(describe(submission)),
  });
  if (submission.publish && submission.published_at === null)
    terminal.note(`Until then \`crowdai unpublish ${submission.id}\` takes it back.`);
  terminal.next(
    submission.published_at === null ? `crowdai show ${submission.id}` : `crowdai clone ${submission.id}`,
  );
  return 0;
}

function describe({ id, challenge, publish: wanted, published_at }: Submission): string {
  if (published_at !== null) return `${id} is public under the MIT licence since ${timeText(published_at)}.`;
  return wanted
    ? `${id} will be published under the MIT licence when ${plainLine(challenge)} closes.`
    : `${id} will not be published.`;
}
