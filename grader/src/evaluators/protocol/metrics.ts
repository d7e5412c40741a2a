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
  /** Those that go to `meta`, which only organizers see. */
  private_results?: readonly string[] | true | undefined;
}

/**
 * Turns `metrics` of a result, a list of names and values, into its scores. The first one is the score unless
 * others are named; the rest become entries of `data`.
 */
export function scoreByMetrics(
  { fields, notFinite }: Result,
  { metric, metrics, private_results = [] }: MetricNames,
): Result | EvaluatorFailure {
  const values = new Map<string, { value: unknown; isNotFinite: boolean }>();
  if (!arePairs(fields.metrics))
    return evaluatorFailure(
      "evaluator_output",
      "an invalid event: metrics is not a list of names and values",
      "an invalid event",
    );
  for (const [index, [name, value]] of fields.metrics.entries()) {
    const path = `metrics.${index}.1`;
    const isNotFinite = notFinite.some((one) => one === path || one.startsWith(`${path}.`));
    values.set(name, { value, isNotFinite });
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
  const isPrivate = (name: string) => private_results === true || private_results.includes(name);
  const rest = [...values].filter(([name]) => !names.includes(name));
  const [hidden, shown] = [
    rest.filter(([name]) => isPrivate(name)),
    rest.filter(([name]) => !isPrivate(name)),
  ];
  const entries = (list: typeof rest) => Object.fromEntries(list.map(([name, { value }]) => [name, value]));
  const unfit = (list: typeof rest, field: string) =>
    list.filter(([, { isNotFinite }]) => isNotFinite).map(([name]) => `${field}.${name}`);
  const { metrics: _, meta, ...others } = fields;
  return {
    fields: {
      ...others,
      ...Object.fromEntries(scored.map((field, index) => [field, values.get(names[index]!)!.value])),
      data: shown.length === 0 ? null : entries(shown),
      meta: hidden.length === 0 ? meta : { ...(meta as object | null), ...entries(hidden) },
    },
    notFinite: [
      ...notFinite.filter((path) => !path.startsWith("metrics.")),
      ...scored.filter((_, index) => values.get(names[index]!)!.isNotFinite),
      ...unfit(shown, "data"),
      ...unfit(hidden, "meta"),
    ],
  };
}

const arePairs = (metrics: unknown): metrics is [string, unknown][] =>
  Array.isArray(metrics) &&
  metrics.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string");
