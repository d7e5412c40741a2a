import type { Facts } from "../commands/submission/facts.ts";
import { plainText } from "../terminal/plain-text.ts";

/** Returns the grade in the OpenMetrics text format, which GitLab compares between branches. */
export function metricsReport({ submission, challenge }: Facts): string {
  const name = submission?.challenge ?? challenge?.id;
  const labels = name === undefined ? "" : `{challenge="${labelValue(name)}"}`;
  const metrics: [string, string, number | null][] = [
    ["crowdai_graded", "Whether the submission has a grade", Number(submission?.state === "graded")],
    ["crowdai_score", "Score", submission?.score ?? null],
    ["crowdai_score_secondary", "Secondary score", submission?.score_secondary ?? null],
    ["crowdai_rank", "Rank on the leaderboard", submission?.rank ?? null],
  ];
  const lines = metrics.flatMap(([metric, help, value]) =>
    value === null
      ? []
      : [`# TYPE ${metric} gauge`, `# HELP ${metric} ${help}`, `${metric}${labels} ${value}`],
  );
  return `${[...lines, "# EOF"].join("\n")}\n`;
}

function labelValue(text: string): string {
  return plainText(text).replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
