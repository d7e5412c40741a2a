import { z } from "zod";

/**
 * Broker to client, event `place`: the queue position of a watched submission. Not numbered, because only the
 * latest counts.
 */
export const queuePositionSchema = z.object({
  submission: z.string(),
  place: z.number().int().nullable(),
  waiting: z.string().nullable(),
  expected_at: z.string().nullable().default(null),
  graders: z.number().int().nullable().default(null),
});
export type Place = z.infer<typeof queuePositionSchema>;
