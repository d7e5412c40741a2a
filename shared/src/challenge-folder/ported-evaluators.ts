import { z } from "zod";
import { metricFields, oneOfMetricFields } from "./metric-fields.ts";
import { processSettings } from "./process-settings.ts";

/**
 * Settings of what was written for another platform and runs unchanged: it takes submissions, and has no
 * other function.
 */
export const portedSettings = {
  ...processSettings,
  functions: z
    .array(z.literal("submit") as z.ZodType<string, string>)
    .length(1)
    .default(() => ["submit"]),
};

/**
 * An evaluation script of EvalAI: `evaluate(test_annotation_file, user_submission_file, phase_codename,
 * **kwargs)`.
 */
export const evalaiSchema = z
  .strictObject({
    evalai: z
      .string()
      .min(1)
      .describe("EvalAI's evaluation script: a Python file, or a folder with __init__.py or main.py."),
    annotations: z
      .union([z.string().min(1), z.record(z.string(), z.string().min(1))])
      .nullable()
      .default(null)
      .describe("File with the annotations, or one for each round, by its id."),
    ...metricFields,
    private_results: z
      .union([z.array(z.string()), z.literal(true)])
      .default([])
      .describe("Names of metrics and splits that only organizers see; true for all but the scores."),
    python: z.string().min(1).default("python3"),
    fresh: z.boolean().default(false).describe("Start a new process for each job."),
    ...portedSettings,
  })
  .refine(...oneOfMetricFields);

/**
 * A metric of Kaggle: `score(solution, submission, row_id_column_name, **args)`, with data frames of pandas.
 */
export const kaggleSchema = z.strictObject({
  kaggle: z
    .string()
    .regex(/^[^:]+\.py:[A-Za-z_]\w*$/, 'a file and a function, such as "score.py:score"')
    .describe("A metric of Kaggle: a file and its function."),
  solution: z
    .string()
    .min(1)
    .describe("CSV file with the solution; its column Usage tells Public from Private rows."),
  row_id: z.string().min(1).describe("Column with the ids of the rows, in the solution and in submissions."),
  args: z.record(z.string(), z.unknown()).default({}).describe("Further arguments of the function, by name."),
  allow_empty: z.boolean().default(false).describe("Whether submissions may have empty values."),
  pass_complete_submission: z
    .boolean()
    .default(false)
    .describe("Pass the submission as it is, for metrics that match its rows themselves."),
  python: z.string().min(1).default("python3"),
  fresh: z.boolean().default(false).describe("Start a new process for each job."),
  ...portedSettings,
});
