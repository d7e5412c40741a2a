import type { PublicChallenge, Round } from "@crowdai/shared";
import { raw } from "hono/html";
import type { BestScore } from "../../domain/leaderboard/best-over-time.ts";
import type { Disqualification } from "../../domain/participants/disqualifications.ts";
import type { SeenChallenge } from "./access.ts";
import { BestChart } from "./best-chart.tsx";
import { Figures, momentOf, presentRound, type RoundFigures, RoundWhen } from "./challenges.tsx";
import { Countdown } from "./countdown.tsx";
import { DisqualifiedNotice } from "./disqualified-notice.tsx";
import { shownNumber, shownSize } from "./format.ts";
import { HowAgentsPlay } from "./how-agents-play.tsx";
import { HowCodeRuns } from "./how-code-runs.tsx";
import { HowToConnect } from "./how-to-connect.tsx";
import { HowToSubmit } from "./how-to-submit.tsx";
import { type BoardView, LeaderboardSection } from "./leaderboard-section.tsx";
import { pathTo } from "./path-to.tsx";
import { remembered } from "./remembered.tsx";
import { Digest, Time, UntrustedText } from "./untrusted-text.tsx";

export interface ChallengePageProps {
  seen: SeenChallenge;
  shown: PublicChallenge;
  figures: RoundFigures | null;
  view: BoardView;
  /** As HTML. */
  description: string;
  /** The best scores of the round whose board is shown. */
  best: readonly BestScore[];
  /** The reader's own. */
  disqualified: Disqualification[];
  broker: string;
  now: Date;
}

/** A challenge: its description, its leaderboard, and how to take part. */
export function ChallengePage(props: ChallengePageProps) {
  const { seen, shown, figures, view, description, best, disqualified, broker, now } = props;
  const { config } = seen.challenge;
  const round = presentRound(config, now);
  const closure = shown.closed_at === null ? null : { closed_at: shown.closed_at };
  const when = momentOf(config, round, closure, now);
  // All that the column at the side shows.
  const part = { ...shown, description: "" };
  return (
    <>
      <div class="opening">
        <h1>
          <UntrustedText text={config.title} most={300} />
        </h1>
        <p class="state">
          <RoundWhen seen={seen} round={round} when={when} />
          {config.visibility.private ? <span class="tag">private</span> : null}
        </p>
        <Countdown round={round} when={when} now={now} />
        {seen.role === "organizer" ? (
          <p>
            <a href={pathTo(`/challenges/${encodeURIComponent(config.id)}/status`)}>Status for organizers</a>
          </p>
        ) : null}
        <Figures config={config} figures={figures} />
        <DisqualifiedNotice found={disqualified} />
      </div>
      <PageParts shown={shown} />
      <div class="columns">
        <div class="main-column">
          {description ? (
            <section aria-labelledby="about">
              <h2 id="about">About</h2>
              <div class="prose" dir="auto">
                {raw(description)}
              </div>
            </section>
          ) : null}
          <BestChart
            points={best}
            config={config}
            isFinal={view.board?.final ?? false}
            now={now}
            ends={view.round.ends_at}
          />
          <section aria-labelledby="leaderboard">
            <h2 id="leaderboard">Leaderboard</h2>
            <LeaderboardSection view={view} seen={seen} />
          </section>
        </div>
        <div class="side-column">
          {remembered(["how to take part", part, broker], () => (
            <HowToTakePart challenge={part} broker={broker} />
          ))}
        </div>
      </div>
    </>
  );
}

function HowToTakePart({ challenge, broker }: { challenge: PublicChallenge; broker: string }) {
  return (
    <>
      <section aria-labelledby="submit">
        <h2 id="submit">Submit</h2>
        {challenge.environment ? (
          <HowToConnect challenge={challenge} broker={broker} />
        ) : (
          <HowToSubmit challenge={challenge} broker={broker} />
        )}
        <Accepts challenge={challenge} />
      </section>
      {challenge.run ? <HowCodeRuns run={challenge.run} /> : null}
      {challenge.environment ? <HowAgentsPlay environment={challenge.environment} /> : null}
      <Data challenge={challenge} />
      <Rounds challenge={challenge} />
    </>
  );
}

