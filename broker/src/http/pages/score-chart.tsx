import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { shownNumber } from "./format.ts";
import { pathTo } from "./path-to.tsx";
import { Plot } from "./plot.tsx";
import { Scroll } from "./scrollable.tsx";
import type { Point } from "./submission-list.ts";
import { Time, UntrustedText } from "./untrusted-text.tsx";

interface Charted extends Point {
  at: number;
  value: number;
  best: number;
}

export function bestSoFar(points: readonly Point[], order: "ascending" | "descending"): Charted[] {
  let best = points[0]?.score ?? 0;
  return points.map((point) => {
    if (order === "ascending" ? point.score < best : point.score > best) best = point.score;
    return { ...point, at: Date.parse(point.created_at), value: point.score, best };
  });
}

/** One participant's scores over time, with the best so far. */
export function ScoreChart({ points, config }: { points: Point[]; config: ChallengeConfig }) {
  const { score } = config;
  const rows = bestSoFar(points, score.order);
  const [first, last] = [rows[0], rows.at(-1)] as [Charted, Charted];
  const number = (value: number) => shownNumber(value, score.precision);
  return (
    <figure class="chart-figure">
      <figcaption id="chart-words">
        <strong>
          <UntrustedText text={score.title} most={60} /> over time.
        </strong>{" "}
        {points.length} graded submissions from <Time at={first.created_at} /> to{" "}
        <Time at={last.created_at} />: first {number(first.score)}, latest {number(last.score)}, best{" "}
        {number(last.best)}.
      </figcaption>
      <Plot
        labelledBy="chart-words"
        dots={rows}
        steps={rows.map(({ at, best }) => ({ at, value: best }))}
        order={score.order}
        precision={score.precision}
      />
      <p class="legend" aria-hidden="true">
        <span class="key-score" /> each submission <span class="key-best" /> best so far
      </p>
      <details>
        <summary>Show as a table</summary>
        <Scroll label="Scores over time">
          <table id="chart-points">
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
                <tr>
                  <th scope="row">
                    <a href={pathTo(`/submissions/${point.id}`)}>
                      <Time at={point.created_at} form="short" />
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
