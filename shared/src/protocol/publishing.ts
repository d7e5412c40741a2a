import { z } from "zod";

/** Where the code of a submission is read: one's own, or one that is published. */
export const codePlaceSchema = z.object({
  submission: z.string(),
  challenge: z.string(),
  participant: z.string(),
  own: z.boolean().describe("Whether it is the caller's, so that cloning takes the caller's key."),
  published_at: z.string().nullable(),
  tag: z.string().nullable().describe("Its tag in the repository; null until the submission has ended."),
  clone_url: z.string().describe("Where the repository is cloned from, without credentials."),
  page_url: z.string().nullable().describe("Its page at a code host."),
  fork_url: z
    .string()
    .nullable()
    .describe("The code host's page for forking it; null where a fork is a clone."),
  host: z.enum(["local", "github", "gitlab"]),
});
export type CodePlace = z.infer<typeof codePlaceSchema>;

export const diffFileSchema = z.object({
  path: z.string(),
  old_path: z.string().nullable().describe("Its path before, when it was renamed."),
  added: z.number().int().nullable().describe("Lines; null for a binary file."),
  removed: z.number().int().nullable(),
});

/** What changed between the code of two submissions. */
export const codeDiffSchema = z.object({
  from: z.string().nullable().describe("Null when everything is new."),
  to: z.string(),
  files: z.array(diffFileSchema),
  patch: z.string().describe("As git prints it."),
  truncated: z.boolean().describe("Whether there is more than is told here."),
});
export type CodeDiff = z.infer<typeof codeDiffSchema>;
