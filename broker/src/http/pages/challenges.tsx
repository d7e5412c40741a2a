import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import {
  challengeState,
  openRound,
  type RoundState,
  roundState,
  sortByStart,
} from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import { blocksOf } from "../../domain/leaderboard/board-blocks.ts";
import { shownBoard } from "../../domain/leaderboard/final-shown.ts";
import { shownScore } from "../../domain/leaderboard/standings.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import { type SeenChallenge, seenChallenges, seesBoard } from "./access.ts";
import { shownCount, shownNumber } from "./format.ts";
import { roundTitle } from "./leaderboard-section.tsx";
import { summary } from "./markdown.ts";
import { pathTo } from "./path-to.tsx";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** A round's number of participants and best score. */
export interface RoundFigures {
  participants: number;
  best: number | null;
}

interface Listed extends SeenChallenge {
  round: RoundConfig;
  when: RoundMoment;
  figures: RoundFigures | null;
}

/** The state of a round as a page shows it, or when the challenge was closed. */
export interface RoundMoment {
  state: RoundState;
  closedAt: string | null;
  /** The round that opens next, while none is open. */
  next: RoundConfig | null;
}

export function momentOf(
  config: ChallengeConfig,
  round: RoundConfig,
  closure: { closed_at: string } | null,
  now: Date,
): RoundMoment {
  const { state } = challengeState(config, closure !== null, now);
  const next =
    state === "upcoming"
      ? (sortByStart(config.rounds).find((one) => roundState(one, now) === "upcoming") ?? null)
      : null;
  return {
    state: roundState(round, now),
    closedAt: closure?.closed_at ?? null,
    next: next === round ? null : next,
  };
}

/** Returns the round to present: the open one, or else the latest, or else the first to come. */
export function presentRound(config: ChallengeConfig, now: Date): RoundConfig {
  return (
    openRound(config, now) ??
    sortByStart(config.rounds).findLast((round) => roundState(round, now) === "ended") ??
    (sortByStart(config.rounds)[0] as RoundConfig)
  );
}

export async function readFigures(
  db: Db,
  config: ChallengeConfig,
  round: string,
  now: Date,
): Promise<RoundFigures> {
  const place = { challenge: config.id, round, board: await shownBoard(db, config, round, now) };
  // The best alone is the first entry of an index, and blocks are counted already: the standings may be many.
  const { participants, best } = await db
    .selectFrom(
      blocksOf(db, place).select(sql<number>`coalesce(sum(standings), 0)`.as("participants")).as("counted"),
    )
    .select("participants")
    .select((eb) =>
      eb
        .selectFrom("standings")
        .select((standing) => standing.fn.min("sort_primary").as("best"))
        .where((standing) => standing.and(place))
        .as("best"),
    )
    .executeTakeFirstOrThrow();
  return {
    participants: Number(participants),
    best: best === null ? null : shownScore(config.score, Number(best)),
  };
}

export async function readChallengeList(
  context: Needs<"catalog" | "records" | "clock">,
  caller: Caller | null,
): Promise<Listed[]> {
  const now = context.clock();
  const listed = await Promise.all(
    (await seenChallenges(context, caller)).map(async (seen) => {
      const { config } = seen.challenge;
      const round = presentRound(config, now);
      const figures = seesBoard(config, seen.role)
        ? await readFigures(context.records.db, config, round.id, now)
        : null;
      const closure = await findClosure(context.records.db, config.id);
      return { ...seen, round, when: momentOf(config, round, closure, now), figures };
    }),
  );
  return listed.sort(
    (a, b) =>
      Number(isOpen(b.when)) - Number(isOpen(a.when)) ||
      a.challenge.config.title.localeCompare(b.challenge.config.title),
  );
}

export function ChallengeList({ listed }: { listed: Listed[] }) {
  return (
    <>
      <div class="opening">
        <h1>Challenges</h1>
        <p>
          Submit predictions from a terminal, a script or a CI job, and get a score and a rank within seconds.
        </p>
      </div>
      {listed.length === 0 ? <p class="empty">There are no challenges yet.</p> : null}
      <ul class="cards">
        {listed.map((one) => (
          <li class="card">
            <h2>
              <a href={pathTo(`/challenges/${one.challenge.config.id}`)}>
                <UntrustedText text={one.challenge.config.title} />
              </a>
            </h2>
            <p class="state">
              <RoundWhen seen={one} round={one.round} when={one.when} />
              {one.challenge.config.visibility.private ? <span class="tag">private</span> : null}
            </p>
            <p class="summary">
              <UntrustedText text={summary(one.challenge.config)} most={200} />
            </p>
            <Figures config={one.challenge.config} figures={one.figures} />
          </li>
        ))}
      </ul>
    </>
  );
}

const isOpen = ({ state, closedAt }: RoundMoment): boolean => state === "open" && closedAt === null;

export function RoundWhen({
  seen,
  round,
  when,
}: {
  seen: SeenChallenge;
  round: RoundConfig;
  when: RoundMoment;
}) {
  const { closedAt, next } = when;
  return (
    <>
      <span class={isOpen(when) ? "dot open" : "dot"} aria-hidden="true" />
      <UntrustedText text={roundTitle(seen, round)} most={60} />
      <RoundTime round={round} when={when} />
      {next?.starts_at && closedAt === null ? (
        <>
          ; <UntrustedText text={roundTitle(seen, next)} most={60} /> opens on{" "}
          <Time at={next.starts_at} form="beside" />
        </>
      ) : null}
    </>
  );
}

function RoundTime({ round, when: { state, closedAt } }: { round: RoundConfig; when: RoundMoment }) {
  const [words, at] =
    closedAt !== null
      ? ["closed on", closedAt]
      : state === "upcoming"
        ? ["opens on", round.starts_at]
        : state === "ended"
          ? ["ended", round.ends_at]
          : ["open until", round.ends_at];
  if (at === null) return <> is open</>;
  return (
    <>
      {" "}
      {words} <Time at={at} form="beside" />
    </>
  );
}

export function Figures({ config, figures }: { config: ChallengeConfig; figures: RoundFigures | null }) {
  if (!figures) return null;
  return (
    <dl class="figures">
      <div>
        <dt>{figures.participants === 1 ? "participant" : "participants"}</dt>
        <dd>{shownCount(figures.participants)}</dd>
      </div>
      <div>
        <dt>
          best <UntrustedText text={config.score.title} most={40} />
        </dt>
        <dd>{shownNumber(figures.best, config.score.precision)}</dd>
      </div>
    </dl>
  );
}
