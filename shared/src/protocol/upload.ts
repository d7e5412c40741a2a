import { z } from "zod";
import { submissionSchema } from "./submission.ts";

/**
 * The signed URLs of an upload. Each accepts one PUT of exactly the announced length and digest. Of a file in
 * many parts, only the first missing parts are listed; `missing` counts all of them.
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
 * The destination of the announced commit: `git push <url> <commit>:<ref>`, with user `crowdai` and the API
 * key as its password. `have` is true when the broker already has the commit and no push is needed.
 */
export const codePushSchema = z.object({ url: z.string(), ref: z.string(), have: z.boolean() });
export type CodePush = z.infer<typeof codePushSchema>;

/**
 * Response to `submit` and `complete`. `upload` is set while bytes are missing, `code` while a commit is
 * awaited. `models` lists each announced model; its `upload` is null once the model has been received.
 */
export const receiptSchema = z.object({
  submission: submissionSchema,
  upload: uploadSchema.nullable(),
  code: codePushSchema.nullable().default(null),
  models: z.array(z.object({ name: z.string(), upload: uploadSchema.nullable() })).default([]),
});
export type Receipt = z.infer<typeof receiptSchema>;