/** Links to the parts of the page, for windows in which they are below each other. */
function PageParts({ shown }: { shown: PublicChallenge }) {
  return (
    <nav class="parts" aria-label="On this page">
      <a href="#leaderboard">Leaderboard</a>
      <a href="#submit">Submit</a>
      {shown.data.length > 0 ? <a href="#data">Data</a> : null}
      <a href="#rounds">{shown.rounds.length === 1 ? "Round" : "Rounds"}</a>
    </nav>
  );
}

function Accepts({ challenge: { accepts, check, code, run, environment } }: { challenge: PublicChallenge }) {
  return (
    <ul class="plain note">
      {(run || environment) && accepts.code ? (
        <li>Code up to {shownSize(accepts.code.max_bytes)}, which graders run</li>
      ) : null}
      {environment?.agents.includes("remote") ? <li>Sessions of remote agents</li> : null}
      {accepts.file ? (
        <li>
          Files{accepts.file.extensions.length > 0 ? ` (${accepts.file.extensions.join(", ")})` : ""} up to{" "}
          {shownSize(accepts.file.max_bytes)}
        </li>
      ) : null}
      {accepts.json ? <li>JSON values up to {shownSize(accepts.json.max_bytes)}</li> : null}
      {check ? (
        <li>
          Submissions are checked before they are graded; failing the check costs{" "}
          {check.charge ? "a slot" : "no slot"}. Try it with <code>crowdai check</code>
        </li>
      ) : null}
      {code.capture === "required" && !run && !environment ? (
        <li>Each submission must include your code (--code)</li>
      ) : null}
    </ul>
  );
}

function Data({ challenge: { data } }: { challenge: PublicChallenge }) {
  if (data.length === 0) return null;
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      <ul class="files">
        {data.map(({ name, size, sha256, url }) => (
          <li>
            <a href={new URL(url).pathname} download>
              <UntrustedText text={name} />
            </a>{" "}
            <span class="size">{shownSize(size)}</span>
            <Digest sha256={sha256} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const RESET = {
  day: "24 hours",
  week: "7 days",
  round: null,
};

/** Says that a limit counts the submissions to several rounds. */
function spanned({ scope }: NonNullable<Round["limit"]>, rounds: number): string {
  return scope === "challenge" && rounds > 1 ? ", across all rounds" : "";
}

function Rounds({ challenge: { rounds, score, closed_at } }: { challenge: PublicChallenge }) {
  return (
    <section aria-labelledby="rounds">
      <h2 id="rounds">{rounds.length === 1 ? "Round" : "Rounds"}</h2>
      <ol class="rounds">
        {rounds.map((round) => (
          <li aria-current={round.state === "open" ? "true" : undefined}>
            <h3>
              <UntrustedText text={round.title} most={80} />{" "}
              <span class={`tag ${round.state}`}>{closed_at === null ? round.state : "closed"}</span>
            </h3>
            <dl class="facts">
              {round.starts_at ? (
                <Fact
                  name={round.state === "upcoming" ? "Opens" : "Starts"}
                  value={<Time at={round.starts_at} form="beside" />}
                />
              ) : null}
              <Fact
                name="Ends"
                value={round.ends_at ? <Time at={round.ends_at} form="beside" /> : "not set"}
              />
              <Fact
                name="Limit"
                value={
                  round.limit
                    ? `${round.limit.count} per ${round.limit.per}${spanned(round.limit, rounds.length)}${RESET[round.limit.per] ? `; a slot is free again ${RESET[round.limit.per]} after its submission` : ""}`
                    : "none"
                }
              />
              {round.parallel_limit ? <Fact name="In parallel" value={String(round.parallel_limit)} /> : null}
              {round.minimum_score !== null ? (
                <Fact
                  name="Minimum score"
                  value={`${shownNumber(round.minimum_score, score.precision)} in the previous round`}
                />
              ) : null}
            </dl>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value as string}</dd>
    </div>
  );
}
