import { z } from "zod";
import { challengeSchema, limitSchema } from "./public-challenge.ts";

export const handshakeSchema = z.object({
  apiKey: z.string(),
  challenge: z.string().optional(),
  client: z.string().max(200).optional(),
});

/**
 * The slots of one participant in a round. `remaining` is null without a limit; `next_at` is when the next
 * slot becomes available.
 */
export const limitsSchema = z.object({
  challenge: z.string(),
  round: z.string().nullable(),
  limit: limitSchema.nullable(),
  used: z.number().int(),
  used_in_other_rounds: z
    .number()
    .int()
    .default(0)
    .describe("How many of the used slots belong to other rounds, which limits per day or week may count."),
  remaining: z.number().int().nullable(),
  next_at: z.string().nullable(),
  parallel_limit: z.number().int().nullable(),
  running: z.number().int().describe("Number of unfinished submissions of this participant."),
  uploading: z.number().int().default(0).describe("Number of those whose bytes have not all arrived."),
  ends_at: z.string().nullable(),
  opens_at: z.string().nullable().default(null).describe("See the challenge."),
  closed_at: z.string().nullable().default(null).describe("See the challenge."),
  graders: z.number().int().nullable().default(null).describe("See the challenge."),
  waiting: z.string().nullable().default(null).describe("See the challenge."),
});
export type Limits = z.infer<typeof limitsSchema>;

/** Event `session`, the first message from the broker. */
export const sessionSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  challenge: challengeSchema.nullable(),
  limits: limitsSchema.nullable(),
  agreed: z.boolean().describe("Whether the participant has accepted the current license text."),
  broker: z.object({ version: z.string(), instance: z.string() }),
});
export type Session = z.infer<typeof sessionSchema>;
