import { scaleOf, shownRange, timeTicks } from "./chart-scale.ts";

export interface PlotPoint {
  at: number;
  value: number;
}

export interface PlotProps {
  /** The element that says in words what the plot shows. */
  labelledBy: string;
  /** Drawn as dots. */
  dots: readonly PlotPoint[];
  /** Drawn as steps: each value holds until the next. */
  steps: readonly PlotPoint[];
  order: "ascending" | "descending";
  precision: number;
  /** Where the time axis ends; at the last point by default. */
  until?: number;
}

const SIDE = 1000;

/**
 * Values over time, drawn on the server: complete without a script, at any width, in the colors of the theme.
 */
export function Plot({ labelledBy, dots, steps, order, precision, until }: PlotProps) {
  const all = [...dots, ...steps];
  const from = Math.min(...all.map(({ at }) => at));
  const to = Math.max(until ?? from, ...all.map(({ at }) => at));
  const [low, high] = shownRange(
    all.map(({ value }) => value),
    order === "ascending",
  );
  const { ticks, decimals } = scaleOf(low, high);
  const [bottom, top] = [ticks[0] as number, ticks.at(-1) as number];
  const x = (at: number) => (to === from ? SIDE / 2 : Math.round(((at - from) / (to - from)) * SIDE));
  const y = (value: number) =>
    Math.round((1 - (Math.min(top, Math.max(bottom, value)) - bottom) / (top - bottom)) * SIDE);
  const times = to === from ? [] : timeTicks(from, to);
  const line = steps.map(({ at, value }, i) => (i === 0 ? `M${x(at)} ${y(value)}` : `H${x(at)}V${y(value)}`));
  const labelOf = (tick: number) =>
    Math.abs(tick) >= 1e7 ? tick.toExponential(1) : tick.toFixed(Math.min(decimals, precision));
  return (
    <div class="plot" role="img" aria-labelledby={labelledBy}>
      <div class="plot-y" aria-hidden="true">
        {ticks.toReversed().map((tick) => (
          <span>{labelOf(tick).replace("-", "−")}</span>
        ))}
      </div>
      <svg class="plot-area" viewBox={`0 0 ${SIDE} ${SIDE}`} preserveAspectRatio="none" aria-hidden="true">
        <path
          class="plot-grid"
          d={[
            ...ticks.map((tick) => `M0 ${y(tick)}H${SIDE}`),
            ...times.map(({ at }) => `M${x(at)} 0V${SIDE}`),
          ].join("")}
        />
        <path class="plot-steps" d={`${line.join("")}H${SIDE}`} />
        <path class="plot-dots" d={dots.map(({ at, value }) => `M${x(at)} ${y(value)}h0`).join("")} />
      </svg>
      <svg class="plot-x" aria-hidden="true">
        {times.map(({ at, label }) => (
          <text
            x={`${x(at) / 10}%`}
            y="15"
            text-anchor={x(at) < 60 ? "start" : x(at) > 940 ? "end" : "middle"}
          >
            {label}
          </text>
        ))}
      </svg>
    </div>
  );
}
