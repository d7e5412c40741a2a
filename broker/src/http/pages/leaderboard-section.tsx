import { CrowdaiError, type Leaderboard } from "@crowdai/shared";
import type { RoundConfig } from "@crowdai/shared/challenge-folder";
import { openRound, roundNumber, roundState, sortByStart } from "@crowdai/shared/challenge-folder";
import { readBoardCsv } from "../../domain/leaderboard/board-csv.ts";
import {
  type BoardQuery as DomainQuery,
  readOwnedLeaderboard,
} from "../../domain/leaderboard/leaderboard.ts";
import { withLinks } from "../../domain/media/board-links.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { findRound } from "../../domain/rules/target-round.ts";
import { showsSubmissions } from "../../domain/rules/visibility.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Remember } from "../../records/read-memory.ts";
import { csvHeaders } from "../requests/csv-answer.ts";
import { type SeenChallenge, seesBoard } from "./access.ts";
import { plural, shownCount } from "./format.ts";
import { LeaderboardTable } from "./leaderboard-table.tsx";
import { Pager, pageNumber } from "./pager.tsx";
import { pathTo } from "./path-to.tsx";
import { UntrustedText } from "./untrusted-text.tsx";

type BoardRow = Leaderboard["rows"][number];

const PAGE = 50;
const MAX_FOUND = 20;

export interface BoardQuery {
  round?: string | undefined;
  board?: string | undefined;
  page?: string | undefined;
  /** A part of a participant's name. */
  find?: string | undefined;
}

/** The data of a challenge page's leaderboard. */
export interface BoardView {
  /** As every reader sees it, who share it; null when it is hidden from the reader. */
  board: Leaderboard | null;
  /** Whether only organizers see it. */
  withheld: boolean;
  round: RoundConfig;
  rounds: RoundConfig[];
  ongoing: boolean;
  /** Whether submissions after the end of the round count on a board of their own. */
  hasOngoing: boolean;
  page: number;
  /** The text that the names of all rows contain; null without a search. */
  find: string | null;
  /** The reader's own row; null without one. */
  own: BoardRow | null;
  /** Where it is among the rows of the board; -1 where it is not. */
  place: number;
  /** Whether readers of the board may open every submission. */
  opensAll: boolean;
}

/** Finds the round and the board that the query asks for. Throws round_unknown. */
function findBoard({ challenge: { config } }: SeenChallenge, query: BoardQuery, now: Date) {
  const rounds = sortByStart(config.rounds).filter((round) => roundState(round, now) !== "upcoming");
  const round =
    (query.round === undefined
      ? (openRound(config, now) ?? rounds.at(-1))
      : findRound(config, query.round)) ?? (config.rounds[0] as RoundConfig);
  const hasOngoing = config.after_end === "accept" && roundState(round, now) === "ended";
  const ongoing = hasOngoing && query.board === "ongoing";
  return { rounds, round, hasOngoing, ongoing };
}

/** Reads the board that the query asks for. Throws round_unknown. */
export async function readBoard(
  context: Needs<"records" | "clock" | "baseUrl"> & { remember: Remember },
  seen: SeenChallenge,
  caller: Caller | null,
  query: BoardQuery,
): Promise<BoardView> {
  const { role } = seen;
  const { config } = seen.challenge;
  const { records, clock } = context;
  const now = clock();
  const { rounds, round, hasOngoing, ongoing } = findBoard(seen, query, now);
  const page = pageNumber(query.page);
  const find = query.find?.trim().slice(0, 100) || null;
  const viewer = caller?.kind === "participant" ? caller.id : null;
  const board = ongoing ? "ongoing" : "current";
  const read = (rows: Pick<DomainQuery, "limit" | "offset" | "find" | "ownOnly">, viewer: number | null) =>
    // Of the time, a board depends on whether its round has ended; of its readers, on none.
    context.remember(config, ["board", round.id, board, roundState(round, now), viewer, rows], async () => {
      const query = { round: round.id, board, viewer, now, ...rows } as const;
      const { board: read, owners } = await readOwnedLeaderboard(records.db, config, query);
      return { board: await withLinks(context, read, config), owners };
    });
  const shared = seesBoard(config, role)
    ? await read(
        find === null ? { limit: PAGE, offset: (page - 1) * PAGE } : { limit: MAX_FOUND, offset: 0, find },
        null,
      )
    : null;
  const place = shared && viewer !== null ? shared.owners.indexOf(viewer) : -1;
  const isElsewhere = shared !== null && place < 0 && viewer !== null && shared.board.total > 0;
  const own = isElsewhere
    ? ((await read({ limit: 1, offset: 0, ownOnly: true }, viewer)).board.rows[0] ?? null)
    : shared && place >= 0
      ? { ...(shared.board.rows[place] as BoardRow), you: true }
      : null;
  return {
    board: shared?.board ?? null,
    withheld: !config.visibility.leaderboard,
    round,
    rounds,
    ongoing,
    hasOngoing,
    page,
    find,
    own,
    place,
    opensAll: showsSubmissions(config, now),
  };
}

/**
 * Returns the board that the query asks for as a CSV file. Throws round_unknown, and not_allowed for a hidden
 * board.
 */
