import type { Leaderboard } from "@crowdai/shared";

/** The leaderboard as a table; scores with the decimals the challenge asks for. */
export function LeaderboardTable({ board }: { board: Leaderboard }) {
  if (board.rows.length === 0) return <p>Nobody is on it yet.</p>;
  const { score, score_secondary: secondary } = board;
  return (
    <table>
      <thead>
        <tr>
          <th class="number">Rank</th>
          <th>Participant</th>
          <th class="number">{score.title}</th>
          {secondary ? <th class="number">{secondary.title}</th> : null}
          <th class="number">Entries</th>
          <th>Best submission</th>
        </tr>
      </thead>
      <tbody>
        {board.rows.map((row) => (
          <tr>
            <td class="number">{row.rank}</td>
            <td>{row.participant}</td>
            <td class="number">{row.score?.toFixed(score.precision) ?? "–"}</td>
            {secondary ? (
              <td class="number">{row.score_secondary?.toFixed(secondary.precision) ?? "–"}</td>
            ) : null}
            <td class="number">{row.entries}</td>
            <td>{row.submitted_at}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
