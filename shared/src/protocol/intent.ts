import { z } from "zod";
import { MAX_MODELS } from "./message-limits.ts";
import { SUBMISSION_ID } from "./submission-id.ts";
import { partCount, partDigestsSchema } from "./upload-parts.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lowercase hexadecimal digits");

const objectName = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, "a git object name");

export const submissionIdSchema = z
  .string()
  .regex(SUBMISSION_ID, "8 to 64 letters, digits, - or _, starting with a letter or digit");

/**
 * The input of an intent. A value above MAX_INLINE_BYTES is announced like a file, with kind "json" and no
 * data. With `parts`, the bytes are uploaded in parts, each verified against its digest; without it, in a
 * single request. With kind "code", the announced code is the submission: graders run it. With kind
 * "session", a remote agent steps an environment.
 */
export const intentInputSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("inline"), data: z.unknown() }),
  z.object({
    kind: z.literal("code"),
    command: z
      .array(z.string().min(1).max(4096))
      .min(1)
      .max(256)
      .nullable()
      .default(null)
      .describe("The command to run, where the challenge leaves that to the participant."),
  }),
  z.object({ kind: z.literal("session") }),
  z
    .object({
      kind: z.enum(["file", "json"]),
      name: z.string().min(1).max(255).nullable(),
      size: z.number().int().min(1),
      sha256,
      parts: partDigestsSchema.optional(),
    })
    .refine(({ size, parts }) => !parts || parts.md5.length === partCount(size, parts.size), {
      path: ["parts", "md5"],
      error: "one digest for each part of the file",
    }),
]);

/**
 * A code snapshot that is sent by `git push`, in parallel with the upload. `files` and `bytes` measure its
 * tree.
 */
export const codeAnnouncementSchema = z.object({
  commit: objectName,
  tree: objectName,
  files: z.number().int().min(0),
  bytes: z.number().int().min(0),
});
export type CodeAnnouncement = z.infer<typeof codeAnnouncementSchema>;

/** A model stored with the submission. It is uploaded as a file is, to signed URLs of its own. */
export const modelAnnouncementSchema = z.object({
  name: z.string().min(1).max(255),
  size: z.number().int().min(1),
  sha256,
  parts: partDigestsSchema.optional(),
});
export type ModelAnnouncement = z.infer<typeof modelAnnouncementSchema>;

/** Client to broker, event `submit`: registers the intent. An inline value is accepted immediately. */
export const intentSchema = z.object({
  id: submissionIdSchema,
  challenge: z.string(),
  round: z.string().max(100).nullable().default(null),
  message: z.string().max(10_000).nullable().default(null),
  function: z.string().max(100).default("submit"),
  dry_run: z.boolean().default(false),
  input: intentInputSchema,
  code: codeAnnouncementSchema.nullable().default(null),
  publish: z
    .boolean()
    .default(false)
    .describe("Whether the code may be published when the challenge closes."),
  sealed_at: z.iso
    .datetime({ offset: true, error: "an ISO 8601 time with time zone" })
    .nullable()
    .default(null)
    .describe(
      "When it was sealed without a network, by the client's clock. It is only shown; no rule uses it.",
    ),
  models: z.array(modelAnnouncementSchema).max(MAX_MODELS).default([]),
});
export type Intent = z.infer<typeof intentSchema>;
export type IntentRequest = z.input<typeof intentSchema>;
