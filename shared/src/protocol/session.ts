import { z } from "zod";
import { submissionEventSchema } from "./events.ts";
import { errorBodySchema, mediaSchema, submissionSchema } from "./submission.ts";
import { SUBMISSION_ID } from "./submission-id.ts";
import { partCount, partDigestsSchema } from "./upload-parts.ts";

/** JSON values up to this many bytes of text travel inside the message; larger ones go to the object store. */
export const INLINE_LIMIT = 64 * 1024;
/** The largest message either side takes, in bytes. */
export const MESSAGE_LIMIT = 1024 * 1024;
/** How deep a submitted JSON value may be nested. */
export const DEPTH_LIMIT = 100;
/** How many values one call of a function may carry. */
export const CALL_LIMIT = 1000;
/** How many models may be kept with one submission. */
export const MODEL_LIMIT = 20;

export const handshakeSchema = z.object({
  apiKey: z.string(),
  challenge: z.string().optional(),
  client: z.string().max(200).optional(),
});

export const roundSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  title: z.string(),
  starts_at: z.string().nullable(),
  ends_at: z.string().nullable(),
  state: z.enum(["upcoming", "open", "ended"]),
  limit: z.object({ count: z.number().int(), per: z.enum(["day", "week", "round"]) }).nullable(),
  parallel_limit: z.number().int().nullable(),
  minimum_score: z.number().nullable(),
});
export type Round = z.infer<typeof roundSchema>;

const scoreSchema = z.object({
  title: z.string(),
  order: z.enum(["descending", "ascending"]),
  precision: z.number().int(),
});

/** A challenge as participants see it: nothing of its evaluator but the functions, nothing of its answers. */
export const challengeSchema = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  score: scoreSchema,
  score_secondary: scoreSchema.nullable(),
  rounds: z.array(roundSchema),
  round: z.string().nullable().describe("Id of the round that takes submissions now; null when none does."),
  accepts: z.object({
    file: z.object({ extensions: z.array(z.string()), max_bytes: z.number().int() }).nullable(),
    json: z.object({ schema: z.unknown(), max_bytes: z.number().int() }).nullable(),
    code: z.object({ max_bytes: z.number().int() }).nullable(),
    model: z
      .object({ max_bytes: z.number().int() })
      .nullable()
      .default(null)
      .describe("Models that are kept beside a submission; null when none are taken."),
  }),
  functions: z.array(z.string()),
  after_end: z.enum(["accept", "reject"]),
  code: z.object({ capture: z.enum(["off", "optional", "required"]) }),
  data: z.array(z.object({ name: z.string(), size: z.number().int(), sha256: z.string(), url: z.string() })),
  graders: z
    .number()
    .int()
    .nullable()
    .default(null)
    .describe("Graders that serve the challenge right now; null when that is not known."),
  waiting: z
    .string()
    .nullable()
    .default(null)
    .describe("Why nothing of it can be graded right now, in words; null when something can."),
  url: z.string(),
});
export type PublicChallenge = z.infer<typeof challengeSchema>;

/** Slots of one participant in a round. `remaining` null means no limit; `next_at` is when one comes back. */
export const limitsSchema = z.object({
  challenge: z.string(),
  round: z.string().nullable(),
  limit: z.object({ count: z.number().int(), per: z.enum(["day", "week", "round"]) }).nullable(),
  used: z.number().int(),
  remaining: z.number().int().nullable(),
  next_at: z.string().nullable(),
  parallel_limit: z.number().int().nullable(),
  running: z.number().int().describe("Submissions of this participant that are not final."),
  ends_at: z.string().nullable(),
  graders: z.number().int().nullable().default(null).describe("As in the challenge."),
  waiting: z.string().nullable().default(null).describe("As in the challenge."),
});
export type Limits = z.infer<typeof limitsSchema>;

