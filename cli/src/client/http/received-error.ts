import { z } from "zod";

/**
 * An error as a broker sends it. A newer one may have other faults and leave fields out that this client does
 * not use.
 */
export const receivedErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  // Proxies send errors with a code and a message too, but none with a fault.
  fault: z.string(),
  next: z
    .string()
    .nullish()
    .transform((next) => next ?? undefined),
  details: z.record(z.string(), z.unknown()).optional().catch(undefined),
  request_id: z.string().optional().catch(undefined),
});
