import { z } from "zod";
import type { ErrorCode } from "./errors.ts";

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

/** Whether a submission may go from one state to another. A lost grader sends `grading` back to `submitted`. */
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
});

/** What is handed in: bytes of a file, or a JSON value. `sha256` and `size` are of the bytes, or of the JSON text. */
export const inputSummarySchema = z.object({
  kind: z.enum(["file", "json"]),
  name: z.string().nullable(),
  size: z.number().int(),
  sha256: z.string(),
});

/** A file that is kept with a submission. `url` takes a GET with the key of its owner, or of anybody once it is published. */
export const artifactSchema = z.object({
  name: z.string(),
  size: z.number().int(),
  sha256: z.string(),
  type: z.string(),
  url: z.string().nullable(),
  kind: z.enum(["artifact", "model"]).default("artifact").describe("The evaluator's, or the participant's."),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** Where a picture, film or sound of the evaluator's is seen, large and as a thumbnail. */
export const mediaSchema = z.object({
  large: z.string(),
  thumbnail: z.string().describe("A still picture, of films and sounds too."),
  type: z.string().describe("Of the large one, as image/png."),
  preview: z.string().nullable().default(null).describe("The beginning of a film, small and without sound."),
});
export type Media = z.infer<typeof mediaSchema>;

/** The code that made a submission. */
export const submissionCodeSchema = z.object({
  state: z
    .enum(["awaited", "stored", "missing"])
    .describe("On its way; kept by the broker; given up, with the submission's grade untouched."),
  commit: z.string().describe("The snapshot that the client announced."),
  tag: z
    .string()
    .nullable()
    .describe("Its tag in the participant's repository, once the submission has ended."),
  url: z.string().nullable().describe("Where the repository is cloned from."),
  files: z.number().int(),
  bytes: z.number().int(),
});

/** A submission as its participant sees it; others are told less of it. Times are ISO 8601 UTC; what is not known yet is null. */
export const submissionSchema = z.object({
  id: z.string(),
  number: z.number().int().describe("The webapp's integer id of the same submission."),
  challenge: z.string(),
  participant: z.string(),
  round: z.string(),
  function: z.string(),
  state: z.enum(STATES),
  message: z.string().nullable().describe("What the participant wrote with -m."),
  input: inputSummarySchema.nullable().describe("Null to others than its participant and the organisers."),
  post_challenge: z.boolean(),
  created_at: z.string().describe("Arrival: when the intent was registered."),
  accepted_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  score: z.number().nullable(),
  score_secondary: z.number().nullable(),
  grading_message: z.string().nullable(),
  data: z.unknown().describe("What a function other than `submit` returned."),
  error: errorBodySchema.nullable(),
  rank: z.number().int().nullable().describe("The participant's rank in the round, after this submission."),
  rank_before: z.number().int().nullable(),
  best: z.boolean().nullable().describe("Whether this is the participant's best submission of the round."),
  place: z.number().int().nullable().describe("Place in line, 1 is next; null when not waiting."),
  waiting: z.string().nullable().describe("Why it waits, in words, when nothing can grade it right now."),
  expected_at: z
    .string()
    .nullable()
    .default(null)
    .describe("When grading should begin, judged by the latest gradings; null when that cannot be said."),
  graders: z
    .number()
    .int()
    .nullable()
    .default(null)
    .describe("While it waits: graders attached that serve its challenge."),
  slot: z.enum(["none", "reserved", "charged", "returned"]),
  attempt: z.number().int().describe("How often grading was started."),
  evaluator_version: z.string().nullable(),
  regraded: z
    .object({ at: z.string(), score_before: z.number().nullable() })
    .nullable()
    .default(null)
    .describe("Set when the organiser had it graded anew: what is told is the new grade."),
  artifacts: z.array(artifactSchema),
  media: mediaSchema.nullable().default(null),
  media_dropped: z
    .string()
    .nullable()
    .default(null)
    .describe("Why the evaluator's picture, film or sound is not shown; the grade stands."),
  code: submissionCodeSchema.nullable().default(null),
  publish: z
    .boolean()
    .default(false)
    .describe("Whether its code is to be published when the challenge closes."),
  published_at: z
    .string()
    .nullable()
    .default(null)
    .describe("When its code became public; null while it is not."),
  seq: z.number().int().describe("Sequence number of its latest event."),
  url: z.string().describe("Its page."),
});
export type Submission = z.infer<typeof submissionSchema>;
