import { z } from "zod";

/** `scope` says which submissions count: those to all rounds of the challenge, or to the round alone. */
export const limitSchema = z.object({
  count: z.number().int(),
  per: z.enum(["day", "week", "round"]),
  scope: z.enum(["challenge", "round"]).optional(),
});

export const roundSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  title: z.string(),
  starts_at: z.string().nullable(),
  ends_at: z.string().nullable(),
  state: z.enum(["upcoming", "open", "ended"]),
  limit: limitSchema.nullable(),
  parallel_limit: z.number().int().nullable(),
  minimum_score: z.number().nullable(),
});
export type Round = z.infer<typeof roundSchema>;

export const scoreSchema = z.object({
  title: z.string(),
  order: z.enum(["descending", "ascending"]),
  precision: z.number().int(),
});

/** A column of the leaderboard beside the scores: an entry of a result's `data`. */
export const columnSchema = scoreSchema.extend({ key: z.string() });
export type Column = z.infer<typeof columnSchema>;

/**
 * A challenge as participants see it. Of its evaluator it shows only the functions, and none of the answers.
 */
export const challengeSchema = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  score: scoreSchema,
  score_secondary: scoreSchema.nullable(),
  columns: z.array(columnSchema).default([]).describe("Entries of `data` that the leaderboard shows."),
  final: z
    .object({ select: z.number().int().describe("Most submissions to a round that you may select.") })
    .nullable()
    .default(null)
    .describe("Of challenges with hidden final scores, which decide once the round has ended."),
  rounds: z.array(roundSchema),
  round: z
    .string()
    .nullable()
    .describe("Id of the round that is open for submissions; null when no round is open."),
  state: z
    .enum(["upcoming", "open", "ended", "closed"])
    .optional()
    .describe(
      "Upcoming: no round is open, but another one will open. Closed: the organizer closed it for good.",
    ),
  opens_at: z
    .string()
    .nullable()
    .default(null)
    .describe("When the next round opens; null while a round is open and if none follows."),
  closed_at: z.string().nullable().default(null).describe("When the organizer closed the challenge."),
  accepts: z.object({
    file: z.object({ extensions: z.array(z.string()), max_bytes: z.number().int() }).nullable(),
    json: z.object({ schema: z.unknown(), max_bytes: z.number().int() }).nullable(),
    code: z.object({ max_bytes: z.number().int() }).nullable(),
    model: z
      .object({ max_bytes: z.number().int() })
      .nullable()
      .default(null)
      .describe("Models that may accompany a submission; null when the challenge accepts none."),
  }),
  run: z
    .object({
      command: z
        .array(z.string())
        .nullable()
        .describe("Null when each participant names it in crowdai.json."),
      image: z.string(),
      build: z.boolean(),
      sample: z.boolean(),
      output: z.string().describe('The file that the program writes, or "lines".'),
      limits: z.record(z.string(), z.number().nullable()),
      logs: z.enum(["none", "sample", "all"]),
    })
    .nullable()
    .default(null)
    .describe("How submitted code is run; null when the challenge takes files or values."),
  environment: z
    .object({
      agents: z.array(z.enum(["code", "remote"])),
      episodes: z.number().int().nullable(),
      score: z.enum(["mean_return", "result"]),
      limits: z.record(z.string(), z.number()),
      reward_visible: z.boolean(),
      command: z
        .array(z.string())
        .nullable()
        .describe("Of code agents; null when each participant names it."),
      code_limits: z.record(z.string(), z.number().nullable()),
      env_id: z
        .string()
        .nullable()
        .describe("The name for clients of gym-http-api, besides the challenge's id."),
      seeds: z
        .array(z.object({ round: z.string(), seeds: z.array(z.number().int()) }))
        .nullable()
        .describe("Null until the challenge is closed, and if each submission has its own seeds."),
    })
    .nullable()
    .default(null)
    .describe("The environment that agents step; null when the challenge has none."),
  check: z
    .object({
      schema: z.unknown().describe("JSON Schema of values and JSON files; null when there is none."),
      csv: z.unknown().describe("Format of CSV files, as in challenge.json; null when there is none."),
      function: z
        .string()
        .nullable()
        .default(null)
        .describe("Evaluator function that checks a submission; null when there is none."),
      charge: z.boolean().default(false).describe("Whether failing the check costs a slot."),
    })
    .nullable()
    .default(null)
    .describe(
      "Rules that a submission must satisfy before it is graded; null when the challenge has no check.",
    ),
  functions: z.array(z.string()),
  after_end: z.enum(["accept", "reject"]),
  code: z.object({ capture: z.enum(["off", "optional", "required"]) }),
  data: z.array(z.object({ name: z.string(), size: z.number().int(), sha256: z.string(), url: z.string() })),
  graders: z
    .number()
    .int()
    .nullable()
    .default(null)
    .describe("Number of graders that currently serve the challenge; null when unknown."),
  waiting: z
    .string()
    .nullable()
    .default(null)
    .describe("Why no submission can be graded right now, for people; null when grading works."),
  url: z.string(),
});
export type PublicChallenge = z.infer<typeof challengeSchema>;
