import { leaderboardSchema } from "@crowdai/shared";
import { chosenChallenge } from "../config/settings.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Cell } from "../terminal/table.ts";
import { localTime } from "../terminal/time.ts";

interface Options {
  limit: number;
  round?: string;
}

export async function leaderboard(
  context: Context,
  args: { id?: string },
  options: Options,
): Promise<number> {
  const { terminal } = context;
  const id = chosenChallenge(context.settings, args.id);
  const path = `/api/v1/challenges/${encodeURIComponent(id)}/leaderboard`;
  const board = await (await context.http()).get(path, leaderboardSchema, {
    round: options.round,
    limit: options.limit,
  });
  const { rows, score, score_secondary: secondary } = board;
  terminal.present({
    json: { leaderboard: board },
    ndjson: rows.map((row) => ({ type: "row", row })),
    quiet: rows.map((row) => row.submission),
    text: () => {
      const eyes = terminal.isForEyes;
      const header = ["rank", "participant", plainLine(score.title)];
      if (secondary) header.push(plainLine(secondary.title));
      terminal.table(
        [...header, "entries", "submitted"],
        rows.map((row): Cell[] => [
          row.rank,
          eyes && row.you ? `${row.participant} (you)` : row.participant,
          rounded(row.score, score.precision),
          ...(secondary ? [rounded(row.score_secondary, secondary.precision)] : []),
          row.entries,
          (eyes ? localTime(row.submitted_at) : row.submitted_at) +
            (eyes && row.post_challenge ? " (late)" : ""),
        ]),
      );
    },
  });
  if (rows.length === 0) terminal.note("Nobody is on the leaderboard yet.");
  else if (board.total > rows.length)
    terminal.note(`${rows.length} of ${board.total} rows; more with --limit.`);
  return 0;
}

function rounded(score: number | null, precision: number): string | null {
  return score === null ? null : score.toFixed(precision);
}
