import { z } from "zod";
import { errorBodySchema } from "./submission.ts";

/** The acknowledgement of a message: `{ ok: true, value }` or `{ ok: false, error }`. */
export const failureSchema = z.object({ ok: z.literal(false), error: errorBodySchema });
export type Ack<T> = { ok: true; value: T } | z.infer<typeof failureSchema>;
