import { submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import type { Context } from "../context.ts";
import { localTime } from "../terminal/time.ts";

const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });

export async function submissions(
  context: Context,
  args: { id?: string },
  options: { limit: number },
): Promise<number> {
  const { terminal } = context;
  await context.key();
  const found = await (await context.http()).get("/api/v1/submissions", submissionsSchema, {
    challenge: args.id,
    limit: options.limit,
  });
  const list = found.submissions;
  terminal.present({
    json: found,
    ndjson: list.map((submission) => ({ type: "submission", submission })),
    quiet: list.map(({ id }) => id),
    text: () =>
      terminal.table(
        ["submission", "challenge", "round", "state", "score", "submitted", "message"],
        list.map((s) => [
          s.id,
          s.challenge,
          s.round,
          s.state,
          terminal.isForEyes ? scoreText(s.score) : s.score,
          terminal.isForEyes ? localTime(s.created_at) : s.created_at,
          s.message,
        ]),
      ),
  });
  const latest = list[0];
  if (latest) terminal.next(`crowdai show ${latest.id}`);
  else terminal.note("You have not submitted anything yet.");
  return 0;
}

function scoreText(score: number | null): number | null {
  return score === null ? null : Number(score.toPrecision(6));
}
