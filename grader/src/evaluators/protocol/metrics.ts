import { type EvaluatorFailure, evaluatorFailure } from "./evaluator-failure.ts";

/** Fields of a result, and those of them that were NaN or Infinity. */
interface Result {
  fields: Record<string, unknown>;
  notFinite: readonly string[];
}

/** Which metrics of a result are its scores, as challenge.json says. */
export interface MetricNames {
  metric?: string | undefined;
  metrics?: readonly string[] | undefined;
}

/**
 * Turns `metrics` of a result, a list of names and values, into its scores. The first one is the score unless others are named; the
 * rest become entries of `data`.
 */
export function scoreByMetrics(
  { fields, notFinite }: Result,
  { metric, metrics }: MetricNames,
): Result | EvaluatorFailure {
  const values = new Map<string, { value: unknown; isNotFinite: boolean }>();
  const given = Array.isArray(fields.metrics) ? fields.metrics : [];
  for (const [index, [name, value]] of given.entries()) {
    const path = `metrics.${index}.1`;
    const isNotFinite = notFinite.some((one) => one === path || one.startsWith(`${path}.`));
    values.set(String(name), { value, isNotFinite });
  }
  const names = metrics ?? (metric === undefined ? [...values.keys()].slice(0, 1) : [metric]);
  const missing = names.find((name) => !values.has(name));
  if (missing !== undefined || names.length === 0) {
    const has = values.size === 0 ? "no metrics" : [...values.keys()].slice(0, 20).join(", ");
    const detail = `the result has ${has}, and not the metric ${JSON.stringify(missing ?? "")}`;
    return evaluatorFailure(
      "evaluator_score",
      names.length === 0 ? "the result has no metrics" : detail,
      "no such metric",
    );
  }
  const scored: string[] = ["score", "score_secondary"].slice(0, names.length);
  const rest = [...values].filter(([name]) => !names.includes(name));
  const { metrics: _, ...others } = fields;
  return {
    fields: {
      ...others,
      ...Object.fromEntries(scored.map((field, index) => [field, values.get(names[index]!)!.value])),
      data: rest.length === 0 ? null : Object.fromEntries(rest.map(([name, { value }]) => [name, value])),
    },
    notFinite: [
      ...notFinite.filter((path) => !path.startsWith("metrics.")),
      ...scored.filter((_, index) => values.get(names[index]!)!.isNotFinite),
      ...rest.filter(([, { isNotFinite }]) => isNotFinite).map(([name]) => `data.${name}`),
    ],
  };
}
