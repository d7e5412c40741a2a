import type { Leaderboard } from "@crowdai/shared";
import { plural, shownNumber } from "./format.ts";
import { MediaThumbnail, shownKind } from "./media-view.tsx";
import { pathTo } from "./path-to.tsx";
import { Scroll } from "./scrollable.tsx";
import { Time, UntrustedText } from "./untrusted-text.tsx";

type Row = Leaderboard["rows"][number];

/** The rows of a board, with links to submissions that the reader may open. */
export function LeaderboardTable({
  board,
  caption,
  opens,
  entriesOf,
}: {
  board: Leaderboard;
  caption: string;
  /** Whether the reader may open a row's submission. */
  opens: (row: Row) => boolean;
  /** Returns the address of a row's entries; null when the reader may not see them. */
  entriesOf: (row: Row) => string | null;
}) {
  const { rows, score, score_secondary: secondary } = board;
  const hasMedia = rows.some(({ media }) => media && shownKind(media));
  const hasCode = rows.some(({ code }) => code !== null);
  const moves = rows.some(({ rank_before }) => rank_before !== null);
  const order = (rule: { order: string }) => (rule.order === "ascending" ? "ascending" : "descending");
  return (
    <Scroll label={caption}>
      <table class="board">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              Rank
            </th>
            {moves ? (
              <th scope="col">
                <span class="unseen">Movement</span>
              </th>
            ) : null}
            <th scope="col">Participant</th>
            {hasMedia ? <th scope="col">Media</th> : null}
            <th scope="col" class="number" aria-sort={order(score)}>
              <UntrustedText text={score.title} most={60} />
            </th>
            {secondary ? (
              <th scope="col" class="number">
                <UntrustedText text={secondary.title} most={60} />
              </th>
            ) : null}
            <th scope="col" class="number">
              Entries
            </th>
            <th scope="col">Best submission</th>
            {hasCode ? <th scope="col">Code</th> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr class={rowClass(row)} aria-current={row.you ? "true" : undefined}>
              <td class="number rank">{row.baseline ? <span class="unseen">no rank</span> : row.rank}</td>
              {moves ? (
                <td class="move">
                  <Movement row={row} />
                </td>
              ) : null}
              <th scope="row" class="person">
                <UntrustedText text={row.participant} most={60} />
                {row.members.length > 0 ? (
                  <span class="members">
                    <UntrustedText text={row.members.join(", ")} most={300} />
                  </span>
                ) : null}
                {row.you ? <span class="tag you">you</span> : null}
                {row.baseline ? <span class="tag">baseline</span> : null}
                {row.post_challenge ? <span class="tag">after the end</span> : null}
              </th>
              {hasMedia ? (
                <td class="thumb">
                  {row.media ? (
                    <MediaThumbnail
                      media={row.media}
                      of={row.participant}
                      href={opens(row) ? pathTo(`/submissions/${row.submission}`) : null}
                    />
                  ) : null}
                </td>
              ) : null}
              <td class="number score">{shownNumber(row.score, score.precision)}</td>
              {secondary ? (
                <td class="number">{shownNumber(row.score_secondary, secondary.precision)}</td>
              ) : null}
              <td class="number">
                <Entries row={row} href={entriesOf(row)} />
              </td>
              <td class="when">
                {opens(row) ? (
                  <a href={pathTo(`/submissions/${row.submission}`)}>
                    <Time at={row.submitted_at} />
                  </a>
                ) : (
                  <Time at={row.submitted_at} />
                )}
              </td>
              {hasCode ? (
                <td>
                  {row.code ? (
                    <a href={row.code}>
                      Code<span class="unseen"> of {row.participant.slice(0, 60)}</span>
                    </a>
                  ) : null}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const rowClass = (row: Row) =>
  [row.highlight && "leader", row.you && "mine", row.baseline && "baseline"].filter(Boolean).join(" ") ||
  undefined;

function Entries({ row, href }: { row: Row; href: string | null }) {
  if (row.baseline) return <>–</>;
  if (!href) return <>{row.entries}</>;
  return (
    <a href={href}>
      {row.entries}
      <span class="unseen">
        {" "}
        {row.entries === 1 ? "entry" : "entries"} of {row.participant.slice(0, 60)}
      </span>
    </a>
  );
}

/** The change of rank over the ranking window. */
function Movement({ row }: { row: Row }) {
  if (row.baseline) return null;
  if (row.rank_before === null) return <span class="new">new</span>;
  const steps = row.rank_before - row.rank;
  if (steps === 0)
    return (
      <span title="No change">
        <span aria-hidden="true">·</span>
        <span class="unseen">No change</span>
      </span>
    );
  const words = `${steps > 0 ? "+" : "−"}${Math.abs(steps)} change, previous rank ${row.rank_before}`;
  return (
    <span class={steps > 0 ? "up" : "down"} title={words}>
      <span aria-hidden="true">
        {steps > 0 ? "▲" : "▼"}
        {Math.abs(steps)}
      </span>
      <span class="unseen">
        {steps > 0 ? "up" : "down"} {plural(Math.abs(steps), "rank")}, previous rank {row.rank_before}
      </span>
    </span>
  );
}
