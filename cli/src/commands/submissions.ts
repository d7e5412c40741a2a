import { roundScore, type Submission, submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "../client/http/http-client.ts";
import { relativeTime } from "../terminal/time.ts";
import { challengesSchema } from "./challenges.ts";
import type { CommandContext } from "./handler.ts";

const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });

/** Lists the participant's submissions, newest first. */
export async function submissions(
  { connection, terminal }: CommandContext,
  args: { id?: string },
  options: { limit: number },
): Promise<number> {
  await connection.key();
  const http = await connection.http();
  const isTable = terminal.isForEyes && terminal.format === "text" && !terminal.quiet;
  const [found, precisions] = await Promise.all([
    http.get("/api/v1/submissions", submissionsSchema, { challenge: args.id, limit: options.limit }),
    isTable ? readPrecisions(http) : new Map<string, number>(),
  ]);
  const list = found.submissions;
  // The keychain may show a dialog, so that completions cannot ask it for the key.
  if (args.id === undefined && (await connection.keySource()) === "keychain") {
    const { plainIds, storeIds } = await import("../completion/id-cache.ts");
    const ids = list.map(({ id }) => id);
    await storeIds(connection.settings, "submissions", plainIds(ids));
  }
  const hasFinal = list.some((s) => s.selected || s.score_final !== null);
  const next = list[0] && `crowdai show ${list[0].id}`;
  terminal.present({
    json: found,
    next: [next],
    ndjson: list.map((submission) => ({ type: "submission", submission })),
    quiet: list.map(({ id }) => id),
    text: () =>
      terminal.isForEyes
        ? terminal.table(
            [
              ...["Submission", "Challenge", "Round", "State", "Score"],
              ...(hasFinal ? ["Final"] : []),
              ...["Rank", "Now", "Submitted", "Message"],
            ],
            list.map((s) => [
              ...[s.id, s.challenge, s.round, s.state, scoreText(s, s.score, precisions)],
              ...(hasFinal ? [finalText(s, precisions)] : []),
              ...[s.rank, rankNow(s), relativeTime(s.created_at), s.message],
            ]),
            ["Message", "Challenge"],
          )
        : terminal.table(
            [],
            // The ranks and what is final come last, so that scripts that know the older columns still find
            // them.
            list.map((s) => [
              ...[s.id, s.challenge, s.round, s.state, s.score, s.created_at, s.message],
              ...[s.rank, rankNow(s)],
              ...(hasFinal ? [s.score_final, s.selected ? "selected" : null] : []),
            ]),
          ),
  });
  if (isTable && list.some((s) => rankNow(s) !== null))
    terminal.note(
      "Rank is the rank when graded. Now is the current rank, beside the submission that holds it.",
    );
  if (next) terminal.next(next);
  else terminal.note("You have no submissions yet.");
  return 0;
}

/** Returns the participant's rank now, of the submission that it is by. */
const rankNow = ({ standing }: Submission): number | null => (standing?.best ? standing.rank : null);

/** Returns the final score, once it is shown, and whether the submission is selected. */
function finalText(s: Submission, precisions: ReadonlyMap<string, number>): string | null {
  const score = scoreText(s, s.score_final, precisions);
  return [...(score === null ? [] : [String(score)]), ...(s.selected ? ["selected"] : [])].join(", ") || null;
}

/** Returns the score as the leaderboard shows it; of an unknown challenge, shortened. */
function scoreText(
  { challenge }: Submission,
  score: number | null,
  precisions: ReadonlyMap<string, number>,
): string | number | null {
  const precision = precisions.get(challenge);
  if (score === null) return null;
  if (precision === undefined) return Number(score.toPrecision(6));
  return roundScore(score, precision).toFixed(precision);
}

/** Reads the decimals of each challenge's score; none if that fails. */
async function readPrecisions(http: HttpClient): Promise<ReadonlyMap<string, number>> {
  const { challenges } = await http
    .get("/api/v1/challenges", challengesSchema)
    .catch(() => ({ challenges: [] }));
  return new Map(challenges.map(({ id, score }) => [id, score.precision]));
}
