import { submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import { relativeTime } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });

/** Lists the participant's submissions, newest first. */
export async function submissions(
  { connection, terminal }: CommandContext,
  args: { id?: string },
  options: { limit: number },
): Promise<number> {
  await connection.key();
  const found = await (await connection.http()).get("/api/v1/submissions", submissionsSchema, {
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
        ["Submission", "Challenge", "Round", "State", "Score", "Submitted", "Message"],
        list.map((s) => [
          s.id,
          s.challenge,
          s.round,
          s.state,
          terminal.isForEyes ? scoreText(s.score) : s.score,
          terminal.isForEyes ? relativeTime(s.created_at) : s.created_at,
          s.message,
        ]),
      ),
  });
  const latest = list[0];
  if (latest) terminal.next(`crowdai show ${latest.id}`);
  else terminal.note("You have no submissions yet.");
  return 0;
}

function scoreText(score: number | null): number | null {
  return score === null ? null : Number(score.toPrecision(6));
}
