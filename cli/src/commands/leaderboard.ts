import { CrowdaiError, type Leaderboard } from "@crowdai/shared";
import { readLeaderboard, readLeaderboardCsv } from "../client/http/broker-queries.ts";
import { chosenChallenge } from "../config/settings.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Cell, Terminal } from "../terminal/terminal.ts";
import { minuteText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  limit?: number;
  round?: string;
  ongoing?: boolean;
  previous?: boolean;
  format?: string;
}

const DEFAULT_LIMIT = 20;

type Row = Leaderboard["rows"][number];

/** Shows the leaderboard of a challenge. */
export async function leaderboard(
  { connection, terminal }: CommandContext,
  args: { id?: string },
  options: Options,
): Promise<number> {
  const id = chosenChallenge(connection.settings, args.id);
  const asked = boardOf(options);
  const { round, limit = DEFAULT_LIMIT } = options;
  const which = {
    ...(round === undefined ? {} : { round }),
    ...(asked === "current" ? {} : { board: asked }),
  };
  if (options.format === "csv") {
    if (options.limit !== undefined)
      throw new CrowdaiError("usage", "--format csv prints the whole leaderboard, and takes no --limit.");
    terminal.answer(await readLeaderboardCsv(await connection.http(), id, which));
    return 0;
  }
  const board = await readLeaderboard(await connection.http(), id, { limit, ...which });
  terminal.present({
    json: { leaderboard: board },
    ndjson: board.rows.map((row) => ({ type: "row", row })),
    quiet: board.rows.map((row) => row.submission),
    text: () => {
      if (terminal.isForEyes) showForEyes(terminal, board);
      else
        terminal.table(
          [],
          board.rows.map((row) => pipedCells(board, row)),
        );
    },
  });
  if (board.final && terminal.isForEyes) terminal.note(FINAL_NOTE);
  if (board.rows.length === 0) terminal.note("The leaderboard is empty.");
  else if (board.total > board.rows.length)
    terminal.note(`Showing ${board.rows.length} of ${board.total} rows. Use --limit to see more.`);
  return 0;
}

const FINAL_NOTE = "Final scores decide this board. Moved counts the ranks since the public board.";

function boardOf({ ongoing, previous }: Options): Leaderboard["board"] {
  if (previous) return ongoing ? "previous_ongoing" : "previous";
  return ongoing ? "ongoing" : "current";
}

function showForEyes(terminal: Terminal, board: Leaderboard): void {
  const { score, score_secondary: secondary } = board;
  // The previous boards are what the current ones are compared with; nothing moves on them.
  const moves = board.board === "current" || board.board === "ongoing";
  terminal.table(
    [
      "Rank",
      ...(moves ? ["Moved"] : []),
      "Participant",
      plainLine(score.title),
      ...(board.final ? ["Public"] : []),
      ...(secondary ? [plainLine(secondary.title)] : []),
      ...board.columns.map(({ title }) => plainLine(title)),
      "Entries",
      "Submitted",
    ],
    board.rows.map((row): Cell[] => [
      row.baseline ? null : row.rank,
      ...(moves ? [moved(terminal, row)] : []),
      named(row),
      ...shownScores(board, row),
      ...columnsOf(board, row),
      row.baseline ? null : row.entries,
      minuteText(row.submitted_at) + (row.post_challenge ? " (late)" : ""),
    ]),
  );
  if (board.rows.some((row) => row.highlight)) terminal.note("* leader of the round");
}

/** Columns added later come last, so that scripts that know the older ones still find them. */
const pipedCells = (board: Leaderboard, row: Row): Cell[] => [
  row.baseline ? null : row.rank,
  row.participant,
  ...scores(board, row),
  row.entries,
  row.submitted_at,
  row.rank_before,
  ...columnsOf(board, row),
  ...(board.rows.some(({ members }) => members.length > 0) ? [row.members.join(", ")] : []),
];

function named(row: Row): string {
  if (row.baseline) return `baseline: ${row.participant}`;
  const members = row.members.length > 0 ? ` (${row.members.join(", ")})` : "";
  return `${row.highlight ? "* " : ""}${row.participant}${members}${row.you ? " (you)" : ""}`;
}

function moved({ symbols }: Terminal, { rank, rank_before: before, baseline }: Row): string {
  if (baseline) return "";
  if (before === null) return "new";
  if (before === rank) return "=";
  return rank < before ? `${symbols.up}${before - rank}` : `${symbols.down}${rank - before}`;
}

const scores = ({ score, score_secondary: secondary }: Leaderboard, row: Row): Cell[] => [
  rounded(row, row.score, score.precision),
  ...(secondary ? [rounded(row, row.score_secondary, secondary.precision)] : []),
];

/** Beside a final score, the public one, which was shown while the round ran. */
function shownScores(board: Leaderboard, row: Row): Cell[] {
  const [first, ...others] = scores(board, row) as [Cell, ...Cell[]];
  return board.final
    ? [first, rounded(row, row.score_public, board.score.precision), ...others]
    : [first, ...others];
}

const columnsOf = ({ columns }: Leaderboard, row: Row): Cell[] =>
  columns.map(({ key, precision }) => row.columns[key]?.toFixed(precision) ?? null);

/** A baseline's score is not rounded: its place depends on the exact value. */
function rounded(row: Row, score: number | null, precision: number): string | null {
  if (score === null) return null;
  return row.baseline ? String(score) : score.toFixed(precision);
}
