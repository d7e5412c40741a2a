import { z } from "zod";
import { profileSchema } from "./profile.ts";
import { columnSchema, scoreSchema } from "./public-challenge.ts";
import { mediaSchema } from "./submission.ts";

export const leaderboardRowSchema = z.object({
  rank: z.number().int().describe("Starts at 1; 0 for a baseline, which has no rank."),
  participant: z
    .string()
    .describe("Name of the participant; for a baseline, its title as given by the organizer."),
  members: z.array(z.string()).default([]).describe("The members of a team; empty for a single participant."),
  profile: profileSchema
    .nullable()
    .default(null)
    .describe(
      "The profile that the participant shows beside the name; null when there is nothing, or it is not shown.",
    ),
  score: z.number().nullable().describe("Rounded to the challenge's precision."),
  score_secondary: z.number().nullable(),
  score_public: z
    .number()
    .nullable()
    .default(null)
    .describe(
      "On a final board, the participant's score on the public one, where the rank was `rank_before`.",
    ),
  columns: z
    .record(z.string(), z.number().nullable())
    .default({})
    .describe("The numbers of the board's columns, by their keys; null where the result has none."),
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
    .describe(
      "Rank one ranking window ago, on a final board the rank by public scores; null for participants who were not yet on the board.",
    ),
  highlight: z
    .boolean()
    .default(false)
    .describe("Whether the participant is among the leaders of the round."),
  baseline: z
    .boolean()
    .default(false)
    .describe("Whether this is a reference entry of the organizer, which has no rank."),
  media: mediaSchema.nullable().default(null),
  code: z
    .string()
    .nullable()
    .default(null)
    .describe("URL of the published code; null when the code is not public."),
});

/**
 * `previous` boards show the state one ranking window ago; `ongoing` boards include submissions made after
 * the round ended.
 */
export const BOARDS = ["current", "ongoing", "previous", "previous_ongoing"] as const;

export const leaderboardSchema = z.object({
  challenge: z.string(),
  round: z.string().nullable(),
  board: z.enum(BOARDS).default("current"),
  score: scoreSchema,
  score_secondary: scoreSchema.nullable(),
  columns: z.array(columnSchema).default([]),
  final: z
    .boolean()
    .default(false)
    .describe("Whether it ranks by the final scores, which are hidden until the round has ended."),
  version: z.number().int().default(0).describe("Incremented by each change to the round's boards."),
  total: z.number().int(),
  rows: z.array(leaderboardRowSchema),
});
export type Leaderboard = z.infer<typeof leaderboardSchema>;

/**
 * Client to broker, event `watch_board`: subscribes to a challenge's boards. The response holds a BoardMoved
 * for each round.
 */
export const watchBoardSchema = z.object({ challenge: z.string().max(100) });

/**
 * Broker to client, event `leaderboard`: the boards of a round have changed. Sent at most once a second for
 * each round.
 */
export const boardMovedSchema = z.object({
  challenge: z.string(),
  round: z.string(),
  version: z.number().int(),
});
export type BoardMoved = z.infer<typeof boardMovedSchema>;
