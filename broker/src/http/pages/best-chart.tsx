import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { BestScore } from "../../domain/leaderboard/best-over-time.ts";
import { plural, shownNumber } from "./format.ts";
import { Plot } from "./plot.tsx";
import { identity, remembered } from "./remembered.tsx";
import { Scroll } from "./scrollable.tsx";
import { Time, UntrustedText } from "./untrusted-text.tsx";

interface BestChartProps {
  points: readonly BestScore[];
  score: ChallengeConfig["score"];
  /**
   * Whether the board shows final scores, which had no order in time: the chart is then one of the public
   * scores.
   */
  isFinal: boolean;
  /** Where the time axis ends. */
  until: number;
}

/** A chart is drawn again after this time. Its points may be as old. */
const DRAWN_MS = 30_000;

/** The best score of a round over time, until now or the end of the round. */
export function BestChart({
  points,
  config: { score },
  isFinal,
  now,
  ends,
}: Pick<BestChartProps, "points" | "isFinal"> & { config: ChallengeConfig; now: Date; ends: string | null }) {
  if (points.length === 0) return null;
  const drawn = Math.floor(now.getTime() / DRAWN_MS) * DRAWN_MS;
  const shown = { score, isFinal, until: ends === null ? drawn : Math.min(drawn, Date.parse(ends)) };
  return remembered(["best scores", new Date().getUTCFullYear(), identity(points), shown], () => (
    <Chart points={points} {...shown} />
  ));
}

function Chart({ points, score, isFinal, until }: BestChartProps) {
  const [first, last] = [points[0], points.at(-1)] as [BestScore, BestScore];
  const number = (value: number) => shownNumber(value, score.precision);
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">{isFinal ? "Best public score over time" : "Best score over time"}</h2>
      <figure class="chart-figure best-chart">
        <Plot
          labelledBy="progress-words"
          dots={[]}
          steps={points.map(({ at, score }) => ({ at: Date.parse(at), value: score }))}
          order={score.order}
          precision={score.precision}
          until={until}
        />
        <figcaption id="progress-words">
          <UntrustedText text={score.title} most={60} />: {number(first.score)} on{" "}
          <Time at={first.at} form="short" />
          {last === first ? null : (
            <>
              , {number(last.score)} since <Time at={last.at} form="short" />,{" "}
              {plural(points.length - 1, "improvement")}
            </>
          )}
          .
          {isFinal ? " The leaderboard shows the final scores, which were hidden while the round ran." : null}
        </figcaption>
        {points.length > 1 ? <BestScores points={points} score={score} /> : null}
      </figure>
    </section>
  );
}

function BestScores({ points, score }: Pick<BestChartProps, "points" | "score">) {
  return (
    <details>
      <summary>Show as a table</summary>
      <Scroll label="Best scores over time">
        <table>
          <caption class="unseen">Best scores over time</caption>
          <thead>
            <tr>
              <th scope="col">Since</th>
              <th scope="col" class="number">
                <UntrustedText text={score.title} most={60} />
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr>
                <th scope="row">
                  <Time at={point.at} form="short" />
                </th>
                <td class="number">{shownNumber(point.score, score.precision)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
