import { z } from "zod";
import { environmentRecordSchema } from "./environment-record.ts";
import type { ErrorCode } from "./errors.ts";
import { runRecordSchema } from "./run-record.ts";

export const STATES = ["initiated", "submitted", "grading", "graded", "failed", "cancelled"] as const;
export type SubmissionState = (typeof STATES)[number];

const TRANSITIONS: Record<SubmissionState, readonly SubmissionState[]> = {
  initiated: ["submitted", "failed", "cancelled"],
  submitted: ["grading", "graded", "failed", "cancelled"],
  grading: ["submitted", "graded", "failed", "cancelled"],
  graded: [],
  failed: [],
  cancelled: [],
};

/**
 * Returns whether a submission may change from one state to another. A lost grader returns `grading` to
 * `submitted`.
 */
export function canTransition(from: SubmissionState, to: SubmissionState): boolean {
  return TRANSITIONS[from].includes(to);
}

export function isFinal(state: SubmissionState): boolean {
  return TRANSITIONS[state].length === 0;
}

export const errorBodySchema = z.object({
  code: z.string() as unknown as z.ZodType<ErrorCode>,
  fault: z.enum(["you", "challenge", "platform"]),
  message: z.string(),
  next: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
  request_id: z.string().optional(),
});

/**
 * A submitted file, JSON value or code. `sha256` and `size` are those of the file, or of the JSON text; of
 * code, the size of all files, and the digest of its tree's git object name.
 */
export const inputSummarySchema = z.object({
  kind: z.enum(["file", "json", "code", "session"]),
  name: z.string().nullable(),
  size: z.number().int(),
  sha256: z.string(),
});

/** A file stored with a submission. Its owner may GET `url`; every caller may once it is published. */
export const artifactSchema = z.object({
  name: z.string(),
  size: z.number().int(),
  sha256: z.string(),
  type: z.string(),
  url: z.string().nullable(),
  kind: z
    .enum(["artifact", "model"])
    .default("artifact")
    .describe("A file of the evaluator, or a model of the participant."),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** URLs of an evaluator's image, video or audio file, in full size and as a thumbnail. */
export const mediaSchema = z.object({
  large: z.string(),
  thumbnail: z.string().describe("An image, for video and audio as well."),
  type: z.string().describe("Media type of the full-size file, for example image/png."),
  preview: z.string().nullable().default(null).describe("The beginning of a video, small and without audio."),
});
export type Media = z.infer<typeof mediaSchema>;

/** The code that made a submission. */
export const submissionCodeSchema = z.object({
  state: z
    .enum(["awaited", "stored", "missing"])
    .describe("Awaited; stored by the broker; or missing, which does not affect the grade."),
  commit: z.string().describe("Commit of the announced snapshot."),
  tag: z
    .string()
    .nullable()
    .describe("Tag in the participant's repository; null until the submission has finished."),
  url: z.string().nullable().describe("URL to clone the repository from."),
  files: z.number().int(),
  bytes: z.number().int(),
});

/**
 * A submission as its participant sees it; others see fewer fields. Times are ISO 8601 in UTC. Fields not yet
 * known are null.
 */
export const submissionSchema = z.object({
  id: z.string(),
  number: z.number().int().describe("Integer id of the submission in the webapp."),
  challenge: z.string(),
  participant: z.string(),
  round: z.string(),
  function: z.string(),
  state: z.enum(STATES),
  message: z.string().nullable().describe("Message of the participant (-m)."),
  input: inputSummarySchema
    .nullable()
    .describe("Null for callers other than the participant and the organizers."),
  post_challenge: z.boolean(),
  created_at: z.string().describe("Time of arrival, when the intent was registered."),
  sealed_at: z
    .string()
    .nullable()
    .default(null)
    .describe(
      "When `crowdai submit --spool` sealed it, by the clock of that machine; null for callers other than the participant and the organizers.",
    ),
  accepted_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  score: z.number().nullable(),
  score_secondary: z.number().nullable(),
  score_final: z
    .number()
    .nullable()
    .default(null)
    .describe("The hidden score, once the round has ended; null before, and where there is none."),
  selected: z
    .boolean()
    .default(false)
    .describe("Whether its participant selected it for the final ranking; false for other callers."),
  columns: z
    .record(z.string(), z.number().nullable())
    .default({})
    .describe("The numbers of the leaderboard's columns, by their keys; null where `data` has none."),
  grading_message: z.string().nullable(),
  data: z.unknown().describe("Return value of a function other than `submit`."),
  error: errorBodySchema.nullable(),
  rank: z
    .number()
    .int()
    .nullable()
    .describe("The participant's rank in the round, when this submission was graded."),
  rank_before: z.number().int().nullable(),
  best: z
    .boolean()
    .nullable()
    .describe("Whether this was then the participant's best submission of the round."),
  standing: z
    .object({
      rank: z.number().int().nullable().describe("The participant's rank in the round now."),
      best: z.boolean().describe("Whether this submission holds that rank."),
    })
    .nullable()
    .default(null)
    .describe(
      "The current rank; `rank` and `best` are those of the moment of grading. Null in submissions that are sent with events or that count on no board.",
    ),
  place: z.number().int().nullable().describe("Queue position, where 1 is next; null when not waiting."),
  waiting: z.string().nullable().describe("Why the submission cannot be graded right now, for people."),
  expected_at: z
    .string()
    .nullable()
    .default(null)
    .describe("Expected start of grading, estimated from recent gradings; null when unknown."),
  graders: z
    .number()
    .int()
    .nullable()
    .default(null)
    .describe("While waiting, the number of attached graders that serve the challenge."),
  slot: z.enum(["none", "reserved", "charged", "returned"]),
  attempt: z.number().int().describe("Number of times that grading was started."),
  evaluator_version: z.string().nullable(),
  regraded: z
    .object({ at: z.string(), score_before: z.number().nullable() })
    .nullable()
    .default(null)
    .describe("Set when the submission was re-graded; all fields show the new grade."),
  artifacts: z.array(artifactSchema),
  run: runRecordSchema
    .nullable()
    .default(null)
    .describe("How the code was run; null for callers other than the participant and the organizers."),
  environment: environmentRecordSchema
    .nullable()
    .default(null)
    .describe("How the agent played; null for callers other than the participant and the organizers."),
  media: mediaSchema.nullable().default(null),
  media_dropped: z
    .string()
    .nullable()
    .default(null)
    .describe("Why the evaluator's media file was dropped; the grade is not affected."),
  code: submissionCodeSchema.nullable().default(null),
  publish: z
    .boolean()
    .default(false)
    .describe("Whether the code is to be published when the challenge closes."),
  published_at: z
    .string()
    .nullable()
    .default(null)
    .describe("When the code became public; null while it is private."),
  member: z
    .string()
    .nullable()
    .default(null)
    .describe("The member of a team who made it. Shown to the team and to organizers."),
  disqualified: z
    .object({ reason: z.string(), at: z.string() })
    .nullable()
    .default(null)
    .describe(
      "Why it does not count: its participant is disqualified. Shown to the participant and organizers.",
    ),
  seq: z.number().int().describe("Sequence number of the latest event."),
  url: z.string().describe("Page of the submission."),
});
export type Submission = z.infer<typeof submissionSchema>;
