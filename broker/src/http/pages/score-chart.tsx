import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { shownNumber, shownTime } from "./format.ts";
import { pathTo } from "./path-to.tsx";
import { Scroll } from "./scrollable.tsx";
import type { Point } from "./submission-list.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

/** Scores over time. The script draws the chart from the table, which is there without a script too. */
export function ScoreChart({ points, config }: { points: Point[]; config: ChallengeConfig }) {
  const { score } = config;
  const better = (a: number, b: number) => (score.order === "ascending" ? a < b : a > b);
  let best = points[0] as Point;
  const rows = points.map((point) => {
    if (better(point.score, best.score)) best = point;
    return { ...point, best: best.score };
  });
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  const number = (value: number) => shownNumber(value, score.precision);
  return (
    <figure class="chart-figure">
      <figcaption id="chart-words">
        <strong>
          <UntrustedText text={score.title} most={60} /> over time.
        </strong>{" "}
        {points.length} graded submissions from {shownTime(first.created_at)} to {shownTime(last.created_at)}:
        first {number(first.score)}, latest {number(last.score)}, best {number(best.score)}.
      </figcaption>
      <div class="chart" id="chart" role="img" aria-labelledby="chart-words" />
      <p class="legend" aria-hidden="true">
        <span class="key-score" /> each submission <span class="key-best" /> best so far
      </p>
      <details>
        <summary>Show as a table</summary>
        <Scroll label="Scores over time">
          <table id="chart-points" data-precision={score.precision}>
            <caption class="unseen">Scores over time</caption>
            <thead>
              <tr>
                <th scope="col">Submitted</th>
                <th scope="col" class="number">
                  <UntrustedText text={score.title} most={60} />
                </th>
                <th scope="col" class="number">
                  Best so far
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((point) => (
                <tr
                  data-at={Date.parse(point.created_at) / 1000}
                  data-score={point.score}
                  data-best={point.best}
                >
                  <th scope="row">
                    <a href={pathTo(`/submissions/${point.id}`)}>
                      <Time at={point.created_at} />
                    </a>
                  </th>
                  <td class="number">{number(point.score)}</td>
                  <td class="number">{number(point.best)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}
