import { z } from "zod";

/** Where to read the code of a submission: the caller's own, or published code. */
export const codePlaceSchema = z.object({
  submission: z.string(),
  challenge: z.string(),
  participant: z.string(),
  own: z.boolean().describe("Whether it is the caller's own code, which is cloned with the caller's key."),
  published_at: z.string().nullable(),
  tag: z.string().nullable().describe("Tag of the submission in the repository; null until it has finished."),
  clone_url: z.string().describe("URL to clone the repository from, without credentials."),
  page_url: z.string().nullable().describe("Page of the repository at a code host."),
  fork_url: z
    .string()
    .nullable()
    .describe("The code host's page for forking the repository; null when a fork is a clone."),
  host: z.enum(["local", "github", "gitlab"]),
});
export type CodePlace = z.infer<typeof codePlaceSchema>;

export const diffFileSchema = z.object({
  path: z.string(),
  old_path: z.string().nullable().describe("Previous path of a renamed file."),
  added: z.number().int().nullable().describe("Number of lines; null for a binary file."),
  removed: z.number().int().nullable(),
});

/** The changes between the code of two submissions. */
export const codeDiffSchema = z.object({
  from: z.string().nullable().describe("Null when all files are new."),
  to: z.string(),
  files: z.array(diffFileSchema),
  patch: z.string().describe("The patch in the format of git."),
  truncated: z.boolean().describe("Whether the list is incomplete."),
});
export type CodeDiff = z.infer<typeof codeDiffSchema>;
