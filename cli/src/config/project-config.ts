import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readSettingsFile } from "./settings-file.ts";

export const PROJECT_FILE = "crowdai.json";

const text = (what: string) => z.string({ error: what }).min(1, what);
const patterns = z.array(text("a pattern, as in .gitignore"), {
  error: "a list of patterns, as in .gitignore",
});

const count = (what: string) => z.int({ error: what }).min(1, what).optional();

const codeSchema = z.union(
  [
    z.boolean(),
    z.looseObject({
      submit: z
        .boolean({ error: "true or false" })
        .optional()
        .describe("Whether the code goes along with each submission; as --code and --no-code."),
      dir: text("a folder")
        .optional()
        .describe("Folder of the code, from this file. Default: the folder of this file."),
      include: patterns
        .optional()
        .describe("Files that belong to the code although .gitignore leaves them out."),
      exclude: patterns.optional().describe("Files that do not belong to the code, tracked ones too."),
      max_bytes: count("a number of bytes").describe("Never more bytes than this."),
      max_files: count("a number of files").describe("Never more files than this."),
    }),
  ],
  {
    error:
      "true, false, or an object with the fields submit (true or false), dir (a folder), include and exclude (lists of patterns, as in .gitignore), max_bytes and max_files",
  },
);

/** crowdai.json. Unknown fields are kept: a newer client, or another tool, may have put them there. */
export const projectConfigSchema = z.looseObject(
  {
    $schema: z.string({ error: "the address of a schema" }).optional(),
    challenge_id: text("the id of a challenge").optional().describe("The challenge this folder is for."),
    authors: z
      .array(text("a name"), { error: "a list of names" })
      .optional()
      .describe("Who wrote the solution."),
    description: z.string({ error: "a text" }).optional().describe("What the solution does."),
    broker: text("an http:// or https:// address").optional().describe("Address of the broker."),
    code: codeSchema.optional().describe("Whether the code goes along with each submission, and what of it."),
  },
  { error: 'an object with fields, as { "challenge_id": "iris" }' },
);
export type ProjectConfig = z.infer<typeof projectConfigSchema>;

/** The nearest crowdai.json, in `folder` or above it. Throws config_invalid. */
export function readProjectConfig(
  folder: string,
): { path: string; config: ProjectConfig; warnings: string[] } | null {
  for (let here = resolve(folder); ; here = dirname(here)) {
    const path = join(here, PROJECT_FILE);
    const found = readSettingsFile(path, projectConfigSchema);
    if (found) return { path, ...found };
    if (here === dirname(here)) return null;
  }
}