export async function readBoardFile(
  { records, clock, remember }: Needs<"records" | "clock"> & { remember: Remember },
  seen: SeenChallenge,
  query: BoardQuery,
) {
  const { config } = seen.challenge;
  if (!seesBoard(config, seen.role))
    throw new CrowdaiError("not_allowed", `The leaderboard of ${config.id} is not displayed yet.`);
  const now = clock();
  const { round, ongoing } = findBoard(seen, query, now);
  const board = ongoing ? "ongoing" : "current";
  const text = await remember(config, ["file", round.id, board, roundState(round, now)], () =>
    readBoardCsv(records.db, config, { round: round.id, board, viewer: null, now }),
  );
  return { text, headers: csvHeaders(config.id, round.id, board) };
}

/** The leaderboard with its switches. The script fetches it again when the board changes. */
export function LeaderboardSection({ view, seen }: { view: BoardView; seen: SeenChallenge }) {
  const { challenge, role } = seen;
  const { id } = challenge.config;
  const { board, round, rounds, ongoing, hasOngoing, page } = view;
  const query = (change: BoardQuery) =>
    boardQuery({ ...current(view), page: undefined, find: undefined, ...change });
  const title = roundTitle(seen, round);
  const isOrganizer = role === "organizer";
  return (
    <div
      id="leaderboard-live"
      data-live={board ? pathTo(`/challenges/${id}/leaderboard/events`) : undefined}
      data-source={pathTo(`/challenges/${id}/leaderboard${boardQuery(current(view))}`)}
      data-announcement="The leaderboard has changed."
    >
      {view.withheld && board ? <p class="note">Leaderboard is only visible to organizers.</p> : null}
      {board && (rounds.length > 1 || hasOngoing) ? (
        <nav class="switches" aria-label="Leaderboard">
          {rounds.length > 1 ? (
            <ul>
              {rounds.map((one) => (
                <li>
                  <a
                    href={`${query({ round: one.id, board: undefined })}#leaderboard`}
                    aria-current={one.id === round.id ? "true" : undefined}
                  >
                    <UntrustedText text={roundTitle(seen, one)} most={40} />
                  </a>
                </li>
              ))}
            </ul>
          ) : null}
          {hasOngoing ? (
            <ul>
              <li>
                <a
                  href={`${query({ board: undefined })}#leaderboard`}
                  aria-current={ongoing ? undefined : "true"}
                >
                  At the end
                </a>
              </li>
              <li>
                <a
                  href={`${query({ board: "ongoing" })}#leaderboard`}
                  aria-current={ongoing ? "true" : undefined}
                >
                  Ongoing
                </a>
              </li>
            </ul>
          ) : null}
        </nav>
      ) : null}
      {board && (page > 1 || board.total > PAGE || view.find !== null) ? (
        <Search view={view} query={current(view)} />
      ) : null}
      {view.own && board && board.rows.length > 0 ? (
        <p class="note">
          <a href="#your-row">Your row: rank {shownCount(view.own.rank)}</a>
        </p>
      ) : null}
      {!board ? (
        <p class="empty">Leaderboard is not displayed yet.</p>
      ) : board.rows.length === 0 ? (
        <p class="empty">
          {view.find !== null
            ? "No participant of this leaderboard has such a name."
            : board.total === 0
              ? "No graded submissions yet."
              : "This page of the leaderboard is empty."}
        </p>
      ) : (
        <>
          {board.final ? (
            <p class="note">
              The final ranking, by scores that were hidden while the round ran. The movement is the one since
              the public ranking.
            </p>
          ) : null}
          <LeaderboardTable
            board={board}
            own={view.own}
            place={view.place}
            caption={`Leaderboard of ${title}${ongoing ? ", ongoing" : ""}`}
            access={{ challenge: id, submissions: isOrganizer || view.opensAll, entries: isOrganizer }}
          />
          <p class="count">
            {plural(board.total, "participant")}
            {view.find === null ? null : board.total === MAX_FOUND ? " at the most are found" : " found"}
            {view.find === null ? (
              <>
                {" · "}
                <a href={pathTo(`/challenges/${id}/leaderboard.csv${query({}).replace(/^\?$/, "")}`)}>
                  Download as CSV
                </a>
              </>
            ) : null}
          </p>
        </>
      )}
      {board && view.find === null ? (
        <Pager
          label="Pages of the leaderboard"
          page={page}
          pages={Math.ceil(board.total / PAGE)}
          href={(n) => `${query({ page: n === 1 ? undefined : String(n) })}#leaderboard`}
        />
      ) : null}
    </div>
  );

  function current({ round, ongoing, page, find }: BoardView): BoardQuery {
    return {
      find: find ?? undefined,
      round: rounds.length > 1 ? round.id : undefined,
      board: ongoing ? "ongoing" : undefined,
      page: page > 1 ? String(page) : undefined,
    };
  }
}

/** Finds participants by their names on a board of several pages. */
function Search({ view, query: { round, board } }: { view: BoardView; query: BoardQuery }) {
  return (
    <form method="get" action="#leaderboard" class="filter" aria-label="Find a participant">
      {round ? <input type="hidden" name="round" value={round} /> : null}
      {board ? <input type="hidden" name="board" value={board} /> : null}
      <label for="find">Participant</label>
      <input id="find" type="search" name="find" value={view.find ?? ""} maxlength={100} autocomplete="off" />
      <button type="submit">Find</button>
      {view.find === null ? null : (
        <a href={`${boardQuery({ round, board })}#leaderboard`}>Whole leaderboard</a>
      )}
    </form>
  );
}

export const roundTitle = ({ challenge: { config } }: SeenChallenge, round: RoundConfig) =>
  round.title ?? `Round ${roundNumber(config, round.id)}`;

function boardQuery(query: BoardQuery): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, value);
  return words.size === 0 ? "?" : `?${words}`;
}
