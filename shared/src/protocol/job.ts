import { z } from "zod";
import { environmentRecordSchema } from "./environment-record.ts";
import type { ErrorCode } from "./errors.ts";
import { RUN_STAGES, runRecordSchema } from "./run-record.ts";

/**
 * The submitted input: a value in the message itself, an object in the object store, or the job's code, which
 * is run.
 */
export const jobInputSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("inline"), data: z.unknown() }),
  z.object({
    kind: z.literal("code"),
    command: z
      .array(z.string())
      .nullable()
      .describe("The participant's command; null when the challenge names it."),
  }),
  z.object({
    kind: z.literal("session"),
    /**
     * The stored step log of an earlier session, to be stepped again; null for an agent that is connected.
     */
    replay: z.object({ key: z.string(), size: z.number().int(), sha256: z.string() }).nullable(),
  }),
  z.object({
    kind: z.enum(["file", "json"]),
    key: z.string(),
    name: z.string().nullable(),
    size: z.number().int(),
    sha256: z.string(),
  }),
]);

/** A job for a grader. `attempt` is the fencing number: reports of an older attempt are refused. */
export const jobSchema = z.object({
  submission: z.string(),
  attempt: z.number().int(),
  challenge: z.string(),
  function: z.string(),
  round: z.number().int().describe("Number of the round, starting at 1, in order of start."),
  dry_run: z.boolean(),
  input: jobInputSchema,
  code: z.object({ key: z.string(), sha256: z.string(), size: z.number().int() }).nullable(),
  /** Version of the challenge bundle to grade with; null means the grader's own folder. */
  version: z.string().nullable(),
  /** The object that contains the bundle; absent when `version` is null. */
  bundle: z.object({ key: z.string(), sha256: z.string(), size: z.number().int() }).nullish(),
  seeds: z
    .array(z.number().int())
    .nullish()
    .describe("Of an environment: one for each episode. Null when a private file of the challenge has them."),
  fair_key: z
    .string()
    .nullish()
    .describe("Jobs of a challenge with different keys take turns. Absent in jobs of older brokers."),
});
export type Job = z.infer<typeof jobSchema>;

/** The part of a job that every release reads, to return one of a newer release to the queue. */
export const jobNameSchema = jobSchema.pick({ submission: true, attempt: true, challenge: true });
export type JobInput = z.infer<typeof jobInputSchema>;

export const storedFileSchema = z.object({
  key: z.string(),
  name: z.string(),
  size: z.number().int(),
  sha256: z.string(),
  type: z.string(),
});
export type StoredFile = z.infer<typeof storedFileSchema>;

/** The outcome of a job. The `message` of a failure is for the participant and reveals nothing private. */
export const outcomeSchema = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    score: z.number().nullable(),
    score_secondary: z.number().nullable(),
    /** Hidden until the round has ended. Absent in outcomes of older graders. */
    score_final: z.number().nullish(),
    message: z.string().nullable(),
    meta: z.record(z.string(), z.unknown()),
    data: z.unknown(),
    media: storedFileSchema.nullable(),
    /** Why the evaluator's media file was dropped, for the participant. */
    media_dropped: z.string().nullish(),
    artifacts: z.array(storedFileSchema),
    evaluator_version: z.string(),
    run: runRecordSchema.nullish(),
    environment: environmentRecordSchema.nullish(),
  }),
  z.object({
    ok: z.literal(false),
    code: z.string() as unknown as z.ZodType<ErrorCode>,
    message: z.string(),
    evaluator_version: z.string(),
    run: runRecordSchema.nullish(),
    environment: environmentRecordSchema.nullish(),
    /** The step log and what else is stored of a failed session. */
    artifacts: z.array(storedFileSchema).nullish(),
    /** Whether the slot is charged. By default, the code decides. */
    charge: z.boolean().nullish(),
    /** The problems that a check found, as `{ problems, total }`. */
    data: z.unknown().optional(),
  }),
]);
export type Outcome = z.infer<typeof outcomeSchema>;

const reportBase = {
  submission: z.string(),
  attempt: z.number().int(),
  delivery: z.number().int(),
  grader: z.string(),
};

/**
 * A grader's report on a job. `delivery` counts the deliveries of the attempt, starting at 1. `started` comes
 * first; a queue may omit it when it also has the `finished` of the same delivery. `finished` is the last
 * report of a delivery. `released` returns the job to the queue.
 */
export const reportSchema = z.discriminatedUnion("type", [
  z.object({ ...reportBase, type: z.literal("started") }),
  z.object({
    ...reportBase,
    type: z.literal("progress"),
    percent: z.number().min(0).max(100).nullable(),
    message: z.string().nullable(),
    stage: z
      .enum(RUN_STAGES)
      .nullish()
      .describe("Of a submission that is run; it begins with the first such report."),
  }),
  z.object({ ...reportBase, type: z.literal("log"), message: z.string() }),
  z.object({
    ...reportBase,
    type: z.literal("finished"),
    outcome: outcomeSchema,
    /**
     * The evaluator's stderr and the details of its failure, for the organizer. Never shown to participants.
     */
    organiser_log: z.string(),
    /** How long grading took; absent in reports of older graders. */
    seconds: z.number().nullable().default(null),
  }),
  z.object({ ...reportBase, type: z.literal("released"), reason: z.string() }),
]);
export type Report = z.infer<typeof reportSchema>;
