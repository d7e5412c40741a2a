import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { openRound, roundState } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { shownScore } from "../../domain/leaderboard/standings.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import { type SeenChallenge, seenChallenges, seesBoard } from "./access.ts";
import { shownNumber } from "./format.ts";
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
  open: boolean;
  figures: RoundFigures | null;
}

/** Returns the round to present: the open one, or else the latest. */
export function presentRound(config: ChallengeConfig, now: Date): RoundConfig {
  return (
    openRound(config, now) ??
    config.rounds.findLast((round) => roundState(round, now) === "ended") ??
    (config.rounds[0] as RoundConfig)
  );
}

export async function readFigures(db: Db, config: ChallengeConfig, round: string): Promise<RoundFigures> {
  const { participants, best } = await db
    .selectFrom("standings")
    .select(sql<number>`count(*)`.as("participants"))
    .select((eb) => eb.fn.min("sort_primary").as("best"))
    .where("challenge", "=", config.id)
    .where("round", "=", round)
    .where("board", "=", "current")
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
        ? await readFigures(context.records.db, config, round.id)
        : null;
      return { ...seen, round, open: roundState(round, now) === "open", figures };
    }),
  );
  return listed.sort(
    (a, b) =>
      Number(b.open) - Number(a.open) || a.challenge.config.title.localeCompare(b.challenge.config.title),
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
              <RoundWhen round={one.round} open={one.open} title={roundTitle(one, one.round)} />
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

export function RoundWhen({ round, open, title }: { round: RoundConfig; open: boolean; title: string }) {
  return (
    <>
      <span class={open ? "dot open" : "dot"} aria-hidden="true" />
      <UntrustedText text={title} most={60} />
      {open && round.ends_at ? (
        <>
          {" "}
          open until <Time at={round.ends_at} />
        </>
      ) : open ? (
        " is open"
      ) : round.ends_at ? (
        <>
          {" "}
          ended <Time at={round.ends_at} />
        </>
      ) : round.starts_at ? (
        <>
          {" "}
          opens <Time at={round.starts_at} />
        </>
      ) : null}
    </>
  );
}

export function Figures({ config, figures }: { config: ChallengeConfig; figures: RoundFigures | null }) {
  if (!figures) return null;
  return (
    <dl class="figures">
      <div>
        <dt>{figures.participants === 1 ? "participant" : "participants"}</dt>
        <dd>{figures.participants.toLocaleString("en-US")}</dd>
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