/** What the broker says first, as event `session`. */
export const sessionSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  challenge: challengeSchema.nullable(),
  limits: limitsSchema.nullable(),
  agreed: z.boolean().describe("Whether the participant agreed to the current licence text."),
  broker: z.object({ version: z.string(), instance: z.string() }),
});
export type Session = z.infer<typeof sessionSchema>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits");
const objectName = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, "a git object name");
export const submissionIdSchema = z
  .string()
  .regex(SUBMISSION_ID, "8 to 64 letters, digits, - or _, beginning with a letter or digit");

/**
 * The input of an intent. A value above INLINE_LIMIT is announced like a file, with kind "json" and no data. `parts` lets the
 * bytes be sent in parts, each bound to its digest; without it they are sent as one.
 */
export const intentInputSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("inline"), data: z.unknown() }),
  z
    .object({
      kind: z.enum(["file", "json"]),
      name: z.string().min(1).max(255).nullable(),
      size: z.number().int().min(1),
      sha256,
      parts: partDigestsSchema.optional(),
    })
    .refine(({ size, parts }) => !parts || parts.md5.length === partCount(size, parts.size), {
      path: ["parts", "md5"],
      error: "one digest for each part of the file",
    }),
]);

/** A snapshot of code that comes by `git push`, side by side with the bytes. Sizes are of what the tree holds. */
export const codeAnnouncementSchema = z.object({
  commit: objectName,
  tree: objectName,
  files: z.number().int().min(0),
  bytes: z.number().int().min(0),
});
export type CodeAnnouncement = z.infer<typeof codeAnnouncementSchema>;

/** A model that is kept beside the submission; it is sent like a file's bytes, each to its own addresses. */
export const modelAnnouncementSchema = z.object({
  name: z.string().min(1).max(255),
  size: z.number().int().min(1),
  sha256,
  parts: partDigestsSchema.optional(),
});
export type ModelAnnouncement = z.infer<typeof modelAnnouncementSchema>;

/** Client to broker, event `submit`: registers the intent. An inline value is accepted at once. */
export const intentSchema = z.object({
  id: submissionIdSchema,
  challenge: z.string(),
  round: z.string().max(100).nullable().default(null),
  message: z.string().max(10_000).nullable().default(null),
  function: z.string().max(100).default("submit"),
  dry_run: z.boolean().default(false),
  input: intentInputSchema,
  code: codeAnnouncementSchema.nullable().default(null),
  publish: z
    .boolean()
    .default(false)
    .describe("Whether the code may be published when the challenge closes."),
  models: z.array(modelAnnouncementSchema).max(MODEL_LIMIT).default([]),
});
export type Intent = z.infer<typeof intentSchema>;
export type IntentRequest = z.input<typeof intentSchema>;

/**
 * Where to send the bytes. Every address takes a PUT of exactly the announced length and digest. Of a file in many parts only the
 * first missing ones are named; `missing` counts all of them.
 */
export const uploadSchema = z.object({
  parts: z.array(
    z.object({
      number: z.number().int(),
      offset: z.number().int(),
      size: z.number().int(),
      method: z.literal("PUT"),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
    }),
  ),
  missing: z.object({ parts: z.number().int(), bytes: z.number().int() }).optional(),
  expires_at: z.string(),
});
export type Upload = z.infer<typeof uploadSchema>;

/**
 * Where the announced commit is pushed to: `git push <url> <commit>:<ref>`, with the API key as the password of user `crowdai`.
 * `have` says that the broker has this commit already, so that nothing need be pushed.
 */
export const codePushSchema = z.object({ url: z.string(), ref: z.string(), have: z.boolean() });
export type CodePush = z.infer<typeof codePushSchema>;

/**
 * Answer to `submit` and `complete`. `upload` is set while bytes are missing, `code` while a commit is awaited, `models` for
 * each announced model; its `upload` is null once it is there.
 */
