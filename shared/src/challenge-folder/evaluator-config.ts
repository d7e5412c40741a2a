import { z } from "zod";
import { lineSchema } from "../protocol/plain-text.ts";
import { codabenchSchema } from "./codabench-config.ts";
import { evalaiSchema, kaggleSchema } from "./ported-evaluators.ts";
import { processSettings } from "./process-settings.ts";

const command = z.strictObject({
  command: z.array(z.string().min(1)).min(1),
  mode: z
    .enum(["batch", "persistent", "environment"])
    .default("batch")
    .describe("An environment runs for one session, and answers open, reset, step and close."),
  ...processSettings,
});
const gym = z.strictObject({
  gym: z
    .string()
    .regex(/^[^:]+\.py:[A-Za-z_]\w*$/, 'a file and a function or class, such as "env.py:make"')
    .describe(
      "The class or function that makes a Gymnasium (5-tuple) or gym (4-tuple) environment. It is driven by the grader.",
    ),
  python: z.string().default("python3"),
  ...processSettings,
});
const pythonClass = z.strictObject({
  python_class: z
    .string()
    .regex(/^[^:]+\.py:[A-Za-z_]\w*$/, 'a file and a class, such as "evaluator.py:Evaluator"'),
  args: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).default([]),
  python: z.string().default("python3"),
  fresh: z
    .boolean()
    .default(false)
    .describe("Start a new process for each job, for classes that keep state."),
  private_results: z
    .union([z.array(z.string()), z.literal(true)])
    .default([])
    .describe("Names in the returned dict that only organizers see; true for all but the scores and media."),
  ...processSettings,
});

const jobFactory = z.strictObject({
  job_factory: z
    .strictObject({
      redis: z
        .string()
        .regex(/^rediss?:\/\/[^\s/]/, 'the URL of a Redis server, such as "redis://host:6379/0"')
        .describe("Redis server that broker and job factory share."),
      namespace: z
        .string()
        .min(1)
        .max(200)
        .describe("Prefix of the list names: jobs are pushed to <namespace>::enqueue_job."),
    })
    .describe("A job factory of 2017, which takes jobs from a Redis list and responds on another."),
  functions: z.array(lineSchema.min(1)).min(1).default(["submit"]),
  timeout_seconds: z
    .number()
    .positive()
    .max(7 * 24 * 3600)
    .default(600),
  score_timeout_seconds: z
    .number()
    .positive()
    .max(24 * 3600)
    .default(60)
    .describe(
      "How long a score may take to come over the API after the job factory completed a job without one.",
    ),
});

/** The kinds of evaluators, by the field that names each. The order is that of the kinds in messages. */
export const evaluatorSchema = z.union([
  command,
  pythonClass,
  gym,
  jobFactory,
  codabenchSchema,
  evalaiSchema,
  kaggleSchema,
]);

type EvaluatorConfig = z.infer<typeof evaluatorSchema>;
/** An evaluator that runs elsewhere, behind a job factory. */
export type JobFactoryConfig = z.infer<typeof jobFactory>;
/** An evaluator that the grader starts as a process. */
export type ProcessConfig = Exclude<EvaluatorConfig, JobFactoryConfig>;
