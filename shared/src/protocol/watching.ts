import { z } from "zod";
import { submissionEventSchema } from "./events.ts";
import { submissionSchema } from "./submission.ts";

/** Client to broker, events `complete` and `cancel`. */
export const submissionRefSchema = z.object({ id: z.string().max(64) });

/**
 * Client to broker, event `watch`: subscribes to live events. The response holds the events since number
 * `after`.
 */
export const watchSchema = z.object({
  id: z.string().max(64),
  after: z.number().int().min(0).max(1e9).default(0),
});

export const watchedSchema = z.object({
  submission: submissionSchema,
  events: z.array(submissionEventSchema),
});
export type Watched = z.infer<typeof watchedSchema>;

/**
 * Broker to client, event `event`. `submission` is included with the last event, which saves clients a
 * request.
 */
export const liveEventSchema = z.object({
  event: submissionEventSchema,
  submission: submissionSchema.nullable(),
});
export type LiveEvent = z.infer<typeof liveEventSchema>;
