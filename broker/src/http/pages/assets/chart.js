// Draws the scores over time from the table behind the chart.

const box = document.getElementById("chart");
const table = document.getElementById("chart-points");
const points = [...table.querySelectorAll("tbody tr")].map(({ dataset }) => [
  Number(dataset.at),
  Number(dataset.score),
  Number(dataset.best),
]);
const precision = Number(table.dataset.precision);
const data = [0, 1, 2].map((column) => points.map((point) => point[column]));
let plot = null;

/** Returns a color of the style sheet in the current theme. */
function color(name) {
  const probe = document.createElement("span");
  probe.className = name;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const DAY = 24 * 3600;
const dayOf = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const hourOf = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** Labels ticks with days when they are days apart, else with times. */
function times(_, ticks, _axis, _space, apart) {
  const format = apart >= DAY ? dayOf : hourOf;
  return ticks.map((tick) => format.format(tick * 1000));
}

function draw() {
  plot?.destroy();
  const soft = color("chart-soft");
  const line = color("chart-line");
  const accent = color("chart-accent");
  const gold = color("chart-gold");
  const axis = {
    stroke: soft,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: "12px system-ui, sans-serif",
  };
  plot = new uPlot(
    {
      width: box.clientWidth,
      height: box.clientHeight,
      padding: [16, 16, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: true } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [
        { ...axis, values: times, space: 70 },
        {
          ...axis,
          size: 60,
          values: (_, ticks) => ticks.map((tick) => tick.toFixed(Math.min(precision, 4))),
        },
      ],
      series: [
        {},
        { stroke: gold, paths: () => null, points: { show: true, size: 7, fill: gold, stroke: gold } },
        { stroke: accent, width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      ],
    },
    data,
    box,
  );
}

draw();
new ResizeObserver(() => {
  if (plot.width !== box.clientWidth) plot.setSize({ width: box.clientWidth, height: box.clientHeight });
}).observe(box);
addEventListener("theme", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
