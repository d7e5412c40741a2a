import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { roundNumber } from "@crowdai/shared/challenge-folder";
import { shownCount, shownNumber } from "./format.ts";
import { pathTo } from "./path-to.tsx";
import { Plot } from "./plot.tsx";
import { bestSoFar, ScoreChart } from "./score-chart.tsx";
import type { Summary } from "./submission-list.ts";
import { UntrustedText } from "./untrusted-text.tsx";

/** A participant's rank, best score and scores over time in one challenge. */
export function OwnSummary({ summary, config }: { summary: Summary; config: ChallengeConfig }) {
  const { points } = summary;
  return (
    <section aria-label="Standing">
      <Standing summary={summary} config={config} />
      {points.length > 1 ? <ScoreChart points={points} config={config} /> : null}
    </section>
  );
}

/** Shows the summaries of several challenges beside each other. */
export function SummaryCards({
  summaries,
  config,
  href,
}: {
  summaries: Summary[];
  config: (id: string) => ChallengeConfig | undefined;
  /** Returns the address of the list of one challenge. */
  href: (challenge: string) => string;
}) {
  return (
    <ul class="cards standings">
      {summaries.map((summary, index) => {
        const one = config(summary.challenge);
        if (!one) return null;
        const rows = bestSoFar(summary.points, one.score.order);
        const name = `standing-${index}`;
        return (
          <li class="card">
            <h2 id={name}>
              <a href={href(summary.challenge)}>
                <UntrustedText text={one.title} />
              </a>
            </h2>
            <Standing summary={summary} config={one} />
            {rows.length > 1 ? (
              <Plot
                labelledBy={name}
                dots={rows}
                steps={rows.map(({ at, best }) => ({ at, value: best }))}
                order={one.score.order}
                precision={one.score.precision}
              />
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function Standing({ summary: { standing }, config }: { summary: Summary; config: ChallengeConfig }) {
  const { round, rank, participants, best, submission, entries, failed } = standing;
  return (
    <dl class="figures">
      {rank === null ? null : (
        <div>
          <dt>rank of {shownCount(participants)}</dt>
          <dd>{shownCount(rank)}</dd>
        </div>
      )}
      <div>
        <dt>
          best <UntrustedText text={config.score.title} most={40} />
        </dt>
        <dd>
          {submission === null ? (
            "–"
          ) : (
            <a href={pathTo(`/submissions/${submission}`)}>{shownNumber(best, config.score.precision)}</a>
          )}
        </dd>
      </div>
      <div>
        <dt>
          {entries === 1 ? "entry" : "entries"}
          {failed > 0 ? `, ${shownCount(failed)} failed` : ""}
        </dt>
        <dd>{shownCount(entries)}</dd>
      </div>
      {config.rounds.length > 1 ? (
        <div>
          <dt>round</dt>
          <dd class="words-figure">
            <UntrustedText text={round.title ?? String(roundNumber(config, round.id))} most={40} />
          </dd>
        </div>
      ) : null}
    </dl>
  );
}
