import { z } from "zod";
import { checkConfigSchema } from "../check/check-config.ts";
import { lineSchema } from "../protocol/plain-text.ts";
import { environmentSchema } from "./environment-config.ts";
import { evaluatorSchema } from "./evaluator-config.ts";
import { runSchema } from "./run-config.ts";
import { webhooksSchema } from "./webhook-config.ts";

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, "letters, digits, _ . or -, starting with a letter or digit");
const time = z.iso.datetime({
  offset: true,
  error: "an ISO 8601 time with time zone, such as 2026-11-23T12:00:00Z",
});

/** More than people use, and fewer than a script that has gone astray would send. */
export const DEFAULT_PARALLEL_LIMIT = 100;

const score = z.strictObject({
  title: lineSchema.default("Score"),
  order: z.enum(["descending", "ascending"]).default("descending"),
  precision: z.int().min(0).max(15).default(3).describe("Number of decimals on the leaderboard."),
});

const column = z.strictObject({
  key: lineSchema.min(1).max(100).describe("Name of the entry in a result's `data`."),
  title: lineSchema.min(1).optional().describe("Heading of the column; the key if it is missing."),
  order: score.shape.order.describe("Whether higher or lower is better. The board is sorted by the score."),
  precision: score.shape.precision,
});

const round = z.strictObject({
  id: z.union([id, z.int().min(0).transform(String)]),
  title: lineSchema.optional(),
  starts_at: time.nullable().default(null),
  ends_at: time.nullable().default(null),
  limit: z
    .strictObject({
      count: z.int().min(1),
      per: z.enum(["day", "week", "round"]),
      scope: z
        .enum(["challenge", "round"])
        .optional()
        .describe(
          'Whether a limit per day or week counts the submissions to all rounds ("challenge", the default) or only to this one.',
        ),
    })
    .refine(({ per, scope }) => per !== "round" || scope !== "challenge", {
      path: ["scope"],
      error: '"round" or none, since the limit is per round',
    })
    .nullable()
    .default(null)
    .describe("Maximum number of submissions per participant; null means no limit."),
  parallel_limit: z
    .int()
    .min(1)
    .nullable()
    .default(DEFAULT_PARALLEL_LIMIT)
    .describe("Most submissions of a participant that may wait for a grade; null means no limit."),
  minimum_score: z
    .number()
    .nullable()
    .default(null)
    .describe("Score that a participant must reach in the previous round to enter this one."),
  ranking_window_hours: z.int().min(1).default(96),
  highlight: z.int().min(0).default(3),
});

const MEBIBYTE = 1024 * 1024;
const MODEL_BYTES = 2048 * MEBIBYTE;

/** The schema of challenge.json. Everything except id, title, score and evaluator has a default. */
export const challengeConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  id,
  title: lineSchema.min(1),
  description: z
    .string()
    .default("")
    .refine((text) => !/(?![\n\r\t])\p{Cc}/u.test(text), "a text without control characters")
    .describe("Markdown."),
  score,
  score_secondary: score.nullable().default(null),
  columns: z
    .array(column)
    .max(20)
    .default([])
    .describe("Entries of a result's `data` that the leaderboard shows, to everyone who sees it."),
  final: z
    .strictObject({
      select: z
        .int()
        .min(1)
        .max(20)
        .default(2)
        .describe("Most submissions to a round that a participant may select for the final ranking."),
    })
    .nullable()
    .default(null)
    .describe("For evaluators that return `score_final`, which stays hidden until the round has ended."),
  rounds: z
    .array(round)
    .min(1)
    .default(() => [round.parse({ id: "1", title: "Round 1" })]),
  accepts: z
    .strictObject({
      file: z
        .strictObject({
          extensions: z
            .array(z.string().regex(/^\.[A-Za-z0-9.]+$/, 'an extension with its dot, such as ".csv"'))
            .default([])
            .describe("Allowed file extensions; an empty list allows any."),
          max_bytes: z
            .int()
            .min(1)
            .default(100 * MEBIBYTE),
          unpack: z
            .boolean()
            .optional()
            .describe(
              "Whether the file is an archive (zip, tar or tar.gz) that evaluators receive as a folder.",
            ),
        })
        .optional(),
      json: z
        .strictObject({
          schema: z.union([z.record(z.string(), z.unknown()), z.boolean()]).default(true),
          max_bytes: z
            .int()
            .min(1)
            .default(10 * MEBIBYTE),
        })
        .optional(),
      code: z
        .strictObject({
          max_bytes: z
            .int()
            .min(1)
            .default(50 * MEBIBYTE),
        })
        .optional(),
      model: z
        .strictObject({ max_bytes: z.int().min(1).default(MODEL_BYTES) })
        .nullable()
        .default({ max_bytes: MODEL_BYTES })
        .describe("Models stored with a submission; null means that models are not accepted."),
    })
    .default({
      file: { extensions: [], max_bytes: 100 * MEBIBYTE },
      json: { schema: true, max_bytes: 10 * MEBIBYTE },
      model: { max_bytes: MODEL_BYTES },
    }),
  evaluator: evaluatorSchema,
  run: runSchema
    .nullable()
    .default(null)
    .describe("Runs participants' code on private input; the evaluator then gets its output."),
  environment: environmentSchema
    .nullable()
    .default(null)
    .describe("Lets agents step an environment that graders host; the evaluator is the environment."),
  check: checkConfigSchema
    .nullable()
    .default(null)
    .describe(
      "Rules that a submission must satisfy before it is graded; clients check it before they send anything.",
    ),
  visibility: z
    .strictObject({
      leaderboard: z.boolean().default(true),
      submissions: z.boolean().default(false),
      private: z.boolean().default(false),
      profiles: z
        .boolean()
        .optional()
        .describe(
          "Whether the names, affiliations, links and pictures that participants set for themselves are shown; by default, unless the challenge is private.",
        ),
    })
    .default({ leaderboard: true, submissions: false, private: false }),
  after_end: z.enum(["accept", "reject"]).default("reject"),
  code: z
    .strictObject({
      capture: z.enum(["off", "optional", "required"]).default("optional"),
      to_graders: z
        .boolean()
        .default(false)
        .describe("Whether evaluators receive the files of a submission's code, without its history."),
    })
    .default({ capture: "optional", to_graders: false }),
  webhooks: webhooksSchema
    .default([])
    .describe("Addresses that receive what happens in the challenge, such as a Slack channel's webhook."),
});

export type ChallengeConfig = z.infer<typeof challengeConfigSchema>;
export type RoundConfig = ChallengeConfig["rounds"][number];