export const receiptSchema = z.object({
  submission: submissionSchema,
  upload: uploadSchema.nullable(),
  code: codePushSchema.nullable().default(null),
  models: z.array(z.object({ name: z.string(), upload: uploadSchema.nullable() })).default([]),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Client to broker, event `call`: a list of values for a function other than `submit`, answered in order. */
export const callSchema = z.object({
  challenge: z.string(),
  round: z.string().max(100).nullable().default(null),
  function: z.string().max(100),
  dry_run: z.boolean().default(false),
  items: z
    .array(z.object({ id: submissionIdSchema, data: z.unknown() }))
    .min(1)
    .max(CALL_LIMIT),
});
export type Call = z.infer<typeof callSchema>;
export type CallRequest = z.input<typeof callSchema>;

/** Client to broker, events `complete` and `cancel`. */
export const submissionRefSchema = z.object({ id: z.string().max(64) });
/** Client to broker, event `watch`: live events from now on; the answer holds those after `after`. */
export const watchSchema = z.object({ id: z.string().max(64), after: z.number().int().min(0).default(0) });
export const watchedSchema = z.object({
  submission: submissionSchema,
  events: z.array(submissionEventSchema),
});
export type Watched = z.infer<typeof watchedSchema>;

/** Broker to client, event `event`. `submission` comes with the last event, so that nobody has to ask again. */
export const liveEventSchema = z.object({
  event: submissionEventSchema,
  submission: submissionSchema.nullable(),
});
export type LiveEvent = z.infer<typeof liveEventSchema>;
/** Broker to client, event `place`, while a watched submission waits. Not numbered: only the latest counts. */
export const queuePositionSchema = z.object({
  submission: z.string(),
  place: z.number().int().nullable(),
  waiting: z.string().nullable(),
  expected_at: z.string().nullable().default(null),
  graders: z.number().int().nullable().default(null),
});
export type Place = z.infer<typeof queuePositionSchema>;

/** Every acknowledgement: `{ ok: true, value }` or `{ ok: false, error }`. */
export const failureSchema = z.object({ ok: z.literal(false), error: errorBodySchema });
export type Ack<T> = { ok: true; value: T } | z.infer<typeof failureSchema>;

export const leaderboardRowSchema = z.object({
  rank: z.number().int().describe("From 1; 0 for a baseline, which has none."),
  participant: z.string().describe("The name; for a baseline, what the organiser says of it."),
  score: z.number().nullable().describe("Rounded to the challenge's precision."),
  score_secondary: z.number().nullable(),
  entries: z.number().int(),
  submission: z.string(),
  submitted_at: z.string(),
  post_challenge: z.boolean(),
  you: z.boolean(),
  rank_before: z
    .number()
    .int()
    .nullable()
    .default(null)
    .describe("Rank a ranking window ago; null for who was not on the board then."),
  highlight: z.boolean().default(false).describe("Among the leaders of the round."),
  baseline: z.boolean().default(false).describe("An organiser's reference entry: it has no rank of its own."),
  media: mediaSchema.nullable().default(null),
  code: z.string().nullable().default(null).describe("Page of the published code; null when it is not."),
});
/** `previous` boards are as they were a ranking window ago; `ongoing` ones count what came after the round's end. */
export const BOARDS = ["current", "ongoing", "previous", "previous_ongoing"] as const;
export const leaderboardSchema = z.object({
  challenge: z.string(),
  round: z.string().nullable(),
  board: z.enum(BOARDS).default("current"),
  score: scoreSchema,
  score_secondary: scoreSchema.nullable(),
  version: z.number().int().default(0).describe("Counts the changes to the round's boards."),
  total: z.number().int(),
  rows: z.array(leaderboardRowSchema),
});
export type Leaderboard = z.infer<typeof leaderboardSchema>;

/** Client to broker, event `watch_board`: answered with how a challenge's boards are now, a BoardMoved for each round. */
export const watchBoardSchema = z.object({ challenge: z.string().max(100) });
/** Broker to client, event `leaderboard`: the boards of a round have changed. At most once a second for a round. */
export const boardMovedSchema = z.object({
  challenge: z.string(),
  round: z.string(),
  version: z.number().int(),
});
export type BoardMoved = z.infer<typeof boardMovedSchema>;
