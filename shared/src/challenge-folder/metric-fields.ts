import { z } from "zod";

/** Which of several named metrics are the scores. */
export const metricFields = {
  metric: z.string().min(1).optional().describe("Metric that is the score; the first one by default."),
  metrics: z
    .array(z.string().min(1))
    .min(1)
    .max(2)
    .optional()
    .describe("Metrics that are the score and the secondary score, in place of metric."),
};

/** Refuses a score that is named twice: the arguments of `refine`. */
export const oneOfMetricFields: [
  (fields: { metric?: unknown; metrics?: unknown }) => boolean,
  { path: PropertyKey[]; error: string },
] = [
  ({ metric, metrics }) => metric === undefined || metrics === undefined,
  { path: ["metrics"], error: '"metric" or "metrics", not both' },
];

/**
 * Returns the names of the metrics that are the score and the secondary score; none means the first metric.
 */
export const namedMetrics = ({ metric, metrics }: { metric?: string; metrics?: string[] }): string[] =>
  metrics ?? (metric === undefined ? [] : [metric]);
