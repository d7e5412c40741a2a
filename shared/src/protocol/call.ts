import { z } from "zod";
import { submissionIdSchema } from "./intent.ts";
import { MAX_CALL_VALUES } from "./message-limits.ts";

/**
 * Client to broker, event `call`: calls a function other than `submit` for a list of values. Results are
 * returned in order.
 */
export const callSchema = z.object({
  challenge: z.string(),
  round: z.string().max(100).nullable().default(null),
  function: z.string().max(100),
  dry_run: z.boolean().default(false),
  items: z
    .array(z.object({ id: submissionIdSchema, data: z.unknown() }))
    .min(1)
    .max(MAX_CALL_VALUES),
});
export type Call = z.infer<typeof callSchema>;
export type CallRequest = z.input<typeof callSchema>;
