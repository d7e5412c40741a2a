import type { Leaderboard } from "@crowdai/shared";
import { plural, shownNumber } from "./format.ts";
import { MediaThumbnail, shownKind } from "./media-view.tsx";
import { ParticipantName, ProfileDetails } from "./participant-name.tsx";
import { pathTo } from "./path-to.tsx";
import { identity, remembered } from "./remembered.tsx";
import { Scroll } from "./scrollable.tsx";
import { Time, UntrustedText } from "./untrusted-text.tsx";

type Row = Leaderboard["rows"][number];

/** Submissions and entries that the reader of a board may open. */
export interface BoardAccess {
  challenge: string;
  /** Every submission; otherwise their own and published ones. */
  submissions: boolean;
  /** All entries of every participant, as an organizer; otherwise their own. */
  entries: boolean;
}

/**
 * The rows of a board, with links to submissions that the reader may open. In a narrow window, columns of the
 * class "wide" are left out, and the elements of the class "folded" repeat what they say below the name and
 * the score.
 */
export function LeaderboardTable({
  board,
  own,
  place,
  caption,
  access,
}: {
  /** As every reader sees it: no row is marked as the reader's. */
  board: Leaderboard;
  /** The reader's own row; null without one. */
  own: Row | null;
  /** Where the reader's own row is among those of the board; -1 where it is not, and comes first. */
  place: number;
  caption: string;
  access: BoardAccess;
}) {
  const { rows } = board;
  const pinned = place < 0 ? own : null;
  const shape = shapeOf(board, pinned ? [pinned, ...rows] : rows);
  // Times of this year are shown without it.
  const year = new Date().getUTCFullYear();
  const others = (from: number, to: number) =>
    remembered(["rows", identity(board), from, to, year, shape, access], () => (
      <>
        {rows.slice(from, to).map((row) =>
          // Found again, too, after the board was read again.
          remembered(["row", year, row, shape, access], () => (
            <BoardRow row={row} shape={shape} access={access} />
          )),
        )}
      </>
    ));
  const ownRow = own ? <BoardRow row={own} shape={shape} access={access} pinned={place < 0} /> : null;
  return (
    <Scroll label={caption}>
      <table class="board">
        <caption class="unseen">{caption}</caption>
        {remembered(["board head", board.score, board.score_secondary, shape], () => (
          <BoardHead board={board} shape={shape} />
        ))}
        <tbody>
          {others(0, Math.max(0, place))}
          {ownRow}
          {others(place + 1, rows.length)}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Columns and decimals that all rows of a table share. */
interface Shape {
  precision: number;
  /** The decimals of secondary scores; null where there are none. */
  secondary: number | null;
  columns: Leaderboard["columns"];
  final: boolean;
  moves: boolean;
  hasMedia: boolean;
  hasCode: boolean;
}

const shapeOf = (
  { score, score_secondary, columns, final }: Omit<Leaderboard, "rows">,
  rows: readonly Row[],
): Shape => ({
  precision: score.precision,
  secondary: score_secondary?.precision ?? null,
  columns,
  final,
  moves: rows.some(({ rank_before }) => rank_before !== null),
  hasMedia: rows.some(({ media }) => media && shownKind(media)),
  hasCode: rows.some(({ code }) => code !== null),
});

function BoardHead({
  board: { score, score_secondary: secondary },
  shape: { columns, final, moves, hasMedia, hasCode },
}: {
  board: Leaderboard;
  shape: Shape;
}) {
  const order = (rule: { order: string }) => (rule.order === "ascending" ? "ascending" : "descending");
  return (
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
          {secondary ? (
            <span class="folded">
              <UntrustedText text={secondary.title} most={60} />
            </span>
          ) : null}
        </th>
        {final ? (
          <th scope="col" class="number wide">
            Public
          </th>
        ) : null}
        {secondary ? (
          <th scope="col" class="number wide">
            <UntrustedText text={secondary.title} most={60} />
          </th>
        ) : null}
        {columns.map(({ title }) => (
          <th scope="col" class="number wide">
            <UntrustedText text={title} most={60} />
          </th>
        ))}
        <th scope="col" class="number wide">
          Entries
        </th>
        <th scope="col" class="wide">
          Best submission
        </th>
        {hasCode ? (
          <th scope="col" class="wide">
            Code
          </th>
        ) : null}
      </tr>
    </thead>
  );
}

function BoardRow({
  row,
  shape: { precision, secondary, columns, final, moves, hasMedia, hasCode },
  access,
  pinned = false,
}: {
  row: Row;
  shape: Shape;
  access: BoardAccess;
  pinned?: boolean;
}) {
  const opens = row.you || row.code !== null || access.submissions;
  const entries = entriesPath(row, access);
  return (
    <tr class={pinned ? "mine pinned" : rowClass(row)} aria-current={row.you ? "true" : undefined}>
      <td class="number rank">{row.baseline ? <span class="unseen">no rank</span> : row.rank}</td>
      {moves ? (
        <td class="move">
          <Movement row={row} />
        </td>
      ) : null}
      <th scope="row" class="person main" id={row.you ? "your-row" : undefined}>
        <ParticipantName account={row.participant} profile={row.profile} />
        {row.you ? <span class="tag you">you</span> : null}
        {row.baseline ? <span class="tag">baseline</span> : null}
        {row.post_challenge ? <span class="tag">after the end</span> : null}
        {row.profile?.affiliation || row.profile?.link ? (
          <span class="members">
            <ProfileDetails profile={row.profile} />
          </span>
        ) : null}
        {row.members.length > 0 ? (
          <span class="members">
            <UntrustedText text={row.members.join(", ")} most={300} />
          </span>
        ) : null}
        <span class="folded">
          {row.baseline ? null : (
            <>
              <Entries row={row} href={entries} worded /> ·{" "}
            </>
          )}
          <Submitted row={row} opens={opens} />
          {row.code ? (
            <>
              {" "}
              · <Code row={row} />
            </>
          ) : null}
          {columns.map(({ key, title, precision }) =>
            row.columns[key] == null ? null : (
              <>
                {" "}
                · <UntrustedText text={title} most={60} /> {shownNumber(row.columns[key], precision)}
              </>
            ),
          )}
        </span>
      </th>
      {hasMedia ? (
        <td class="thumb">
          {row.media ? (
            <MediaThumbnail
              media={row.media}
              of={row.participant}
              href={opens ? pathTo(`/submissions/${row.submission}`) : null}
            />
          ) : null}
        </td>
      ) : null}
      <td class="number score">
        {shownNumber(row.score, precision)}
        {final && row.score_public !== null ? (
          <span class="folded">public {shownNumber(row.score_public, precision)}</span>
        ) : null}
        {secondary !== null ? (
          <span class="folded">{shownNumber(row.score_secondary, secondary)}</span>
        ) : null}
      </td>
      {final ? <td class="number wide">{shownNumber(row.score_public, precision)}</td> : null}
      {secondary !== null ? <td class="number wide">{shownNumber(row.score_secondary, secondary)}</td> : null}
      {columns.map(({ key, precision }) => (
        <td class="number wide">
          {row.columns[key] == null ? "" : shownNumber(row.columns[key], precision)}
        </td>
      ))}
      <td class="number wide">
        <Entries row={row} href={entries} />
      </td>
      <td class="when wide">
        <Submitted row={row} opens={opens} />
      </td>
      {hasCode ? <td class="wide">{row.code ? <Code row={row} /> : null}</td> : null}
    </tr>
  );
}

/** Returns the address of a row's entries; null when the reader may not see them. */
function entriesPath({ you, participant }: Row, { challenge, entries }: BoardAccess): string | null {
  const own = `/submissions?challenge=${challenge}`;
  if (you) return pathTo(own);
  return entries ? pathTo(`${own}&participant=${encodeURIComponent(participant)}`) : null;
}

const rowClass = (row: Row) =>
  [row.highlight && "leader", row.you && "mine", row.baseline && "baseline"].filter(Boolean).join(" ") ||
  undefined;

function Submitted({ row, opens }: { row: Row; opens: boolean }) {
  const time = <Time at={row.submitted_at} form="short" />;
  return opens ? <a href={pathTo(`/submissions/${row.submission}`)}>{time}</a> : time;
}

function Code({ row }: { row: Row }) {
  return (
    <a href={row.code as string}>
      Code<span class="unseen"> of {row.participant.slice(0, 60)}</span>
    </a>
  );
}

function Entries({ row, href, worded = false }: { row: Row; href: string | null; worded?: boolean }) {
  if (row.baseline) return <>–</>;
  const noun = row.entries === 1 ? "entry" : "entries";
  const shown = worded ? `${row.entries} ${noun}` : row.entries;
  if (!href) return <>{shown}</>;
  return (
    <a href={href}>
      {shown}
      <span class="unseen">
        {worded ? "" : ` ${noun}`} of {row.participant.slice(0, 60)}
      </span>
    </a>
  );
}

/** The change of rank over the ranking window, or on a final board since the public one. */
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
